"""What the page knows: the problem it was opened with, its controls, and the answers to what they ask."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ode
import teacher_student as ts

from ..experiment import read_experiment, with_changes
from ._answers import teacher_width, with_values, with_widths
from ._controls import Control, inputs, phases, rates
from ._job import Job
from ._opened import Opened
from ._phases import in_order, orders
from ._solver import Solution, Solver

if TYPE_CHECKING:
    from .._comparison import Comparison

MOST_UNITS = 12  # of a width: the compilation of more takes minutes


@dataclasses.dataclass(frozen=True)
class Count:
    """A whole number that is typed. name: what it is called. value: where it starts. low, high: its range."""

    name: str
    value: int
    low: int
    high: int


@dataclasses.dataclass(frozen=True)
class Question:
    """What the controls ask. tables: of the problem file that says the same. notes: what had to change beside."""

    tables: dict[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A text that is the same for the same tables."""
        return json.dumps(self.tables, sort_keys=True)


@dataclasses.dataclass(frozen=True)
class Answer:
    """What comes of a question. solution: its theory, None where there is none. failure: why not."""

    question: Question
    solution: Solution | None = None
    failure: str = ""


class Page:
    """One page of the browser: its problem, what it has solved, and what it has simulated.

    Fields to read: opened, the problem. orders: names of the orders of phases. widths: K, and M where the task has it.
    rates, inputs: controls that are there in every order. ensemble: N, runs and seed of the simulation.
    latest: the last answer, which is exported. job: the simulation.
    """

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.orders = tuple(orders(opened.tables))
        self.rates, self.inputs = rates(opened.tables), inputs(opened.tables)
        self.widths, self.ensemble = _widths(opened.tables), _ensemble(opened.tables)
        self.job = Job()
        self.latest: Answer | None = None
        self._solver = Solver()
        self._comparisons: dict[str, Comparison] = {}
        self._newest: Comparison | None = None

    def phases(self, order: str) -> tuple[Control, ...]:
        """Return the controls of the phases in one order."""
        return phases(in_order(self.opened.tables, order))

    def ask(
        self,
        order: str,
        widths: Sequence[int],
        rates: Sequence[float],
        inputs: Sequence[float],
        phases: Sequence[float],
        ensemble: Sequence[int],
    ) -> Question:
        """Return the question of these values, each list in the order of its controls."""
        tables = in_order(self.opened.tables, order)
        controls = [*self.rates, *self.inputs, *self.phases(order)]
        tables = with_values(tables, controls, [*rates, *inputs, *phases])
        student, teacher = [*widths, None][:2]
        assert student is not None
        tables, notes = with_widths(tables, student, teacher)
        return Question(_with_ensemble(tables, self.ensemble, ensemble), tuple(notes))

    def answer(self, question: Question) -> Answer:
        """Return the theory of a question, or why there is none."""
        try:
            experiment = read_experiment(question.tables, simulated=False)
            self.latest = Answer(question, self._solver.solve(experiment))
        except ts.InputError as error:
            self.latest = Answer(question, failure=str(error))
        return self.latest

    def is_new(self, question: Question) -> bool:
        """Return whether something must be compiled for a question first, which takes seconds."""
        try:
            return self._solver.is_new(read_experiment(question.tables, simulated=False))
        except ts.InputError:
            return False

    @property
    def is_quick(self) -> bool:
        """Whether the averages have closed forms, so that curves can follow a slider while it moves."""
        return ode.missing_closed_form(ts.problem_from_tables(self.opened.tables)) is None

    @property
    def is_compiling(self) -> bool:
        """Whether a quicker program is being compiled beside."""
        return self._solver.is_compiling

    def wait(self) -> None:
        """Wait until what is being compiled is there."""
        self._solver.wait()

    def simulate(self, question: Question) -> None:
        """Start simulating what is asked, beside the page."""
        self.job.start(question.tables)

    def comparison(self, question: Question) -> Comparison | None:
        """Return theory, simulation and verdict of what is asked, if it has been simulated."""
        return self._comparisons.get(question.key)

    def has_news(self) -> bool:
        """Return whether a simulation has ended since this was asked last."""
        if self.job.is_running or self.job.result is None or self.job.result is self._newest:
            return False
        assert self.job.tables is not None
        self._newest = self._comparisons[Question(self.job.tables).key] = self.job.result
        return True


def _widths(tables: Mapping[str, Any]) -> tuple[Count, ...]:
    widths = {"units K of the student": tables["student"]["width"], "units M of the teacher": teacher_width(tables)}
    return tuple(Count(name, width, 1, max(MOST_UNITS, width)) for name, width in widths.items() if width is not None)


def _ensemble(tables: Mapping[str, Any]) -> tuple[Count, ...]:
    simulation = tables.get("simulation", {})
    dim, runs, seed = simulation.get("dim", 1000), simulation.get("runs", 32), tables.get("seed", 0)
    return (
        Count("dimension N", dim, 50, max(5000, dim)),
        Count("runs", runs, 3, max(256, runs)),
        Count("seed", seed, 0, 2**32 - 1),
    )


def _with_ensemble(tables: dict[str, Any], counts: Sequence[Count], values: Sequence[int]) -> dict[str, Any]:
    """Return the tables with these N, runs and seed. What nobody changed stays as the file has it."""
    moved = {
        name: value
        for name, count, value in zip(("dim", "runs", "seed"), counts, values, strict=True)
        if value != count.value
    }
    return with_changes(tables, **moved)
