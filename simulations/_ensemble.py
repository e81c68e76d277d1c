"""Many runs of one problem or several: in groups, in threads or over devices, stopped in order by Ctrl-C."""

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
from ._groups import Group, over_members
from ._space import Space
from ._threads import in_threads, stop_on_ctrl_c
from ._weights import Weights

NUMBERS_PER_CALL = 5 * 10**7  # input numbers one compiled call consumes: about half a second, so that Ctrl-C is heard
ONE_AT_A_TIME = (
    threading.Lock()
)  # starts: several batches of matrix products and roots at once can block XLA's CPU threads

Finished = tuple[Observables, Weights | None]  # of one run or group: what was recorded, and its last weights if kept


class Ensemble(eqx.Module):
    """All that is constant over the steps of one call.

    differ: which leaves of (problem, schedule) differ between members and have a leading axis.
    """

    problem: Problem
    schedule: Schedule
    space: Space
    tests: int = eqx.field(static=True)
    differ: tuple[bool, ...] = eqx.field(static=True, default=())
    devices: tuple[Any, ...] = eqx.field(static=True, default=(None,))

    @property
    def axes(self) -> Any:
        """Axes of (problem, schedule) that run over members: 0 or None, leaf by leaf."""
        leaves, structure = jax.tree.flatten((self.problem, self.schedule))
        differ = self.differ or (False,) * len(leaves)
        return jax.tree.unflatten(structure, [0 if d else None for d in differ])

    def of(self, problems: np.ndarray) -> "Ensemble":
        """With the numbers of these problems only, in this order."""
        if not self.differ:
            return self
        leaves, structure = jax.tree.flatten((self.problem, self.schedule))
        chosen = [x[problems] if d else x for x, d in zip(leaves, self.differ, strict=True)]
        problem, schedule = jax.tree.unflatten(structure, chosen)
        return Ensemble(problem, schedule, self.space, self.tests, self.differ, self.devices)


def default_workers(workers: int | None) -> int:
    """Threads on a CPU, runs at once on an accelerator."""
    if workers is not None:
        return workers
    if jax.default_backend() != "cpu":
        return 32
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(
    ensemble: Ensemble,
    groups: list[Group],
    keys: jax.Array,
    starts: Overlaps | Weights,
    steps: np.ndarray,
    dtype: np.dtype,
    workers: int | None,
    report: Callable[[int], Any],
    keep_weights: bool,
) -> dict[tuple[int, int], Finished]:
    """Finished runs by (problem, run), with their last weights if those are kept; fewer than all only after Ctrl-C.

    On a CPU each thread takes a group of runs at a time, under vmap; on an accelerator, or on several devices, one
    thread takes one group after the other. Groups are filled up, so that a run's numbers do not depend on how many
    there are. starts: with leading axes (problems, runs).
    """
    threads = default_workers(workers) if jax.default_backend() == "cpu" and len(ensemble.devices) == 1 else 1
    with stop_on_ctrl_c() as stop:

        def work(group: Group, steps: np.ndarray = steps) -> Finished | None:
            with jax.enable_x64(dtype == np.float64):
                chosen = jax.tree.map(lambda x: x[group.problems, group.runs], starts)

                def tell(steps: int) -> None:
                    report(steps * group.wanted)

                return _run_group(ensemble, group, keys, chosen, steps, dtype, stop, tell, keep_weights)

        work(groups[0], np.zeros(1, int))  # compiles, once for all threads
        finished: dict[tuple[int, int], Finished] = {}
        for group, found in in_threads(work, groups, min(threads, len(groups)), stop):
            for place in range(group.wanted):
                member = int(group.problems[place]), int(group.runs[place])
                finished[member] = jax.tree.map(operator.itemgetter(place), found)
    return finished


def _run_group(
    ensemble: Ensemble,
    group: Group,
    keys: jax.Array,
    starts: Overlaps | Weights,
    steps: np.ndarray,
    dtype: np.dtype,
    stop: threading.Event,
    report: Callable[[int], Any],
    keep_weights: bool,
) -> Finished | None:
    """Observables (group, A, ...) of some runs at the given steps; None if `stop` was set on the way."""
    ensemble = ensemble.of(group.problems)
    shared = group.stream is not None
    source = np.full(group.runs.size, group.stream) if shared else group.runs
    sample_keys, test_keys = (keys[group.stream if shared else source, i] for i in (2, 3))
    if isinstance(starts, Weights):
        weights = to_float(starts, dtype)
    else:
        with jax.enable_x64(True), ONE_AT_A_TIME:
            weights = _start_weights(ensemble, to_float(starts, jnp.float64), keys[source, 1], dtype)
            jax.block_until_ready(weights.student)
    numbers = ensemble.space.cost * group.runs.size
    length = ensemble.space.block_steps
    stride = max(1, NUMBERS_PER_CALL // (numbers * length)) * length
    recorded: list[Observables] = []
    now = 0
    for last in np.union1d(steps, np.arange(stride, steps[-1], stride)):
        if stop.is_set():
            return None
        weights = _advance_group((ensemble, sample_keys), weights, np.int32(now), np.int32(last), shared)
        jax.block_until_ready(weights.readout)
        report(int(last - now))
        now = int(last)
        if now in steps:
            with jax.enable_x64(True):  # for the outputs; inputs are drawn in the weights' precision
                recorded.append(to_host(_measure_group(ensemble, test_keys, weights, np.int32(now), shared)))
    return jax.tree.map(lambda *x: np.stack(x, axis=1), *recorded), to_host(weights) if keep_weights else None


@eqx.filter_jit
def _start_weights(ensemble: Ensemble, starts: Overlaps, keys: jax.Array, dtype: Any) -> Weights:
    def one(start: Overlaps, key: jax.Array) -> Weights:
        return ensemble.space.start(start, key, dtype)

    return over_members(one, (0, 0), ensemble.devices, in_turn=True)(starts, keys)


@eqx.filter_jit
def _advance_group(
    constant: tuple[Ensemble, jax.Array], weights: Weights, first: Any, last: Any, shared: bool
) -> Weights:
    ensemble, keys = constant

    def one(what: Any, key: jax.Array, weights: Weights, first: Any, last: Any) -> Weights:
        return advance(what[0], what[1], ensemble.space, key, weights, first, last)

    mapped = over_members(one, (ensemble.axes, None if shared else 0, 0, None, None), ensemble.devices)
    return mapped((ensemble.problem, ensemble.schedule), keys, weights, first, last)


@eqx.filter_jit
def _measure_group(ensemble: Ensemble, keys: jax.Array, weights: Weights, step: Any, shared: bool) -> Observables:
    def one(what: Any, key: jax.Array, weights: Weights, step: Any) -> Observables:
        return measure(what[0], ensemble.space, jax.random.fold_in(key, step), weights, ensemble.tests)

    mapped = over_members(one, (ensemble.axes, None if shared else 0, 0, None), ensemble.devices)
    return mapped((ensemble.problem, ensemble.schedule), keys, weights, step)
