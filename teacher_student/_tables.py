"""A problem as nested tables (TOML, JSON), mirroring the constructors, and back."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from ._committee import Committee
from ._curriculum import Curriculum
from ._errors import InputError, require_name
from ._inputs import Inputs
from ._problem import Problem
from ._read import read_table
from ._sgd import SGD
from ._student import Student
from ._task import Task
from ._xor_mixture import XorMixture


@dataclasses.dataclass(frozen=True)
class CommitteeTable:
    """[task] with kind = "committee": the arguments of Inputs and Committee."""

    fractions: dict[str, float]
    width: int
    kind: str = "committee"
    levels: dict[str, dict[str, float]] | None = None
    activation: str = "erf"
    readout: float | list[float] = 1.0
    support: str | list[str] | None = None
    labels: str = "value"
    noise: float = 0.0

    def build(self) -> Committee:
        """The task."""
        inputs = Inputs(self.fractions, self.levels)
        return Committee(inputs, self.width, self.activation, self.readout, self.support, self.labels, self.noise)

    @staticmethod
    def of(task: Committee) -> "CommitteeTable":
        """The table of a task."""
        blocks, levels = task.inputs.block_names, task.inputs.level_names
        rows = np.asarray(task.inputs.variances).tolist()
        return CommitteeTable(
            fractions=dict(zip(blocks, np.asarray(task.inputs.fractions).tolist(), strict=True)),
            width=task.width,
            levels={level: dict(zip(blocks, row, strict=True)) for level, row in zip(levels, rows, strict=True)},
            activation=task.activation.name,
            readout=np.asarray(task.readout).tolist(),
            support=list(task.support),
            labels=task.labels,
            noise=float(task.noise),
        )


@dataclasses.dataclass(frozen=True)
class XorMixtureTable:
    """[task] with kind = "xor": the arguments of XorMixture."""

    levels: dict[str, dict[str, float]]
    kind: str = "xor"

    def build(self) -> XorMixture:
        """The task."""
        return XorMixture(self.levels)

    @staticmethod
    def of(task: XorMixture) -> "XorMixtureTable":
        """The table of a task."""
        numbers = np.column_stack([task.separation, np.asarray(task.inputs.variances)]).tolist()
        rows = [dict(zip(("separation", "plane_variance", "rest_variance"), row, strict=True)) for row in numbers]
        return XorMixtureTable(dict(zip(task.inputs.level_names, rows, strict=True)))


TASKS: dict[str, tuple[type[Task], Any]] = {  # kind -> task, its table
    "committee": (Committee, CommitteeTable),
    "xor": (XorMixture, XorMixtureTable),
}


@dataclasses.dataclass(frozen=True)
class StudentTable:
    """[student]: the arguments of Student."""

    width: int
    activation: str = "erf"


@dataclasses.dataclass(frozen=True)
class SGDTable:
    """[sgd]: the arguments of SGD."""

    learning_rate: float
    readout_learning_rate: float = 0.0
    weight_decay: float = 0.0
    loss: str = "squared"


@dataclasses.dataclass(frozen=True)
class CurriculumTable:
    """[curriculum]: phases = [["easy", 10.0], [{easy = 0.3, hard = 0.7}, 6.0], ["easy", "hard", 5.0]].

    Each phase is [level or shares, duration], or [initial, final, duration] for a ramp. Or, in place of phases,
    the arguments of Curriculum.ordered: order, shares, duration.
    """

    phases: Any = None
    order: str | list[str] | None = None
    shares: dict[str, float] | None = None
    duration: float | None = None

    def build(self) -> Curriculum:
        """The curriculum."""
        rest = {name: getattr(self, name) for name in ("order", "shares", "duration")}
        given = [name for name, value in rest.items() if value is not None]
        if (self.phases is None) != (len(given) == 3) or (self.phases is not None and given):
            found = [*(["phases"] if self.phases is not None else []), *given]
            raise InputError("phases, or order, shares and duration, in [curriculum]", found or "neither")
        if self.phases is None:
            return Curriculum.ordered(**rest)
        if not isinstance(self.phases, list) or not all(isinstance(phase, list) for phase in self.phases):
            raise InputError('curriculum.phases as [["easy", 10.0], ...]', repr(self.phases))
        return Curriculum.phases(*(tuple(phase) for phase in self.phases))

    @staticmethod
    def of(curriculum: Curriculum) -> "CurriculumTable":
        """The table of a curriculum."""
        rows = zip(curriculum.initial_shares, curriculum.final_shares, curriculum.durations, strict=True)
        names = curriculum.level_names
        return CurriculumTable(
            [
                [*(dict(zip(names, np.asarray(side).tolist(), strict=True)) for side in (first, last)), float(duration)]
                for first, last, duration in rows
            ]
        )


@dataclasses.dataclass(frozen=True)
class ProblemTables:
    """The four tables of a problem."""

    task: dict[str, Any]
    student: StudentTable
    sgd: SGDTable
    curriculum: CurriculumTable


def problem_from_tables(tables: Mapping[str, Any]) -> Problem:
    """The problem that nested tables task, student, sgd and curriculum describe. Raises InputError."""
    task = tables.get("task")
    if not isinstance(task, Mapping):
        raise InputError("a table [task]", repr(task), "add it")
    kind = task.get("kind", "committee")
    require_name(kind, TASKS, "kind of task")
    parts = {
        name: read_table(cls, tables.get(name), name)
        for name, cls in (
            ("task", TASKS[kind][1]),
            ("student", StudentTable),
            ("sgd", SGDTable),
            ("curriculum", CurriculumTable),
        )
    }
    student, sgd = parts["student"], parts["sgd"]
    return Problem(
        parts["task"].build(),
        Student(student.width, student.activation),
        SGD(sgd.learning_rate, sgd.readout_learning_rate, sgd.weight_decay, sgd.loss),
        parts["curriculum"].build(),
    )


def problem_to_tables(problem: Problem) -> dict[str, Any]:
    """Nested tables that `problem_from_tables` reads back. Raises InputError for a batch of problems."""
    if np.ndim(problem.sgd.learning_rate) or np.ndim(problem.curriculum.durations) != 1:
        raise InputError("one problem, not a batch, to write", "a problem with batched numbers")
    kind, table = next((kind, table) for kind, (cls, table) in TASKS.items() if isinstance(problem.task, cls))
    sgd = problem.sgd
    return {
        "task": dataclasses.asdict(table.of(problem.task)) | {"kind": kind},
        "student": {"width": problem.student.width, "activation": problem.student.activation.name},
        "sgd": {
            "learning_rate": float(sgd.learning_rate),
            "readout_learning_rate": float(sgd.readout_learning_rate),
            "weight_decay": float(sgd.weight_decay),
            "loss": sgd.loss,
        },
        "curriculum": dataclasses.asdict(CurriculumTable.of(problem.curriculum)),
    }
