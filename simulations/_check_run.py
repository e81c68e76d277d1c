"""What `simulations.run` refuses, before it computes anything."""

import math
from typing import Any

import numpy as np

from teacher_student import InputError, Overlaps, Problem, check_alphas, check_overlaps, require_name

from ._advance import MOST_STEPS
from ._distributions import as_distribution
from ._weights import Weights, check_room, check_weights

PRECISIONS = {"weights": ("float32", "float64"), "overlaps": ("float64",)}  # of each method, the usual one first


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
    distribution: Any = "gaussian",
    workers: int | None = None,
) -> None:
    """Raise InputError unless `run` could start with these arguments."""
    for value, what in ((dim, "dimension N"), (runs, "number of runs"), (test_samples, "number of test samples")):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise InputError(f"an integer {what} >= 1", repr(value))
    if dim > MOST_STEPS:
        raise InputError("a dimension N below 2^31", dim)
    check_alphas(alphas, problem)
    require_name(method, PRECISIONS, "method")
    require_name(precision, ("float32", "float64"), "precision")
    if precision not in PRECISIONS[method]:
        raise InputError('float64 for method="overlaps" (increments are of order 1/N)', precision, "leave it out")
    require_name(inputs, ("own", "shared"), "kind of inputs")
    if method == "overlaps" and inputs != "own":
        raise InputError('inputs="own" with method="overlaps" (runs have no samples to share)', repr(inputs))
    if method == "overlaps" and as_distribution(distribution).name != "gaussian":
        raise InputError('Gaussian inputs with method="overlaps"', repr(distribution), 'use method="weights"')
    as_distribution(distribution)
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise InputError("workers >= 1", workers)
    steps = float(np.max(np.asarray(alphas))) * dim
    if steps > MOST_STEPS:
        raise InputError("fewer than 2^31 steps", f"{steps:.3g}", "lower the dimension or the last alpha")
    problem.inputs.sizes(dim, problem.task.latents)
    if isinstance(start, Weights):
        if method == "overlaps":
            raise InputError(
                'overlaps to start from with method="overlaps"', "Weights", "measure_overlaps(...) of them"
            )
        check_weights(problem, start, dim, runs)
    elif start is not None:
        check_overlaps(start, problem.shape)
        leading = np.shape(start.readout)[:-1]
        if leading not in ((), (runs,)):
            raise InputError(f"one start, or {runs} (one per run)", f"leading axes {leading}")
        check_room(problem, start, dim)


def recordable_alphas(alphas: Any, *dims: int) -> np.ndarray:
    """`alphas` moved to the nearest times that are whole numbers of steps in every dimension of `dims`."""
    grid = math.gcd(*dims)
    return np.unique(np.rint(np.asarray(alphas, float) * grid)) / grid
