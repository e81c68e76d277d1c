"""JSON of files that anybody may have edited: read strictly, whatever is in it."""

import json
from pathlib import Path
from typing import Any

from ._errors import InputError, first_line
from ._places import require_file


def read_json(text: Any, required: str, where: object) -> Any:
    """Return what `text` says as JSON.

    JSON leaves open which of two equal keys counts, and Python reads NaN and Infinity, which JSON does not know: files
    with any of these are refused.

    Arguments: required: what the text should be, for the message. where: the file, or the place, that it stands in.
    Raises InputError for anything that is not one JSON value.
    """
    if not isinstance(text, str):
        raise InputError(required, f"{where}, a {type(text).__name__} in place of a text")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError:
        raise InputError(required, f"{where} (nested too deeply)") from None
    except ValueError as error:  # also integers of more digits than Python reads
        raise InputError(required, f"{where} ({first_line(error)})") from None


def read_json_file(path: Path, required: str) -> Any:
    """Return what the JSON file at `path` says. Raises InputError for a file that cannot be read."""
    require_file(path, required)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(required, f"{path} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(required, f"{path} (not UTF-8)") from error
    return read_json(text, required, path)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands there twice")
    return table


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
