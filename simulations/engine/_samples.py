"""Inputs of samples, in the coordinates of a run."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Problem
from teacher_student.internal import is_known

from ._coordinates import Space


def make_input(
    problem: Problem, latents: jax.Array, space: Space, normal: jax.Array, level: Any, cluster: Any
) -> jax.Array:
    """Return the input of `make_sample`, x = s_l sum_m a_cm u_m / sqrt(N) + sqrt(Delta_{l,b}) normal.

    A variance multiplies a whole block at once, and means that are all zero are left out: what `make_sample` looks up
    dimension by dimension takes as long as the rest of a step.
    """
    scale = jnp.sqrt(jnp.asarray(problem.inputs.variances, normal.dtype))[level]
    edges = np.cumsum((0, *space.counts))
    x = jnp.concatenate([scale[b] * normal[edges[b] : edges[b + 1]] for b in range(len(space.counts))])
    means = problem.task.cluster_means
    if is_known(means) and not np.any(means):
        return x
    shift = jnp.asarray(means, normal.dtype)[level, cluster] @ latents
    return x + shift / jnp.sqrt(jnp.asarray(space.dim, normal.dtype))
