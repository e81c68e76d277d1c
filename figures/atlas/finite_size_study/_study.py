"""Data of the finite-size figure: runs against theory at every N, and the escape from the symmetric plateau."""

import json
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import ode
import simulations
import teacher_student as ts
from teacher_student import internal

from ._plan import ALPHA_STEP, QUICK, SHARE, Plan, deviation_problem, last_alpha, plateau_problem, plateau_starts


def plan_of(quick: bool) -> Plan:
    """Return the sizes of the whole study, or of a coarse one."""
    return QUICK if quick else Plan()


def deviation_data(*, quick: bool = False, progress: bool = True, say: Callable[[str], object] = print) -> xr.Dataset:
    """Simulate the built-in problem at every N, and compare mean and covariance over runs with theory.

    Arguments: quick: few runs and dimensions. progress: whether to show bars. say: is told the cost.
    Returns a Dataset over dim (N), alpha and quantity: `deviation` (mean over runs - ODE), `covariance` (over runs) and
    `fourth` (the fourth central moment over the squared variance); `theory`, and the predicted `fluctuation` =
    lim N Var and `shift` = lim N (mean - ODE) of `ode.fluctuations`, with their errors; and the number of `runs` (N).
    """
    plan, (problem, start) = plan_of(quick), deviation_problem()
    say(f"finite-size: {_sizes(plan.runs)}, about {plan.minutes('deviation'):.1f} min on two cores")
    bands = ode.fluctuations(problem, start, np.array(plan.alphas), with_accuracy=False).fluctuations
    assert bands is not None
    data = simulated(plan, problem, start, progress)
    data = data.assign(predicted(bands, problem, data["quantity"].values.tolist()))
    return data.assign_attrs(_attrs(problem, plan, "deviation", quick))


def predicted(bands: ts.Fluctuations, problem: ts.Problem, names: list[str]) -> dict[str, Any]:
    """Return the variables `fluctuation` and `shift` of the overlaps `names`, each with the error of its averages."""
    recorded = {
        "fluctuation": bands.variance,
        "fluctuation_error": bands.variance_error,
        "shift": bands.shift,
        "shift_error": bands.shift_error,
    }
    return {
        name: (("alpha", "quantity"), _chosen(observables, problem, names)) for name, observables in recorded.items()
    }


def simulated(plan: Plan, problem: ts.Problem, start: ts.Overlaps, progress: bool) -> xr.Dataset:
    """Return what `deviation_data` holds but for the predictions of `ode.fluctuations`."""
    theory = ode.solve(problem, start, np.array(plan.alphas), with_accuracy=False)
    names, values = _moving(theory.observables, problem)
    parts = [_moments(problem, start, plan, names, values, dim, runs, progress) for dim, runs in plan.runs]
    data: dict[str, Any] = {"theory": (("alpha", "quantity"), values), "runs": ("dim", [runs for _, runs in plan.runs])}
    for name, dims in (("deviation", ()), ("fourth", ()), ("covariance", ("other",))):
        data[name] = ("dim", "alpha", "quantity", *dims), np.stack([part[name] for part in parts])
    coords = {"dim": [dim for dim, _ in plan.runs], "alpha": list(plan.alphas), "quantity": names, "other": names}
    return xr.Dataset(data, coords)


def _moving(observables: ts.Observables, problem: ts.Problem) -> tuple[list[str], np.ndarray]:
    """Return names and values (A, q) of the overlaps that fluctuate.

    Overlaps R of a block that the task does not see are 0 at every N.
    """
    unseen = [
        block for block, seen in zip(problem.inputs.block_names, problem.task.seen_blocks, strict=True) if not seen
    ]
    moving = [
        quantity
        for quantity in ts.quantities(observables, problem)
        if quantity.kind in ("Q", "R")
        and not (quantity.kind == "R" and any(f"[{block}]" in quantity.name for block in unseen))
    ]
    return [quantity.name for quantity in moving], np.stack([quantity.values for quantity in moving], axis=-1)


def _chosen(observables: ts.Observables, problem: ts.Problem, names: list[str]) -> np.ndarray:
    """Return the values (..., A, q) of the quantities `names`."""
    values = {quantity.name: quantity.values for quantity in ts.quantities(observables, problem)}
    return np.stack([values[name] for name in names], axis=-1)


