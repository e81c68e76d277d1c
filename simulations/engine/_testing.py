"""`simulations.test`: error and accuracy of given weights on fresh samples."""

import operator
from typing import Any

import equinox as eqx
import jax
import numpy as np

from teacher_student import InputError, Observables, Problem
from teacher_student.internal import as_count, as_key, refuse_fork, to_host, unnamed, with_level_names

from ..datasets import Dataset
from ._advance import measure
from ._coordinates import FullWeights
from ._given_inputs import GivenInputs, check_data
from ._host import to_float_on_host
from ._weights import Weights, check_weights


def test(
    problem: Problem,
    weights: Weights,
    samples: int,
    key: Any,
    *,
    data: Dataset | None = None,  # noqa: PT028
) -> Observables:
    """Measure error and accuracy of given weights on fresh inputs, per level and run, and their overlaps.

    Inputs and fields are computed in the weights' own precision, outputs in float64. Runs come one after the other.

    Arguments: weights: with a leading axis of runs. samples: inputs per level and run, rounded up to whole blocks.
      key: seed or JAX key; run r draws from fold_in(key, r).
      data: inputs to test on instead of Gaussian ones, as in `run`: those held out, say, `fit.rotate(held_out)`.
    Returns Observables with a leading axis of runs.
    Raises InputError for weights that do not fit the problem, or are not finite.
    """
    refuse_fork()
    for name in problem.schedules:
        required = "a problem at one time to test weights on"
        raise InputError(required, f"a schedule of {name}", "take problem.at(alpha)")
    samples = as_count(samples, "number of test samples")
    if not isinstance(weights, Weights):
        remedy = 'keep them by run(..., keep="weights"), or make them by simulations.Weights(student, latents, readout)'
        raise InputError("weights as a simulations.Weights", type(weights).__name__, remedy)
    if np.ndim(weights.student) != 3:
        raise InputError("weights with a leading axis of runs", f"student of shape {np.shape(weights.student)}")
    dim = np.shape(weights.student)[-1]
    check_weights(problem, weights, dim)
    dtype, key = np.asarray(weights.student).dtype, as_key(key)
    if data is None:
        space = FullWeights(problem.inputs.sizes(dim, problem.task.latents), dim)
    else:
        check_data(problem, data, dim, weights, "weights", "gaussian")
        space = GivenInputs.from_data(problem, data, dtype)
    numbers, weights = to_float_on_host(unnamed(problem), dtype), to_float_on_host(weights, dtype)
    blocks = space.blocks_holding(samples)
    with jax.enable_x64(True):  # for the outputs
        outcomes = [
            to_host(_measure(numbers, space, key, np.uint32(r), jax.tree.map(operator.itemgetter(r), weights), blocks))
            for r in range(len(weights.readout))
        ]
    observables = jax.tree.map(lambda *x: np.stack(x).astype(np.float64), *outcomes)
    return with_level_names(observables, problem)


@eqx.filter_jit
def _measure(
    problem: Problem, space: FullWeights, key: jax.Array, run: Any, weights: Weights, blocks: Any
) -> Observables:
    return measure(problem, space, jax.random.fold_in(key, run), weights, blocks)
