"""The same gains by full-weight SGD, for the points that carry the conclusion."""

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
from ._plan import CONVENTIONS, RATE, SCALE, TUNED_AT, Plan, base_tables, case_tables, plan_of

# As mixtures of both levels in two phases: runs are paired where problems differ in numbers alone.
PHASES = {"easy to hard": (1.0, 0.0), "hard to easy": (0.0, 1.0), "mixed": (0.5, 0.5)}
PURPOSES = ("starts", "runs")


def width_sgd_data(
    directory: str | Path,
    *,
    quick: bool = False,
    seed: int = Plan.seed,
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> xr.Dataset:
    """Simulate students of finite N in each order, at the points that carry the conclusion of `width_data`.

    Arguments: directory: a finished point is a file in its folder sgd. quick: one small point. seed: all random numbers
      follow from it. progress: whether to show a bar. say: is told what is simulated.
    Returns a Dataset over point, order and run: the accuracy on hard samples, paired run by run.
    """
    plan, folder = plan_of(quick, seed), internal.as_path(directory) / "sgd"
    names = [f"sgd-{number}" for number in range(len(plan.simulated))]
    parts = []
    for number, (convention, easiness, width, dim, runs) in enumerate(plan.simulated):
        path = folder / f"{names[number]}.nc"
        if not internal.is_there(path):
            say(f"SGD: {runs} runs at N = {dim}, K = {width}, {convention}, easy {easiness}")
        part = saved(path, partial(_simulated, plan, number, progress=progress), "width", names)
        parts.append(part.assign_coords(run=np.arange(part.sizes["run"])))  # of which other points have more or fewer
    return xr.concat(parts, "point", join="outer", coords="different", compat="equals")


def _simulated(plan: Plan, number: int, *, progress: bool) -> xr.Dataset:
    """Return the accuracy on hard samples of every run, in each order, on the same samples and starts."""
    convention, easiness, width, dim, runs = plan.simulated[number]
    problems = [_problem(plan, convention, easiness, width, order) for order in PHASES]
    keys = [jax.random.fold_in(internal.as_key(plan.seed), i) for i in range(len(PURPOSES))]
    starts_key, runs_key = (jax.random.fold_in(key, number) for key in keys)
    law: dict[str, Any] = CONVENTIONS[convention]
    starts = ts.random_overlaps(problems[0], dim, jax.random.split(starts_key, runs), scale=SCALE, **law)
    trajectories = simulations.run_many(problems, dim, runs, [TUNED_AT], runs_key, start=starts, progress=progress)
    accuracy = np.array([trajectory.accuracy["hard"][:, -1] for trajectory in trajectories])
    coords = {"convention": convention, "easiness": easiness, "width": width, "dim": dim}
    return xr.Dataset({"accuracy": (("order", "run"), accuracy)}, {"order": list(PHASES), **coords})


def _problem(plan: Plan, convention: str, easiness: str, width: int, order: str) -> ts.Problem:
    base = base_tables(width, plan.points.get(width, 256))
    case = case_tables(convention, easiness, RATE, order, TUNED_AT)
    phases = [[{"easy": easy, "hard": 1 - easy}, TUNED_AT / 2] for easy in PHASES[order]]
    tables = {**base, **case, "curriculum": {"phases": phases}}
    tables |= {name: {**base[name], **case[name]} for name in ("task", "start")}
    return ts.problem_from_tables(tables)
