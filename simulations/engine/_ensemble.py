"""Many runs of one problem or several: in groups, in threads or over devices, stopped in order by Ctrl-C."""

import operator
import threading
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Observables, Overlaps, Problem
from teacher_student.internal import to_host

from ._advance import advance, measure
from ._coordinates import Space
from ._host import to_float_on_host
from ._keys import Keys
from ._phase_steps import PhaseSteps
from ._plan import RunPlan
from ._run_batches import Group, default_workers, over_members
from ._threads import in_threads, stop_on_ctrl_c
from ._weights import Weights

NUMBERS_PER_CALL = 5 * 10**7  # input numbers one compiled call consumes: about half a second, so that Ctrl-C is heard
# Held while starts are made: several batches of matrix products and roots at once can block XLA's CPU threads.
ONE_AT_A_TIME = threading.Lock()

Finished = tuple[Observables, Weights | None]  # of one run or group: what was recorded, and its last weights if kept


class Ensemble(eqx.Module):
    """All that is constant over the steps of one call.

    tests: () blocks of test inputs. differ: which leaves of (problem, phases) differ between members and have a
    leading axis; (): none. devices: those that share the members.
    """

    problem: Problem
    phases: PhaseSteps
    space: Space
    tests: Any  # () blocks of test inputs
    differ: tuple[bool, ...] = eqx.field(static=True, default=())
    devices: tuple[jax.Device | None, ...] = eqx.field(static=True, default=(None,))

    @property
    def axes(self) -> Any:
        """Axes of (problem, phases) that run over members: 0 or None, leaf by leaf."""
        leaves, structure = jax.tree.flatten((self.problem, self.phases))
        differ = self.differ or (False,) * len(leaves)
        return jax.tree.unflatten(structure, [0 if d else None for d in differ])

    def of(self, problems: np.ndarray) -> "Ensemble":
        """Return the ensemble with the numbers of these problems only, in this order."""
        if not self.differ:
            return self
        leaves, structure = jax.tree.flatten((self.problem, self.phases))
        chosen = [x[problems] if d else x for x, d in zip(leaves, self.differ, strict=True)]
        problem, phases = jax.tree.unflatten(structure, chosen)
        return Ensemble(problem, phases, self.space, self.tests, self.differ, self.devices)


def run_all(ensemble: Ensemble, plan: RunPlan, report: Callable[[int], object]) -> dict[tuple[int, int], Finished]:
    """Return the finished runs of `plan` by (problem, run), with their last weights if those are kept.

    There are fewer than all only after Ctrl-C.

    On a CPU each thread takes a group of runs at a time, under vmap; on an accelerator, or on several devices, one
    thread takes one group after the other. Groups are filled up, so that a run's numbers do not depend on how many
    there are. report: is told the steps that are done.
    """
    threads = default_workers(plan.workers) if jax.default_backend() == "cpu" and len(ensemble.devices) == 1 else 1
    with stop_on_ctrl_c() as stop:

        def work(group: Group) -> Finished | None:
            with jax.enable_x64(plan.dtype == np.float64):

                def tell(steps: int) -> None:
                    report(steps * group.wanted)

                return _run_group(ensemble, plan, group, stop, tell)

        # Before the threads start: each would find the programs missing and compile them again.
        _compile(ensemble, plan, stop)
        finished: dict[tuple[int, int], Finished] = {}
        for group, result in in_threads(work, plan.groups, min(threads, len(plan.groups)), stop):
            for position in range(group.wanted):
                member = int(group.problems[position]), int(group.runs[position])
                finished[member] = jax.tree.map(operator.itemgetter(position), result)
    return finished


