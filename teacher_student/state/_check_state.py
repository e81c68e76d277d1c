"""Whether overlaps are a state of a problem."""

from typing import Any

import numpy as np

from .._errors import InputError
from .._numbers import is_known
from ..problem import Problem, check_problem
from ._overlaps import LARGEST_VIOLATION, Overlaps, check_shapes, psd_violation

SPANNED = 1e-6  # relative deviation from Q = R T^-1 R^T that a start may have where the teacher's directions span


def check_state(problem: Problem, overlaps: Overlaps) -> None:
    """Raise InputError unless `overlaps` have the shapes of one state of `problem`."""
    check_problem(problem)
    _check_kind(overlaps)
    check_shapes(overlaps, problem.shape, "overlaps")
    if np.ndim(overlaps.Q) != 3:
        raise InputError("one state", f"leading axes {np.shape(overlaps.Q)[:-3]}", "use jax.vmap over them")


def _check_kind(overlaps: Any) -> None:
    if not isinstance(overlaps, Overlaps):
        numbers = hasattr(overlaps, "__array__") or isinstance(overlaps, (list, tuple, range))
        order = "; the order is (problem, start, alphas)" if numbers else ""
        raise InputError("ts.Overlaps", type(overlaps).__name__, f"see ts.random_overlaps{order}")


def check_overlaps(overlaps: Overlaps, problem: Problem) -> None:
    """Raise InputError unless known `overlaps` are a state of `problem`, or several.

    Of its shape (B, K, M), finite, symmetric and PSD; with no teacher in blocks that it does not see, and no student
    outside of the teacher's directions in a block that these span.
    """
    check_problem(problem)
    _check_kind(overlaps)
    check_shapes(overlaps, problem.shape)
    if not is_known(overlaps):
        return
    violation = psd_violation(overlaps)
    if violation > LARGEST_VIOLATION:
        raise InputError(
            "symmetric, positive semidefinite [[Q, R], [R^T, T]] in every block of the start",
            f"a relative violation of {violation:.3g}",
            "take the overlaps of actual weights, or ts.random_overlaps",
        )
    task = problem.task  # asked once for all blocks: each answer takes as long as there are blocks
    seen_spanned = zip(problem.inputs.block_names, task.seen_blocks, task.spanned_blocks, strict=True)
    for b, (name, seen, spanned_block) in enumerate(seen_spanned):
        Q, R, T = (np.asarray(x, float)[..., b, :, :] for x in (overlaps.Q, overlaps.R, overlaps.T))
        if not seen and (np.any(R) or np.any(T)):
            raise InputError(f"R = T = 0 in block {name!r}, which the teacher does not see", "other numbers there")
        if spanned_block:
            # T is singular where latent directions are linearly dependent, so that it has no inverse.
            spanned = R @ np.linalg.pinv(T, hermitian=True) @ R.swapaxes(-1, -2)
            if np.any(np.abs(Q - spanned) > SPANNED * np.max(np.abs(Q), initial=0.0)):
                required = f"Q = R T^-1 R^T in block {name!r}, which the teacher's directions span"
                raise InputError(required, "another Q", "compute Q from R and T there")
