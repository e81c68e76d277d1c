"""Which clusters of a mixture a student has learned: the signs of its output at their noiseless means."""

import jax
import jax.numpy as jnp
import numpy as np

from ._errors import InputError
from ._overlaps import Overlaps
from ._problem import Problem


def means_right(problem: Problem, overlaps: Overlaps) -> dict[str, np.ndarray]:
    r"""For every level, whether sign(yhat) = y at each cluster's mean, (..., C) booleans.

    yhat_c = sum_k v_k phi(s_l sum_b sum_m R^b_km a_cm). The task is solved when all C are right. NaN overlaps are
    not right. A zero output is not right either.

    Arguments: overlaps with any leading axes (recorded alphas, runs, starts).
    Raises InputError for a task without clusters. Source: Sarao Mannelli et al. 2024 (winning the lottery).
    """
    require_clusters(problem)
    means = np.asarray(problem.task.cluster_means)
    R, v = np.asarray(overlaps.R).sum(axis=-3), np.asarray(overlaps.readout)
    found = {}
    with jax.enable_x64(True):
        for level, centres in zip(problem.inputs.level_names, means, strict=True):
            hidden = np.asarray(problem.student.activation(jnp.asarray(R @ centres.T)))  # (..., K, C)
            y = np.asarray(problem.task.clean_label(jnp.asarray(centres), jnp.arange(len(centres))))
            found[level] = np.sign(np.einsum("...k,...kc->...c", v, hidden)) == y
    return found


def require_clusters(problem: Problem) -> None:
    """Raise InputError unless the problem's inputs are a mixture of clusters."""
    if np.shape(problem.task.cluster_probabilities)[0] < 2:
        raise InputError("a mixture for its means to be right", type(problem.task).__name__, "use ts.XorMixture")
