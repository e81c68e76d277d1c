"""Which hidden units stay when a student is pruned."""

from typing import Any

import numpy as np

from .._errors import InputError


def units_that_stay(units: Any, width: int) -> np.ndarray:
    """`units` as an array (n,) of distinct indices 0, ..., width - 1.

    Raises InputError for none, repeated ones, or indices that the student does not have.
    """
    found = np.asarray(units)
    if found.ndim != 1 or found.size == 0:
        raise InputError("a list of one or more units that stay", f"shape {found.shape}", "name at least one")
    if found.dtype.kind not in "iu":
        raise InputError("indices of units (integers)", found.tolist())
    if found.size > width or found.min() < 0 or found.max() >= width:
        raise InputError(f"units among the student's {width} (0 to {width - 1})", found.tolist(), "name each once")
    if np.unique(found).size < found.size:
        raise InputError("distinct units", found.tolist(), "name each once")
    return found
