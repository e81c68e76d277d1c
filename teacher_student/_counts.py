"""Whole numbers that a user gives: they are looked at before JAX or NumPy is loaded."""

from numbers import Integral
from typing import Any

from ._errors import InputError


def is_integer(value: Any) -> bool:
    """Return whether `value` is one integer of Python or NumPy. True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def as_count(value: Any, quantity: str, remedy: str = "") -> int:
    """Return `value` as an integer of at least 1. Raises InputError for anything else."""
    if not is_integer(value) or value < 1:
        raise InputError(f"an integer {quantity} >= 1", repr(value), remedy)
    return int(value)
