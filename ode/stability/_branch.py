"""A fixed point as a function of a parameter."""

import dataclasses
from collections.abc import Callable

import numpy as np

from teacher_student import Overlaps, Problem, problem_from_tables, problem_to_tables
from teacher_student.internal import require_name, with_entry

from ._field import Field, entries, field_of, linearised, state
from ._fixed_point import IDENTICAL, SYMMETRIC, FixedPoint, fixed_point_at, name_of
from ._guesses import known_guesses, orthonormal
from ._search import find_root, find_root_or_relax

JUMP = 0.2  # relative: a root further than this from where the branch leads belongs to another branch
ACCURACY = 1e-10  # of a root, in units of the learning rate
HIGHER = {SYMMETRIC, IDENTICAL, "zero"}  # states of higher symmetry, with which others merge
ONE_BRANCH = {SYMMETRIC, IDENTICAL}  # where identical units come apart, their branch goes on as the symmetric one

Parameter = str | Callable[[Problem, float], Problem]
BranchPoint = tuple[float, np.ndarray]  # a value of the parameter, the entries of the fixed point


@dataclasses.dataclass(frozen=True)
class Branch:
    """A fixed point as a function of a parameter."""

    problem: Problem
    parameter: Parameter
    guess: str | Overlaps
    alpha: float | None

    def with_value(self, value: float) -> Problem:
        """Return the problem at a value of the parameter. Raises InputError."""
        if callable(self.parameter):
            return self.parameter(self.problem, value)
        tables = problem_to_tables(self.problem)
        return problem_from_tables(with_entry(tables, self.parameter, value, tuple(tables)))

    def start(self, value: float) -> Overlaps:
        """Return the guess at a value."""
        if isinstance(self.guess, Overlaps):
            return self.guess
        guesses = known_guesses(self.with_value(value), alpha=self.alpha)
        require_name(self.guess, guesses, "guess (or overlaps)")
        return guesses[self.guess]

    def field(self, value: float) -> Field:
        """Return the drift at a value, on states with the guess' T and fixed readout there."""
        problem = self.with_value(value)
        like = self.guess if isinstance(self.guess, Overlaps) else orthonormal(problem)
        return field_of(problem, like, self.alpha)

    def enter(self, value: float) -> BranchPoint | None:
        """Return the fixed point that the guess leads to, or None."""
        field = self.field(value)
        x, _, reason = find_root_or_relax(field, entries(field, self.start(value)), ACCURACY)
        return None if reason else (value, x)

    def miss(self, value: float) -> str:
        """Say how the guess fails."""
        field = self.field(value)
        _, residual, reason = find_root_or_relax(field, entries(field, self.start(value)), ACCURACY)
        return f"a residual of {residual:.3g} at {value:g} ({reason})"

    def follow(self, value: float, expected: np.ndarray, name: str) -> BranchPoint | None:
        """Return the fixed point near the expected entries, unless it has merged with one of higher symmetry."""
        field = self.field(value)
        x, _, reason = find_root(field, expected, ACCURACY)
        of_its_own = ONE_BRANCH if name in ONE_BRANCH else {name}
        near = np.linalg.norm(x - expected) <= JUMP * max(float(np.linalg.norm(expected)), 1e-3)
        if reason or not near or name_of(field.problem, state(field, x)) in HIGHER - of_its_own:
            return None
        return value, x

    def at(self, point: BranchPoint) -> FixedPoint:
        """Return the fixed point at a point of the branch."""
        return fixed_point_at(self.field(point[0]), point[1])

    def growth(self, point: BranchPoint) -> float:
        """Return the largest real part of the eigenvalues."""
        return float(np.linalg.eigvals(linearised(self.field(point[0]), point[1])[1]).real.max())


def ahead(before: BranchPoint, point: BranchPoint, value: float) -> np.ndarray:
    """Return the entries at `value`, on the straight line through the last two points."""
    if before[0] == point[0]:
        return point[1]
    share = (value - point[0]) / (point[0] - before[0])
    return point[1] + share * (point[1] - before[1])
