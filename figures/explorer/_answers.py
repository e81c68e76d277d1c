"""What the page computes: the tables that its controls say."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

from collections.abc import Mapping, Sequence
from typing import Any

from ._controls import Control, is_committee
from ._phases import end_of, is_mixture, phases_of
from ._tables import Path, entry_at, with_entries, without_entries

DIGITS = 12  # to which shares are rounded that others leave


def with_values(tables: Mapping[str, Any], controls: Sequence[Control], values: Sequence[float]) -> dict[str, Any]:
    """Return the tables in which each control has its value.

    What nobody moved stays as the file has it. Shares that the moved ones leave go to the last block or level, and
    recorded times follow the end of the curriculum.
    """
    moved = {control.path: value for control, value in zip(controls, values, strict=True) if value != control.value}
    before = end_of(phases_of(tables))
    if any(path[0] == "curriculum" for path in moved):
        tables = with_entries(tables, {("curriculum",): {"phases": phases_of(tables)}})
    changed = with_entries(tables, moved)
    for path in dict.fromkeys(path[:-1] for path in moved if _is_share(tables, path)):
        shares = entry_at(changed, path)
        *others, last = shares
        shares[last] = round(1.0 - sum(shares[name] for name in others), DIGITS)
    return _at_times(changed, end_of(phases_of(changed)) / before)


def with_widths(tables: Mapping[str, Any], student: int, teacher: int | None) -> tuple[dict[str, Any], list[str]]:
    """Return the tables with these widths, and what else had to change, as sentences.

    Arguments: student: K. teacher: M, or None for a task that has no width to choose.
    """
    changed, notes = with_entries(tables, {("student", "width"): student}), []
    moved = student != tables["student"]["width"]
    if teacher is not None and teacher != tables["task"]["width"]:
        changed, moved = with_entries(changed, {("task", "width"): teacher}), True
    start = changed.get("start", {})
    if moved and "Q" in start:
        changed = without_entries(changed, "start", ("Q", "R", "T"))
        notes.append("The file's start has other widths: theory and runs start from random weights.")
    lengths: dict[Path, int | None] = {("start", "readout"): student, ("task", "readout"): teacher}
    for path, length in lengths.items():
        weights = entry_at(changed, path)
        if isinstance(weights, list) and length is not None and len(weights) != length:
            changed = with_entries(changed, {path: _cycled(weights, length)})
            notes.append(f"The {_owner(path)}'s readout repeats its first weights, or lacks its last ones.")
    return changed, notes


def teacher_width(tables: Mapping[str, Any]) -> int | None:
    """Return the width M of a committee, or None for a task that has no width to choose."""
    return int(tables["task"]["width"]) if is_committee(tables) else None


def _owner(path: Path) -> str:
    return "student" if path[0] == "start" else "teacher"


def _cycled(weights: Sequence[float], length: int) -> list[float]:
    return [weights[unit % len(weights)] for unit in range(length)]


def _is_share(tables: Mapping[str, Any], path: Path) -> bool:
    """Return whether a number is one of shares that sum to 1."""
    if path[-2] == "fractions":
        return True
    return path[0] == "curriculum" and is_mixture(entry_at(tables, path[:3])) and len(path) == 5


def _at_times(tables: dict[str, Any], stretch: float) -> dict[str, Any]:
    """Return the tables whose recorded times are stretched as the curriculum is."""
    record = tables.get("record", {})
    if stretch == 1.0:
        return tables
    if record.get("alphas") is not None:
        return with_entries(tables, {("record", "alphas"): [float(f"{a * stretch:.10g}") for a in record["alphas"]]})
    if record.get("first") is not None:
        return with_entries(tables, {("record", "first"): record["first"] * stretch})
    return tables
