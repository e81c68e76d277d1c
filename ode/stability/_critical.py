"""Critical values of a parameter: where a fixed point changes its stability, or ceases to exist."""

import dataclasses

import numpy as np
from scipy.optimize import brentq

from teacher_student import InputError, Overlaps, Problem
from teacher_student.internal import PublicRecord, check_at_least, make_room

from ._branch import Branch, BranchPoint, Parameter, ahead
from ._fixed_point import FixedPoint
from ._search import BOUND, relative_norm

STEPS = 32  # of the continuation through the bracket, at least
NEAR_BOUND = 0.5  # a branch that ends with a norm beyond this share of the bound ends at the bound


@dataclasses.dataclass(frozen=True)
class Critical(PublicRecord):
    """Where a fixed point changes.

    Fields:
      value: of the parameter.
      bracket: around the value, and not wider than the tolerance.
      change: "stability" where the largest real part of the eigenvalues changes its sign. "existence" where the branch
        of fixed points ends, leaves the Gram matrices, or merges with one of higher symmetry ("symmetric" or "zero").
        "divergence" where the student's norm goes to infinity on it: `value` is where a Q_kk passes 10^6 in units of
        the largest of 1 and T_mm, short of infinity.
      eigenvalue: the one with the largest real part at `value`.
      fixed_point: the one at `value`, or the last that was found.
    """

    value: float
    bracket: tuple[float, float]
    change: str
    eigenvalue: complex
    fixed_point: FixedPoint

    def describe(self) -> str:
        """Describe the change in one line: what changes, of which state, at which value and how precisely."""
        half = (self.bracket[1] - self.bracket[0]) / 2
        return f"{self.change} of the {self.fixed_point.name} state: critical value {self.value:.10g} +- {half:.1g}"


def critical(
    problem: Problem,
    parameter: Parameter,
    bracket: tuple[float, float],
    *,
    guess: str | Overlaps = "specialised",
    alpha: float | None = None,
    tol: float = 1e-8,
) -> Critical:
    """Return the first value of `parameter` in `bracket` at which a fixed point changes its stability or ends.

    The fixed point is followed from the first end of the bracket (from the second, if it does not exist at the first)
    by continuation with adaptive steps, at most 1/32 of the bracket each. Where max Re(eigenvalues of J) changes its
    sign between two steps, the zero is found by Brent's method. Where no step is small enough to go on, the branch
    ends. A change and its reversal within one step go unseen.

    Arguments:
      parameter: a dotted name in the problem's tables, as in sweeps ("sgd.learning_rate",
        "task.levels.hard.irrelevant"), or a function (problem, value) -> Problem.
      bracket: two values of the parameter.
      guess: a name of `known_guesses`, or a state that leads to the fixed point.
      alpha: the time at which shares and schedules are frozen. None means its end.
      tol: the width of the bracket that is returned, absolute, in units of the parameter.

    Raises InputError where nothing changes in the bracket, or where no fixed point is found at either end.
    Source: Saad & Solla 1995, Biehl & Schwarze 1995 (linearisation at perfect learning, critical learning rate).
    """
    make_room()
    if np.shape(bracket) != (2,):
        raise InputError("a bracket (first, last) of two values", repr(bracket))
    first, last = (float(end) for end in bracket)
    check_at_least(tol, 0.0, "tol", strict=True)
    if not (np.isfinite([first, last]).all() and abs(last - first) > tol):
        raise InputError("a bracket of two finite values further apart than tol", f"{bracket}, tol = {tol:g}")
    branch = Branch(problem, parameter, guess, alpha)
    point = branch.enter(first) or branch.enter(last)
    if point is None:
        raise InputError(f"a fixed point at an end of the bracket {bracket}", branch.miss(first), "try another guess")
    if branch.at(point).stability == "marginal":
        raise InputError(
            "a fixed point whose stability is clear at the bracket's first end",
            f"a largest eigenvalue of {branch.at(point).growth:.3g} at {point[0]:g}",
            "move the bracket",
        )
    return _walk(branch, point, last if point[0] == first else first, tol)


def _walk(branch: Branch, point: BranchPoint, end: float, tol: float) -> Critical:
    """Follow the branch from `point` to `end`, up to the first change."""
    before, step = point, (end - point[0]) / STEPS
    largest = abs(step)
    growth, name = branch.growth(point), branch.at(point).name
    while point[0] != end:
        value = end if abs(end - point[0]) <= abs(step) else point[0] + step
        following = branch.follow(value, ahead(before, point, value), name)
        if following is None:
            if abs(value - point[0]) <= tol:
                return _end(branch, point, value)
            step /= 2
            continue
        now = branch.growth(following)
        if growth * now <= 0:
            return _crossing(branch, point, following, tol)
        before, point, growth = point, following, now
        step = np.sign(step) * min(2 * abs(step), largest)
    raise InputError(
        "a bracket in which the fixed point changes its stability or ends",
        f"{branch.at(point).stability} throughout, largest eigenvalue {growth:.6g} at {end:g}",
        "widen the bracket",
    )


def _crossing(branch: Branch, low: BranchPoint, high: BranchPoint, tol: float) -> Critical:
    """Return the zero of the largest real part between two points of a branch."""
    points, name = {low[0]: low, high[0]: high}, branch.at(low).name

    def growth(value: float) -> float:
        if value not in points:
            point = branch.follow(value, ahead(low, high, value), name)
            if point is None:
                raise InputError(
                    "a fixed point that can be followed to its change", f"none near {value:g}", "narrow the bracket"
                )
            points[value] = point
        return branch.growth(points[value])

    # The tolerance is a quarter of the width, so that the zero is within the bracket `value` +- tol / 2.
    # SciPy accepts no relative tolerance below 4 eps.
    value = float(brentq(growth, low[0], high[0], xtol=tol / 4, rtol=8 * np.finfo(float).eps))
    growth(value)  # brentq may return a value between two that it tried
    ends = sorted((low[0], high[0]))
    return _result(branch, points[value], max(ends[0], value - tol / 2), min(ends[1], value + tol / 2), "stability")


def _end(branch: Branch, last: BranchPoint, beyond: float) -> Critical:
    """Return the end of the branch, which is between the last point and a value at which nothing is near."""
    field = branch.field(last[0])
    change = "divergence" if relative_norm(field, last[1]) > NEAR_BOUND * BOUND else "existence"
    return _result(branch, last, min(last[0], beyond), max(last[0], beyond), change)


def _result(branch: Branch, branch_point: BranchPoint, low: float, high: float, change: str) -> Critical:
    point = branch.at(branch_point)
    return Critical(branch_point[0], (float(low), float(high)), change, complex(point.eigenvalues[0]), point)
