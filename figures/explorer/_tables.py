"""Entries of a problem file's tables, named by the path of keys and places that leads to them."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import copy
from collections.abc import Mapping
from typing import Any

Path = tuple[str | int, ...]  # a tuple and no dotted text: names of levels may have dots


def entry_at(tables: Mapping[str, Any], path: Path, otherwise: Any = None) -> Any:
    """Return the entry at the end of a path, or `otherwise` where there is none."""
    entry: Any = tables
    for key in path:
        is_there = 0 <= key < len(entry) if isinstance(key, int) else key in entry
        if not is_there:
            return otherwise
        entry = entry[key]
    return entry


def with_entries(tables: Mapping[str, Any], entries: Mapping[Path, Any]) -> dict[str, Any]:
    """Return a copy of the tables in which the entries are set. Tables that are not there yet are made."""
    changed = copy.deepcopy(dict(tables))
    for path, value in entries.items():
        container: Any = changed
        for key in path[:-1]:
            container = container[key] if isinstance(key, int) else container.setdefault(key, {})
        container[path[-1]] = value
    return changed


def without_entries(tables: Mapping[str, Any], table: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Return a copy of the tables in which some entries of one table are left out."""
    changed = copy.deepcopy(dict(tables))
    for name in names:
        changed.get(table, {}).pop(name, None)
    return changed
