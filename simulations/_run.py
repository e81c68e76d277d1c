"""`simulations.run`: many independent finite-size runs, recorded at given alphas."""

import math
import operator
import os
import threading
import warnings
from collections.abc import Callable
from typing import Any, Literal, overload

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from teacher_student import (
    DIVERGENCE_BOUND,
    InputError,
    Observables,
    Overlaps,
    Problem,
    Source,
    Status,
    Trajectory,
    as_key,
    check_alphas,
    check_overlaps,
    key_words,
    random_overlaps,
    require_name,
    to_float,
    to_host,
)

from ._advance import BLOCK_NUMBERS, Schedule, advance, block_steps, measure
from ._threads import in_threads, stop_on_ctrl_c
from ._weights import Weights, check_room, check_weights, overlaps_of_runs, weights_with

NUMBERS_PER_CALL = 5 * 10**7  # input numbers one compiled call consumes: about half a second, so that Ctrl-C is heard
NUMBERS_IN_CACHE = 1000  # runs x N that one thread steps together on a CPU


Finished = tuple[Observables, Weights | None]  # of one run or group: what was recorded, and its last weights if kept


class Ensemble(eqx.Module):
    """All that is constant over the runs of one call."""

    problem: Problem
    schedule: Schedule
    sizes: tuple[int, ...] = eqx.field(static=True)
    tests: int = eqx.field(static=True)


@overload
def run(
    problem: Problem,
    dim: int,
    runs: int,
    alphas: Any,
    key: Any,
    *,
    start: Overlaps | Weights | None = ...,
    precision: str = ...,
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
    precision: str = ...,
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
    precision: str = "float32",
    test_samples: int = 256,
    bound: float = DIVERGENCE_BOUND,
    workers: int | None = None,
    progress: bool = True,
    keep_weights: bool = False,
) -> Trajectory | tuple[Trajectory, Weights]:
    """Simulate full-weight online SGD on `runs` independent students of dimension N = `dim`.

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
      precision: "float32" or "float64". test_samples: fresh inputs per level, run and alpha for error and accuracy.
      bound: a run whose Q_kk passes this many times the largest of 1, Q_kk at the start and T_mm has diverged.
      workers: threads on a CPU, runs at once on an accelerator; None: all cores, 32.
      keep_weights: also return the weights at the last alpha, as they are (those of a diverged run too).
    Returns a Trajectory with axes (runs, A), or (Trajectory, Weights with a leading axis of runs); a run that
    diverges has its status and NaN from then on. Raises InputError.
    """
    check_run(problem, dim, runs, alphas, start, precision, test_samples)
    if workers is not None and workers < 1:
        raise InputError("workers >= 1", workers)
    steps = np.unique(np.rint(np.asarray(alphas, float) * dim).astype(np.int64))
    key = as_key(key)
    dtype = np.dtype(precision)
    with jax.enable_x64(precision == "float64"):
        ensemble = Ensemble(
            to_float(problem, dtype),
            _schedule(problem, dim),
            problem.inputs.sizes(dim, problem.task.latents),
            test_samples,
        )
    with jax.enable_x64(True):
        keys = jax.vmap(lambda r: jax.random.split(jax.random.fold_in(key, r), 4))(jnp.arange(runs))
        given = _start_overlaps(problem, dim, start, keys[:, 0])
        starts = _one_per_run(given, runs)
    origins = jax.tree.map(np.asarray, start) if isinstance(start, Weights) else starts
    total = runs * int(steps[-1])
    with tqdm(total=total, unit="step", unit_scale=True, disable=not progress, desc=f"SGD N={dim}", leave=False) as bar:
        finished = _run_all(ensemble, keys, origins, steps, dtype, workers, bar.update, keep_weights)
    done = sorted(finished)
    if len(done) < runs:
        if not done:
            raise KeyboardInterrupt
        warnings.warn(f"interrupted: {len(done)} of {runs} runs finished and are returned", stacklevel=2)
    observables = jax.tree.map(lambda *x: np.stack(x).astype(np.float64), *(finished[r][0] for r in done))
    observables, status, reached = _mark_divergence(observables, steps / dim, _limits(starts, bound)[done])
    trajectory = Trajectory(
        problem=problem,
        start=given if np.ndim(given.readout) == 1 else jax.tree.map(operator.itemgetter(done), given),
        alphas=steps / dim,
        observables=observables,
        status=status,
        reached=reached,
        stats={"steps": np.full(len(done), steps[-1])},
        sampling_error=None,
        source=Source("sgd", "weights", precision, dim, key_words(key), _tests(test_samples, dim)),
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
) -> None:
    """Raise InputError unless `run` could start with these arguments."""
    for value, what in ((dim, "dimension N"), (runs, "number of runs"), (test_samples, "number of test samples")):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise InputError(f"an integer {what} >= 1", repr(value))
    if dim >= 2**31:
        raise InputError("a dimension N below 2^31", dim)
    check_alphas(alphas, problem)
    require_name(precision, ("float32", "float64"), "precision")
    steps = float(np.max(np.asarray(alphas))) * dim
    if steps >= 2**31:
        raise InputError("fewer than 2^31 steps", f"{steps:.3g}", "lower the dimension or the last alpha")
    problem.inputs.sizes(dim, problem.task.latents)
    if isinstance(start, Weights):
        check_weights(problem, start, dim, runs)
    elif start is not None:
        check_overlaps(start, problem.shape)
        leading = np.shape(start.readout)[:-1]
        if leading not in ((), (runs,)):
            raise InputError(f"one start, or {runs} (one per run)", f"leading axes {leading}")
        check_room(problem, start, dim)