def _moments(
    problem: ts.Problem,
    start: ts.Overlaps,
    plan: Plan,
    names: list[str],
    theory: np.ndarray,
    dim: int,
    runs: int,
    progress: bool,
) -> dict[str, np.ndarray]:
    """Return deviation of the mean, covariance and relative fourth moment over `runs` runs of the chain at `dim`."""
    trajectory = simulations.run(
        problem,
        dim,
        runs,
        plan.alphas,
        plan.key(0, dim),
        start=start,
        method="overlaps",
        test_samples=1,
        progress=progress,
    )
    x = _chosen(trajectory.observables, problem, names) - theory  # (runs, A, q)
    centred = x - x.mean(axis=0)
    variance = np.mean(centred**2, axis=0)
    return {
        "deviation": x.mean(axis=0),
        "covariance": np.einsum("raq,rap->aqp", centred, centred) / (runs - 1),
        "fourth": np.mean(centred**4, axis=0) / variance**2,
    }


def escape_data(*, quick: bool = False, progress: bool = True, say: Callable[[str], object] = print) -> xr.Dataset:
    """Find the alpha at which every run's error has fallen to half of the symmetric plateau's, at every N.

    Arguments: quick, progress, say: as in `deviation_data`.
    Returns a Dataset of `escape` (dim, run): alpha = samples / N, inf where the run had not escaped by `last` (dim),
    NaN where there is no such run. Attributes: `growth`, the unstable eigenvalue lambda of the symmetric fixed point;
    `height`, its error.
    """
    plan, problem = plan_of(quick), plateau_problem()
    say(f"plateau: {_sizes(plan.escapes)}, about {plan.minutes('escape'):.1f} min on two cores")
    dims = [dim for dim, _ in plan.escapes]
    point = ode.plateau(problem, _one_start(plan, dims[-1])).fixed_point
    height = float(point.error["all"])
    escapes = np.full((len(dims), max(runs for _, runs in plan.escapes)), np.nan)
    for row, (dim, runs) in zip(escapes, plan.escapes, strict=True):
        row[:runs] = _escapes(problem, plan, dim, runs, SHARE * height, progress)
    data = {
        "escape": (("dim", "run"), escapes),
        "last": ("dim", [last_alpha(dim) for dim in dims]),
        "runs": ("dim", [runs for _, runs in plan.escapes]),
    }
    attrs = {"growth": float(point.growth), "height": height, "share": SHARE, "alpha_step": ALPHA_STEP}
    return xr.Dataset(data, {"dim": dims}).assign_attrs(_attrs(problem, plan, "escape", quick) | attrs)


def _one_start(plan: Plan, dim: int) -> ts.Overlaps:
    start: ts.Overlaps = jax.tree.map(lambda x: x[0], plateau_starts(plan, dim, 1))
    return start


def _escapes(problem: ts.Problem, plan: Plan, dim: int, runs: int, below: float, progress: bool) -> np.ndarray:
    """Return the first alpha (runs,) at which the error is `below`, by linear interpolation; inf if it never is."""
    alphas = np.arange(ALPHA_STEP, last_alpha(dim) + ALPHA_STEP / 2, ALPHA_STEP)
    trajectory = simulations.run(
        problem,
        dim,
        runs,
        alphas,
        plan.key(2, dim),
        start=plateau_starts(plan, dim, runs),
        method="overlaps",
        test_samples=1,
        progress=progress,
    )
    error = _exact_errors(problem, trajectory.overlaps)
    return np.array([first_below(trajectory.alphas, row, below) for row in error])


def _exact_errors(problem: ts.Problem, overlaps: ts.Overlaps) -> np.ndarray:
    """Return the closed-form error (runs, A) of recorded overlaps, in place of the runs' own samples."""
    with jax.enable_x64(True):
        observe = jax.jit(jax.vmap(jax.vmap(lambda state: ode.observe(problem, state, None, with_accuracy=False))))
        return np.asarray(observe(internal.to_float(overlaps, jnp.float64)).error["all"])


def first_below(alphas: np.ndarray, values: np.ndarray, below: float) -> float:
    """Return the first alpha at which `values` pass `below` downwards, interpolated; inf if they do not."""
    under = np.flatnonzero(values < below)
    if not under.size:
        return np.inf
    i = int(under[0])
    if i == 0:
        return float(alphas[0])
    share = (values[i - 1] - below) / (values[i - 1] - values[i])
    return float(alphas[i - 1] + share * (alphas[i] - alphas[i - 1]))


def _sizes(runs: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{count} runs at N = {dim}" for dim, count in runs)


def _attrs(problem: ts.Problem, plan: Plan, part: str, quick: bool) -> dict[str, Any]:
    return {
        "problem": json.dumps(ts.problem_to_tables(problem)),
        "conventions": internal.CONVENTIONS,
        "seed": plan.seed,
        "versions": json.dumps(ts.versions()),
        "command": f"figures.atlas.{part}_data(quick={quick})",
    }
