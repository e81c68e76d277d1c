"""Whole numbers that a user gives: they are looked at before JAX or NumPy is loaded."""

from numbers import Integral
from typing import Any

from ._errors import InputError
from ._usable_memory import require_memory


def is_integer(value: Any) -> bool:
    """Return whether `value` is one integer of Python or NumPy. True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


MOST = 2**31 - 1  # of what is counted in 32 bits
MOST_ALPHAS = 10_000_000  # recorded times: the overlaps at each of them stay in memory
WIDE = 10_000  # below this width nobody's memory is too small for a state


def as_count(value: Any, quantity: str, remedy: str = "", *, least: int = 1, most: int = MOST) -> int:
    """Return `value` as an integer of at least `least`, and at most `most`. Raises InputError for anything else."""
    if not is_integer(value) or value < least:
        raise InputError(f"an integer {quantity} >= {least}", repr(value), remedy)
    if value > most:
        reason = "2^31 (it is counted in 32 bits)" if most == MOST else f"{most + 1:,}"
        raise InputError(f"a {quantity} below {reason}", value, remedy)
    return int(value)


def as_width(value: Any, quantity: str) -> int:
    """Return `value` as a width, of which the overlaps of all pairs of units fit into memory. Raises InputError."""
    width = as_count(value, quantity)
    if width > WIDE:
        # Q itself, the Gram matrix that it is part of, and a root of that.
        require_memory(4 * 8 * width**2, f"the overlaps of the {width:,} units of {quantity}", "take fewer units")
    return width


def check_number_of_alphas(alphas: Any) -> None:
    """Raise InputError for more times than can be recorded, before an array is made of them."""
    if isinstance(alphas, range):  # `len` has no answer for more than 2^63
        count = abs(alphas.stop - alphas.start) // abs(alphas.step)
    else:
        count = len(alphas) if hasattr(alphas, "__len__") and getattr(alphas, "ndim", 1) != 0 else 0
    if count > MOST_ALPHAS:
        required = f"at most {MOST_ALPHAS:,} alphas (the overlaps at each of them stay in memory)"
        raise InputError(required, f"{count:,}", "record fewer")
