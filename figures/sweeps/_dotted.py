"""Dotted names of the numbers in nested tables: "task.levels.hard.irrelevant", "curriculum.phases.0.1"."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import teacher_student as ts

TABLES = ("task", "student", "sgd", "curriculum", "start", "record", "theory", "simulation", "agreement")
TOP = (*TABLES, "seed")


def with_value(tables: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """`tables` with the entry `name` set; numbers in a name are places in a list, from 0.

    Tables (task, sgd, ...) and their keys may be new, what lies deeper must be there. Raises InputError.
    """
    parts = name.split(".")
    ts.require_name(parts[0], TOP, "table of a problem at the head of an axis")
    found: Any = copy.deepcopy(dict(tables))
    whole = found
    for depth, part in enumerate(parts[:-1]):
        if isinstance(found, dict) and depth == 0:
            found.setdefault(part, {})
        found = found[_place(found, part, parts, depth)]
    last = parts[-1]
    free = isinstance(found, dict) and len(parts) <= 2
    found[last if free else _place(found, last, parts, len(parts) - 1)] = value
    return whole


def _place(container: Any, part: str, parts: list[str], depth: int) -> Any:
    """The key or index that `part` means in `container`."""
    where = ".".join(parts[:depth])
    if isinstance(container, dict):
        if part not in container:
            raise ts.InputError(f"a known entry of {where}", repr(".".join(parts)), ts.nearest(part, container))
        return part
    if isinstance(container, list):
        if not part.isdigit() or int(part) >= len(container):
            raise ts.InputError(f"a place in {where}, 0 to {len(container) - 1}", repr(".".join(parts)))
        return int(part)
    raise ts.InputError(f"a table or list at {where!r}, to hold {part!r}", repr(container))


def merged(tables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`tables` with the entries of `changes` in place of theirs, table by table."""
    result = dict(tables)
    for name, value in changes.items():
        old = result.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            result[name] = merged(old, value)
        else:
            result[name] = copy.deepcopy(value)
    return result


def flat(tables: Any, head: str = "") -> Iterator[tuple[str, Any]]:
    """Every entry with its dotted name, lists whole."""
    if isinstance(tables, Mapping) and tables:
        for name, value in tables.items():
            yield from flat(value, f"{head}.{name}" if head else str(name))
    else:
        yield head, tables
