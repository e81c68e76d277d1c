"""What each level has of its own: labels that take the level, and numbers of a task with one entry for each level."""

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._errors import InputError, nearest
from .._numbers import as_numbers, is_known

LABELLERS = ("label", "clean_label", "before_sign")  # methods of a task that may take the level


@cache
def takes_level(kind: type, method: str) -> bool:
    """Return whether a method of a class of tasks takes the level: label(nu, level, cluster, noise)."""
    return "level" in inspect.signature(getattr(kind, method)).parameters


def knows_levels(kind: type) -> bool:
    """Return whether labels of a class of tasks take the level."""
    return any(takes_level(kind, method) for method in LABELLERS)


def of_level(numbers: Any, level: Any) -> Any:
    """Return the numbers of one level, of an array with a leading axis of levels. The index may be traced."""
    return numbers[level] if is_known((numbers, level)) else jnp.asarray(numbers)[level]


def by_level(numbers: Mapping[str, Any], names: tuple[str, ...], quantity: str) -> list[Any]:
    """Return the entries of {level: numbers} in the order of the levels. Raises InputError unless each has one."""
    for name in numbers:
        if name not in names:
            raise InputError(f"known levels in {quantity}", repr(name), nearest(str(name), names))
    for name in names:
        if name not in numbers:
            raise InputError(f"{quantity} of level {name!r}", f"only {sorted(numbers)}", "give one for each level")
    return [numbers[name] for name in names]


def row_of_levels(numbers: Mapping[str, Any], names: tuple[str, ...], quantity: str) -> Float[Any, "L"]:
    """Return one number for each level, from {level: number}."""
    entries = by_level(numbers, names, quantity)
    for entry in entries:
        if np.ndim(entry):
            raise InputError(f"one number for each level as {quantity}", f"shape {np.shape(entry)}")
    return as_numbers(entries, quantity)
