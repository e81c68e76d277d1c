"""Which clusters of a mixture a student has learned: the signs of its output at their noiseless means."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .._errors import InputError
from .._precision import to_float, to_host
from ..problem import Problem
from ._overlaps import Overlaps


def means_right(problem: Problem, overlaps: Overlaps) -> dict[str, Bool[np.ndarray, "*batch C"]]:
    """Return, for every level, whether sign(yhat) = sign(y) at the mean of each cluster.

      yhat_c = sum_k v_k phi(sum_b sum_m R^b_km a_lcm),      y_c = y(sum_b T^b a_lc)

    The task is solved when all C are right. Overlaps that are NaN are not right, and neither is an output of zero.

    Arguments:
      problem: one whose task is a mixture.
      overlaps: with any leading axes (recorded alphas, runs, starts).

    Raises InputError for a task without clusters. Source: Sarao Mannelli et al. 2024 (winning the lottery).
    """
    require_clusters(problem)
    with jax.enable_x64(True):
        outputs, labels = to_host(_outputs(*to_float((problem, overlaps), jnp.float64)))
    levels = problem.inputs.level_names
    return {level: np.sign(outputs[i]) == np.sign(labels[i]) for i, level in enumerate(levels)}


@eqx.filter_jit
def _outputs(problem: Problem, overlaps: Overlaps) -> tuple[Float[Array, "L *batch C"], Float[Array, "L *batch C"]]:
    """Return yhat and y at the means of every level's clusters."""
    means = jnp.asarray(problem.task.cluster_means)
    fields = jnp.einsum("...bkm,lcm->l...kc", overlaps.R, means)
    outputs = jnp.einsum("...k,l...kc->l...c", overlaps.readout, problem.student.activation(fields))
    latents = jnp.einsum("...bmn,lcn->l...cm", overlaps.T, means)
    clusters = jnp.arange(means.shape[1])
    labels = [problem.task.at_level(level).clean_label(nu, clusters) for level, nu in enumerate(latents)]
    return outputs, jnp.stack(labels)


def require_clusters(problem: Problem) -> None:
    """Raise InputError unless the problem's inputs are a mixture of clusters."""
    if np.shape(problem.task.cluster_probabilities)[0] < 2:
        raise InputError("several clusters, for their means to be right", "one", "use ts.Mixture or ts.XorMixture")
