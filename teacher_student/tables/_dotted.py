"""Dotted names of the entries of nested tables: "task.levels.hard.irrelevant", "curriculum.phases.0.1"."""

import copy
from collections.abc import Mapping
from typing import Any

from .._errors import InputError, nearest, require_name


def with_entry(tables: Mapping[str, Any], name: str, value: Any, heads: tuple[str, ...]) -> dict[str, Any]:
    """Return `tables` with the entry `name` set. Numbers in a name are positions in a list, from 0.

    Tables (task, sgd, ...: the known `heads` of a name) and their keys may be new. What lies deeper must be there.
    Raises InputError where it is not.
    """
    parts = name.split(".")
    require_name(parts[0], heads, "table of a problem at the head of an axis")
    whole = copy.deepcopy(dict(tables))
    container: Any = whole
    for depth, part in enumerate(parts[:-1]):
        if isinstance(container, dict) and depth == 0:
            container.setdefault(part, {})
        container = container[_key(container, part, parts, depth)]
    last = parts[-1]
    free = isinstance(container, dict) and len(parts) <= 2
    container[last if free else _key(container, last, parts, len(parts) - 1)] = value
    return whole


def _key(container: Any, part: str, parts: list[str], depth: int) -> Any:
    """Return the key or index that `part` means in `container`."""
    where = ".".join(parts[:depth])
    if isinstance(container, dict):
        if part not in container:
            raise InputError(f"a known entry of {where}", repr(".".join(parts)), nearest(part, container))
        return part
    if isinstance(container, list):
        if not part.isdigit() or int(part) >= len(container):
            raise InputError(f"a place in {where}, 0 to {len(container) - 1}", repr(".".join(parts)))
        return int(part)
    raise InputError(f"a table or list at {where!r}, to hold {part!r}", repr(container))
