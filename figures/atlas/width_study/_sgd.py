"""The same gains by full-weight SGD, for the points that carry the conclusion."""

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

import simulations
import teacher_student as ts
from teacher_student import internal

from .._recipes import saved
from ._plan import CONVENTIONS, RATE, SCALE, Plan, Simulated, base_tables, case_tables, plan_of
from ._study import computed_pilot

# As mixtures of both levels in two phases: runs are paired where problems differ in numbers alone.
PHASES = {"easy to hard": (1.0, 0.0), "hard to easy": (0.0, 1.0), "mixed": (0.5, 0.5)}
PURPOSES = ("starts", "runs")


def width_sgd_data(
    directory: str | Path,
    *,
    quick: bool = False,
    seed: int = Plan.seed,
    workers: int | None = None,
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> xr.Dataset:
    """Simulate students of finite N in each order, at the points that carry the conclusions of `width_data`.

    Arguments: directory: a finished point is a file in its folder sgd; learning times are those of the pilots there,
      which are computed where they lack. quick: two small points. seed: all random numbers follow from it. workers: of
      the pilots (None: one per core; 0: none). progress: whether to show a bar. say: is told what is simulated.
    Returns a Dataset over point, order and run: the accuracy on hard samples, paired run by run.
    """
    plan, folder = plan_of(quick, seed), internal.as_path(directory) / "sgd"
    names = [f"sgd-{number}" for number in range(len(plan.simulated))]
    parts = []
    for number, point in enumerate(plan.simulated):
        alpha = point.number
        if point.clock == "learning times":
            pilot = computed_pilot(internal.as_path(directory), plan, point.width, workers=workers, progress=progress)
            kind = {"convention": point.convention, "easiness": point.easiness}
            alpha *= float(pilot["learning_time"].sel(kind))
        path = folder / f"{names[number]}.nc"
        if not internal.is_there(path):
            case = f"{point.convention}, easy {point.easiness}, alpha = {alpha:g}"
            say(f"SGD: {point.runs} runs at N = {point.dim}, K = {point.width}, {case}")
        part = saved(path, partial(_simulated, plan, number, alpha, progress=progress), "width", names)
        _require_point(part, point, alpha, path)
        # Points differ in their numbers of runs: each run has a number, by which they are put side by side.
        parts.append(part.assign_coords(run=np.arange(point.runs)))
    return xr.concat(parts, "point", join="outer", coords="different", compat="equals")


def _require_point(part: xr.Dataset, point: Simulated, alpha: float, path: Path) -> None:
    """Raise InputError unless a file holds this point: an earlier version had others under the same name."""
    expected = dataclasses.asdict(point) | {"alpha": alpha}
    runs = expected.pop("runs")
    found = {name: part[name].item() for name in expected if name in part.coords}
    if found != expected or part.sizes.get("run") != runs:
        got = f"{path}, which holds another one or other numbers of runs"
        raise ts.InputError(f"{point.runs} runs of K = {point.width} at alpha = {alpha:g}", got, "move it away")


def _simulated(plan: Plan, number: int, alpha: float, *, progress: bool) -> xr.Dataset:
    """Return the accuracy on hard samples of every run, in each order, on the same samples and starts."""
    point = plan.simulated[number]
    problems = [_problem(plan, point, alpha, order) for order in PHASES]
    keys = [jax.random.fold_in(internal.as_key(plan.seed), i) for i in range(len(PURPOSES))]
    starts_key, runs_key = (jax.random.fold_in(key, number) for key in keys)
    law: dict[str, Any] = CONVENTIONS[point.convention]
    dim, runs = point.dim, point.runs
    starts = ts.random_overlaps(problems[0], dim, jax.random.split(starts_key, runs), scale=SCALE, **law)
    trajectories = simulations.run_many(problems, dim, runs, [alpha], runs_key, start=starts, progress=progress)
    accuracy = np.array([trajectory.accuracy["hard"][:, -1] for trajectory in trajectories])
    coords = dataclasses.asdict(point) | {"alpha": alpha}
    del coords["runs"]
    return xr.Dataset({"accuracy": (("order", "run"), accuracy)}, {"order": list(PHASES), **coords})


def _problem(plan: Plan, point: Simulated, alpha: float, order: str) -> ts.Problem:
    base = base_tables(point.width, plan.points.get(point.width, 256))
    case = case_tables(point.convention, point.easiness, RATE, order, alpha)
    phases = [[{"easy": easy, "hard": 1 - easy}, alpha / 2] for easy in PHASES[order]]
    tables = {**base, **case, "curriculum": {"phases": phases}}
    tables |= {name: {**base[name], **case[name]} for name in ("task", "start")}
    return ts.problem_from_tables(tables)