def _run_group(
    ensemble: Ensemble, plan: RunPlan, group: Group, stop: threading.Event, report: Callable[[int], object]
) -> Finished | None:
    """Return the observables (group, A, ...) of a group's runs, or None if `stop` was set on the way."""
    ensemble = ensemble.of(group.problems)
    starts, steps, dtype, shared = _starts_of(group, plan.origins), plan.steps, plan.dtype, group.stream is not None
    start_keys, sample_keys, test_keys = _keys_of(group, plan.keys)
    if isinstance(starts, Weights):
        weights = to_float_on_host(starts, dtype)
    else:
        with jax.enable_x64(True), ONE_AT_A_TIME:
            weights = _start_weights(ensemble, to_float_on_host(starts, np.float64), start_keys, dtype)
            weights.student.block_until_ready()
    numbers = ensemble.space.cost * group.runs.size
    length = ensemble.space.block_steps
    # Whole blocks: a call that ended inside one would have the next draw it again.
    stride = max(1, NUMBERS_PER_CALL // (numbers * length)) * length
    recorded: list[Observables] = []
    now = 0
    for last in np.union1d(steps, np.arange(stride, steps[-1], stride)):
        if stop.is_set():
            return None
        weights = _advance_group((ensemble, sample_keys), weights, np.int32(now), np.int32(last), shared)
        weights.readout.block_until_ready()
        report(int(last - now))
        now = int(last)
        if now in steps:
            with jax.enable_x64(True):  # for the outputs; inputs are drawn in the weights' precision
                recorded.append(to_host(_measure_group(ensemble, test_keys, weights, np.int32(now), shared)))
    return jax.tree.map(lambda *x: np.stack(x, axis=1), *recorded), to_host(weights) if plan.keep_weights else None


def _starts_of(group: Group, starts: Overlaps | Weights) -> Overlaps | Weights:
    chosen: Overlaps | Weights = jax.tree.map(lambda x: x[group.problems, group.runs], starts)
    return chosen


def _keys_of(group: Group, keys: Keys) -> tuple[Keys, Keys, Keys]:
    """Return the keys of the starts' weights, of samples and of test samples.

    They are those of each member, or, where members share a stream, those of the stream's run.
    """
    if group.stream is None:
        return keys[group.runs, 1], keys[group.runs, 2], keys[group.runs, 3]
    return keys[np.full(group.runs.size, group.stream), 1], keys[group.stream, 2], keys[group.stream, 3]


def _compile(ensemble: Ensemble, plan: RunPlan, stop: threading.Event) -> None:
    """Compile what the groups of `plan` need, side by side and once for all threads, without computing anything.

    XLA compiles each program in one thread, so three at once take the time of the longest.
    """
    if len(ensemble.devices) > 1:  # where the first group's weights lie is not known before they are made
        return
    group, dtype = plan.groups[0], plan.dtype
    chosen, ensemble = _starts_of(group, plan.origins), ensemble.of(group.problems)
    shared, step = group.stream is not None, np.int32(0)
    start_keys, sample_keys, test_keys = _keys_of(group, plan.keys)
    weights = _blank_weights(chosen, ensemble.space.counts, dtype)
    programs: list[tuple[Any, bool, tuple[Any, ...]]] = [  # whether at 64 bits; arguments as in `_run_group`
        (_advance_group, dtype == np.float64, ((ensemble, sample_keys), weights, step, step, shared)),
        (_measure_group, True, (ensemble, test_keys, weights, step, shared)),
    ]
    if isinstance(chosen, Overlaps):
        blank = jax.tree.map(lambda x: _blank(x.shape, np.dtype(np.float64)), chosen)
        programs.append((_start_weights, True, (ensemble, blank, start_keys, dtype)))

    def build(program: tuple[Any, bool, tuple[Any, ...]]) -> bool:
        function, wide, arguments = program
        with jax.enable_x64(wide):
            function.lower(*arguments).compile()
        return True

    for _ in in_threads(build, programs, len(programs), stop):
        pass


def _blank_weights(starts: Overlaps | Weights, counts: tuple[int, ...], dtype: np.dtype) -> Weights:
    """Return zeros of the shapes of the weights that begin with `starts`; they take no memory."""
    if isinstance(starts, Weights):
        blank: Weights = jax.tree.map(lambda x: _blank(x.shape, dtype), starts)
        return blank
    members, _, K, M = starts.R.shape
    shapes = (members, K, sum(counts)), (members, M, sum(counts)), (members, K)
    student, latents, readout = (_blank(shape, dtype) for shape in shapes)
    return Weights(student, latents, readout)  # type: ignore[arg-type]  # NumPy's stand for JAX's, shapes alone count


def _blank(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return zeros of any shape that take the memory of one."""
    return np.broadcast_to(np.zeros((), dtype), shape)


@eqx.filter_jit
def _start_weights(ensemble: Ensemble, starts: Overlaps, keys: Keys, dtype: Any) -> Weights:
    def one(start: Overlaps, key: jax.Array) -> Weights:
        return ensemble.space.start(start, key, dtype)

    weights: Weights = over_members(one, (0, 0), ensemble.devices, in_turn=True)(starts, keys.wrapped())
    return weights


@eqx.filter_jit
def _advance_group(constant: tuple[Ensemble, Keys], weights: Weights, first: Any, last: Any, shared: bool) -> Weights:
    ensemble, keys = constant

    def one(numbers: Any, key: jax.Array, weights: Weights, first: Any, last: Any) -> Weights:
        return advance(numbers[0], numbers[1], ensemble.space, key, weights, first, last)

    mapped = over_members(one, (ensemble.axes, None if shared else 0, 0, None, None), ensemble.devices)
    later: Weights = mapped((ensemble.problem, ensemble.phases), keys.wrapped(), weights, first, last)
    return later


@eqx.filter_jit
def _measure_group(ensemble: Ensemble, keys: Keys, weights: Weights, step: Any, shared: bool) -> Observables:
    def one(numbers: Any, key: jax.Array, weights: Weights, step: Any) -> Observables:
        now = numbers[0].at(jnp.asarray(step).astype(weights.student.dtype) / ensemble.space.dim)
        return measure(now, ensemble.space, jax.random.fold_in(key, step), weights, ensemble.tests)

    mapped = over_members(one, (ensemble.axes, None if shared else 0, 0, None), ensemble.devices)
    observables: Observables = mapped((ensemble.problem, ensemble.phases), keys.wrapped(), weights, step)
    return observables
