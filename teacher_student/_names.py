"""Names that users give to levels, blocks and choices: in tables, errors, files and pictures they stand as they are."""

from typing import Any

from ._errors import InputError, shown
from ._trust import result_being_read

LONGEST_NAME = 100


def check_name(name: Any, kind: str) -> None:
    """Raise InputError unless a name is a text of printable characters, and neither empty nor very long.

    Control characters would move a terminal's cursor, hide other text or turn its direction. Of a result that is being
    read they have been spelt out before, and its names are whatever it has.
    """
    if result_being_read() is not None:
        return
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"1 to {LONGEST_NAME} printable characters as the name of a {kind}", repr(name))


def without_controls(entry: Any) -> Any:
    """Return nested tables with the control characters of every text and key spelt out.

    A problem's names have none. In a file that another program wrote they would go to the terminal with every table.
    """
    if isinstance(entry, dict):
        return {without_controls(key): without_controls(value) for key, value in entry.items()}
    if isinstance(entry, list):
        return [without_controls(item) for item in entry]
    return shown(entry) if isinstance(entry, str) else entry
