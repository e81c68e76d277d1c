"""What a simulation needs, said before anything is allocated."""

from pathlib import Path

import numpy as np

from teacher_student import InputError, Problem

from ._ensemble import default_workers
from ._space import BLOCK_NUMBERS, AllDirections
from ._weights import CHUNK_NUMBERS

PROGRAM = 260_000_000  # bytes: the compiler at work, and what it leaves


def memory(
    problem: Problem,
    dim: int,
    *,
    precision: str = "float32",
    workers: int | None = None,
    runs: int = 1,
    inputs: str = "own",
    keep_weights: bool = False,
) -> int:
    """Bytes that `run` needs at most: weights (four times, while starts are made), inputs, kept weights, and compiling.

    Beside what it records. Of method "weights"; method "overlaps" needs a few megabytes at any N.
    """
    _, K, M = problem.shape
    space = AllDirections.of(problem, dim)
    numbers = (K + M) * dim
    together = space.sharing(K) if inputs == "shared" else space.together(runs)
    at_once = default_workers(workers) * together
    blocks = default_workers(workers) * 3 * max(BLOCK_NUMBERS, dim) * (1 if inputs == "shared" else together)
    start = default_workers(workers) * together * (6 * CHUNK_NUMBERS + 8 * (K + M) ** 2)  # float64, for the starts
    kept = runs * numbers if keep_weights else 0
    return (4 * at_once * numbers + blocks + kept) * np.dtype(precision).itemsize + 8 * start + PROGRAM


def available_memory() -> int | None:
    """Bytes that this machine can still give, where the system says (Linux)."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None


def check_memory(need: int, remedy: str) -> None:
    """Raise InputError if `need` bytes are more than there are."""
    there = available_memory()
    if there is not None and need > there:
        raise InputError(f"{need / 1e9:.3g} GB of memory for these runs", f"{there / 1e9:.3g} GB available", remedy)
