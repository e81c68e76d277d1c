"""The numbers of a schedule, by name, with the direction in which the rest of it moves when one of them changes."""

import re
from collections.abc import Callable

import jax
import numpy as np

from ..problem import PhasedSchedule, Schedule, ScheduledNumbers

Row = tuple[str, float, dict[str, np.ndarray]]  # name, value, derivative of the leaf at each path that moves
WORDS = {
    "initial": "initial value",
    "final": "final value",
    "durations": "duration",
    "duration": "duration",
    "scale": "scale",
    "exponent": "exponent",
    "values": "value",
    "alphas": "knot",
    "numbers": "number",
}
HEAD = r"(?P<name>(sgd|task)\..+?)"
NUMBER = re.compile(rf"{HEAD}\.(?P<number>{'|'.join(WORDS)})(\[(?P<index>\d+)\])?")
PHASE = re.compile(r"(?P<name>sgd\.\w+|task\.noise|task\.inputs\.variances\[.*\])\[(?P<index>\d+)\]")


def rows_of_schedule(name: str, place: str, schedule: Schedule) -> list[Row]:
    """Return a row for each number of a schedule called `name`, such as "sgd.learning_rate.exponent".

    The value of a phase in which it is constant is one number, "sgd.learning_rate[2]".
    Arguments: place: the path of the schedule in its problem.
    """
    if isinstance(schedule, PhasedSchedule):
        return _of_phases(name, place, schedule)
    rows: list[Row] = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(schedule):
        entry, numbers = jax.tree_util.keystr(path), np.asarray(leaf, float)
        rows += [_row(name + entry, numbers, index, (place + entry,)) for index in np.ndindex(numbers.shape)]
    return rows


def rows_of_array(place: str, array: ScheduledNumbers, text: Callable[[tuple[int, ...]], str]) -> list[Row]:
    """Return the rows of an array of numbers and schedules; text(index) is what names an entry."""
    numbers = np.asarray(array.numbers, float)
    rows: list[Row] = []
    for index in np.ndindex(numbers.shape):
        entry = place + text(index)
        if index in array.entries:
            inside = f"{place}.entries[{index!r}]"
            rows += rows_of_schedule(entry, inside, array.entries[index])
        else:
            _, value, moves = _row(entry, numbers, index, (f"{place}.numbers",))
            rows.append((entry, value, moves))
    return rows


def label_in_schedule(name: str, label_of: Callable[[str], str]) -> str | None:
    """Return what a table calls a number of a schedule, "learning rate, duration of phase 2", or None for others.

    Arguments: label_of: what it calls the number that the schedule stands for.
    """
    if (found := NUMBER.fullmatch(name)) is not None:
        word, index = WORDS[found["number"]], found["index"]
        of_phase = "of phase " if found["number"] in ("initial", "final", "durations") else ""
        return f"{label_of(found['name'])}, {word}" + ("" if index is None else f" {of_phase}{index}")
    if (found := PHASE.fullmatch(name)) is not None:
        return f"{label_of(found['name'])} in phase {found['index']}"
    return None


def _of_phases(name: str, place: str, schedule: PhasedSchedule) -> list[Row]:
    initial, final, durations = (np.asarray(x, float) for x in (schedule.initial, schedule.final, schedule.durations))
    rows: list[Row] = []
    for i in range(durations.size):
        if initial[i] == final[i]:
            value = _row(name, initial, (i,), (f"{place}.initial", f"{place}.final"))
            rows.append(value if durations.size > 1 else (name, *value[1:]))
        else:
            rows += [
                _row(f"{name}.{side}", x, (i,), (f"{place}.{side}",))
                for side, x in (("initial", initial), ("final", final))
            ]
    # Where nothing changes any more, no later time does anything.
    changing = [i for i in range(durations.size) if initial[i] != final[i] or i + 1 < durations.size]
    return rows + [_row(f"{name}.durations", durations, (i,), (f"{place}.durations",)) for i in changing]


def _row(name: str, numbers: np.ndarray, index: tuple[int, ...], paths: tuple[str, ...]) -> Row:
    unit = np.zeros(numbers.shape)
    unit[index] = 1.0
    suffix = f"[{','.join(str(i + 1) for i in index)}]" if index else ""
    return name + suffix, float(numbers[index]), {f"[0].{path}": unit for path in paths}
