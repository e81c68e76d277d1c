"""Axes of a sweep: the values of one number of a problem, of several zipped together, or named choices."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

import teacher_student as ts
from teacher_student import internal

from ._dotted import TOP, merged

RANGE = {"from", "to", "count", "spacing"}
# What the keys of a range are called in NumPy and elsewhere.
ALIASES = {
    "num": "count",
    "n": "count",
    "points": "count",
    "start": "from",
    "stop": "to",
    "end": "to",
    "scale": "spacing",
}


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
        got = "none" if table is None or isinstance(table, Mapping) else table
        raise ts.InputError("at least one axis in [axes]", got, "add a table [axes.NAME]")
    axes = tuple(_read_axis(str(name), entry) for name, entry in table.items())
    cells = math.prod(len(axis) for axis in axes)
    if cells > MOST_CELLS:
        required = f"a grid of at most {MOST_CELLS:,} cells (the place and state of each stay in memory)"
        raise ts.InputError(required, f"{cells:,}", "make several sweeps")
    return axes


def _read_axis(name: str, table: Any) -> Axis:
    with internal.about_entry("axes", name):
        return _axis(name, table)


def _axis(name: str, table: Any) -> Axis:
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
    if len(set(labels)) < len(labels):
        raise ts.InputError(f"each value once in [axes.{name}]", list(labels))
    return Axis(name, keys, tuple(zip(*columns, strict=True)), labels)


SUFFIXES = ("_se", "_run", "_path")
SELECTED = ("value", "se", "pair")  # what `select` makes of a data set
RESERVED = {  # dimensions and variables that a sweep's data set has of its own
    *("engine", "level", "block", "student_unit", "student_unit_2", "latent", "latent_2", "run", "record"),
    *("agrees", "agreement_z", "agreement_p", "diverged_runs"),
    *SELECTED,
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
    if hasattr(values, "__array__") and np.ndim(values):  # NumPy's, JAX's, xarray's or pandas' own
        _check_count(key, np.size(values))
        values = (values if isinstance(values, np.ndarray) else np.asarray(values)).tolist()
    if not isinstance(values, (list, tuple, range)):
        raise ts.InputError(f"a list or a range for the axis {key!r}", repr(values), "write [value, ...]")
    if not values:
        raise ts.InputError(f"at least one value of the axis {key!r}", "an empty list")
    # `len` has no answer for more than 2^63.
    _check_count(key, abs(values.stop - values.start) // abs(values.step) if isinstance(values, range) else len(values))
    values = [_plain(value) for value in values]
    kinds = {"number" if type(value) in (int, float) else type(value).__name__ for value in values}
    if len(kinds) > 1:
        raise ts.InputError(f"values of one type on the axis {key!r}", ", ".join(sorted(kinds)))
    if kinds & {"list", "dict", "tuple"}:
        raise ts.InputError(
            f"numbers or strings on the axis {key!r}", f"{values[0]!r}", "give lists and tables a name under choices"
        )
    if not kinds <= {"number", "str", "bool"}:
        raise ts.InputError(f"numbers or strings on the axis {key!r}", repr(values[0]))
    if kinds == {"number"}:
        _check_numbers(key, values)
        if any(type(value) is float for value in values):
            # Adding 0 makes 0.0 of -0.0, which is the same number and would else be another cell.
            values = [float(value) + 0.0 for value in values]
    return tuple(values)


# Of one axis, and of the grid. The place and the state of every cell stay in memory, some 300 bytes each.
MOST_CELLS = 10_000_000


def _check_count(key: str, count: int) -> None:
    """Raise InputError for more values than a grid can have cells; nothing is made yet."""
    if count > MOST_CELLS:
        required = f"at most {MOST_CELLS:,} values of the axis {key!r} (the place and state of each stay in memory)"
        got = f"{count:,}" if count < 2**63 else count  # one of thousands of digits has no text
        raise ts.InputError(required, got, "make several sweeps")


def _plain(value: Any) -> Any:
    """Return a number of NumPy or JAX, also in an array without axes, as one of Python."""
    return value.item() if hasattr(value, "item") and np.ndim(value) == 0 else value


def _check_numbers(key: str, values: list[Any]) -> None:
    """Raise InputError unless numbers are finite, and integers such that a store can hold them."""
    for value in values:
        fits = -(2**63) <= value < 2**63 if type(value) is int else np.isfinite(value)
        if not fits:
            raise ts.InputError(f"finite numbers, and integers of 64 bits, on the axis {key!r}", value)


def _range(key: str, table: Mapping[str, Any]) -> tuple[Any, ...]:
    for name in sorted(set(table) - RANGE, key=str):
        remedy = f"did you mean {ALIASES[name]!r}?" if name in ALIASES else internal.nearest(name, RANGE)
        raise ts.InputError(f"from, to, count and spacing in the range of {key!r}", repr(name), remedy)
    if "count" not in table and all(type(table.get(name)) is int for name in ("from", "to")):
        return _integers(key, table)
    for name in ("from", "to", "count"):
        right = internal.is_integer if name == "count" else internal.is_number
        if not right(table.get(name)):
            raise ts.InputError(f"a number {name!r} in the range of {key!r}", table.get(name))
    first, last, count = float(table["from"]), float(table["to"]), table["count"]
    spacing = table.get("spacing", "linear")
    internal.require_name(spacing, ("linear", "log"), f"spacing of the range of {key!r}")
    if count < 1 or not np.isfinite([first, last]).all() or (first == last and count > 1):
        raise ts.InputError(f"count >= 1 and different finite ends in the range of {key!r}", dict(table))
    _check_count(key, count)
    if spacing == "log" and min(first, last) <= 0:
        raise ts.InputError(f"positive ends of the logarithmic range of {key!r}", (first, last))
    if not np.isfinite(last - first):
        raise ts.InputError(f"ends of the range of {key!r} whose difference is finite", (first, last))
    values = (np.geomspace if spacing == "log" else np.linspace)(first, last, count)
    return tuple((values + 0.0).tolist())  # 0.0 for -0.0, as of a list


def _integers(key: str, table: Mapping[str, Any]) -> tuple[int, ...]:
    first, last = table["from"], table["to"]
    if last < first or "spacing" in table:
        raise ts.InputError(f"increasing integers, no spacing, in the range of {key!r}", dict(table))
    _check_count(key, last + 1 - first)
    _check_numbers(key, [first, last])
    return tuple(range(first, last + 1))
