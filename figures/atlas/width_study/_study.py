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
from .._width_contrasts import POWER
from ._assemble import assembled
from ._cases import cases_of, sweep_tables
from ._pilot import pilot_results, pilot_tables
from ._plan import EFFECT, LEVEL, Plan, plan_of

MANY = 10**9  # starts, where the first ones do not say how many
SECONDS, WIDE = 4e-3, 45  # of a start on one core, for each unit and point, about; the K at which it has doubled


def folder_names(*, quick: bool = False) -> list[str]:
    """Return the names that stand in the figure's folder."""
    widths = plan_of(quick).widths
    return ["width", "sgd", *(f"{part}-{width}" for part in ("pilot", "width") for width in widths)]


def needed_starts(deviation: float) -> int:
    """Return the number of starts by which a mean gain of EFFECT is told from 0, with the probability POWER.

      n = ((z_{1 - LEVEL/2} + z_POWER) s / EFFECT)^2

    Arguments: deviation: s, of a paired difference between starts.
    """
    if not np.isfinite(deviation):
        return MANY
    reach = float(stats.norm.isf(LEVEL / 2) + stats.norm.ppf(POWER))
    return math.ceil((reach * deviation / EFFECT) ** 2)


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
    known = [square for square in squares if np.isfinite(square)]  # a start that diverged has no accuracy
    return float(np.sqrt(np.mean(known))) if known else np.inf


def computed_pilot(directory: Path, plan: Plan, width: int, **options: Any) -> xr.Dataset:
    """Compute what a width's pilot lacks in its store; return its learning times and best rates."""
    pilot = directory / f"pilot-{width}.zarr"
    run_sweep(read_sweep(pilot_tables(plan, width)), pilot, say=_nothing, **options)
    return pilot_results(open_sweep(pilot).load())


def computed_width(directory: Path, plan: Plan, width: int, **options: Any) -> tuple[xr.Dataset, xr.Dataset, int]:
    """Compute what a width lacks in its stores; return the pilot's results, the sweep, and the starts it needs."""
    say: Callable[[str], object] = options.pop("say")
    results = computed_pilot(directory, plan, width, **options)
    store = directory / f"width-{width}.zarr"
    first = min(plan.first, plan.most[width])
    begun = open_sweep(store).sizes["start"] if internal.is_there(store) else 0  # it goes on with all it has
    run_sweep(read_sweep(sweep_tables(plan, width, results, max(first, begun))), store, say=_nothing, **options)
    needed = needed_starts(spread_of(open_sweep(store).isel(start=slice(first)).load(), results))
    starts = max(first, begun, min(needed, plan.most[width]))
    say(f"K = {width}: {starts} starts; a gain of {EFFECT} at one point would need {needed}")
    run_sweep(read_sweep(sweep_tables(plan, width, results, starts)), store, say=_nothing, **options)
    return results, open_sweep(store).load(), needed


def width_data(
    directory: str | Path,
    *,
    quick: bool = False,
    seed: int = Plan.seed,
    workers: int | None = None,
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> xr.Dataset:
    """Compute what the orders of the samples are worth to students of each width, by the ODEs of many starts.

    Finished parts are kept in `directory`: after Ctrl-C the same call goes on from there.

    Arguments: directory: of the stores, one pilot and one sweep for each width. quick: two widths and few starts.
      seed: all random numbers follow from it. workers: local processes (None: one per core; 0: none). progress:
      whether to show a bar. say: is told the cost.
    Returns a Dataset over width, convention, easiness, budget, order and start: accuracies, success, the alpha at
    which it has learnt, and for each width its learning times, its own rates, and which starts drew all coupons.
    """
    plan = plan_of(quick, seed)
    say(f"figure width: {_cost(plan)} (Ctrl-C: goes on from there)")
    options: dict[str, Any] = {"workers": workers, "progress": progress, "say": say}
    widths = {width: computed_width(internal.as_path(directory), plan, width, **options) for width in plan.widths}
    return assembled(plan, widths)


def _cost(plan: Plan) -> str:
    """Return the sizes, and the minutes that they take on two cores at most; wide students' grow with K^3."""
    starts = {width: most + plan.pilot[width] / 4 for width, most in plan.most.items()}
    seconds = {width: SECONDS * points * width * (1 + (width / WIDE) ** 2) for width, points in plan.points.items()}
    minutes = sum(seconds[width] * starts[width] for width in plan.widths) / 120
    widths = ", ".join(f"{plan.most[width]} starts of K = {width}" for width in plan.widths)
    return f"at most {widths}, about {minutes:.2g} min on two cores"


def _nothing(line: str) -> None:
    """Say nothing of a sweep that is one of many."""
