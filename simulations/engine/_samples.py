"""What a sample is: how its level, cluster, noise and input are drawn and put together. The task gives its label.

They are drawn in blocks of steps. Block i of a run always holds the samples of steps i * block_steps ... , so the
stream does not depend on which alphas are recorded.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from teacher_student import Problem
from teacher_student.internal import Numbers, is_known

from ._coordinates import Space
from ._given_inputs import GivenInputs
from ._phase_steps import PhaseSteps
from ._step import Sample


class Drawn(eqx.Module):
    """The random parts of a block of samples, which are the same whatever the weights.

    normal: inputs of variance 1, in their coordinates, or what stands for them where inputs are given. level, cluster:
    indices. noise: N(0, 1).
    """

    normal: Any
    level: Int[Array, "steps"]
    cluster: Int[Array, "steps"]
    noise: Float[Array, "steps"]


def draw_samples(
    problem: Problem, phases: PhaseSteps, space: Space, key: jax.Array, index: Int[Array, ""], dtype: Any
) -> Drawn:
    """Draw the random parts of the samples of block `index` of a run."""
    length = space.block_steps
    normals_key, levels_key, clusters_key, noise_key = jax.random.split(jax.random.fold_in(key, index), 4)
    uniforms = jax.random.uniform(levels_key, (length,), dtype)
    levels = jax.vmap(lambda step, uniform: draw_level(problem, phases, step, uniform))(
        index * length + jnp.arange(length, dtype=index.dtype), uniforms
    )
    return Drawn(
        space.draw(normals_key, length, dtype),
        levels,
        _draw_clusters(problem, clusters_key, length, dtype),
        jax.random.normal(noise_key, (length,), dtype),
    )


def sample_of(
    problem: Problem, latents: Float[Numbers, "M N"], space: Space, drawn: Drawn, i: Int[Array, ""]
) -> Sample:
    """Return sample `i` of a block, beside a teacher with the directions `latents`."""
    level, cluster = drawn.level[i], drawn.cluster[i]
    normal = jax.tree.map(lambda x: x[i], drawn.normal)
    return Sample(level, cluster, make_input(problem, latents, space, normal, level, cluster), drawn.noise[i])


def draw_test_inputs(
    problem: Problem, space: Space, key: jax.Array, index: Int[Array, ""], dtype: Any
) -> tuple[Any, Int[Array, "steps"]]:
    """Draw inputs of variance 1 and clusters of block `index`: all levels share them."""
    normals_key, clusters_key = jax.random.split(jax.random.fold_in(key, index))
    normals = space.draw(normals_key, space.block_steps, dtype)
    return normals, _draw_clusters(problem, clusters_key, space.block_steps, dtype)


def _draw_clusters(problem: Problem, key: jax.Array, steps: int, dtype: Any) -> Int[Array, "{steps}"]:
    probabilities = jnp.asarray(problem.task.cluster_probabilities, dtype)
    return _choose(probabilities, jax.random.uniform(key, (steps,), dtype))


def draw_level(problem: Problem, phases: PhaseSteps, step: Int[Array, ""], uniform: Float[Array, ""]) -> Int[Array, ""]:
    """Return the index of the level of the sample at `step`.

    It is drawn with the curriculum's shares at the middle of the step, by a number `uniform` in [0, 1).
    """
    # The first phase that ends after the step, which is never one without steps. Alphas are rounded to steps, so the
    # last step may lie beyond the curriculum: it belongs to the last phase with steps, not to one filled up with.
    phase = jnp.minimum(jnp.searchsorted(phases.ends, step, side="right"), phases.last)
    begin, length = (jnp.asarray(steps)[phase] for steps in (phases.begins, phases.lengths))
    length = jnp.maximum(length.astype(uniform.dtype), 1)  # 0 where the whole curriculum is shorter than half a step
    progress = ((step - begin).astype(uniform.dtype) + 0.5) / length
    return _choose(problem.level_shares(problem.curriculum.shares_in(phase, progress)), uniform)


def _choose(shares: Float[Array, "n"], uniform: Float[Array, "*samples"]) -> Int[Array, "*samples"]:
    """Return an index drawn with probabilities `shares`; it is never one of share 0."""
    # Shares may sum to a little less or more than 1: scaled by their sum, the number stays below the last edge. From
    # the right, an edge that it meets exactly is passed, and with it an index of share 0.
    edges = jnp.cumsum(shares)
    return jnp.searchsorted(edges, uniform * edges[-1], side="right")


def make_input(
    problem: Problem, latents: Float[Numbers, "M N"], space: Space, normal: Any, level: Any, cluster: Any
) -> Float[Array, "N"]:
    """Return the input of `make_sample`, x = s_l sum_m a_cm u_m / sqrt(N) + sqrt(Delta_{l,b}) normal.

    Where inputs are given, it is one of these instead. A variance multiplies a whole block at once: what `make_sample`
    looks up dimension by dimension takes as long as the rest of a step.
    """
    if isinstance(space, GivenInputs):
        return space.input(normal, level, cluster)
    scale = jnp.sqrt(problem.task.variances_at(level, cluster).astype(normal.dtype))
    edges = np.cumsum((0, *space.counts))
    x = jnp.concatenate([scale[b] * normal[edges[b] : edges[b + 1]] for b in range(len(space.counts))])
    return _with_mean(problem, latents, x, level, cluster, space.dim)


def _with_mean(
    problem: Problem, latents: Float[Numbers, "M N"], x: Float[Array, "N"], level: Any, cluster: Any, dim: Any
) -> Float[Array, "N"]:
    """Return `x` shifted by the mean of its cluster, s_l sum_m a_cm u_m / sqrt(N)."""
    means = problem.task.cluster_means
    if is_known(means) and not np.any(means):  # as of a committee: a product with the latents costs as much as a step
        return x
    shift = jnp.asarray(means, x.dtype)[level, cluster] @ latents
    return x + shift / jnp.sqrt(jnp.asarray(dim, x.dtype))


def block_of_dimension(sizes: tuple[int, ...]) -> Int[Array, "N"]:
    """Return the index of the block that each input dimension (or coordinate) belongs to."""
    return jnp.repeat(jnp.arange(len(sizes)), jnp.array(sizes), total_repeat_length=sum(sizes))


def make_sample(
    problem: Problem,
    latents: Float[Numbers, "M N"],
    blocks: Int[Array, "N"],
    normal: Float[Array, "N"],
    level: Any,
    cluster: Any,
    noise: Any,
    dim: Any = None,
) -> Sample:
    """Make a sample of a level and a cluster from standard normal numbers.

      x = s_l sum_m a_cm u_m / sqrt(N) + sqrt(Delta_{l,b}) normal
    with the cluster's mean s_l a_cm along the latent directions u_m, and the variance of the level in each block b.

    Arguments:
      problem: has the variances of levels and blocks, and the means of clusters.
      latents: (M, N) directions u.
      blocks: (N,) block of each dimension.
      normal: (N,) standard normal numbers.
      level, cluster: () indices.
      noise: N(0, 1), of the label.
      dim: N, where the coordinates are fewer than the dimensions.
    Returns a Sample.
    """
    scale = jnp.sqrt(problem.task.variances_at(level, cluster).astype(normal.dtype))[blocks]
    dim = normal.size if dim is None else dim
    return Sample(level, cluster, _with_mean(problem, latents, scale * normal, level, cluster, dim), noise)
