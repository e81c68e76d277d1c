"""The order of a curriculum's phases: as the file has it, or one of the presets with the same samples of each level."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import teacher_student as ts

from ._tables import with_entries

GIVEN = "as in the file"
MIXED = "mixed"


def phases_of(tables: Mapping[str, Any]) -> list[list[Any]]:
    """Return the phases of a curriculum as a file writes them, also where it says order, shares and duration."""
    written = tables["curriculum"].get("phases")
    if written is not None:
        return copy.deepcopy(written)
    curriculum = ts.problem_to_tables(ts.problem_from_tables(tables))["curriculum"]
    return [[_shortest(first), duration] for first, _, duration in curriculum["phases"]]


def is_mixture(phase: Sequence[Any]) -> bool:
    """Return whether a phase shows several levels in constant shares."""
    return len(phase) == 2 and isinstance(phase[0], Mapping) and len(phase[0]) > 1


def orders(tables: Mapping[str, Any]) -> dict[str, list[list[Any]]]:
    """Return the orders to choose from, as name -> phases; the file's own comes first.

    The others show as many samples of each level as the file does, one level after the other in the file's order of
    levels or against it, or in random order.
    """
    given = phases_of(tables)
    budget = _budget(given)
    levels = [name for name in ts.problem_from_tables(tables).inputs.level_names if budget.get(name, 0) > 0]
    choices = {GIVEN: given}
    if len(levels) < 2:
        return choices
    total = sum(budget[level] for level in levels)
    presets = {", then ".join(row): [[level, budget[level]] for level in row] for row in (levels, levels[::-1])}
    presets[MIXED] = [[{level: budget[level] / total for level in levels}, total]]
    return choices | {name: phases for name, phases in presets.items() if phases != given}


def in_order(tables: Mapping[str, Any], order: str) -> dict[str, Any]:
    """Return the tables with the phases of one of the `orders`. The file's own order changes nothing."""
    if order == GIVEN:
        return copy.deepcopy(dict(tables))
    return with_entries(tables, {("curriculum",): {"phases": orders(tables)[order]}})


def end_of(phases: Sequence[Sequence[Any]]) -> float:
    """Return the last alpha of phases."""
    return float(sum(phase[-1] for phase in phases))


def _budget(phases: Sequence[Sequence[Any]]) -> dict[str, float]:
    """Return how long each level is shown, in alpha."""
    budget: dict[str, float] = {}
    for *sides, duration in phases:
        for side in (sides[0], sides[-1]):  # of a ramp the mean of both
            for level, share in ({side: 1.0} if isinstance(side, str) else side).items():
                budget[level] = budget.get(level, 0.0) + float(f"{share * duration / 2:.12g}")
    return budget


def _shortest(shares: Mapping[str, float]) -> str | dict[str, float]:
    """Return the name of the only level with a share, or the shares that are not 0."""
    present = {level: share for level, share in shares.items() if share > 0}
    return next(iter(present)) if len(present) == 1 else present
