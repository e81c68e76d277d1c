"""Nested tables of a problem file: their names, merging, and all entries with dotted names."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

TABLES = ("task", "student", "sgd", "curriculum", "start", "record", "theory", "simulation", "agreement")
TOP = (*TABLES, "seed")


def merged(tables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `tables` with the entries of `changes` in place of theirs, table by table."""
    result = dict(tables)
    for name, value in changes.items():
        old = result.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            result[name] = merged(old, value)
        else:
            result[name] = copy.deepcopy(value)
    return result


def flat(tables: Any, head: str = "") -> Iterator[tuple[str, Any]]:
    """Give every entry with its dotted name, lists whole."""
    if isinstance(tables, Mapping) and tables:
        for name, value in tables.items():
            yield from flat(value, f"{head}.{name}" if head else str(name))
    else:
        yield head, tables
