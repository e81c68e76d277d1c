"""Which hidden units stay when a student is pruned."""

from typing import Any

import numpy as np
from jaxtyping import Integer

from .._errors import InputError


def units_that_stay(units: Any, width: int) -> Integer[np.ndarray, "n"]:
    """Return `units` as an array of distinct indices 0, ..., width - 1.

    Raises InputError for no indices, for repeated ones, and for those that the student does not have.
    """
    indices = np.asarray(units)
    if indices.ndim != 1 or indices.size == 0:
        raise InputError("a list of one or more units that stay", f"shape {indices.shape}", "name at least one")
    if indices.dtype.kind not in "iu":
        raise InputError("indices of units (integers)", indices.tolist())
    if indices.size > width or indices.min() < 0 or indices.max() >= width:
        raise InputError(f"units among the student's {width} (0 to {width - 1})", indices.tolist(), "name each once")
    if np.unique(indices).size < indices.size:
        raise InputError("distinct units", indices.tolist(), "name each once")
    return indices
