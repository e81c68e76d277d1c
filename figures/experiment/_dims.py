"""The dimensions that a comparison simulates, and the times that all of them can record."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import math
from collections.abc import Sequence

import numpy as np

import simulations
import teacher_student as ts

from ._choices import Choices


def simulated_dims(choices: Choices) -> tuple[int, ...]:
    """Return the dimensions N to simulate, the larger first; only one with predicted spread, which states the 1/N term.

    Raises InputError where a second one is to be found and there is none.
    """
    if choices.smaller_dim == 0 or choices.spread == "predicted":
        return (choices.dim,)
    return choices.dim, choices.smaller_dim if choices.smaller_dim is not None else _divisor(choices.dim)


def recorded_alphas(wanted: np.ndarray, dims: Sequence[int], problem: ts.Problem, *, every: bool) -> np.ndarray:
    """Move the `wanted` times to whole numbers of steps in every dimension of `dims`, up to the curriculum's end.

    Arguments: every: whether each wanted time is to be kept; else those that meet at one step are recorded once.
    Raises InputError where each is to be kept and cannot be.
    """
    kept = simulations.recordable_alphas(wanted, *dims)
    if every and (kept.size < wanted.size or np.any((kept == 0) & (wanted > 0))):
        raise ts.InputError(
            f"alphas at least 1/{math.gcd(*dims)} apart (whole numbers of steps at N = {tuple(dims)})",
            wanted.tolist(),
            "raise the dimension, or record fewer",
        )
    # The last time may have been moved beyond the end, where nothing is learned; by rounding alone it may not fall out.
    return kept[kept <= float(problem.curriculum.end) * (1 + 1e-12)]


def _divisor(dim: int) -> int:
    """Return the largest divisor of N from N/10 to N/3: both dimensions then share a grid of recorded times."""
    shares = [share for share in range(3, 11) if dim % share == 0]
    if not shares:
        raise ts.InputError(
            "a dimension N with a divisor between N/10 and N/3 (for the 1/N term)",
            dim,
            f"take {-(-dim // 100) * 100}, or set smaller_dim",
        )
    return dim // shares[0]
