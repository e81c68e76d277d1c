"""Where in its file a wrong entry stands: the file, the line and the key, in front of what is wrong with it."""

import contextlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import teacher_student as ts
from teacher_student import internal


@contextlib.contextmanager
def naming_lines(path: str | Path | None, tables: Any) -> Iterator[None]:
    """Put file, line and key in front of InputErrors raised inside, as far as they are known.

    A wrong line would be worse than none: of an entry that the file has otherwise, or not at all, because an option or
    an axis has set it, the key is named alone.

    Arguments: path: of the file; None: the built-in one, which nobody edits. tables: as they are used.
    """
    try:
        yield
    except ts.InputError as error:
        entry, error._entry = error._entry, ()  # said once
        if path is not None and entry:
            place = ", ".join(
                [
                    internal.one_line(str(path)),
                    *_line(Path(path), tables, entry),
                    internal.shown(internal.dotted(entry)),
                ]
            )
            error.args = (f"{place}: {error}",)
        raise


def _line(path: Path, tables: Any, entry: Sequence[str]) -> list[str]:
    with contextlib.suppress(OSError, ValueError, RecursionError):
        text = internal.as_path(path).read_text(encoding="utf-8-sig")
        if _value(tomllib.loads(text), entry) == _value(tables, entry):
            line = internal.line_of(text, entry)
            return [] if line is None else [f"line {line}"]
    return []


def _value(tables: Any, entry: Sequence[str]) -> Any:
    """Return the value of an entry, or None where there is none, as TOML has no None."""
    for name in entry:
        if not isinstance(tables, Mapping) or name not in tables:
            return None
        tables = tables[name]
    return tables
