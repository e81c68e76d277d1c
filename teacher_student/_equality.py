"""What == means for public objects: the same type, and the same contents all the way down, in one bool."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


def same_contents(one: Any, other: Any) -> bool:
    """Return whether two objects hold the same.

    Arrays are the same if their shapes and numbers are, whether NumPy's or JAX's and in whatever precision; NaN is the
    same as NaN, so that a copy of a trajectory that has diverged is equal to it.
    """
    if one is other:
        return True
    if _is_numeric(one) and _is_numeric(other):
        return _same_numbers(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping) and not dataclasses.is_dataclass(one):
        return one.keys() == other.keys() and all(same_contents(one[key], other[key]) for key in one)
    if type(one) is not type(other):
        return False
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        return same_fields(one, other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same_contents, one, other))
    if hasattr(one, "equals"):  # of xarray, whose == is an array
        return bool(one.equals(other))
    return bool(one == other)


def same_fields(one: Any, other: Any) -> bool:
    """Return whether two dataclasses of one type have the same in every field."""
    names = [field.name for field in dataclasses.fields(one) if field.compare]
    return all(same_contents(getattr(one, name, None), getattr(other, name, None)) for name in names)


def _is_numeric(x: Any) -> bool:
    """Return whether `x` is a number, or an array of NumPy's or JAX's."""
    return isinstance(x, (bool, int, float, np.generic)) or (hasattr(x, "dtype") and hasattr(x, "shape"))


def _same_numbers(one: Any, other: Any) -> bool:
    first, second = _as_numpy(one), _as_numpy(other)
    if first.shape != second.shape:
        return False
    return np.array_equal(first, second, equal_nan=first.dtype.kind in "fc" and second.dtype.kind in "fc")


def _as_numpy(x: Any) -> np.ndarray:
    if "key<" in str(getattr(x, "dtype", "")):  # a JAX key, which has no numbers for NumPy
        import jax

        x = jax.random.key_data(x)
    return np.asarray(x)
