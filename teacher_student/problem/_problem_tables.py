"""A problem from nested tables (TOML, JSON), and back."""

import dataclasses
import functools
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._address import address_of, imported
from .._errors import InputError, about_entry, one_line
from .._trees import differing_leaves, same_structure
from .._trust import Shape, Trust, Unopened, how_to_trust, reading_result, result_being_read
from ..tables import CurriculumTable, SGDTable, read_problem
from ._activation import activation_from_table
from ._committee import Committee
from ._curriculum import Curriculum
from ._mixture import Mixture
from ._problem import Problem, check_one_problem
from ._schedule_tables import schedule_from_table, table_of_number
from ._sgd import SGD
from ._student import Student
from ._task import Task
from ._unopened_task import UnopenedTask, refuse_unopened
from ._xor_mixture import XorMixture

KINDS: dict[str, type[Task]] = {"committee": Committee, "mixture": Mixture, "xor": XorMixture}


def problem_from_tables(tables: Mapping[str, Any]) -> Problem:
    """Return the problem that the nested tables task, student, sgd and curriculum describe, as read from TOML or JSON.

    The tables are the user's own: the modules that they name, "module:name", are imported. What a result says of its
    problem is read by `Trajectory.load`, which imports none.

    Raises InputError for unknown or missing entries, and for whatever the constructors of the parts refuse.
    """
    read = read_problem(tables)
    with about_entry("task"):
        task = _task(tables["task"])
    with about_entry("student"):
        student = Student(read.student.width, activation_from_table(read.student.activation))
    with about_entry("sgd"):
        sgd = SGD(**{name: schedule_from_table(entry) for name, entry in vars(read.sgd).items()})
    with about_entry("curriculum", *(["phases"] if read.curriculum.phases is not None else [])):
        curriculum = _curriculum(read.curriculum)
    return Problem(task, student, sgd, curriculum)


def problem_of_result(tables: Mapping[str, Any], shape: Shape, trust: Trust) -> Problem:
    """Return the problem that a result describes, as far as the user trusts the modules that it names.

    Where it names others, units and tasks that compute nothing stand in their place, and one warning says so.

    Arguments: shape: what the arrays of the result say of its task. trust: as in `Trajectory.load`.
    """
    with reading_result(trust, shape) as reading:
        problem = problem_from_tables(tables)
    if reading.unopened:
        names = ", ".join(dict.fromkeys(reading.unopened))
        misspelt = "".join(f"trust has {name!r}, {remedy}; " for name, remedy in reading.misspelt())
        warnings.warn(
            one_line(
                f"the result names {names}, which is not trusted: its numbers can be read and drawn, and not "
                f"solved again; {misspelt}{how_to_trust(reading.unopened)}"
            ),
            stacklevel=5,  # of whoever called Trajectory.load
        )
    return problem


def problem_to_tables(problem: Problem) -> dict[str, Any]:
    """Return nested tables that describe `problem`. `problem_from_tables` reads them back.

    Raises InputError for a batch of problems. It also raises it for what could not be read back: a task or an
    activation that cannot be imported, or a task that its table does not describe. So it does for the problem of a
    result that names modules which were not trusted, because `problem_from_tables` would import them.
    """
    refuse_unopened(problem)
    return tables_to_store(problem)


def tables_to_store(problem: Problem) -> dict[str, Any]:
    """Return the tables of `problem_to_tables` for a result, also where its units and tasks were not imported."""
    check_one_problem(problem, "write")
    return {
        "task": _table_of_task(problem.task),
        "student": {"width": problem.student.width, "activation": problem.student.activation.text},
        "sgd": {name: table_of_number(getattr(problem.sgd, name)) for name in SGDTable.__dataclass_fields__},
        "curriculum": dataclasses.asdict(_table_of_curriculum(problem.curriculum)),
    }


def _task(table: Mapping[str, Any]) -> Task:
    """Return the task of a table that has been read."""
    kind = table.get("kind", "committee")
    cls = KINDS[kind] if kind in KINDS else imported(kind, "task", _is_task)
    reading = result_being_read()
    if isinstance(cls, Unopened) and reading is not None:
        return UnopenedTask.of(cls, table, reading.shape)
    if not _is_task(cls):
        raise InputError("a class of tasks (a subclass of ts.Task) as kind of task", repr(kind))
    return cls.from_table({name: entry for name, entry in table.items() if name != "kind"})


def _is_task(thing: Any) -> bool:
    return issubclass(type(thing), type) and issubclass(thing, Task)


def _table_of_task(task: Task) -> dict[str, Any]:
    """Return the task's table with its kind.

    Before anything is written, this makes sure that the table can be read back.
    """
    if isinstance(task, UnopenedTask):
        return {"kind": task.kind.address} | task.to_table()
    kind = next((name for name, cls in KINDS.items() if type(task) is cls), None) or address_of(type(task))
    if kind is None:
        raise InputError(
            "a task whose class can be imported again, to write or send it",
            type(task).__name__,
            "move its class to a module (a file.py of its own) and import it from there",
        )
    table = {"kind": kind} | task.to_table()
    if kind not in KINDS and not _same(_task(table), task):
        raise InputError(
            "a task that its table describes, to write or send it (from_table of to_table is the task)",
            f"another {type(task).__name__}",
            "annotate fields as ts.Inputs or ts.Activation, and take them in the constructor; or define these two",
        )
    return table


def _same(a: Task, b: Task) -> bool:
    """Return whether both have the same structure and numbers, be these Python's, NumPy's or JAX's."""
    return same_structure(a, b) and not differing_leaves(a, b, functools.partial(np.array_equal, equal_nan=True))


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
