"""Axes of a sweep: the values of one number of a problem, of several zipped together, or named choices."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

import teacher_student as ts
from teacher_student import internal

from ._dotted import TOP, merged

RANGE = {"from", "to", "count", "spacing"}


@dataclasses.dataclass(frozen=True)
class Axis:
    """One dimension of a sweep.

    name: of the dimension. keys: dotted names of the numbers that change along it; () for named choices.
    values: per position, a value of each key. labels: the coordinate: the first key's values, or the choices' names.
    choices: per position, the tables laid over the problem's.
    """

    name: str
    keys: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    labels: tuple[Any, ...]
    choices: tuple[Mapping[str, Any], ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def lay_over(self, tables: Mapping[str, Any], position: int) -> dict[str, Any]:
        """Return the problem's tables at one position. Raises InputError."""
        if self.choices:
            return merged(tables, self.choices[position])
        result = dict(tables)
        for key, value in zip(self.keys, self.values[position], strict=True):
            result = internal.with_entry(result, key, value, TOP)
        return result


def read_axes(table: Any) -> tuple[Axis, ...]:
    """Read axes from {name: {dotted key: values, ...}} or {name: {"choices": {label: tables}}}. Raises InputError.

    Values are a list, or a range {"from": a, "to": b, "count": n, "spacing": "linear" or "log"}; dotted keys may
    also be nested tables, as TOML reads them.
    """
    if not isinstance(table, Mapping) or not table:
        raise ts.InputError("at least one axis in [axes]", repr(table) if table else "none", "add a table [axes.NAME]")
    return tuple(_read_axis(str(name), entry) for name, entry in table.items())


def _read_axis(name: str, table: Any) -> Axis:
    internal.check_name(name, "axis")
    if not name.isidentifier() or name in RESERVED or name.endswith(SUFFIXES) or name.startswith("time_to_"):
        raise ts.InputError(f"an axis name of letters, digits and _ other than {', '.join(sorted(RESERVED))}", name)
    if not isinstance(table, Mapping) or not table:
        raise ts.InputError(f"a dotted name with values, or choices, in [axes.{name}]", repr(table))
    if "choices" in table:
        return _read_choices(name, table)
    keys, columns = zip(*((key, _values(key, values)) for key, values in _entries(table)), strict=True)
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        sizes = {key: len(column) for key, column in zip(keys, columns, strict=True)}
        raise ts.InputError(f"as many values of each name in [axes.{name}] (they are zipped)", sizes)
    for value in (value for column in columns for value in column if isinstance(value, str)):
        if not value.isprintable():
            raise ts.InputError(f"texts of printable characters in [axes.{name}]", repr(value))
    labels = columns[0]
    if len({repr(label) for label in labels}) < len(labels):
        raise ts.InputError(f"each value once in [axes.{name}]", list(labels))
    return Axis(name, keys, tuple(zip(*columns, strict=True)), labels)


SUFFIXES = ("_se", "_run", "_path")
RESERVED = {  # dimensions and variables that a sweep's data set has of its own
    *("engine", "level", "block", "student_unit", "student_unit_2", "latent", "latent_2", "run", "record"),
    *("agrees", "agreement_z", "agreement_p", "diverged_runs"),
    *("status", "message", "reached", "error", "accuracy", "means_right", "solved", "alpha", "Q", "R", "T", "readout"),
}


def _read_choices(name: str, table: Mapping[str, Any]) -> Axis:
    choices = table["choices"]
    if len(table) > 1:
        raise ts.InputError(f"choices alone in [axes.{name}]", sorted(set(table) - {"choices"}), "make two axes")
    if not isinstance(choices, Mapping) or not choices:
        raise ts.InputError(f"at least one named choice in [axes.{name}.choices]", repr(choices))
    for label, tables in choices.items():
        internal.check_name(label, f"choice of axis {name!r}")
        if not isinstance(tables, Mapping) or not tables:
            raise ts.InputError(f"tables of a problem for the choice {label!r} of axis {name!r}", repr(tables))
        for head in tables:
            internal.require_name(head, TOP, f"table of a problem in the choice {label!r} of axis {name!r}")
    return Axis(name, (), (), tuple(choices), tuple(choices.values()))


def _entries(table: Mapping[str, Any], head: str = "") -> list[tuple[str, Any]]:
    """Return (dotted key, values) of nested tables, down to lists and ranges."""
    entries = []
    for name, value in table.items():
        key = f"{head}.{name}" if head else str(name)
        if isinstance(value, Mapping) and not set(value) & RANGE:
            entries += _entries(value, key)
        else:
            entries.append((key, value))
    if not entries:
        raise ts.InputError(f"values of the axis {head!r}", repr(table))
    return entries


def _values(key: str, values: Any) -> tuple[Any, ...]:
    if isinstance(values, Mapping):
        return _range(key, values)
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, (list, tuple, range)):
        raise ts.InputError(f"a list or a range for the axis {key!r}", repr(values), "write [value, ...]")
    if not values:
        raise ts.InputError(f"at least one value of the axis {key!r}", "an empty list")
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    kinds = {"number" if type(value) in (int, float) else type(value).__name__ for value in values}
    if len(kinds) > 1:
        raise ts.InputError(f"values of one type on the axis {key!r}", f"{', '.join(sorted(kinds))} in {values}")
    if kinds & {"list", "dict", "tuple"}:
        raise ts.InputError(
            f"numbers or strings on the axis {key!r}", f"{values[0]!r}", "give lists and tables a name under choices"
        )
    if all(type(value) in (int, float) for value in values) and any(type(value) is float for value in values):
        values = [float(value) for value in values]
    return tuple(values)


def _range(key: str, table: Mapping[str, Any]) -> tuple[Any, ...]:
    unknown = set(table) - RANGE
    if unknown:
        raise ts.InputError(f"from, to, count and spacing in the range of {key!r}", sorted(unknown))
    if "count" not in table and all(type(table.get(name)) is int for name in ("from", "to")):
        return _integers(key, table)
    for name in ("from", "to", "count"):
        kinds: Any = int if name == "count" else (int, float)
        if isinstance(table.get(name), bool) or not isinstance(table.get(name), kinds):
            raise ts.InputError(f"a number {name!r} in the range of {key!r}", repr(table.get(name)))
    first, last, count = table["from"], table["to"], table["count"]
    spacing = table.get("spacing", "linear")
    internal.require_name(spacing, ("linear", "log"), f"spacing of the range of {key!r}")
    if count < 1 or not np.isfinite([first, last]).all() or (first == last and count > 1):
        raise ts.InputError(f"count >= 1 and different finite ends in the range of {key!r}", dict(table))
    if spacing == "log" and min(first, last) <= 0:
        raise ts.InputError(f"positive ends of the logarithmic range of {key!r}", (first, last))
    return tuple((np.geomspace if spacing == "log" else np.linspace)(first, last, count).tolist())


def _integers(key: str, table: Mapping[str, Any]) -> tuple[int, ...]:
    first, last = table["from"], table["to"]
    if last < first or "spacing" in table:
        raise ts.InputError(f"increasing integers, no spacing, in the range of {key!r}", dict(table))
    return tuple(range(first, last + 1))
