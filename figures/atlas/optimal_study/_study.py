"""Data of the figure of optimal orders: cells that are lacking are computed, then all stand in two data sets."""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import xarray as xr

import teacher_student as ts
from teacher_student import internal

from ._cells import path_of
from ._classes import order_of
from ._computing import completed
from ._found import Found
from ._plan import BASE, QUICK, Cell, PerceptronCell, Plan, between, neighbours, xor_settings
from ._summary import perceptron_set, xor_set

CELLS = "cells"  # the folder of finished ones


def plan_of(quick: bool, seed: int = 0) -> Plan:
    """Return the sizes of the whole study, or of a coarse one."""
    return dataclasses.replace(QUICK if quick else Plan(), seed=seed)


def optimal_data(
    directory: str | Path,
    *,
    part: str = "perceptron",
    quick: bool = False,
    seed: int = 0,
    workers: int | None = 0,
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> xr.Dataset:
    """Search for the best order of easy and hard samples, at many points of one part of the study.

    Each finished point is a file in `directory`/cells: another call, also after Ctrl-C, computes what is lacking only.

    Arguments:
      directory: of the study, made if need be. part: "perceptron" (relevant and irrelevant inputs; closed forms), or
      "xor" (the XOR mixture against K; sampled averages).
      quick: few points and coarse searches. seed: all random numbers follow from it. workers: processes (None: one for
      each core; 0: this one). progress: whether to show a bar. say: is told the cost.
    Returns a Dataset over cells: the cost of the optimum and of the named orders, the optimum's phases, the numbers of
    its certificate, where its searches ended; for "xor" also errors and accuracies with points of their own.
    Raises InputError, also for a file of a cell that is damaged or of another study.
    """
    internal.require_name(part, ("perceptron", "xor"), "part of the figure optimal")
    plan = plan_of(quick, seed)
    folder = internal.as_path(directory) / CELLS
    try:
        internal.target(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ts.InputError("a writable directory for the figure's data", f"{folder} ({error.strerror})") from error
    made = (_perceptrons if part == "perceptron" else _xors)(folder, plan, workers, progress, say)
    command = f"figures.atlas.optimal_data({folder.parent.name!r}, part={part!r}, quick={quick}, seed={seed})"
    return made.assign_attrs(
        base=json.dumps(BASE),
        plan=json.dumps(dataclasses.asdict(plan)),
        conventions=internal.CONVENTIONS,
        versions=json.dumps(ts.versions()),
        command=command,
        seed=seed,
    )


def _perceptrons(
    folder: Path, plan: Plan, workers: int | None, progress: bool, say: Callable[[str], object]
) -> xr.Dataset:
    """Return the map, refined between neighbours of different orders."""
    cells = plan.perceptrons()
    found: dict[PerceptronCell, Found] = {}
    for number in range(plan.bisections + 1):
        name = "perceptron" if number == 0 else f"perceptron, bisection {number}"
        say(_cost(name, folder, cells, plan))
        found |= completed(folder, cells, plan, workers, progress)  # type: ignore[arg-type]
        cells = _middles(found, plan)
    return perceptron_set(found)


def _middles(found: Mapping[PerceptronCell, Found], plan: Plan) -> list[PerceptronCell]:
    """Return the points between neighbours whose best orders differ, which have not been looked at."""
    classes = {cell: order_of(each.phases, each.mixed_at_most) for cell, each in found.items()}
    pairs = neighbours(list(found), list(plan.axes))
    middles = [between(one, other, axis) for axis, one, other in pairs if classes[one] != classes[other]]
    return [cell for cell in dict.fromkeys(middles) if cell not in found]


def _xors(folder: Path, plan: Plan, workers: int | None, progress: bool, say: Callable[[str], object]) -> xr.Dataset:
    cells = plan.xors()
    say(_cost("XOR mixture", folder, cells, plan))
    made = xor_set(completed(folder, cells, plan, workers, progress))  # type: ignore[arg-type]
    return made.assign_attrs(setting=json.dumps(xor_settings()))


def _cost(name: str, folder: Path, cells: Sequence[Cell], plan: Plan) -> str:
    lacking = [cell for cell in cells if not internal.is_there(path_of(folder, cell))]
    minutes = sum(plan.seconds(cell) for cell in lacking) / 60
    return (
        f"optimal, {name}: {len(lacking)} of {len(cells)} best orders are lacking, about {minutes:.2g} min on one core "
        "(Ctrl-C: goes on from there)"
    )
