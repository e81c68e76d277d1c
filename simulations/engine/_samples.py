"""Inputs of samples, in the coordinates of a run."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from teacher_student import Problem
from teacher_student.internal import Numbers, is_known

from ._coordinates import Space


def make_input(
    problem: Problem, latents: Float[Numbers, "M N"], space: Space, normal: Float[Array, "N"], level: Any, cluster: Any
) -> Float[Array, "N"]:
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
