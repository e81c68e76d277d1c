"""`figures.check_protocol`: is an optimal protocol better than others in simulations, by as much as theory says?"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from scipy import optimize, stats

import ode
import simulations
import teacher_student as ts
from teacher_student import internal
from teacher_student.internal import Usual

from ._judged import Judged
from ._predicted import Predicted, predict, solved_cost
from ._protocol_check import CONFIRMED, CONTRADICTED, UNSEEN, MeasuredGain, ProtocolCheck

OPTIMUM, GIVEN = "optimum", "as given"
FEWEST_RUNS = 3
SEEN = 0.9  # the chance with which the smallest visible gain is seen
ROUNDING = 1e-7  # of a cost: weights in float32 say no more of a difference


def check_protocol(
    best: ode.protocols.Optimum,
    dim: int,
    runs: int,
    key: Any = 0,
    *,
    finite_size: bool | None = None,
    significance: float = Usual.significance,
    distribution: Any = "gaussian",
    precision: str | None = None,
    test_samples: int = Usual.test_samples,
    workers: int | None = None,
    devices: int | None = None,
    progress: bool = True,
) -> ProtocolCheck:
    r"""Simulate SGD under an optimal protocol and under others on the same samples, and compare their costs run by run.

      gain over a protocol = J(protocol) - J(optimum),      measured: mean over runs r of J_r(protocol) - J_r(optimum)

    The others are the named orders of the optimum, each with its own best numbers where numbers are controls; where it
    has none, the problem as it was given. Costs are those of the runs' overlaps, without the noise of test inputs,
    judged by the problem as it was given. Switches are moved to whole steps of 1/N, in theory and simulation alike.

    A gain is "confirmed" where its interval has the predicted gain inside and 0 outside, and the prediction is no
    smaller than what these runs can see. It is "contradicted" where the prediction is outside. Else it is "too small to
    see with these runs", and nothing finer is claimed. The intervals of all gains hold together (Bonferroni).

    Arguments:
      best: what `ode.optimize` returned. dim: the dimension N. runs: of each protocol, at least 3.
      key: a seed or JAX key.
      finite_size: whether predictions have their 1/N term (`ode.fluctuations`). None: where averages are a formula.
      significance: chance of "contradicted" for any of the gains where theory is right. Intervals hold with 1 minus it.
      distribution, precision, test_samples, workers, devices, progress: as in `simulations.run_many`. Errors that are
        measured on test samples are for the agreement of the optimum's theory with its simulation only.
    Returns a ProtocolCheck. Raises InputError before computing, for too few runs and for what cannot be simulated.
    Source: Mignacco & Mori 2025 (curricula); common random numbers: Law & Kelton 2000.

    Example:
      >>> import ode
      >>> import teacher_student as ts
      >>> task = ts.Committee(ts.Inputs({"all": 1.0}), width=1, noise=0.3)
      >>> problem = ts.Problem(task, ts.Student(1), ts.SGD(1.5), ts.Curriculum.single("all", 2.0))
      >>> start = ts.random_overlaps(problem, dim=200, key=0)
      >>> rate = ode.protocols.Number("sgd.learning_rate", bounds=(0.1, 3.0))
      >>> best = ode.optimize(problem, start, rate, ode.protocols.Final("all"), starts=0)
      >>> check = best.check(dim=200, runs=20, key=1)
      >>> [gain.name for gain in check.gains], check.paired
      (['as given'], True)
    """
    internal.refuse_fork()
    if not isinstance(best, ode.protocols.Optimum):
        raise ts.InputError("what ode.optimize returned", type(best).__name__)
    if internal.as_count(runs, "number of runs") < FEWEST_RUNS:
        raise ts.InputError(f"at least {FEWEST_RUNS} runs of each protocol, for an interval", runs)
    if not internal.is_number(significance) or not 0 < significance < 1:
        raise ts.InputError("a significance between 0 and 1", repr(significance))
    internal.as_count(dim, "dimension N")
    problems, stated, notes = _protocols(best)
    realised = {name: internal.in_whole_steps(problem, dim) for name, problem in problems.items()}
    judged = Judged.of(best.criterion, best.given)
    options = {
        "start": best.start,
        "distribution": distribution,
        "precision": precision,
        "test_samples": test_samples,
        "workers": workers,
        "devices": devices,
        "progress": progress,
    }
    trajectories, why_unpaired = _simulate(realised, dim, runs, judged.alphas, key, options)
    if why_unpaired:
        notes.append(f"protocols see samples of their own: {why_unpaired}")
    alphas = np.asarray(trajectories[OPTIMUM].alphas)
    costs = {name: judged.values(runs_.overlaps, alphas) for name, runs_ in trajectories.items()}
    theory = {name: predict(judged, one, best.start, alphas, dim, finite_size) for name, one in realised.items()}
    notes += [f"{name}: no 1/N term in the prediction, as {one.why}" for name, one in theory.items() if one.why]
    expected = _expected_costs(judged, best, problems, stated, theory)
    gains = _gains(costs, stated, expected, theory, significance)
    notes += _notes_on_divergence(costs)
    agreement = simulations.agreement(theory[OPTIMUM].trajectory, trajectories[OPTIMUM], significance=significance)
    return ProtocolCheck(
        best.criterion.name,
        int(dim),
        int(runs),
        significance,
        gains,
        agreement,
        costs,
        trajectories,
        not why_unpaired,
        all(one.finite for one in theory.values()),
        tuple(notes),
    )


def _protocols(best: ode.protocols.Optimum) -> tuple[dict[str, ts.Problem], dict[str, float], list[str]]:
    """Return the problem and the stated cost of each protocol, the optimum first, and what was left out."""
    problems, stated, notes = {OPTIMUM: best.problem}, {OPTIMUM: best.cost}, []
    for name, named in best.named.items():
        cost = named.cost if named.tuned is None else named.tuned
        if not np.isfinite(cost):
            notes.append(f"{name} is left out: its theory diverges")
            continue
        problems[name], stated[name] = named.problem, float(cost)
    if len(problems) == 1:
        problems[GIVEN], stated[GIVEN] = best.given, float("nan")
    return problems, stated, notes


def _simulate(
    problems: Mapping[str, ts.Problem], dim: int, runs: int, alphas: np.ndarray, key: Any, options: dict[str, Any]
) -> tuple[dict[str, ts.Trajectory], str]:
    """Return the simulation of each protocol, on the same samples if that can be; and why not, if it cannot."""
    try:
        same = internal.with_one_structure(list(problems.values()))
    except ts.InputError as error:
        keys = jax.random.split(internal.as_key(key), len(problems))
        found = [
            simulations.run(problem, dim, runs, alphas, own, **options)
            for problem, own in zip(problems.values(), keys, strict=True)
        ]
        return dict(zip(problems, found, strict=True)), str(error)
    found = simulations.run_many(same, dim, runs, alphas, key, **options)
    # Phases that last no time are no part of what was simulated: theory is asked about the protocol itself.
    pairs = zip(problems.items(), found, strict=True)
    return {name: dataclasses.replace(runs_, problem=problem) for (name, problem), runs_ in pairs}, ""


def _expected_costs(
    judged: Judged,
    best: ode.protocols.Optimum,
    problems: Mapping[str, ts.Problem],
    stated: dict[str, float],
    theory: Mapping[str, Predicted],
) -> dict[str, float]:
    """Return the mean cost that runs should have: what the Optimum states, corrected for N and the recorded alphas.

    Where averages are sampled, what it states has the error of a search's few points, and theory stands alone.
    """
    expected = {}
    for name, problem in problems.items():
        exact = ode.missing_closed_form(problem) is None and judged.points is None
        if not exact and np.isfinite(stated[name]):
            expected[name] = theory[name].cost
            continue
        limit = solved_cost(judged, problem, best.start)
        stated[name] = stated[name] if np.isfinite(stated[name]) else limit
        expected[name] = stated[name] - limit + theory[name].cost
    return expected


def _gains(
    costs: Mapping[str, np.ndarray],
    stated: Mapping[str, float],
    expected: Mapping[str, float],
    theory: Mapping[str, Predicted],
    significance: float,
) -> tuple[MeasuredGain, ...]:
    others = [name for name in costs if name != OPTIMUM]
    return tuple(
        _gain(
            name,
            costs[name] - costs[OPTIMUM],
            stated[name] - stated[OPTIMUM],
            expected[name] - expected[OPTIMUM],
            float(np.hypot(theory[name].error, theory[OPTIMUM].error)),
            significance / len(others),
            ROUNDING * abs(stated[OPTIMUM]),
        )
        for name in others
    )


def _gain(
    name: str, differences: np.ndarray, stated: float, predicted: float, error: float, level: float, rounding: float
) -> MeasuredGain:
    """Return the gain with its verdict. Arguments: differences: (R,) of costs. level: chance of a false alarm."""
    kept = differences[np.isfinite(differences)]
    if kept.size < FEWEST_RUNS:
        nan = float("nan")
        return MeasuredGain(name, stated, predicted, error, nan, nan, nan, nan, nan, CONTRADICTED)
    mean = float(kept.mean())
    standard_error = float(max(kept.std(ddof=1) / np.sqrt(kept.size), rounding))
    quantile = float(stats.t.isf(level / 2, kept.size - 1))
    reach = quantile * standard_error
    visible = _visible(quantile, kept.size - 1) * standard_error
    verdict = _verdict(mean, reach, predicted, quantile * error, visible)
    return MeasuredGain(
        name, stated, predicted, error, mean, standard_error, mean - reach, mean + reach, visible, verdict
    )


@functools.cache
def _visible(quantile: float, freedom: int) -> float:
    """Return the gain, in standard errors, of which Student's t passes the quantile with the chance SEEN."""
    highest = 3 * quantile + 10
    return float(optimize.brentq(lambda gain: stats.nct.sf(quantile, freedom, gain) - SEEN, 0.0, highest))


def _verdict(measured: float, reach: float, predicted: float, slack: float, visible: float) -> str:
    if abs(measured - predicted) > np.hypot(reach, slack):
        return CONTRADICTED
    if abs(predicted) < visible or abs(measured) <= reach or measured * predicted <= 0:
        return UNSEEN
    return CONFIRMED


def _notes_on_divergence(costs: Mapping[str, np.ndarray]) -> list[str]:
    lost = {name: int(np.sum(~np.isfinite(each))) for name, each in costs.items()}
    return [
        f"{count} of {costs[name].size} runs of {name} diverged and are left out"
        for name, count in lost.items()
        if count
    ]
