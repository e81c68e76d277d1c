"""Everything that can be measured: its name, the function that measures it, and the sizes in full and in quick mode."""

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from ._errors import UsageError

DIMS = tuple(10**i for i in range(2, 7))
WIDTHS = (2, 4, 8, 16, 32, 64, 128, 256)


@dataclasses.dataclass(frozen=True)
class Case:
    """One measurement. quick: what is smaller in quick mode, None: left out of it. every_core: not one alone.

    longest: seconds after which its process is given up, if more than usual.
    """

    name: str
    function: str  # "module.function" of this package
    full: Mapping[str, Any]
    quick: Mapping[str, Any] | None = None
    every_core: bool = False
    longest: float = 0.0

    @property
    def group(self) -> str:
        """What quick mode measures in one process: an engine's rows, or whole processes."""
        if self.name.startswith("first"):
            return "first"
        return "simulations" if self.name.startswith(("weights", "shared", "chain")) else "ode"

    @property
    def words(self) -> str:
        """What is measured, and whether in quick mode too."""
        module, function = self.function.split(".")
        measured = getattr(importlib.import_module(f"{__package__}.{module}"), function).__doc__.splitlines()[0]
        return measured if self.quick is None else f"{measured} (quick)"

    def sizes(self, quick: bool, cores: int) -> dict[str, Any]:
        """Keyword arguments of the function."""
        return {**self.full, **((self.quick or {}) if quick else {}), **({"cores": cores} if self.every_core else {})}


def _committee(K: int, M: int, eta: float, **more: Any) -> dict[str, Any]:
    return {"K": K, "M": M, "eta": eta, **more}


SMALL, WIDE = _committee(2, 2, 1.0), _committee(8, 4, 0.3)

CASES = (
    Case("drift-k2", "_drift_rows.closed", {"K": 2, "M": 2, "target": 60}, {}),
    Case("drift-k8", "_drift_rows.closed", {"K": 8, "M": 4, "target": 15}, {}),
    Case("drift-k32", "_drift_rows.closed", {"K": 32, "M": 4, "target": 40}, {"K": 24}),
    Case("solve-k2", "_solve_rows.whole", _committee(2, 2, 1.5, last=300.0, dim=10**6, target=40), {"last": 40.0}),
    Case("solve-k8", "_solve_rows.whole", {**WIDE, "last": 1000.0, "target": 13}),
    Case("host-k2", "_solve_rows.whole", _committee(2, 2, 1.5, last=300.0, dim=10**6, compiled=False)),
    Case("host-k8", "_solve_rows.whole", {**WIDE, "last": 1000.0, "compiled": False}),
    Case(
        "batch-k2",
        "_batch_rows.batch",
        {"K": 2, "M": 2, "cells": 1000, "rates": (0.2, 2.0), "last": 50.0, "target": 5},
        {"cells": 3, "last": 5.0},
        every_core=True,
    ),
    Case(
        "batch-k8",
        "_batch_rows.batch",
        {"K": 8, "M": 4, "cells": 64, "rates": (0.05, 0.5), "last": 50.0, "target": 1},
        every_core=True,
    ),
    Case("wide-k80", "_solve_rows.wide", _committee(80, 4, 0.025, last=2.0, dim=10**4), {"K": 12, "last": 0.5}),
    Case("wide-k128", "_solve_rows.wide", _committee(128, 4, 0.015, last=0.5, dim=10**4)),
    Case("wide-k256", "_solve_rows.wide", _committee(256, 4, 0.008, last=0.5, dim=10**4, closed=False)),
    Case("sampled-k8", "_drift_rows.sampled", {"K": 8}, {"K": 4, "M": 2, "points": 1024}),
    Case("sampled-k64", "_drift_rows.sampled", {"K": 64}),
    Case("sampled-k256", "_drift_rows.sampled", {"K": 256}),
    Case(
        "gradient-forward",
        "_gradient_rows.gradient",
        {**WIDE, "last": 100.0, "mode": "forward"},
    ),
    Case(
        "gradient-reverse",
        "_gradient_rows.gradient",
        {**WIDE, "last": 100.0, "mode": "reverse"},
        {"K": 2, "M": 2, "last": 5.0},
    ),
    Case("weights-k2", "_weights_rows.weights", {**SMALL, "dim": 1000, "steps": 40_000, "target": 4.5}, {"steps": 100}),
    Case("weights-k8", "_weights_rows.weights", {**WIDE, "dim": 1000, "steps": 40_000, "target": 4.5}),
    Case("weights-1e6", "_weights_rows.large", {**SMALL, "dim": 10**6, "steps": 50}),
    Case("weights-k1024", "_weights_rows.large", {**_committee(1024, 4, 0.002), "dim": 10**4, "steps": 100}),
    Case(
        "shared-k2",
        "_weights_rows.shared",
        {**SMALL, "dim": 1000, "steps": 8_000, "runs": 32, "target": 8},
        {"steps": 100},
    ),
    Case("chain-k2", "_chain_rows.chain", {**SMALL, "runs": 1, "steps": 100_000, "target": 25}, {"steps": 100}),
    Case("chain-k2-runs", "_chain_rows.chain", {**SMALL, "runs": 32, "steps": 10_000, "target": 25}),
    Case("chain-k8", "_chain_rows.chain", {**WIDE, "runs": 1, "steps": 40_000, "target": 14}),
    Case("chain-k8-runs", "_chain_rows.chain", {**WIDE, "runs": 32, "steps": 4_000, "target": 14}),
    Case("chain-1e9", "_chain_rows.chain_at_large_dim", {**SMALL, "steps": 100_000}, {"steps": 100}),
    Case("first-k2", "_first_rows.curves", {**_committee(2, 2, 1.5), "last": 100.0}, {"last": 5.0}, longest=3600.0),
    Case("first-k8", "_first_rows.curves", {**WIDE, "last": 100.0}, longest=3600.0),
    Case("first-help", "_first_rows.commands", {"arguments": ("--help",), "target": 1 / 0.6}),
    Case("first-compare", "_first_rows.compare", {}, every_core=True, longest=3600.0),
    Case("grow-width", "_curve_rows.closed_widths", {"widths": WIDTHS}),
    Case("grow-width-sampled", "_curve_rows.sampled_widths", {"widths": WIDTHS}),
    Case("grow-dimension", "_curve_rows.dims_of_weights", {"dims": DIMS, "numbers": 4e6}),
    Case("grow-dimension-chain", "_curve_rows.dims_of_chain", {"dims": (*DIMS, 10**9), "steps": 4000}),
    Case("grow-cells", "_curve_rows.cells", {"counts": (1, 3, 10, 32, 100, 320, 1000), "last": 20.0}, every_core=True),
)


def chosen(only: list[str], quick: bool) -> list[Case]:
    """The cases whose names begin with one of `only` (none: all), and that quick mode has. Raises UsageError."""
    for prefix in only:
        if not any(case.name.startswith(prefix) for case in CASES):
            names = ", ".join(case.name for case in CASES)
            raise UsageError(f"no benchmark begins with {prefix!r}; there are {names}")
    found = [case for case in CASES if not only or any(case.name.startswith(prefix) for prefix in only)]
    if quick:
        found = [case for case in found if case.quick is not None]
    if not found:
        raise UsageError("quick mode leaves out all that --only names: run it without --quick")
    return found
