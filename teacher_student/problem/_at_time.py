"""A problem at one time: every schedule in it replaced by its value there."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np

from .._errors import InputError
from .._numbers import is_known
from ._schedule import Schedule, ScheduledNumbers

Tree = TypeVar("Tree")
CHECKED = 257  # times at which the values of a schedule are looked at


def at_time(tree: Tree, alpha: Any) -> Tree:
    """Return `tree`, a problem or a part of one, with the value at `alpha` in place of every schedule."""
    return with_values(tree, lambda schedule: schedule(alpha))


def at_times(tree: Tree, times: Any) -> Tree:
    """Return `tree` with every schedule read at a time of its own: `times` has one for each of `single_schedules`."""
    remaining = iter(range(len(single_schedules(tree))))

    def value(schedule: Schedule) -> Any:
        if isinstance(schedule, ScheduledNumbers):
            return schedule.with_entries(lambda entry: entry(times[next(remaining)]))
        return schedule(times[next(remaining)])

    return with_values(tree, value)


def single_schedules(tree: Any) -> list[Schedule]:
    """Return all schedules of one number each, those inside arrays of numbers too."""
    return [
        single
        for schedule in schedules_of(tree).values()
        for single in (schedule.entries.values() if isinstance(schedule, ScheduledNumbers) else [schedule])
    ]


def with_values(tree: Tree, value: Callable[[Schedule], Any]) -> Tree:
    """Return `tree` with value(schedule) in place of every schedule, in the order of `schedules_of`."""
    replaced: Tree = jax.tree.map(lambda x: value(x) if is_schedule(x) else x, tree, is_leaf=is_schedule)
    return replaced


def schedules_of(tree: Any) -> dict[str, Schedule]:
    """Return the schedules in `tree` by the dotted names of the numbers that they stand for."""
    leaves = jax.tree_util.tree_leaves_with_path(tree, is_leaf=is_schedule)
    return {jax.tree_util.keystr(path).lstrip("."): leaf for path, leaf in leaves if is_schedule(leaf)}


def is_schedule(x: Any) -> bool:
    """Return whether `x` is a Schedule."""
    return isinstance(x, Schedule)


def check_schedules(tree: Any, end: Any) -> None:
    """Raise InputError unless every known schedule is finite and >= 0 from alpha = 0 to `end`."""
    for name, schedule in schedules_of(tree).items():
        if not is_known((schedule, end)) or np.ndim(end):
            continue
        jumps = np.asarray(schedule.jumps, float)
        # Just before a jump too, where the earlier phase ends.
        times = np.concatenate([np.linspace(0.0, float(end), CHECKED), jumps, np.nextafter(jumps, 0.0)])
        for alpha in times[times <= end]:
            value = float(np.min(schedule(alpha)))  # of several numbers the least; NaN where one is
            if not value >= 0 or not np.all(np.isfinite(schedule(alpha))):
                raise InputError(f"finite values >= 0 of the schedule {name}", f"{value:g} at alpha = {alpha:g}")
