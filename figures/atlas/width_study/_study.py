"""Data of the study: a pilot of each width, then its starts, as many as the spread of the first ones asks for."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from teacher_student import internal

from ...sweeps import open_sweep, read_sweep, run_sweep
from ._cases import cases_of, sweep_tables
from ._pilot import pilot_results, pilot_tables
from ._plan import EFFECT, LEVEL, POWER, QUICK, Plan


def plan_of(quick: bool, seed: int = Plan.seed) -> Plan:
    """Return the sizes of the whole study, or of a coarse one."""
    return dataclasses.replace(QUICK if quick else Plan(), seed=seed)


def needed_starts(deviation: float) -> int:
    """Return the number of starts by which a mean gain of EFFECT is told from 0, with the probability POWER.

      n = ((z_{1 - LEVEL/2} + z_POWER) s / EFFECT)^2

    Arguments: deviation: s, of a paired difference between starts.
    """
    return math.ceil(((stats.norm.isf(LEVEL / 2) + stats.norm.ppf(POWER)) * deviation / EFFECT) ** 2)


def spread_of(data: xr.Dataset, results: xr.Dataset) -> float:
    """Return the typical standard deviation between starts of easy to hard, and hard to easy, minus mixed.

    The root of its mean square over all points of the width: half of the points need fewer starts, some need more.
    """
    accuracy = data["accuracy"].isel(engine=0).sel(level="hard")
    squares = []
    for case in cases_of(results):
        if case.order in ("easy to hard", "hard to easy"):
            mixed = dataclasses.replace(case, order="mixed")
            apart = accuracy.sel(case=case.name) - accuracy.sel(case=mixed.name)
            squares.append(float(apart.var("start", ddof=1)))
    return float(np.sqrt(np.mean(squares)))


def computed_width(directory: Path, plan: Plan, width: int, **options: Any) -> tuple[xr.Dataset, xr.Dataset, int]:
    """Compute what a width lacks in its stores; return the pilot's results, the sweep, and how many starts it needs."""
    pilot = directory / f"pilot-{width}.zarr"
    say: Callable[[str], object] = options.pop("say")
    run_sweep(read_sweep(pilot_tables(plan, width)), pilot, say=_nothing, **options)
    results = pilot_results(open_sweep(pilot).load())
    store = directory / f"width-{width}.zarr"
    run_sweep(read_sweep(sweep_tables(plan, width, results, plan.first)), store, say=_nothing, **options)
    needed = needed_starts(spread_of(open_sweep(store).isel(start=slice(plan.first)).load(), results))
    starts = max(plan.first, min(needed, plan.most[width]))
    say(f"K = {width}: {starts} starts; a gain of {EFFECT} at one point would need {needed}")
    run_sweep(read_sweep(sweep_tables(plan, width, results, starts)), store, say=_nothing, **options)
    return results, open_sweep(store).load(), needed


def _nothing(line: str) -> None:
    """Say nothing of a sweep that is one of many."""
