"""When a run counts as diverged, and what is left of it."""

import jax
import numpy as np

from teacher_student import Observables, Status


def mark_divergence(
    observables: Observables, alphas: np.ndarray, limits: np.ndarray
) -> tuple[Observables, np.ndarray, np.ndarray]:
    """Blank every run from the first recorded alpha on at which its student's norm left its bound.

    Returns the observables with NaN there, the status (runs,) and the last good alpha (runs,).
    """
    norms = np.max(np.diagonal(observables.overlaps.Q, axis1=-2, axis2=-1), axis=(-2, -1))  # (runs, A)
    # A product over time: a run that has left its bound and comes back is still diverged. NaN is below no bound.
    good = np.cumprod(norms < limits[:, None], axis=1).astype(bool)

    def blank(x: np.ndarray) -> np.ndarray:
        return np.where(good.reshape(*good.shape, *[1] * (x.ndim - 2)), x, np.nan)

    status = np.where(good.all(axis=1), int(Status.OK), int(Status.DIVERGED))
    reached = np.max(np.where(good, alphas, 0.0), axis=1)
    return jax.tree.map(blank, observables), status, reached
