"""A problem from nested tables (TOML, JSON), and back."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ._committee import Committee
from ._curriculum import Curriculum
from ._errors import InputError
from ._inputs import Inputs
from ._problem import Problem
from ._sgd import SGD
from ._student import Student
from ._tables import CommitteeTable, CurriculumTable, XorMixtureTable, read_problem
from ._task import Task
from ._xor_mixture import XorMixture


class Kind(NamedTuple):
    """A kind of task in a file: its class, the task that a table describes, and the table of a task."""

    task: type[Task]
    build: Callable[[Any], Task]
    table: Callable[[Any], Any]


def problem_from_tables(tables: Mapping[str, Any]) -> Problem:
    """The problem that nested tables task, student, sgd and curriculum describe. Raises InputError."""
    read = read_problem(tables)
    student, sgd = read.student, read.sgd
    return Problem(
        KINDS[read.task.kind].build(read.task),
        Student(student.width, student.activation),
        SGD(sgd.learning_rate, sgd.readout_learning_rate, sgd.weight_decay, sgd.loss),
        _curriculum(read.curriculum),
    )


def problem_to_tables(problem: Problem) -> dict[str, Any]:
    """Nested tables that `problem_from_tables` reads back. Raises InputError for a batch of problems."""
    if np.ndim(problem.sgd.learning_rate) or np.ndim(problem.curriculum.durations) != 1:
        raise InputError("one problem, not a batch, to write", "a problem with batched numbers")
    name, kind = next((name, kind) for name, kind in KINDS.items() if isinstance(problem.task, kind.task))
    sgd = problem.sgd
    return {
        "task": dataclasses.asdict(kind.table(problem.task)) | {"kind": name},
        "student": {"width": problem.student.width, "activation": problem.student.activation.name},
        "sgd": {
            "learning_rate": float(sgd.learning_rate),
            "readout_learning_rate": float(sgd.readout_learning_rate),
            "weight_decay": float(sgd.weight_decay),
            "loss": sgd.loss,
        },
        "curriculum": dataclasses.asdict(_table_of_curriculum(problem.curriculum)),
    }


def _committee(table: CommitteeTable) -> Committee:
    inputs = Inputs(table.fractions, table.levels)
    return Committee(inputs, table.width, table.activation, table.readout, table.support, table.labels, table.noise)


def _table_of_committee(task: Committee) -> CommitteeTable:
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


def _table_of_mixture(task: XorMixture) -> XorMixtureTable:
    numbers = np.column_stack([task.separation, np.asarray(task.inputs.variances)]).tolist()
    rows = [dict(zip(("separation", "plane_variance", "rest_variance"), row, strict=True)) for row in numbers]
    return XorMixtureTable(dict(zip(task.inputs.level_names, rows, strict=True)))


KINDS = {
    "committee": Kind(Committee, _committee, _table_of_committee),
    "xor": Kind(XorMixture, lambda table: XorMixture(table.levels), _table_of_mixture),
}


def _curriculum(table: CurriculumTable) -> Curriculum:
    if table.phases is None:
        assert table.order is not None  # the table has been checked
        assert table.shares is not None
        return Curriculum.ordered(table.order, table.shares, table.duration)
    return Curriculum.phases(*(tuple(phase) for phase in table.phases))


def _table_of_curriculum(curriculum: Curriculum) -> CurriculumTable:
    rows = zip(curriculum.initial_shares, curriculum.final_shares, curriculum.durations, strict=True)
    names = curriculum.level_names
    return CurriculumTable(
        [
            [*(dict(zip(names, np.asarray(side).tolist(), strict=True)) for side in (first, last)), float(duration)]
            for first, last, duration in rows
        ]
    )
