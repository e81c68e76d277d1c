"""Several problems as ones that differ in numbers only, and switches on whole steps: what paired simulations need."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from .._errors import InputError
from .._fields import with_fields
from .._trees import differing_leaves, same_structure
from ._at_time import is_schedule
from ._curriculum import Curriculum
from ._problem import Problem
from ._schedule import CosineSchedule, PhasedSchedule, PowerSchedule, Schedule, ScheduledNumbers, SplineSchedule

REMEDY = "simulate each of them in a call of its own"


def with_one_structure(problems: Sequence[Problem]) -> list[Problem]:
    """Return the same problems as ones that differ in numbers only, as `simulations.run_many` takes them.

    Every curriculum speaks of all levels of the task, and is filled up at its end with phases that last no time. A
    number that is a schedule in one of the problems is one in all of them: elsewhere it is constant. What is learned
    under a problem stays the same.

    Raises InputError for schedules of different shapes in the same place, for a function of one's own where others have
    a number, and for problems that differ in more than these.
    """
    count = max(np.shape(problem.curriculum.durations)[0] for problem in problems)
    filled = [with_fields(problem, curriculum=_filled(problem, count)) for problem in problems]
    rows, structures = zip(*(jax.tree.flatten(problem, is_leaf=is_schedule) for problem in filled), strict=True)
    if len({len(row) for row in rows}) > 1:
        raise InputError("problems that differ in numbers only", "different kinds of parts", REMEDY)
    columns = [_alike(list(column)) for column in zip(*rows, strict=True)]
    found: list[Problem] = [
        jax.tree.unflatten(structure, row)
        for structure, row in zip(structures, zip(*columns, strict=True), strict=True)
    ]
    for other in found[1:]:
        if not same_structure(found[0], other):
            raise InputError("problems that differ in numbers only", "different names, widths, units or losses", REMEDY)
        shapes = differing_leaves(found[0], other, lambda x, y: np.shape(x) == np.shape(y))
        for name, (x, y) in shapes.items():
            raise InputError(
                "problems that differ in numbers only", f"{name} of shapes {np.shape(x)} and {np.shape(y)}", REMEDY
            )
    return found


def _filled(problem: Problem, count: int) -> Curriculum:
    """Return the curriculum of all levels with `count` phases; those that are added at the end last no time."""
    own = problem.curriculum_of_all_levels()
    more = count - np.shape(own.durations)[0]
    last = np.repeat(np.asarray(own.final_shares)[-1:], more, axis=0)
    return with_fields(
        own,
        durations=np.concatenate([own.durations, np.zeros(more)]),
        initial_shares=np.concatenate([own.initial_shares, last]),
        final_shares=np.concatenate([own.final_shares, last]),
    )


def _alike(column: list[Any]) -> list[Any]:
    """Return what several problems have in one place, as schedules of one shape where one of them has a schedule."""
    if not any(is_schedule(x) for x in column):
        return column
    if any(isinstance(x, ScheduledNumbers) for x in column):
        return _tables_alike(column)
    shapes = [x for x in column if is_schedule(x)]
    if len({type(x) for x in shapes}) > 1:
        kinds = " and ".join(sorted({type(x).__name__.removesuffix("Schedule").lower() for x in shapes}))
        raise InputError("schedules of one shape for the same number", kinds, REMEDY)
    made = [x if is_schedule(x) else _constant_like(shapes[0], float(x)) for x in column]
    phased = [x for x in made if isinstance(x, PhasedSchedule)]
    if phased:
        longest = max(np.size(x.durations) for x in phased)
        return [x.filled(lambda _: longest) for x in phased]
    return made


def _constant_like(shape: Schedule, value: float) -> Schedule:
    """Return the schedule of the same shape that has `value` at all times."""
    if isinstance(shape, PhasedSchedule):
        return PhasedSchedule.of([(value, value, 1.0)])
    if isinstance(shape, SplineSchedule):
        return with_fields(shape, values=np.full(np.shape(shape.values), value))
    if isinstance(shape, CosineSchedule):
        return with_fields(shape, initial=np.float64(value), final=np.float64(value))
    if isinstance(shape, PowerSchedule):
        return with_fields(shape, initial=np.float64(value), exponent=np.float64(0.0))
    raise InputError("a schedule in all problems or in none", "a function of one's own beside a number", REMEDY)


def _tables_alike(column: list[Any]) -> list[Any]:
    """Return tables of numbers of which some are schedules, with schedules in the same places of all tables."""
    places = sorted({place for x in column if isinstance(x, ScheduledNumbers) for place in x.entries})
    tables = [x if isinstance(x, ScheduledNumbers) else ScheduledNumbers(np.asarray(x, float), {}) for x in column]
    entries = {place: _alike([table.entry(*place) for table in tables]) for place in places}
    found = []
    for i, table in enumerate(tables):
        numbers = np.array(table.numbers, float)
        for place in places:
            numbers[place] = 0.0
        found.append(ScheduledNumbers(numbers, {place: entries[place][i] for place in places}))
    return found


def in_whole_steps(problem: Problem, dim: int) -> Problem:
    """Return the problem with switches, and phases of its schedules, that end on whole steps at N = `dim`.

    It is what a simulation of N dimensions realises. The theory of a problem whose switches lie between two steps is
    off from it by order 1/N. A phase that is shorter than half a step may vanish.
    """
    own = problem.curriculum
    durations, kept = _whole(own.durations, dim)
    curriculum = with_fields(
        own,
        durations=durations,
        initial_shares=np.asarray(own.initial_shares)[kept],
        final_shares=np.asarray(own.final_shares)[kept],
    )
    changed = _with_phases(with_fields(problem, curriculum=curriculum), lambda phases: _schedule_whole(phases, dim))
    return changed


def _whole(durations: Any, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Return durations that are multiples of 1/N and > 0, and which phases have one."""
    steps = np.diff(np.rint(np.cumsum(np.asarray(durations, float)) * dim), prepend=0.0)
    kept = np.flatnonzero(steps > 0)
    return steps[kept] / dim, kept


def _schedule_whole(phases: PhasedSchedule, dim: int) -> PhasedSchedule:
    durations, kept = _whole(phases.durations, dim)
    if not kept.size:
        return phases
    return PhasedSchedule(np.asarray(phases.initial)[kept], np.asarray(phases.final)[kept], durations)


def _with_phases(problem: Problem, change: Callable[[PhasedSchedule], PhasedSchedule]) -> Problem:
    """Return the problem with change(schedule) in place of every schedule that is made of phases."""

    def changed(x: Any) -> Any:
        if isinstance(x, ScheduledNumbers):
            return ScheduledNumbers(x.numbers, {place: changed(entry) for place, entry in x.entries.items()})
        return change(x) if isinstance(x, PhasedSchedule) else x

    found: Problem = jax.tree.map(changed, problem, is_leaf=is_schedule)
    return found
