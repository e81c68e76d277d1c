"""Backward elimination: the order of hidden units in which the error of what is left stays smallest."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from teacher_student import Condition, Overlaps, Problem
from teacher_student.internal import check_shapes, level_index, refuse_fork, to_float, to_host

from ._refine_points import require_given_points
from .averages import FixedSample, Sampled


def rank_by_loss(
    problem: Problem, overlaps: Overlaps, averages: Sampled | None = None, level: str | None = None
) -> np.ndarray:
    """Return the indices (..., K) of the hidden units, by backward elimination.

    The unit that is dropped last comes first.

    The error of a set S of units is quadratic in the readout. With G_kl = E[phi_k phi_l] and c_k = E[phi_k y],

      eps(S) = (sum_{k,l in S} v_k G_kl v_l - 2 sum_{k in S} v_k c_k + E[y^2]) / 2,

    and each step drops the unit whose removal leaves the smallest eps. The readouts of the others stay.

    Arguments:
      problem: has the student, and the labels that the error is measured against.
      overlaps: with any leading axes (runs, starts).
      averages: the points for G and c. None means `ode.Sampled()`.
      level: the level whose samples count. None is for inputs with one level.

    Raises InputError for overlaps of another shape, for an unknown level, and for averages with `error` or
    `products_only`.
    """
    refuse_fork()
    check_shapes(overlaps, problem.shape, "overlaps")  # measured ones are PSD to single precision only
    index = level_index(problem, level)
    require_given_points(averages, "ode.rank_by_loss", fields=True)
    sample = (Sampled() if averages is None else averages).draw(problem)
    assert isinstance(sample, FixedSample)  # products alone are refused above
    leading = np.shape(overlaps.readout)[:-1]
    depth = len(leading)
    flat = jax.tree.map(lambda x: np.asarray(x, np.float64).reshape(-1, *np.shape(x)[depth:]), overlaps)
    with jax.enable_x64(True):
        known, states, points = to_float((problem, flat, sample), jnp.float64)
        G, c = to_host(_moments(known, states, points, np.int32(index)))
    v = flat.readout
    orders = [_eliminate(v_ * G_ * v_[:, None], v_ * c_) for v_, G_, c_ in zip(v, G, c, strict=True)]
    return np.array(orders).reshape(*leading, -1)


@eqx.filter_jit
def _moments(
    problem: Problem, starts: Overlaps, sample: FixedSample, level: Int[Any, ""]
) -> tuple[Float[Array, "starts K K"], Float[Array, "starts K"]]:
    """Return G and c on samples of one level, computed for one state after the other."""
    probabilities = jnp.asarray(problem.task.cluster_probabilities)
    conditions = problem.task.conditions()
    first, clusters = level * probabilities.size, jnp.arange(probabilities.size, dtype=level.dtype)

    def of_cluster(
        overlaps: Overlaps, points: FixedSample, cluster: Int[Array, ""]
    ) -> tuple[Float[Array, "K K"], Float[Array, "K"]]:
        condition: Condition = jax.tree.map(lambda x: x[first + cluster], conditions)
        hidden, y = points.hidden_and_label(problem, overlaps, condition)
        return hidden @ hidden.T / y.size, hidden @ y / y.size

    def of_state(overlaps: Overlaps) -> Any:
        per_cluster = jax.vmap(of_cluster, (None, None, 0))
        moments = jax.vmap(per_cluster, (None, 0, None))(overlaps, sample, clusters)
        return jax.tree.map(lambda x: jnp.tensordot(probabilities, x.mean(axis=0), 1), moments)

    moments: tuple[jax.Array, jax.Array] = jax.lax.map(of_state, starts)
    return moments


def _eliminate(A: np.ndarray, b: np.ndarray) -> list[int]:
    """Return the order of units by backward elimination of sum_kl A_kl / 2 - sum_k b_k.

    Of units that cost the same the last one is dropped first.
    """
    left, dropped = list(range(len(b))), []
    while left:
        rest = A[np.ix_(left, left)]
        change = b[left] - rest.sum(axis=1) + np.diagonal(rest) / 2
        worst = len(left) - 1 - int(np.argmin(change[::-1]))
        dropped.append(left.pop(worst))
    return dropped[::-1]
