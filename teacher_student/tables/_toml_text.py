"""Nested tables as the text of a TOML file: Python reads TOML and does not write it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ._line_of import dotted

LONGEST = 100  # characters of a list in one line; a longer one has a line for each entry


def toml_text(tables: Mapping[str, Any]) -> str:
    """Return the text of a TOML file with these tables, which `tomllib` reads as they are.

    A table has a header, and so has a table in it that holds tables alone; what lies deeper is written inline. TOML has
    no None, so that such an entry is left out.

    Arguments: tables: nested, of texts, booleans, whole numbers, floats, lists and tables with texts as keys.
    """
    return "\n".join(_lines(tables, ())).strip("\n") + "\n"


def _lines(table: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[str]:
    entries = {name: entry for name, entry in table.items() if entry is not None}
    headed = {name for name, entry in entries.items() if _has_header(entry, len(above))}
    for name, entry in entries.items():
        if name not in headed:
            yield f"{_key(name)} = {_value(entry, len(name))}"
    for name in entries:
        if name in headed:
            names = (*above, name)
            yield from ("", f"[{'.'.join(map(_key, names))}]")
            yield from _lines(entries[name], names)


def _has_header(entry: Any, depth: int) -> bool:
    if not isinstance(entry, Mapping):
        return False
    return depth == 0 or (depth == 1 and bool(entry) and all(isinstance(each, Mapping) for each in entry.values()))


def _key(name: str) -> str:
    return _escaped(dotted([name]))


def _escaped(text: str) -> str:
    """Return a text in quotes with the one character escaped that JSON may have as it is and TOML may not."""
    return text.replace("\x7f", "\\u007f")


def _value(value: Any, indent: int = 0) -> str:
    """Return a value as TOML writes it. `indent`: characters before it in its line."""
    if isinstance(value, Mapping):
        pairs = [f"{_key(name)} = {_value(each)}" for name, each in value.items() if each is not None]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        entries = [_value(each) for each in value]
        line = f"[{', '.join(entries)}]"
        nested = any(isinstance(each, (list, tuple, Mapping)) for each in value)
        if indent and nested and len(line) + indent > LONGEST:
            return "[\n" + "".join(f"    {entry},\n" for entry in entries) + "]"
        return line
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _escaped(json.dumps(value, ensure_ascii=False))
    return repr(value)  # also nan and inf, which TOML writes like Python
