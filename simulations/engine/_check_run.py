"""What `simulations.run` refuses, before it computes anything."""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from teacher_student import DIVERGENCE_BOUND, InputError, Overlaps, Problem
from teacher_student.internal import (
    PRECISIONS,
    as_count,
    check_alphas,
    check_bound,
    check_overlaps,
    check_problem,
    require_name,
)

from ..datasets import Dataset
from ._distributions import Law, as_distribution
from ._given_inputs import check_data
from ._phase_steps import MOST_STEPS
from ._weights import Weights, check_room, check_weights

PRECISIONS_OF = {"weights": PRECISIONS, "overlaps": ("float64",)}  # of each method


def check_run(
    problem: Problem,
    dim: int,
    runs: int,
    alphas: Any,
    start: Overlaps | Weights | None,
    precision: str,
    test_samples: int,
    method: str = "weights",
    inputs: str = "own",
    distribution: Law = "gaussian",
    workers: int | None = None,
    bound: float = DIVERGENCE_BOUND,
    data: Dataset | None = None,
) -> None:
    """Raise InputError unless `run` could start with these arguments; nothing is computed or compiled.

    Memory is not looked at.

    Arguments:
      problem, dim, runs, alphas, start, test_samples, method, inputs, distribution, workers, bound, data: as in `run`.
      precision: "float32" or "float64", which must be stated.
    """
    check_sizes(problem, dim, runs, precision, inputs, workers)
    as_count(test_samples, "number of test samples")
    check_alphas(alphas, problem)
    require_name(method, PRECISIONS_OF, "method")
    if precision not in PRECISIONS_OF[method]:
        raise InputError('float64 for method="overlaps" (increments are of order 1/N)', precision, "leave it out")
    if method == "overlaps" and inputs != "own":
        raise InputError('inputs="own" with method="overlaps" (runs have no samples to share)', repr(inputs))
    if method == "overlaps" and as_distribution(distribution).name != "gaussian":
        raise InputError('Gaussian inputs with method="overlaps"', repr(distribution), 'use method="weights"')
    as_distribution(distribution)
    check_bound(bound)
    if data is not None:
        check_data(problem, data, dim, start, method, distribution)

    steps = float(np.max(np.asarray(alphas))) * dim
    if steps < 0.5:
        raise InputError("a last alpha of one step, 1/N, at least", f"{steps / dim:g} at N = {dim}")
    if steps > MOST_STEPS:
        raise InputError("fewer than 2^31 steps", f"{steps:.3g}", "lower the dimension or the last alpha")
    if isinstance(start, Weights):
        if method == "overlaps":
            raise InputError(
                'overlaps to start from with method="overlaps"', "Weights", "measure_overlaps(...) of them"
            )
        check_weights(problem, start, dim, runs)
    elif start is not None:
        check_overlaps(start, problem)
        leading = np.shape(start.readout)[:-1]
        if leading not in ((), (runs,)):
            raise InputError(f"one start, or {runs} (one per run)", f"leading axes {leading}")
        with asking_for_exchange(dim, runs):
            check_room(problem, start, dim)


def check_sizes(problem: Problem, dim: Any, runs: Any, precision: Any, inputs: Any, workers: Any) -> None:
    """Raise InputError unless there can be so many runs of this dimension, precision and kind of inputs.

    It raises too where the blocks of inputs cannot be told apart at this dimension.
    """
    check_problem(problem)
    as_count(dim, "dimension N")
    as_count(runs, "number of runs")
    if workers is not None:
        as_count(workers, "number of workers")
    require_name(precision, PRECISIONS, "precision")
    require_name(inputs, ("own", "shared"), "kind of inputs")
    with asking_for_exchange(dim, runs):
        problem.inputs.sizes(dim, problem.task.latents)


@contextlib.contextmanager
def asking_for_exchange(dim: int, runs: int) -> Iterator[None]:
    """Ask whether dimension and runs are exchanged, in InputErrors raised inside that find the dimension too small."""
    try:
        yield
    except InputError as error:
        if dim < runs:
            error.args = (f"{error}; dim comes before runs: are {dim} and {runs} exchanged?",)
        raise


def recordable_alphas(alphas: Any, *dims: int) -> np.ndarray:
    """Move `alphas` to the nearest times that are whole numbers of steps in every dimension of `dims`.

    A step takes 1/N of alpha, so the times that dimensions N, N' have in common are multiples of 1 / gcd(N, N').

    Arguments: alphas: (A,) times, alpha = samples / N. dims: one or more dimensions N.
    Returns increasing times, each once: fewer than A where several were moved to the same one.
    """
    grid = math.gcd(*dims)
    return np.unique(np.rint(np.asarray(alphas, float) * grid)) / grid
