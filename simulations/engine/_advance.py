"""Many steps of one run inside one compiled call, and the measurement of its test error.

Inputs are drawn in blocks of steps; block i of a run always holds the samples of steps
i * BLOCK_STEPS ... , so the stream does not depend on which alphas are recorded.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from teacher_student import Observables, Problem

from ._coordinates import Space
from ._samples import make_input
from ._step import Sample, sgd_step
from ._weights import Weights

MOST_STEPS = 2**31 - 1  # of a run: steps are counted in 32 bits


class Schedule(eqx.Module):
    """The curriculum in steps.

    begins, ends: steps at which phases begin and end, none beyond those that a run can have. lengths: steps of the
    phases. last: index of the last phase that has a step. Phases without steps, such as those that a
    curriculum is filled up with, have no sample.
    """

    begins: Int[Any, "*batch P"]
    ends: Int[Any, "*batch P"]
    lengths: Float[Any, "*batch P"]
    last: Int[Any, "*batch"]


def schedule(problem: Problem, dim: int) -> Schedule:
    """Return the curriculum of `problem` in steps of 1/N.

    Its arrays are NumPy's: JAX's would be compiled for, number of phases by number of phases.
    """
    ends = np.rint(np.asarray(problem.curriculum.switches) * dim)
    begins = np.concatenate([[0.0], ends[:-1]])
    # A curriculum may be longer than any run: its later steps would overflow 32 bits and become negative.
    first, end = (np.minimum(steps, MOST_STEPS).astype(np.int32) for steps in (begins, ends))
    last = np.max(np.flatnonzero(ends > begins), initial=0)
    return Schedule(first, end, ends - begins, np.int32(last))


def draw_level(problem: Problem, schedule: Schedule, step: Int[Array, ""], uniform: Float[Array, ""]) -> Int[Array, ""]:
    """Return the index of the level of the sample at `step`.

    It is drawn with the curriculum's shares at the middle of the step, by a number `uniform` in [0, 1).
    """
    # The first phase that ends after the step, which is never one without steps. Alphas are rounded to steps, so the
    # last step may lie beyond the curriculum: it belongs to the last phase with steps, not to one filled up with.
    phase = jnp.minimum(jnp.searchsorted(schedule.ends, step, side="right"), schedule.last)
    begin, length = (jnp.asarray(steps)[phase] for steps in (schedule.begins, schedule.lengths))
    length = jnp.maximum(length.astype(uniform.dtype), 1)  # 0 where the whole curriculum is shorter than half a step
    progress = ((step - begin).astype(uniform.dtype) + 0.5) / length
    return _choose(problem.level_shares(problem.curriculum.shares_in(phase, progress)), uniform)


def _choose(shares: Float[Array, "n"], uniform: Float[Array, "*samples"]) -> Int[Array, "*samples"]:
    """Return an index drawn with probabilities `shares`; it is never one of share 0."""
    # Shares may sum to a little less or more than 1: scaled by their sum, the number stays below the last edge. From
    # the right, an edge that it meets exactly is passed, and with it an index of share 0.
    edges = jnp.cumsum(shares)
    return jnp.searchsorted(edges, uniform * edges[-1], side="right")


def advance(
    problem: Problem,
    schedule: Schedule,
    space: Space,
    key: jax.Array,
    weights: Weights,
    first: Int[Array, ""],
    last: Int[Array, ""],
) -> Weights:
    """Return the weights after steps `first` ... `last` - 1.

    Blocks are drawn whole, and of the first and last one only the steps that are asked for are taken: a sample depends
    on its step, not on where a call begins.
    """
    length, dtype = space.block_steps, weights.student.dtype

    def run_block(index: Int[Array, ""], weights: Weights) -> Weights:
        normals_key, levels_key, clusters_key, noise_key = jax.random.split(jax.random.fold_in(key, index), 4)
        normals = space.draw(normals_key, length, dtype)
        levels = jax.random.uniform(levels_key, (length,), dtype)
        clusters = jax.random.uniform(clusters_key, (length,), dtype)
        noise = jax.random.normal(noise_key, (length,), dtype)
        first_step = index * length
        levels = jax.vmap(lambda i, uniform: draw_level(problem, schedule, i, uniform))(
            first_step + jnp.arange(length, dtype=first_step.dtype), levels
        )
        clusters = _choose(jnp.asarray(problem.task.cluster_probabilities, dtype), clusters)

        def run_step(i: Int[Array, ""], weights: Weights) -> Weights:
            x = make_input(problem, weights.latents, space, normals[i], levels[i], clusters[i])
            sample = Sample(levels[i], clusters[i], x, noise[i])
            return space.to_normal_form(sgd_step(problem, weights, sample, space.dim))

        begin, end = jnp.maximum(first - first_step, 0), jnp.minimum(last - first_step, length)
        after_block: Weights = jax.lax.fori_loop(begin, end, run_step, weights)
        return after_block

    after_all: Weights = jax.lax.fori_loop(first // length, (last + length - 1) // length, run_block, weights)
    return after_all


def blocks_holding(tests: int, space: Space) -> np.int32:
    """Return how many blocks of inputs hold `tests` of them."""
    return np.int32(-(-tests // space.block_steps))


def measure(problem: Problem, space: Space, key: jax.Array, weights: Weights, blocks: Any) -> Observables:
    """Return the overlaps, and error and accuracy of every level on `blocks` blocks of fresh inputs.

    Levels share the standard normal inputs, which are scaled with each one's variances. It must be called at 64 bits,
    since outputs are computed in float64.

    Arguments: blocks: a number of 32 bits that may be traced, so that no program is compiled for a number of samples.
    """
    length, dtype = space.block_steps, weights.student.dtype
    levels = jnp.arange(len(problem.inputs.level_names))
    root = jnp.sqrt(jnp.asarray(space.dim, dtype))
    probabilities = jnp.asarray(problem.task.cluster_probabilities, dtype)

    def test(
        level: Int[Array, ""], cluster: Int[Array, ""], normal: Float[Array, "N"]
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        x = make_input(problem, weights.latents, space, normal, level, cluster)
        fields, nu = ((rows @ x / root).astype(jnp.float64) for rows in (weights.student, weights.latents))
        # float32 saturates erf(lambda / sqrt 2) at lambda = 5.5, and units that cancel would then have the sign 0.
        output = problem.student.output(fields, weights.readout.astype(jnp.float64))
        y = problem.task.clean_label(nu, cluster)
        return (output - y) ** 2 / 2, (jnp.sign(output) == jnp.sign(y)).astype(jnp.float64)

    def test_block(index: Int[Array, ""], total: Any) -> Any:
        normals_key, clusters_key = jax.random.split(jax.random.fold_in(key, index))
        normals = space.draw(normals_key, length, dtype)
        clusters = _choose(probabilities, jax.random.uniform(clusters_key, (length,), dtype))
        outcomes = jax.vmap(lambda level: jax.vmap(lambda c, n: test(level, c, n))(clusters, normals))(levels)
        return jax.tree.map(lambda t, f: t + f.sum(axis=1), total, outcomes)

    zero = jnp.zeros(levels.size, jnp.float64)
    error, accuracy = jax.lax.fori_loop(0, blocks, test_block, (zero, zero))
    samples = jnp.asarray(blocks, jnp.float64) * length
    names = problem.inputs.level_names
    return Observables(
        space.overlaps(weights),
        {name: error[i] / samples for i, name in enumerate(names)},
        {name: accuracy[i] / samples for i, name in enumerate(names)},
    )
