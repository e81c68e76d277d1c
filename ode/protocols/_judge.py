"""How protocols of a problem are integrated and judged."""

import dataclasses
from typing import Any

import jax
import numpy as np

from teacher_student import Overlaps, Problem
from teacher_student.internal import largest_allowed_norm, reader_of

from .._compiled import bare, operands, pack, places_of_schedules
from .._method import Method
from ..averages import Averages
from ._costs import Cost


class Diverged(Exception):
    """The trajectory left its bound, or needs more steps than allowed: a trial that a search must leave."""


class NoDerivative(Diverged):
    """The cost has no derivative where the trajectory leads, as an accuracy of 1 has none."""


@dataclasses.dataclass(frozen=True)
class Judge:
    """A problem as it was given, its start, and how protocols for it are integrated and judged.

    Fields: problem: as it was given. start: packed. averages: of the drift. points: of what a cost sees that has no
    closed form, or None. rtol, atol, exact: of integration. largest: bound of Q_kk. steps: the most steps.
    """

    problem: Problem
    start: np.ndarray
    cost: Cost
    averages: Averages
    points: Any
    rtol: float
    atol: float
    exact: bool
    largest: float
    steps: int

    @staticmethod
    def of(problem: Problem, start: Overlaps, cost: Cost, method: Method) -> "Judge":
        """Return the judge of a problem under one supplier of averages: the first scrambling of sampled ones."""
        points = None if method.sample is None else jax.tree.map(lambda x: x[0], method.sample)
        averages: Any = points if method.formula is None else method.formula
        tolerances = method.tolerances
        return Judge(
            problem,
            pack(start),
            cost,
            averages,
            points,
            float(tolerances.rtol),
            float(tolerances.atol),
            method.exact,
            float(largest_allowed_norm(start, tolerances.bound)),
            tolerances.max_steps,
        )

    @property
    def solver(self) -> str:
        """SciPy's name of the method: a high order for slopes that are smooth."""
        return "DOP853" if self.exact else "RK45"


def leaves_of(judge: Judge, problem: Problem) -> tuple[list[Any], Any, tuple[int, ...], list[Any]]:
    """Return operands as `compiled_drift` has them, their structure, and places and readers of schedules."""
    nameless = bare(problem)
    leaves, structure = operands((nameless.at(0.0), judge.averages, np.float64(10 * judge.largest)))
    return (
        leaves,
        structure,
        tuple(places_of_schedules(nameless)),
        [reader_of(each) for each in problem.schedules.values()],
    )
