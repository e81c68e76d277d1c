"""What a simulation needs, said before anything is allocated."""

import numpy as np

from teacher_student import Problem

from ._check_run import check_sizes
from ._coordinates import BLOCK_NUMBERS, FullWeights
from ._precision import usual_precision
from ._run_batches import default_workers
from ._weights import CHUNK_NUMBERS

PROGRAM = 420_000_000  # bytes: three compilers side by side, and what they leave


def memory(
    problem: Problem,
    dim: int,
    *,
    precision: str | None = None,
    workers: int | None = None,
    runs: int = 1,
    inputs: str = "own",
    keep: str | None = None,
) -> int:
    """Estimate the bytes that `run` needs at most, beside what it records and weights that are given as a start.

    They are those of the weights that are stepped at once (four times, while starts are made), of blocks of inputs, of
    kept weights (twice: as runs end, and put together) and of compiling. The estimate is for method "weights"; method
    "overlaps" needs a few megabytes at any N.

    Arguments: problem, dim, precision, workers, runs, inputs, keep: as in `run`.
    Returns a number of bytes. Raises InputError for sizes that there cannot be.
    """
    check_sizes(problem, dim, runs, precision or "float64", inputs, workers)
    precision = precision or usual_precision(problem, dim)
    _, K, M = problem.shape
    space, shared = FullWeights.of(problem, dim), inputs == "shared"
    numbers = (K + M) * dim
    # Shared inputs exist once for all runs of a thread; of runs' own, each run has its block of them.
    together = space.sharing(K) if shared else space.together
    threads = min(default_workers(workers), runs if shared else -(-runs // together))
    blocks = threads * 3 * max(BLOCK_NUMBERS, dim) * (1 if shared else together)
    start = 6 * (min(CHUNK_NUMBERS, numbers) + (K + M) ** 2)  # float64, one run's at a time
    kept = 2 * runs * numbers if keep == "weights" else 0
    return (4 * threads * together * numbers + blocks + kept) * np.dtype(precision).itemsize + 8 * start + PROGRAM
