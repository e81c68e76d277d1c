"""Many runs of one problem: in groups, in threads, stopped in order by Ctrl-C."""

import operator
import os
import threading
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Observables, Overlaps, Problem, to_float, to_host

from ._advance import Schedule, advance, measure
from ._space import Space
from ._threads import in_threads, stop_on_ctrl_c
from ._weights import Weights

NUMBERS_PER_CALL = 5 * 10**7  # input numbers one compiled call consumes: about half a second, so that Ctrl-C is heard

Finished = tuple[Observables, Weights | None]  # of one run or group: what was recorded, and its last weights if kept


class Ensemble(eqx.Module):
    """All that is constant over the runs of one call."""

    problem: Problem
    schedule: Schedule
    space: Space
    tests: int = eqx.field(static=True)


def default_workers(workers: int | None) -> int:
    """Threads on a CPU, runs at once on an accelerator."""
    if workers is not None:
        return workers
    if jax.default_backend() != "cpu":
        return 32
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(
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

    On a CPU each thread takes a group of runs at a time, as many as the space says, under vmap; on an accelerator one
    thread takes `workers` runs. Groups are filled up, so that a run's numbers do not depend on how many there are.
    """
    on_cpu = jax.default_backend() == "cpu"
    runs, at_once = keys.shape[0], min(default_workers(workers), keys.shape[0])
    size = ensemble.space.together if on_cpu else at_once
    groups = [np.arange(first, first + size) % runs for first in range(0, runs, size)]
    with stop_on_ctrl_c() as stop:

        def work(group: np.ndarray, steps: np.ndarray = steps) -> Finished | None:
            with jax.enable_x64(dtype == np.float64):
                chosen = jax.tree.map(lambda x: x[group], starts)

                def tell(steps: int) -> None:
                    report(steps * min(size, runs - int(group[0])))  # the others fill the group up

                return _run_group(ensemble, keys[group], chosen, steps, dtype, stop, tell, keep_weights)

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
            weights = _start_weights(to_float(starts, jnp.float64), keys[:, 1], ensemble.space, dtype)
    numbers = ensemble.space.cost * len(keys)
    length = ensemble.space.block_steps
    stride = max(1, NUMBERS_PER_CALL // (numbers * length)) * length
    recorded: list[Observables] = []
    now = 0
    for last in np.union1d(steps, np.arange(stride, steps[-1], stride)):
        if stop.is_set():
            return None
        weights = _advance_group(ensemble, keys[:, 2], weights, np.int32(now), np.int32(last))
        jax.block_until_ready(weights.readout)
        report(int(last - now))
        now = int(last)
        if now in steps:
            with jax.enable_x64(True):  # for the outputs; inputs are drawn in the weights' precision
                recorded.append(to_host(_measure_group(ensemble, keys[:, 3], weights, np.int32(now))))
    return jax.tree.map(lambda *x: np.stack(x, axis=1), *recorded), to_host(weights) if keep_weights else None


@eqx.filter_jit
def _start_weights(starts: Overlaps, keys: jax.Array, space: Space, dtype: Any) -> Weights:
    return jax.vmap(lambda start, key: space.start(start, key, dtype))(starts, keys)


@eqx.filter_jit
def _advance_group(ensemble: Ensemble, keys: jax.Array, weights: Weights, first: Any, last: Any) -> Weights:
    def one(key: jax.Array, weights: Weights) -> Weights:
        return advance(ensemble.problem, ensemble.schedule, ensemble.space, key, weights, first, last)

    return jax.vmap(one)(keys, weights)


@eqx.filter_jit
def _measure_group(ensemble: Ensemble, keys: jax.Array, weights: Weights, step: Any) -> Observables:
    def one(key: jax.Array, weights: Weights) -> Observables:
        return measure(ensemble.problem, ensemble.space, jax.random.fold_in(key, step), weights, ensemble.tests)

    return jax.vmap(one)(keys, weights)
