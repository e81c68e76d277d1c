"""Symbolic derivation with sympy: Gaussian averages, whole ODEs as LaTeX, and the JAX code of polynomial averages.

sympy is slow to import, so a name is loaded when it is first used.
"""

import importlib
from typing import Any

_HOMES = {
    "Equations": "._equations",
    "DerivedAverages": "._averages",
    "averages": "._averages",
    "equations": "._equations",
    "mean_function": "..moments",
    "pair_function": "..moments",
    "quad_function": "..moments",
    "symbols": "..moments",
    "unit": "..moments",
}

__all__ = [
    "DerivedAverages",
    "Equations",
    "averages",
    "equations",
    "mean_function",
    "pair_function",
    "quad_function",
    "symbols",
    "unit",
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name], __name__), name)
