"""Orders of a student's hidden units, strongest first, for pruning."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from .._errors import InputError, require_name
from ..problem import Problem
from ._clusters_learned import require_clusters
from ._overlaps import Overlaps, check_shapes


def rank_units(
    problem: Problem, overlaps: Overlaps, by: str = "norm", level: str | None = None
) -> Int[np.ndarray, "*batch K"]:
    """Return the indices of the hidden units, strongest first.

      "norm":  descending |v_k| sqrt(sum_b Q^b_kk)
      "means": the clusters c take turns. At each turn the next unit is the one that is left with the largest
               y_c v_k phi(s_l sum_b sum_m R^b_km a_cm), so that each of the first C is strong at one mean

    Units of equal strength keep their order.

    Arguments:
      problem: has the student's activation, and the means of the task's clusters.
      overlaps: with any leading axes (runs, starts).
      by: "norm" or "means".
      level: the level whose means count. None is for inputs with one level.

    Raises InputError for an unknown name, and for "means" where the task is no mixture.
    """
    require_name(by, ("norm", "means"), "ranking of units")
    check_shapes(overlaps, problem.shape, "overlaps")
    if by == "norm":
        norms = np.sqrt(np.diagonal(np.asarray(overlaps.Q), axis1=-2, axis2=-1).sum(axis=-2))
        # A stable sort: units of equal strength keep their order.
        return np.argsort(-np.abs(np.asarray(overlaps.readout)) * norms, axis=-1, kind="stable")
    require_clusters(problem)
    scores = _strength_at_means(problem, overlaps, level_index(problem, level))
    flat = scores.reshape(-1, *scores.shape[-2:])
    return np.array([_take_turns(strengths) for strengths in flat]).reshape(scores.shape[:-1])


def level_index(problem: Problem, level: str | None) -> int:
    """Return the index of `level`. None means the only one. Raises InputError if there are several."""
    names = problem.inputs.level_names
    if level is None:
        if len(names) > 1:
            raise InputError("a level, where the inputs have more than one", None, f"choose of {', '.join(names)}")
        return 0
    require_name(level, names, "level")
    return names.index(level)


def _strength_at_means(problem: Problem, overlaps: Overlaps, level: int) -> Float[np.ndarray, "*batch K C"]:
    """Return y_c v_k phi(lambda_k) of every unit at every cluster's mean."""
    centres = np.asarray(problem.task.cluster_means)[level]
    R, T, v = np.asarray(overlaps.R).sum(axis=-3), np.asarray(overlaps.T).sum(axis=-3), np.asarray(overlaps.readout)
    with jax.enable_x64(True):
        hidden = np.asarray(problem.student.activation(jnp.asarray(R @ centres.T)))
        rule, nu = problem.task.at_level(level), jnp.asarray(centres @ T)  # T is symmetric
        y = np.asarray(rule.clean_label(nu, jnp.arange(len(centres))))[..., None, :]
    strength: np.ndarray = y * v[..., None] * hidden
    return strength


def _take_turns(scores: Float[np.ndarray, "K C"]) -> list[int]:
    """Return the order of the rows of `scores` when the columns choose their largest in turn."""
    left = scores.copy()
    order = []
    for turn in range(len(scores)):
        best = int(np.argmax(left[:, turn % left.shape[1]]))
        order.append(best)
        left[best] = -np.inf
    return order
