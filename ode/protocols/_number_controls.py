"""Controls of numbers of a problem: at every time, or once and for all."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from teacher_student import InputError, Problem, Schedule
from teacher_student.internal import as_count, as_numbers, check_finite, is_known, is_schedule, reader_of, require_name

from ._control import Control, Moves
from ._costates import Costates
from ._hamiltonian import Slopes
from ._judge import Judge
from ._places import Place, TiedPlaces, place_of
from ._schedule_slopes import pull_schedule

Bounds = tuple[float, float]
SMALL = 0.01  # of the width of its bounds, below which a number counts as 0


@dataclasses.dataclass(frozen=True, eq=False)
class Values(Control):
    """A number of the problem at every time: a rate, a decay, the noise of a committee, a variance of a level.

    A search begins with the number, or the schedule, that stands in the problem. Bound every rate: in the ODEs nothing
    else limits a readout rate.

    Arguments:
      name: dotted, as in sweeps: "sgd.learning_rate", "task.levels.hard.irrelevant". Several names are numbers that are
        one: ("sgd.learning_rate", "sgd.readout_learning_rate").
      bounds: (least, largest) value.
      phases: n, each of length A / n in alpha = samples / N.
      shape: "constant" in n equal phases, "linear" between n + 1 knots, or a "spline" through them.
      monotone: "decreasing", "increasing" or None.
    Raises InputError for bounds that cross, and, in `ode.optimize`, for a name that no problem has.
    """

    name: str | Sequence[str]
    bounds: Bounds
    phases: int = 10
    shape: str = "constant"
    monotone: str | None = None

    def __post_init__(self) -> None:
        _check_bounds(_spelt(self.name), self.bounds)
        as_count(self.phases, "number of phases")
        require_name(self.shape, ("constant", "linear", "spline"), "shape of values")
        if self.monotone is not None:
            require_name(self.monotone, ("decreasing", "increasing"), "monotone")

    def of(self, problem: Problem) -> ValueMoves:
        place = place_of(problem, self.name)
        if place.inside is not None or not place.may_be_scheduled:
            required = "a rate, a decay, a noise or a variance as values over time"
            raise InputError(required, place.name, "protocols.Number takes any number, constant in time")
        _check_sign(place, self.bounds)
        end = float(problem.curriculum.end)
        old = place.get(problem)
        times = np.linspace(0.0, end, self.phases + 1)
        at = (times[1:] + times[:-1]) / 2 if self.shape == "constant" else times
        first = np.array([float(old(a)) if is_schedule(old) else float(old) for a in at])
        word = "phase" if self.shape == "constant" else "knot"
        names = tuple(f"{place.name}, {word} {i + 1}" for i in range(at.size))
        low, high = map(float, self.bounds)
        lower, upper = np.full(at.size, low), np.full(at.size, high)
        return ValueMoves(place, self.shape, times, names, np.clip(first, low, high), lower, upper, self.monotone)


@dataclasses.dataclass(frozen=True, eq=False)
class Number(Control):
    """A number of the problem that is the same at all times, or a number of a schedule that stands in the problem.

    Arguments:
      name: dotted, as in sweeps: "sgd.learning_rate", "task.readout.0", "sgd.learning_rate.power.scale". Several names
        are numbers that are one.
      bounds: (least, largest) value.
    Raises InputError as Values does.
    """

    name: str | Sequence[str]
    bounds: Bounds

    def __post_init__(self) -> None:
        _check_bounds(_spelt(self.name), self.bounds)

    def of(self, problem: Problem) -> NumberMoves:
        place = place_of(problem, self.name)
        _check_sign(place, self.bounds)
        low, high = map(float, self.bounds)
        old = place.get(problem)
        if is_schedule(old):
            old = old(float(problem.curriculum.end) / 2)
        first = np.clip([float(old)], low, high)
        return NumberMoves(place, (place.name,), first, np.array([low]), np.array([high]))


def _spelt(name: str | Sequence[str]) -> str:
    """Return one name for one or several numbers. What is none is refused where the problem is known."""
    return " = ".join(map(str, name)) if isinstance(name, (list, tuple)) else str(name)


def _check_sign(place: Place | TiedPlaces, bounds: Bounds) -> None:
    """Raise InputError for bounds below 0 of what cannot be negative."""
    if place.may_be_scheduled and float(bounds[0]) < 0:
        raise InputError(f"bounds >= 0 of {place.name}", f"({bounds[0]:g}, {bounds[1]:g})")


def _check_bounds(name: str, bounds: Any) -> None:
    if not is_known(bounds) or np.shape(bounds) != (2,):
        raise InputError(f"known bounds (least, largest) of {name}", repr(bounds))
    check_finite(as_numbers(bounds, f"bounds of {name}"), f"bounds of {name}")
    low, high = map(float, bounds)
    if not low < high:
        raise InputError(f"bounds (least, largest) of {name}, the first below the second", f"({low:g}, {high:g})")


def scale_of(moves: Moves, x: np.ndarray) -> np.ndarray:
    """Return the size of a number itself where its bounds are far wider, as those of a rate often are."""
    width = moves.upper - moves.lower
    return np.asarray(np.minimum(width, np.maximum(np.abs(x), SMALL * width)))


@dataclasses.dataclass(frozen=True)
class ValueMoves(Moves):
    """A number over time, as a schedule of some shape."""

    place: Place | TiedPlaces
    shape: str
    times: np.ndarray
    names: tuple[str, ...]
    initial: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    monotone: str | None

    may_change = True  # with alpha

    def values(self, x: np.ndarray, alphas: np.ndarray) -> np.ndarray:
        """Return the number (m,) at times."""
        read = reader_of(self.schedule(x))
        return np.array([float(read(float(alpha))) for alpha in alphas])

    def constant(self) -> NumberMoves:
        """Return the control of the same number that does not change with time."""
        middle = np.array([float(np.mean(self.initial))])
        return NumberMoves(self.place, (self.place.name,), middle, self.lower[:1], self.upper[:1])

    def schedule(self, x: np.ndarray) -> Schedule:
        """Return the schedule of the values x (n,)."""
        if self.shape == "spline":
            return Schedule.spline(x, self.times)
        first, last = (x, x) if self.shape == "constant" else (x[:-1], x[1:])
        return Schedule.phases(*zip(first.tolist(), last.tolist(), np.diff(self.times).tolist(), strict=True))

    def scale(self, x: np.ndarray) -> np.ndarray:
        return scale_of(self, x)

    def install(self, problem: Problem, x: np.ndarray) -> Problem:
        return self.place.put(problem, self.schedule(np.clip(x, self.lower, self.upper)))

    def gradient(self, x: np.ndarray, judge: Judge, solved: Costates, slopes: Slopes) -> np.ndarray:
        weighted = slopes.weights * self.place.slope_in(slopes.numbers, judge.problem)
        of_schedule = pull_schedule(self.schedule(x), slopes.alphas, weighted)
        if self.shape == "spline":
            return of_schedule.values  # type: ignore[attr-defined, no-any-return]
        first, last = (np.asarray(side) for side in (of_schedule.initial, of_schedule.final))  # type: ignore[attr-defined]
        if self.shape == "constant":
            return np.asarray(first + last)
        return np.asarray(np.concatenate([first, [0.0]]) + np.concatenate([[0.0], last]))


@dataclasses.dataclass(frozen=True)
class NumberMoves(Moves):
    """One number."""

    place: Place | TiedPlaces
    names: tuple[str, ...]
    initial: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @property
    def may_change(self) -> bool:
        """Whether the number could change with alpha: a certificate of all times asks for its best value at each."""
        return self.place.inside is None and self.place.may_be_scheduled

    def values(self, x: np.ndarray, alphas: np.ndarray) -> np.ndarray:
        """Return the number (m,) at times."""
        return np.full(alphas.size, float(x[0]))

    def scale(self, x: np.ndarray) -> np.ndarray:
        return scale_of(self, x)

    def install(self, problem: Problem, x: np.ndarray) -> Problem:
        return self.place.put(problem, float(np.clip(x, self.lower, self.upper)[0]))

    def gradient(self, x: np.ndarray, judge: Judge, solved: Costates, slopes: Slopes) -> np.ndarray:
        along = slopes.weights * self.place.slope_in(slopes.numbers, judge.problem)
        if self.place.inside is None:
            return np.array([along.sum()])
        schedule = dataclasses.replace(self.place, inside=None).get(solved.path.problem)
        return np.array([jax.tree.leaves(pull_schedule(schedule, slopes.alphas, along))[self.place.inside]])
