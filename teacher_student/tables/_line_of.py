"""On which line of a TOML file an entry stands.

Python's reader of TOML keeps no positions. But the first lines of a file are a file of TOML themselves wherever a
statement ends, and nowhere else: the entry stands on the first line after the longest such beginning that lacks it. So
comments, dotted keys, inline tables and texts over several lines are the reader's business alone.
"""

import functools
import json
import re
import tomllib
from collections.abc import Callable, Sequence
from typing import Any

MOST_LINES = 2000  # beyond, reading the beginnings would take seconds
BARE = re.compile(r"[A-Za-z0-9_-]+")  # a key that TOML takes without quotes


def line_of(text: str, entry: Sequence[str]) -> int | None:
    """Return the number of the line, from 1, on which `entry` begins, or None where it cannot be told.

    A table begins at its header, if it has one. Of an entry that is missing it is the line of the table that lacks it.

    Arguments: text: of the file. entry: names of tables and, last, of a key, such as ("task", "width").
    """
    lines = text.replace("\r\n", "\n").split("\n")  # a beginning may not end in half an end of line
    if len(lines) > MOST_LINES:
        return None

    @functools.cache
    def beginning(count: int) -> dict[str, Any] | None:
        return _read("\n".join(lines[:count]))

    whole = beginning(len(lines))
    names = tuple(entry)
    while names and whole is not None and not _has(whole, names):
        names = names[:-1]
    if not names or whole is None:
        return None

    def appears(count: int) -> bool:
        return _has(beginning(count) or {}, names)

    def is_declared(count: int) -> bool:
        return _refuses_header("\n".join(lines[:count]), names)

    test = is_declared if is_declared(len(lines)) else appears
    return _first(len(lines), lambda count: beginning(count) is not None, test)


def dotted(entry: Sequence[str]) -> str:
    """Return the names of an entry with dots between them, in quotes where TOML needs these."""
    return ".".join(name if BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False) for name in entry)


def _first(last: int, ends_statement: Callable[[int], bool], test: Callable[[int], bool]) -> int:
    """Return the first line of the statement with which `test`, once true for ever, becomes true."""
    low, high = 1, last  # the line is in between
    while low < high:
        middle = (low + high) // 2
        end = next(count for count in range(middle, last + 1) if ends_statement(count))
        low, high = (low, middle) if test(end) else (middle + 1, high)
    return low


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _has(tables: Any, names: Sequence[str]) -> bool:
    for name in names:
        if not isinstance(tables, dict) or name not in tables:
            return False
        tables = tables[name]
    return True


def _refuses_header(text: str, names: Sequence[str]) -> bool:
    """Return whether `text` has declared a table, or a value, of these names: a header for them is then an error."""
    header = f"[{dotted(names)}]"
    return _read(header) is not None and _read(f"{text}\n{header}") is None
