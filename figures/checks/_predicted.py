"""The cost of a protocol by theory: in the limit of large N, and on average over runs of a finite N."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

import ode
import teacher_student as ts

from ._judged import Judged

DRAWS = 512  # of the fluctuations of a run, for costs that are no linear function of errors; each with its opposite
THEORY = 1025  # alphas of a solve, for a cost that looks at all times


@dataclasses.dataclass(frozen=True)
class Predicted:
    """What theory says of one protocol.

    Fields: trajectory: at the recorded alphas, of `ode.fluctuations` where it has them. cost: the mean over runs at N,
    or its limit for large N where `finite` is False. error: its standard error from sampled averages, or 0. limit: the
    limit at the recorded alphas. why: why there is no 1/N term, or "".
    """

    trajectory: ts.Trajectory
    cost: float
    error: float
    limit: float
    finite: bool
    why: str


def predict(
    judged: Judged, problem: ts.Problem, start: ts.Overlaps, alphas: np.ndarray, dim: int, wanted: Any
) -> Predicted:
    """Return the prediction for runs of `problem` that are recorded at `alphas`.

    Arguments: wanted: whether the 1/N term is (True, False, or None: where averages have a closed form).
    """
    trajectory, why = _theory(judged, problem, start, alphas, dim, wanted)
    limit = limit_of(judged, trajectory)
    cost, error = limit, _sampling_error(judged, trajectory)
    if not why:
        why = _without_term(judged, trajectory, dim)
    if not why:
        cost = _mean_at(judged, trajectory, dim)
    return Predicted(trajectory, cost, error, limit, not why, why)


def solved_cost(judged: Judged, problem: ts.Problem, start: ts.Overlaps) -> float:
    """Return the cost of a protocol in the limit of large N, at all times that it looks at."""
    alphas = np.linspace(0.0, judged.end, THEORY) if judged.at_all_times else judged.cost.alphas(judged.end)
    with_accuracy = judged.cost.with_accuracy or None
    return limit_of(judged, ode.solve(problem, start, alphas, with_accuracy=with_accuracy, **_tolerances(problem)))


def limit_of(judged: Judged, trajectory: ts.Trajectory) -> float:
    """Return the cost of a theory's trajectory; NaN where it diverges."""
    overlaps = jax.tree.map(lambda x: np.asarray(x)[None], trajectory.overlaps)
    return float(judged.values(overlaps, np.asarray(trajectory.alphas))[0])


def _tolerances(problem: ts.Problem) -> dict[str, Any]:
    """Return tolerances below any difference that simulations see, where steps are not limited by sampled averages."""
    return {"rtol": 1e-8, "atol": 1e-10} if ode.missing_closed_form(problem) is None else {}


def _theory(
    judged: Judged, problem: ts.Problem, start: ts.Overlaps, alphas: np.ndarray, dim: int, wanted: Any
) -> tuple[ts.Trajectory, str]:
    options: dict[str, Any] = {"with_accuracy": judged.cost.with_accuracy or None, **_tolerances(problem)}
    why = "its averages have no closed form"
    if wanted or (wanted is None and ode.missing_closed_form(problem) is None):
        try:
            return ode.fluctuations(problem, start, alphas, **options), ""
        except ts.InputError as error:
            if wanted:
                raise
            why = str(error).splitlines()[0]
    elif wanted is not None:
        why = "it was not asked for"
    return ode.solve(problem, start, alphas, **options), why


def _without_term(judged: Judged, trajectory: ts.Trajectory, dim: int) -> str:
    """Return why there is no 1/N term at N = `dim`, or "" where there is one."""
    fluctuations = trajectory.fluctuations
    assert fluctuations is not None  # without fluctuations the reason is known
    if dim < fluctuations.smallest_dim:
        return f"N is below the number of overlaps, {fluctuations.smallest_dim}"
    if (end := trajectory.breakdown(dim)) is not None:
        return f"the expansion in 1/N ends: {end.text}"
    if isinstance(judged.cost, ode.protocols.Own):
        return "it is not known of a function of one's own"
    if not _same_task(trajectory.problem, judged.problem):
        return "protocols change the inputs by which they are not judged"
    return ""


def _same_task(problem: ts.Problem, judge: ts.Problem) -> bool:
    return not problem.task_schedules and bool(problem.task == judge.task)


def _mean_at(judged: Judged, trajectory: ts.Trajectory, dim: int) -> float:
    """Return the mean cost over runs at N = `dim`, to order 1/N."""
    fluctuations = trajectory.fluctuations
    assert fluctuations is not None
    cost, problem = judged.cost, trajectory.problem
    sign = -1.0 if cost.of == "accuracy" else 1.0
    alphas = np.asarray(trajectory.alphas)
    shift = getattr(fluctuations.mean_shift(dim), cost.of)
    moved = sign * sum(weight * np.asarray(shift[level]) for level, weight in cost.weights.items() if weight)
    overlaps = jax.tree.map(lambda x: np.asarray(x)[None], trajectory.overlaps)
    series = judged.series(overlaps, alphas) + moved
    if judged.is_linear:
        kept = np.arange(alphas.size) if judged.at_all_times else judged.looks_at(alphas)
        return float(judged.of_series(series[:, kept], alphas[kept])[0])
    covariance = _covariance_of_mixture(fluctuations, problem, cost) / dim
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = np.random.default_rng(0).normal(size=(DRAWS, alphas.size)) @ root.T
    # With its opposite beside it, a draw leaves the linear part of the cost as it is.
    runs = np.maximum(series + np.concatenate([drawn, -drawn]), 1e-300)
    return float(np.mean(judged.of_series(runs, alphas)))


def _covariance_of_mixture(fluctuations: ts.Fluctuations, problem: ts.Problem, cost: Any) -> np.ndarray:
    """Return N times the covariance (A, A) of the mixture's error, or accuracy, between all alphas."""
    levels = problem.inputs.level_names
    n = len(ts.entry_names(problem))
    first = n + (len(levels) if cost.of == "accuracy" else 0)
    joint, _ = fluctuations.joint_covariance()
    weights = np.array([cost.weights.get(level, 0.0) for level in levels])
    part = slice(first, first + len(levels))
    return np.asarray(np.einsum("i,aibj,j->ab", weights, joint[:, part][:, :, :, part], weights))


def _sampling_error(judged: Judged, trajectory: ts.Trajectory) -> float:
    """Return the standard error of the cost from the scramblings of sampled averages; 0 where all are exact."""
    scatter = trajectory.scatter
    if scatter is None or isinstance(judged.cost, ode.protocols.Own):
        return 0.0
    rows = getattr(scatter, judged.cost.of)
    if not all(level in rows for level in judged.cost.weights):
        return 0.0
    moved = sum(weight * np.asarray(rows[level]) for level, weight in judged.cost.weights.items() if weight)
    overlaps = jax.tree.map(lambda x: np.asarray(x)[None], trajectory.overlaps)
    alphas = np.asarray(trajectory.alphas)
    series = judged.series(overlaps, alphas) + (-1.0 if judged.cost.of == "accuracy" else 1.0) * moved
    kept = np.arange(alphas.size) if judged.at_all_times else judged.looks_at(alphas)
    each = judged.of_series(series[:, kept], alphas[kept])
    return float(np.std(each, ddof=1) / np.sqrt(each.size)) if each.size > 1 else 0.0
