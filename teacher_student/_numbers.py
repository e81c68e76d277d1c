"""Numbers of a problem: float64 NumPy arrays when known, tracers left alone.

NumPy keeps float64 whatever the user's JAX settings; `jnp.asarray` would round to float32.
Values are checked only where they are known: under vmap, jit or grad they are tracers.
"""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._errors import InputError


def is_known(x: Any) -> bool:
    """Return whether the values of `x` can be looked at (no part of it is being traced)."""
    if type(x) is np.ndarray:
        return True
    try:
        leaves = jax.tree.leaves(x)
    except ValueError:  # a table whose keys cannot be sorted: nothing that is traced, and no numbers either
        return True
    return not any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)


def as_numbers(x: Any, quantity: str) -> Any:
    """Return `x` (nested sequences of numbers) as one float64 array, or a traced one."""
    if isinstance(x, jax.core.Tracer):
        return x
    if is_known(x):
        try:
            numbers = np.asarray(x)
            if numbers.dtype.kind in "biuf" or jnp.issubdtype(numbers.dtype, jnp.floating):  # bfloat16 is no kind "f"
                return numbers.astype(np.float64)
            raise TypeError
        except (TypeError, ValueError):
            raise InputError(f"numbers for {quantity}", repr(x)) from None
    return jnp.stack([jnp.asarray(as_numbers(entry, quantity)) for entry in x])


def as_number(x: Any, quantity: str) -> Any:
    """Return `x` as one float64 number of no axes, or a traced one.

    Raises InputError for any other shape, traced or not.
    """
    number = as_numbers(x, quantity)
    if np.ndim(number) != 0:
        raise InputError(f"one number for {quantity}", f"shape {np.shape(number)}", "use jax.vmap over several")
    return number


def as_row(values: Iterable[Any], quantity: str) -> Any:
    """Return one number after the other as an array (n,), or a traced one.

    Raises InputError for one that is not a number.
    """
    return as_numbers([as_number(value, quantity) for value in values], quantity)


def is_number(x: Any) -> bool:
    """Return whether `x` is one plain real number that a float can hold, and not NaN."""
    if not isinstance(x, (int, float, np.integer, np.floating)) or isinstance(x, bool) or x != x:
        return False
    return not isinstance(x, int) or abs(x) <= LARGEST


LARGEST = int(np.finfo(np.float64).max)


def check_finite(x: Any, quantity: str) -> None:
    """Raise InputError if a known number is NaN or infinite."""
    if is_known(x) and not np.all(np.isfinite(x)):
        raise InputError(f"finite numbers for {quantity}", np.asarray(x).tolist())


def check_at_least(x: Any, bound: float, quantity: str, *, strict: bool = False) -> None:
    """Raise InputError if a known number is below `bound` (or at it, if `strict`)."""
    check_finite(x, quantity)
    if not is_known(x):
        return
    if np.any(np.asarray(x) <= bound) if strict else np.any(np.asarray(x) < bound):
        raise InputError(f"{quantity} {'>' if strict else '>='} {bound:g}", np.asarray(x).tolist())
