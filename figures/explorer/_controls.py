"""Which numbers of a problem file become sliders, and over which range each goes."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from ._phases import is_mixture, phases_of
from ._tables import Path, entry_at

STEPS = 50  # of a slider
RANGES = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)  # leading digits of the end of a range
REACH = 4  # a slider goes up to this many times the file's own number
SMALLEST_SHARE = 0.02  # of the dimensions or samples: with none there would be another problem


@dataclasses.dataclass(frozen=True)
class Control:
    """A number of a problem file that can be moved.

    path: where it stands in the tables. label: what the page calls it. value: the file's own number.
    steps: what the slider can be set to, in increasing order. The value is one of them, so that a slider that nobody
    touches changes nothing.
    """

    path: Path
    label: str
    value: float
    steps: tuple[float, ...]


def rates(tables: Mapping[str, Any]) -> tuple[Control, ...]:
    """Return the controls of learning: rates, weight decay, noise and the size of the first weights."""
    named: list[tuple[Path, str, float]] = [
        (("sgd", "learning_rate"), "learning rate η", 1.0),
        (("sgd", "readout_learning_rate"), "readout learning rate ηᵥ", 0.5),
        (("sgd", "weight_decay"), "weight decay γ", 0.1),
    ]
    if is_committee(tables):
        named.append((("task", "noise"), "output noise σ", 0.5))
    # A schedule stays what the file says.
    chosen = [_up_to(tables, *each) for each in named if not isinstance(entry_at(tables, each[0], 0.0), Mapping)]
    if "Q" not in tables.get("start", {}):
        chosen.append(_up_to(tables, ("start", "scale"), "s.d. of first weights", 1.0, otherwise=0.5))
    return tuple(chosen)


def inputs(tables: Mapping[str, Any]) -> tuple[Control, ...]:
    """Return the controls of the task: shares of the dimensions, variances of the levels, and its class's own numbers.

    Shares sum to 1: the last block has no control, it takes what the others leave.
    """
    controls: list[Control] = []
    for path, number in _numbers(tables["task"], ("task",)):
        *_, table, name = path
        if table == "fractions":
            blocks = list(entry_at(tables, path[:-1]))
            if name != blocks[-1]:
                controls.append(_share(path, f"share of dimensions, {name}", number))
        elif name == "separation":
            controls.append(_positive(path, _label(path), number))
        elif ("levels" in path and path[-3] == "levels") or _is_of_own_task(tables, number):
            controls.append(_up_to(tables, path, _label(path), 1.0))
    return tuple(controls)


def phases(tables: Mapping[str, Any]) -> tuple[Control, ...]:
    """Return the controls of the curriculum: the duration of each phase, and the shares of levels in a mixed one."""
    controls: list[Control] = []
    rows = phases_of(tables)
    for number, phase in enumerate(rows):
        path: Path = ("curriculum", "phases", number)
        where = f" in phase {number + 1}" if len(rows) > 1 else ""
        sides = [side for side in phase[:-1] if isinstance(side, str)]
        name = " to ".join(sides) if len(sides) == len(phase) - 1 else f"phase {number + 1}"
        controls.append(_positive((*path, len(phase) - 1), f"duration of {name} (α)", phase[-1]))
        if is_mixture(phase):
            levels = list(phase[0])
            controls += [
                _share((*path, 0, level), f"share of {level}{where}", phase[0][level]) for level in levels[:-1]
            ]
    return tuple(controls)


def is_committee(tables: Mapping[str, Any]) -> bool:
    """Return whether the task is a committee, whose width M and noise are known by name."""
    return bool(tables["task"].get("kind", "committee") == "committee")


def _is_of_own_task(tables: Mapping[str, Any], number: float) -> bool:
    """Return whether a number belongs to a task of the user's own. Integers count something and are no sliders."""
    return ":" in tables["task"].get("kind", "") and isinstance(number, float)


def _numbers(table: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, float]]:
    """Give every number of nested tables, with its path. Lists are left out."""
    for name, entry in table.items():
        if isinstance(entry, Mapping):
            yield from _numbers(entry, (*path, name))
        elif isinstance(entry, (int, float)) and not isinstance(entry, bool):
            yield (*path, name), entry


def _label(path: Path) -> str:
    """Return what the page calls a number of the task: "variance of irrelevant, hard" or its own name."""
    name = str(path[-1]).replace("_", " ")
    if "levels" not in path:
        return name
    level = path[path.index("levels") + 1]
    of_mixture = path[-1] in ("separation", "plane_variance", "rest_variance")
    return f"{name}, {level}" if of_mixture else f"variance of {name}, {level}"


def _up_to(tables: Mapping[str, Any], path: Path, label: str, usual: float, otherwise: float = 0.0) -> Control:
    """Return the control of a number from 0 on: up to some times its value, or the usual one where it is 0."""
    value = entry_at(tables, path, otherwise)
    high = _nice(REACH * abs(value) if value else usual, RANGES)
    return Control(path, label, value, _steps(value, 0.0, high))


def _positive(path: Path, label: str, value: float) -> Control:
    """Return the control of a number that cannot be 0."""
    steps = _steps(value, 0.0, _nice(REACH * value, RANGES))
    return Control(path, label, value, tuple(step for step in steps if step > 0))


def _share(path: Path, label: str, value: float) -> Control:
    return Control(path, label, value, _steps(value, SMALLEST_SHARE, 1 - SMALLEST_SHARE))


def _nice(number: float, digits: tuple[float, ...]) -> float:
    """Return the smallest number with one of the leading digits that is at least `number`."""
    size = 10.0 ** math.floor(math.log10(number))
    return next(float(f"{digit * size:.6g}") for digit in digits if digit * size >= number * (1 - 1e-9))


def _steps(value: float, low: float, high: float) -> tuple[float, ...]:
    """Return about STEPS numbers from low to high with few digits, for the file that is exported is for people too."""
    step = _nice((high - low) / STEPS, (1.0, 2.0, 5.0, 10.0))
    grid = {float(f"{low + step * count:.6g}") for count in range(int((high - low) / step + 1e-9) + 1)}
    # An integer of a file stays one, so that nothing changes where nobody moves the slider.
    return tuple(sorted({number for number in grid if number != value} | {value}))