def memory(problem: Problem, dim: int, *, precision: str = "float32", workers: int | None = None) -> int:
    """Bytes that `run` needs at most beside what it records: weights (twice, old and new) and blocks of inputs."""
    _, K, M = problem.shape
    at_once = _workers(workers)
    block = max(BLOCK_NUMBERS, dim)
    return at_once * (2 * (K + M) * dim + 3 * block) * np.dtype(precision).itemsize


def recordable_alphas(alphas: Any, *dims: int) -> np.ndarray:
    """`alphas` moved to the nearest times that are whole numbers of steps in every dimension of `dims`."""
    grid = math.gcd(*dims)
    return np.unique(np.rint(np.asarray(alphas, float) * grid)) / grid


def _workers(workers: int | None) -> int:
    if workers is not None:
        return workers
    if jax.default_backend() != "cpu":
        return 32
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tests(test_samples: int, dim: int) -> int:
    length = block_steps(dim)
    return -(-test_samples // length) * length


def _schedule(problem: Problem, dim: int) -> Schedule:
    ends = np.rint(np.asarray(problem.curriculum.switches) * dim).astype(np.int32)
    return Schedule(jnp.asarray(np.concatenate([[0], ends[:-1]]), jnp.int32), jnp.asarray(ends))


def _run_all(
    ensemble: Ensemble,
    keys: jax.Array,
    starts: Overlaps | Weights,
    steps: np.ndarray,
    dtype: np.dtype,
    workers: int | None,
    report: Callable[[int], Any],
    keep_weights: bool,
) -> dict[int, Finished]:
    """Finished runs by number, with their last weights if those are kept; fewer than all only after Ctrl-C.

    On a CPU each thread takes one run at a time, or a few when N is small (vmap then saves calls; at large N it gains
    nothing, since every run has its own inputs); on an accelerator one thread takes `workers` runs, under vmap.
    """
    on_cpu = jax.default_backend() == "cpu"
    runs, at_once = keys.shape[0], min(_workers(workers), keys.shape[0])
    size = max(1, min(16, NUMBERS_IN_CACHE // sum(ensemble.sizes))) if on_cpu else at_once
    groups = [np.arange(first, first + size) % runs for first in range(0, runs, size)]
    with stop_on_ctrl_c() as stop:

        def work(group: np.ndarray, steps: np.ndarray = steps) -> Finished | None:
            with jax.enable_x64(dtype == np.float64):
                chosen = jax.tree.map(lambda x: x[group], starts)
                return _run_group(ensemble, keys[group], chosen, steps, dtype, stop, report, keep_weights)

        work(groups[0], np.zeros(1, int))  # compiles, once for all threads
        finished: dict[int, Finished] = {}
        for group, found in in_threads(work, groups, at_once if on_cpu else 1, stop):
            for place, number in enumerate(group):
                finished.setdefault(int(number), jax.tree.map(operator.itemgetter(place), found))
    return finished


def _run_group(
    ensemble: Ensemble,
    keys: jax.Array,
    starts: Overlaps | Weights,
    steps: np.ndarray,
    dtype: np.dtype,
    stop: threading.Event,
    report: Callable[[int], Any],
    keep_weights: bool,
) -> Finished | None:
    """Observables (group, A, ...) of some runs at the given steps; None if `stop` was set on the way."""
    if isinstance(starts, Weights):
        weights = to_float(starts, dtype)
    else:
        with jax.enable_x64(True):
            weights = _start_weights(to_float(starts, jnp.float64), keys[:, 1], ensemble.sizes, dtype)
    numbers = sum(ensemble.sizes) * len(keys)
    length = block_steps(sum(ensemble.sizes))
    stride = max(1, NUMBERS_PER_CALL // (numbers * length)) * length
    recorded: list[Observables] = []
    now = 0
    for last in np.union1d(steps, np.arange(stride, steps[-1], stride)):
        if stop.is_set():
            return None
        weights = _advance_group(ensemble, keys[:, 2], weights, np.int32(now), np.int32(last))
        jax.block_until_ready(weights.readout)
        report(int(last - now) * len(keys))
        now = int(last)
        if now in steps:
            recorded.append(to_host(_measure_group(ensemble, keys[:, 3], weights, np.int32(now))))
    return jax.tree.map(lambda *x: np.stack(x, axis=1), *recorded), to_host(weights) if keep_weights else None


@eqx.filter_jit
def _start_weights(starts: Overlaps, keys: jax.Array, sizes: tuple[int, ...], dtype: Any) -> Weights:
    return jax.vmap(lambda start, key: weights_with(start, sizes, key, dtype))(starts, keys)


@eqx.filter_jit
def _advance_group(ensemble: Ensemble, keys: jax.Array, weights: Weights, first: Any, last: Any) -> Weights:
    def one(key: jax.Array, weights: Weights) -> Weights:
        return advance(ensemble.problem, ensemble.schedule, ensemble.sizes, key, weights, first, last)

    return jax.vmap(one)(keys, weights)


@eqx.filter_jit
def _measure_group(ensemble: Ensemble, keys: jax.Array, weights: Weights, step: Any) -> Observables:
    def one(key: jax.Array, weights: Weights) -> Observables:
        return measure(ensemble.problem, ensemble.sizes, jax.random.fold_in(key, step), weights, ensemble.tests)

    return jax.vmap(one)(keys, weights)


def _limits(starts: Overlaps, bound: float) -> np.ndarray:
    """(runs,) largest Q_kk that counts as finite: the rule that `ode.solve` uses too."""
    norms = [np.diagonal(x, axis1=-2, axis2=-1).max(axis=(-2, -1)) for x in (starts.Q, starts.T)]
    return bound * np.maximum(1.0, np.maximum(*norms))


def _mark_divergence(
    observables: Observables, alphas: np.ndarray, limits: np.ndarray
) -> tuple[Observables, np.ndarray, np.ndarray]:
    """NaN from the first recorded alpha at which a run's student norm left its bound; status and last good alpha."""
    norms = np.max(np.diagonal(observables.overlaps.Q, axis1=-2, axis2=-1), axis=(-2, -1))  # (runs, A)
    good = np.cumprod(norms < limits[:, None], axis=1).astype(bool)

    def blank(x: np.ndarray) -> np.ndarray:
        return np.where(good.reshape(*good.shape, *[1] * (x.ndim - 2)), x, np.nan)

    status = np.where(good.all(axis=1), int(Status.OK), int(Status.DIVERGED))
    reached = np.max(np.where(good, alphas, 0.0), axis=1)
    return jax.tree.map(blank, observables), status, reached
