"""When a run counts as diverged, and what is left of it."""

import jax
import numpy as np

from teacher_student import Observables, Overlaps, Status


def limits(starts: Overlaps, bound: float) -> np.ndarray:
    """(runs,) largest Q_kk that counts as finite: the rule that `ode.solve` uses too."""
    norms = [np.diagonal(x, axis1=-2, axis2=-1).max(axis=(-2, -1)) for x in (starts.Q, starts.T)]
    return np.asarray(bound * np.maximum(1.0, np.maximum(*norms)))


def mark_divergence(
    observables: Observables, alphas: np.ndarray, limits: np.ndarray
) -> tuple[Observables, np.ndarray, np.ndarray]:
    """NaN from the first recorded alpha at which a run's student norm left its bound; status and last good alpha."""
    norms = np.max(np.diagonal(observables.overlaps.Q, axis1=-2, axis2=-1), axis=(-2, -1))  # (runs, A)
    good = np.cumprod(norms < limits[:, None], axis=1).astype(bool)

    def blank(x: np.ndarray) -> np.ndarray:
        return np.where(good.reshape(*good.shape, *[1] * (x.ndim - 2)), x, np.nan)

    status = np.where(good.all(axis=1), int(Status.OK), int(Status.DIVERGED))
    reached = np.max(np.where(good, alphas, 0.0), axis=1)
    return jax.tree.map(blank, observables), status, reached
