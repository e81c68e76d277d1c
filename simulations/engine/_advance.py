"""Many steps of one run inside one compiled call, and the measurement of its test error."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from teacher_student import Observables, Problem

from ._coordinates import Space
from ._phase_steps import PhaseSteps
from ._samples import draw_samples, draw_test_inputs, make_input, sample_of
from ._step import sgd_step
from ._weights import Weights


def advance(
    problem: Problem,
    phases: PhaseSteps,
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
        drawn = draw_samples(problem, phases, space, key, index, dtype)
        first_step = index * length

        def run_step(i: Int[Array, ""], weights: Weights) -> Weights:
            # Schedules are read in the middle of the step, as the curriculum is: then they shift no mean at order 1/N.
            now = problem.at(((first_step + i).astype(dtype) + 0.5) / space.dim)
            sample = sample_of(now, weights.latents, space, drawn, i)
            return space.to_normal_form(sgd_step(now, weights, sample, space.dim))

        begin, end = jnp.maximum(first - first_step, 0), jnp.minimum(last - first_step, length)
        after_block: Weights = jax.lax.fori_loop(begin, end, run_step, weights)
        return after_block

    after_all: Weights = jax.lax.fori_loop(first // length, (last + length - 1) // length, run_block, weights)
    return after_all


def measure(problem: Problem, space: Space, key: jax.Array, weights: Weights, blocks: Any) -> Observables:
    """Return the overlaps, and error and accuracy of every level on `blocks` blocks of fresh inputs.

    Levels share the standard normal inputs, which are scaled with each one's variances. It must be called at 64 bits,
    since outputs are computed in float64. The problem is one at the time in question, `problem.at(alpha)`.

    Arguments: blocks: a number of 32 bits that may be traced, so that no program is compiled for a number of samples.
    """
    length, dtype = space.block_steps, weights.student.dtype
    levels = jnp.arange(len(problem.inputs.level_names))
    root = jnp.sqrt(jnp.asarray(space.dim, dtype))

    def test(level: Int[Array, ""], cluster: Int[Array, ""], normal: Any) -> tuple[Float[Array, ""], Float[Array, ""]]:
        x = make_input(problem, weights.latents, space, normal, level, cluster)
        fields, nu = ((rows @ x / root).astype(jnp.float64) for rows in (weights.student, weights.latents))
        # float32 saturates erf(lambda / sqrt 2) at lambda = 5.5, and units that cancel would then have the sign 0.
        output = problem.student.output(fields, weights.readout.astype(jnp.float64))
        y = problem.task.at_level(level).clean_label(nu, cluster)
        return (output - y) ** 2 / 2, (jnp.sign(output) == jnp.sign(y)).astype(jnp.float64)

    def test_block(index: Int[Array, ""], total: Any) -> Any:
        normals, clusters = draw_test_inputs(problem, space, key, index, dtype)
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
