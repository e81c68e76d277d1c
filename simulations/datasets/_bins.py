"""Bins of eigen-directions: directions of like variance are one block of the theory."""

import itertools

import numpy as np
from jaxtyping import Float

from teacher_student import InputError
from teacher_student.internal import as_count, is_number

# Variances below this share of the largest are one bin: they are rounding, or pixels that hardly vary, and would else
# have a bin for every factor `ratio` down to 1e-17.
FLOOR = 3e-3


def bin_edges(values: Float[np.ndarray, "N"], alone: int, ratio: float) -> list[int]:
    """Return the edges (0, ..., N) of bins of eigenvalues in falling order.

    The first `alone` directions have a bin each. Then a bin ends where the variance has fallen by the factor `ratio`.
    """
    as_count(alone, "number of directions that have a bin each", least=0)
    if not is_number(ratio) or not ratio >= 1:
        raise InputError("a ratio >= 1 of variances within a bin", repr(ratio))
    raised = values + FLOOR * values[0]
    edges = list(range(min(alone, len(values))))
    first = len(edges)
    for i in range(first, len(values)):
        if i == first or raised[i] * ratio < raised[edges[-1]]:
            edges.append(i)
    return [*edges, len(values)]


def names_of_bins(edges: list[int]) -> list[str]:
    """Return "1" for a direction that is alone, and "25-31" for several; they are numbered from 1."""
    return [str(j) if j == i + 1 else f"{i + 1}-{j}" for i, j in itertools.pairwise(edges)]


def means_of_bins(numbers: Float[np.ndarray, "*rows N"], edges: list[int]) -> Float[np.ndarray, "*rows B"]:
    """Return the mean over every bin of numbers (..., N)."""
    sums: np.ndarray = np.add.reduceat(numbers, edges[:-1], axis=-1)
    return sums / np.diff(edges)
