"""What a simulation needs, said before anything is allocated."""

from typing import Any

import numpy as np

from teacher_student import Problem
from teacher_student.internal import check_alphas, recorded_numbers, require_name

from ..datasets import Dataset
from ._check_run import PRECISIONS_OF, check_sizes
from ._coordinates import FullWeights
from ._given_inputs import check_dim
from ._precision import usual_precision
from ._run_batches import default_workers
from ._weights import CHUNK_NUMBERS

# Bytes of JAX itself, of three compilers side by side and of what they leave. They do not depend on N. Measured on
# Linux with JAX 0.10 they are 0.30 to 0.39 GB of weights, and 0.39 to 0.57 GB of the chain, whose programs are larger.
PROGRAMS = {"weights": 380_000_000, "overlaps": 500_000_000}
BYTES_OF_A_RUN = 3000  # keys, the place of a run in a group, and the Python objects that hold what it recorded
COPIES_OF_RECORDS = 2  # once as runs end, and once put together


def memory(
    problem: Problem,
    dim: int,
    *,
    precision: str | None = None,
    workers: int | None = None,
    runs: int = 1,
    inputs: str = "own",
    keep: str | None = None,
    method: str = "weights",
    alphas: Any = None,
    data: Dataset | None = None,
) -> int:
    """Estimate the bytes that `run` adds to a process that has imported everything and compiled nothing.

    They are those of the weights that are stepped at once (twice, or three times while starts are made), of blocks of
    inputs (each level's own for tests), of kept weights and of what is recorded (both twice: as runs end, and put
    together), and of compiling. The measured peak is within a factor 1.5 of the estimate, as `python -m
    benchmarks.memory` shows in a checkout; it is lower where programs were compiled before. The number of test samples
    does not matter, since one block of them is in memory at a time. Weights that are given as a start are not counted.

    Arguments:
      problem, dim, precision, workers, runs, inputs, keep, method, data: as in `run`.
      alphas: as in `run`; None counts a single one.
    Returns a number of bytes. Raises InputError for sizes that there cannot be.
    """
    check_sizes(problem, dim, runs, precision or "float64", inputs, workers)
    require_name(method, PRECISIONS_OF, "method")
    if alphas is not None:
        check_alphas(alphas, problem)
    need = PROGRAMS[method] + memory_of_records(problem, runs, 1 if alphas is None else np.size(alphas))
    if method == "overlaps":  # of a run, the coordinates in the span: fewer numbers than it records
        return need
    if data is not None:  # sorted by cluster, and once more for the device
        check_dim(data, dim)
        need += 2 * np.dtype(precision or usual_precision(problem, dim)).itemsize * data.numbers
    return need + _memory_of_weights(problem, dim, precision, workers, runs, inputs, keep)


def memory_of_records(problem: Problem, runs: int, alphas: int) -> int:
    """Return the bytes of what is recorded of `runs` runs at their start and at so many alphas."""
    return runs * (COPIES_OF_RECORDS * 8 * recorded_numbers(problem, alphas) + BYTES_OF_A_RUN)


def _memory_of_weights(
    problem: Problem, dim: int, precision: str | None, workers: int | None, runs: int, inputs: str, keep: str | None
) -> int:
    """Return the bytes of the weights that are stepped, made and kept, and of the inputs."""
    _, K, M = problem.shape
    space, shared = FullWeights.of(problem, dim), inputs == "shared"
    numbers = (K + M) * dim
    # Shared inputs exist once for all runs of a thread; of runs' own, each run has its block of them.
    together = space.sharing(K) if shared else space.together
    threads = min(default_workers(workers), runs if shared else -(-runs // together))
    weights, block = together * numbers, space.block_steps * dim * (1 if shared else together)
    # A call that steps holds the weights before and after it, one that measures a test input of each level. There are
    # three copies while starts are made, by one thread at a time: the others rarely hold all of theirs at that moment.
    stepping, measuring = 2 * weights + 2 * block, weights + (1 + 2 * len(problem.inputs.level_names)) * block
    stepped = max(threads * max(stepping, measuring), 3 * weights)
    kept = 2 * runs * numbers if keep == "weights" else 0
    start = 6 * (min(CHUNK_NUMBERS, numbers) + (K + M) ** 2)  # float64, one run's at a time
    itemsize = np.dtype(precision or usual_precision(problem, dim)).itemsize
    return (stepped + kept) * itemsize + 8 * start
