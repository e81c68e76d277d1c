"""Files of finished cells: one for each, written whole, so that a study that was cut short goes on from there."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import teacher_student as ts
from teacher_student import internal

from ._found import Found
from ._plan import Cell, Plan

REMEDY = "move it away: it is computed again"


def path_of(folder: Path, cell: Cell) -> Path:
    """Return where the result of a cell is kept."""
    return folder / f"{cell.name}.json"


def write_cell(folder: Path, cell: Cell, plan: Plan, found: Found) -> None:
    """Write the result of a cell, with what it is of, so that it is not taken for another one's."""
    table = {"cell": dataclasses.asdict(cell), "sizes": plan.sizes(cell), "found": dataclasses.asdict(found)}
    text = internal.sealed_json(json.dumps(table | {"versions": ts.versions()}, indent=1))
    internal.write_whole(path_of(folder, cell), lambda path: path.write_text(text, encoding="utf-8"), force=True)


def read_cell(folder: Path, cell: Cell, plan: Plan) -> Found | None:
    """Return the result of a cell, or None where there is none yet.

    Raises InputError for a file that is damaged, or of another study, or of other sizes.
    """
    path = path_of(folder, cell)
    if not internal.is_there(path):
        return None
    required = "a finished cell of the figure optimal"
    table = internal.read_json_file(path, required)
    internal.check_sealed_json(path, path.read_text(encoding="utf-8"))
    try:
        mine = table["cell"] == dataclasses.asdict(cell) and table["sizes"] == _as_json(plan.sizes(cell))
        found = _checked(Found(**table["found"]))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ts.InputError(
            required, f"{path} ({type(error).__name__}: {internal.first_line(error)})", REMEDY
        ) from error
    if not mine:
        raise ts.InputError(required, f"{path}, which is of another one, or of other sizes", REMEDY)
    return found


def _as_json(table: dict[str, Any]) -> Any:
    """Return what a table is once it has been written and read."""
    return json.loads(json.dumps(table))


def _checked(found: Found) -> Found:
    """Return what was read if its numbers are numbers; raises TypeError or ValueError."""
    for value in (found.cost, found.kkt, found.slopes, found.violation, found.to_gain, *found.named.values()):
        float(value)
    for duration, first, last in found.phases:
        if not (float(duration) >= 0 and 0 <= float(first) <= 1 and 0 <= float(last) <= 1):
            raise ValueError("shares outside of [0, 1]")
    return found
