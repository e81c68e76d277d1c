"""`simulations.run`: many independent finite-size runs, recorded at given alphas."""

import math
import operator
import warnings
from typing import Any, Literal, overload

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from teacher_student import (
    DIVERGENCE_BOUND,
    InputError,
    Overlaps,
    Problem,
    Source,
    Trajectory,
    as_key,
    check_alphas,
    check_overlaps,
    key_words,
    random_overlaps,
    require_name,
    to_float,
)

from ._advance import MOST_STEPS, schedule
from ._chain import span_of
from ._divergence import limits, mark_divergence
from ._ensemble import Ensemble, default_workers, run_all
from ._space import BLOCK_NUMBERS, AllDirections, Space
from ._weights import Weights, check_room, check_weights, overlaps_of_runs

PRECISIONS = {"weights": ("float32", "float64"), "overlaps": ("float64",)}  # of each method, the usual one first


@overload
def run(
    problem: Problem,
    dim: int,
    runs: int,
    alphas: Any,
    key: Any,
    *,
    start: Overlaps | Weights | None = ...,
    method: str = ...,
    precision: str | None = ...,
    test_samples: int = ...,
    bound: float = ...,
    workers: int | None = ...,
    progress: bool = ...,
    keep_weights: Literal[False] = ...,
) -> Trajectory: ...


@overload
def run(
    problem: Problem,
    dim: int,
    runs: int,
    alphas: Any,
    key: Any,
    *,
    start: Overlaps | Weights | None = ...,
    method: str = ...,
    precision: str | None = ...,
    test_samples: int = ...,
    bound: float = ...,
    workers: int | None = ...,
    progress: bool = ...,
    keep_weights: Literal[True],
) -> tuple[Trajectory, Weights]: ...


def run(
    problem: Problem,
    dim: int,
    runs: int,
    alphas: Any,
    key: Any,
    *,
    start: Overlaps | Weights | None = None,
    method: str = "weights",
    precision: str | None = None,
    test_samples: int = 256,
    bound: float = DIVERGENCE_BOUND,
    workers: int | None = None,
    progress: bool = True,
    keep_weights: bool = False,
) -> Trajectory | tuple[Trajectory, Weights]:
    """Simulate online SGD on `runs` independent students of dimension N = `dim`, by their weights or their overlaps.

    For Gaussian inputs (with cluster means) the overlaps are a Markov chain of their own: method "overlaps" draws its
    steps with exactly the law that they have in full-weight SGD, at every N, in a time that does not depend on N.

    Memory: workers x (K + M) x N x bytes for weights, 3 workers x 2^20 x bytes (N, if larger) for blocks of inputs,
    and the recorded overlaps; see `memory`. Weights given as a start or kept take runs x (K + M) x N numbers more,
    for as long as they are used. Ctrl-C stops at the next compiled call (about half a second) and
    returns the finished runs with a warning.

    Arguments:
      alphas: (A,) increasing times; each is recorded at the nearest step, and `Trajectory.alphas` says which.
      key: seed or JAX key. Run r depends on the key and r alone, not on the number of runs, workers or alphas.
      start: overlaps that every run's weights have exactly, or one start per run (leading axis); None: each run
        draws its own with `random_overlaps(problem, dim, ...)`. Only runs with one start compare with `ode.solve`.
        Or `Weights` with a leading axis of runs, from which each run goes on: alpha and the curriculum begin at 0
        again, and so do the samples if the key is the one that made these weights: give another.
      method: "weights", full-weight SGD, or "overlaps", the chain of the overlaps (no `Weights` to start from or keep).
      precision: "float32" or "float64"; None: float32 for weights. The chain is float64 only: float32 would lose its
        increments, which are of order 1/N.
      test_samples: fresh inputs per level, run and alpha for error and accuracy.
      bound: a run whose Q_kk passes this many times the largest of 1, Q_kk at the start and T_mm has diverged.
      workers: threads on a CPU, runs at once on an accelerator; None: all cores, 32.
      keep_weights: also return the weights at the last alpha, as they are (those of a diverged run too).
    Returns a Trajectory with axes (runs, A), or (Trajectory, Weights with a leading axis of runs); a run that
    diverges has its status and NaN from then on. Raises InputError.
    """
    precision = precision or PRECISIONS.get(method, ("float32",))[0]
    check_run(problem, dim, runs, alphas, start, precision, test_samples, method)
    if keep_weights and method == "overlaps":
        raise InputError('keep_weights=False with method="overlaps" (it has no weights)', "keep_weights=True")
    if workers is not None and workers < 1:
        raise InputError("workers >= 1", workers)
    steps = np.unique(np.rint(np.asarray(alphas, float) * dim).astype(np.int64))
    key = as_key(key)
    dtype = np.dtype(precision)
    with jax.enable_x64(True):
        keys = jax.vmap(lambda r: jax.random.split(jax.random.fold_in(key, r), 4))(jnp.arange(runs))
        given = _start_overlaps(problem, dim, start, keys[:, 0])
        starts = _one_per_run(given, runs)
    space = _space(problem, dim, method, given)
    with jax.enable_x64(precision == "float64"):
        ensemble = Ensemble(to_float(problem, dtype), schedule(problem, dim), space, test_samples)
    origins = jax.tree.map(np.asarray, start) if isinstance(start, Weights) else starts
    total = runs * int(steps[-1])
    with tqdm(total=total, unit="step", unit_scale=True, disable=not progress, desc=f"SGD N={dim}", leave=False) as bar:
        finished = run_all(ensemble, keys, origins, steps, dtype, workers, bar.update, keep_weights)
    done = sorted(finished)
    if len(done) < runs:
        if not done:
            raise KeyboardInterrupt
        warnings.warn(f"interrupted: {len(done)} of {runs} runs finished and are returned", stacklevel=2)
    observables = jax.tree.map(lambda *x: np.stack(x).astype(np.float64), *(finished[r][0] for r in done))
    observables, status, reached = mark_divergence(observables, steps / dim, limits(starts, bound)[done])
    trajectory = Trajectory(
        problem=problem,
        start=given if np.ndim(given.readout) == 1 else jax.tree.map(operator.itemgetter(done), given),
        alphas=steps / dim,
        observables=observables,
        status=status,
        reached=reached,
        stats={"steps": np.full(len(done), steps[-1])},
        sampling_error=None,
        source=Source("sgd", method, precision, dim, key_words(key), _tests(test_samples, space)),
    )
    if not keep_weights:
        return trajectory
    return trajectory, jax.tree.map(lambda *x: np.stack(x), *(finished[r][1] for r in done))


