"""A task of the user's own as a table of its fields, and back: what a file, a pickle or a sweep's cell says of it."""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from .._errors import InputError, first_line, nearest
from ..tables import ScheduleTable, read_table
from ._activation import Activation, as_activation
from ._inputs import Inputs
from ._schedule_tables import schedule_from_table, table_of_number


@dataclasses.dataclass(frozen=True)
class InputsTable:
    """inputs = {fractions = {...}, levels = {...}}: the arguments of Inputs."""

    fractions: dict[str, float]
    levels: dict[str, dict[str, float | ScheduleTable]] | None = None


def table_of_fields(task: Any) -> dict[str, Any]:
    """Return the fields of `task` as plain entries: numbers, names, lists, tables of Inputs and of activations.

    Raises InputError for a field of any other kind.
    """
    return {field.name: _entry(task, field.name, getattr(task, field.name)) for field in dataclasses.fields(task)}


def _entry(task: Any, name: str, value: Any) -> Any:
    if isinstance(value, Inputs):
        return table_of_inputs(value)
    if isinstance(value, Activation):
        return value.text
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, bool, int, float)) for item in value):
        return list(value)
    if isinstance(value, (np.ndarray, np.generic, jax.Array)) and np.asarray(value).dtype.kind in "fiub":
        return np.asarray(value).tolist()
    raise InputError(
        "numbers, names, Inputs and activations as fields of a task, to write or send it",
        f"{type(value).__name__} as {name!r} of {type(task).__name__}",
        "give its class methods to_table and from_table",
    )


def table_of_inputs(inputs: Inputs) -> dict[str, Any]:
    """Return the arguments of `Inputs` as plain tables."""
    return {
        "fractions": dict(zip(inputs.block_names, np.asarray(inputs.fractions).tolist(), strict=True)),
        "levels": {
            level: {block: table_of_number(variance) for block, variance in row.items()}
            for level, row in inputs.rows().items()
        },
    }


def inputs_from_table(fractions: dict[str, float], levels: dict[str, dict[str, Any]] | None) -> Inputs:
    """Return the inputs of a table that has been read, with schedules where it has their tables."""
    if levels is None:
        return Inputs(fractions)
    rows = {}
    for level, row in levels.items():
        rows[level] = {block: schedule_from_table(entry) for block, entry in row.items()}
    return Inputs(fractions, rows)


def task_of_fields(cls: type, table: Mapping[str, Any]) -> Any:
    """Return the task of class `cls` whose fields have the entries of `table`: cls(field=entry, ...).

    Entries of fields that are annotated as Inputs or Activation become these, lists of numbers arrays, and lists in
    static fields tuples. Raises InputError for unknown and missing entries, and whatever the class raises as one.
    """
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    for name in table:
        if name not in fields:
            raise InputError(f"known entries of [task] of {cls.__name__}", repr(name), nearest(name, fields))
    for name, field in fields.items():
        if name not in table and field.default is field.default_factory is dataclasses.MISSING:
            raise InputError(f"the entry {name!r} of [task] of {cls.__name__}", "none", "add it")
    kinds = _annotations(cls)
    try:
        return cls(**{name: _value(fields[name], kinds.get(name), entry) for name, entry in table.items()})
    except InputError:
        raise
    except Exception as error:  # the user's class may raise anything
        raise InputError(f"a table [task] that {cls.__name__} takes", first_line(error)) from error


def _annotations(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls)
    except Exception:  # a name that is imported for type checkers only
        return {field.name: field.type for field in dataclasses.fields(cls)}


def _value(field: Any, kind: Any, entry: Any) -> Any:
    if kind in (Inputs, "Inputs", "ts.Inputs"):
        table = read_table(InputsTable, entry, f"task.{field.name}")
        return inputs_from_table(table.fractions, table.levels)
    if kind in (Activation, "Activation", "ts.Activation"):
        return as_activation(entry)
    if isinstance(entry, list) and field.metadata.get("static", False):
        return tuple(entry)
    if isinstance(entry, list) and not all(isinstance(item, str) for item in entry):
        return np.asarray(entry)
    return entry
