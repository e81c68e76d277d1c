"""What a protocol may choose, and how it becomes variables of a search."""

from __future__ import annotations

import dataclasses

import numpy as np

from teacher_student import Problem
from teacher_student.internal import PublicRecord

from ._costates import Costates
from ._hamiltonian import Slopes
from ._judge import Judge


@dataclasses.dataclass(frozen=True, eq=False)
class Control(PublicRecord):
    """What a protocol may choose: one of Shares, Switches, Values and Number."""

    def of(self, problem: Problem) -> Moves:
        """Return what the control moves in `problem`. Raises InputError where it does not fit it."""
        raise NotImplementedError


class Moves:
    """A control of one problem, as n variables: their names, bounds and first values, and what they do."""

    names: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    initial: np.ndarray

    @property
    def centre(self) -> np.ndarray:
        """A point (n,) well inside of all bounds, and of what else the variables must keep to by themselves."""
        return np.asarray((self.lower + self.upper) / 2)

    def scale(self, x: np.ndarray) -> np.ndarray:
        """Return how large a change (n,) of each variable is one: the width of its bounds."""
        return np.asarray(self.upper - self.lower)

    def install(self, problem: Problem, x: np.ndarray) -> Problem:
        """Return the problem under the values x (n,)."""
        raise NotImplementedError

    def gradient(self, x: np.ndarray, judge: Judge, solved: Costates, slopes: Slopes) -> np.ndarray:
        """Return dJ/dx (n,) = integral (dH/du) (du/dx) dalpha, and what moves with the times of switches."""
        raise NotImplementedError