def _start_overlaps(problem: Problem, dim: int, start: Overlaps | Weights | None, keys: jax.Array) -> Overlaps:
    """The overlaps at alpha = 0: one for all runs, or one per run (leading axis)."""
    if start is None:
        return random_overlaps(problem, dim, keys)
    return overlaps_of_runs(problem, start) if isinstance(start, Weights) else start


def _one_per_run(start: Overlaps, runs: int) -> Overlaps:
    """`start` with a leading axis of runs."""
    shared = np.ndim(start.readout) == 1
    return jax.tree.map(lambda x: np.broadcast_to(x, (runs, *np.shape(x))) if shared else np.asarray(x), start)


def check_run(
    problem: Problem,
    dim: int,
    runs: int,
    alphas: Any,
    start: Overlaps | Weights | None,
    precision: str,
    test_samples: int,
    method: str = "weights",
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


def memory(problem: Problem, dim: int, *, precision: str = "float32", workers: int | None = None) -> int:
    """Bytes that `run` needs at most beside what it records: weights (twice, old and new) and blocks of inputs.

    Of method "weights"; method "overlaps" needs a few megabytes at any N.
    """
    _, K, M = problem.shape
    at_once = default_workers(workers)
    block = max(BLOCK_NUMBERS, dim)
    return at_once * (2 * (K + M) * dim + 3 * block) * np.dtype(precision).itemsize


def recordable_alphas(alphas: Any, *dims: int) -> np.ndarray:
    """`alphas` moved to the nearest times that are whole numbers of steps in every dimension of `dims`."""
    grid = math.gcd(*dims)
    return np.unique(np.rint(np.asarray(alphas, float) * grid)) / grid


def _space(problem: Problem, dim: int, method: str, start: Overlaps) -> Space:
    if method == "overlaps":
        return span_of(problem, start, dim)
    return AllDirections(problem.inputs.sizes(dim, problem.task.latents), dim)


def _tests(test_samples: int, space: Space) -> int:
    length = space.block_steps
    return -(-test_samples // length) * length
