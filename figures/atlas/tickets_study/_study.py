"""Pruning and winning tickets on the XOR mixture: which units does a wide student need, and did its start hold them?"""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

import teacher_student as ts
from teacher_student import internal

from ._plan import (
    ALPHA,
    CANDIDATES,
    CONTRASTS,
    QUICK,
    RANKINGS,
    RETRAINING,
    SAMPLES,
    SCALE,
    SETTINGS,
    SIGNIFICANCE,
    WIDTH,
    Plan,
    xor_problem,
)
from ._simulation import by_simulation
from ._summary import summaries
from ._theory import by_theory


def tickets_data(*, quick: bool = False, seed: int = 0, say: Callable[[str], object] = print) -> xr.Dataset:
    """Compute the accuracies of pruned, retrained and rewound students, by theory and by simulation.

    Students of K = 40 relu units (start scale 0.1, eta = 1, alpha = 100) are pruned to their n strongest units by each
    ranking. Winning tickets: the rows of the START that belong to the survivors, trained alone, against the same
    readouts with re-drawn weights, and against random starts of n units of the same |readout|.

    Arguments: quick: few starts, runs and units kept. seed: all random numbers follow from it. say: is told the cost.
    Returns a Dataset with dims setting, ranking, kept, candidate, engine, start and run; among its variables is whether
    theory and simulation agree.
    """
    plan = dataclasses.replace(QUICK if quick else Plan(), seed=seed)
    say(_cost(plan))
    parts: dict[str, Any] = {}
    theory = [by_theory(plan, rate) for rate in SETTINGS.values()]
    for name in theory[0]:
        dims, _ = theory[0][name]
        parts[name] = (("setting", *dims), np.stack([setting[name][1] for setting in theory]))
    parts |= by_simulation(plan)
    data = xr.Dataset(parts, _coords(plan))
    return data.assign(summaries(data)).assign_attrs(_attrs(plan, quick))


def _cost(plan: Plan) -> str:
    small = plan.starts * len(plan.short) * (len(RANKINGS) + len(CANDIDATES))
    steps = int(ALPHA * plan.dim)
    return (
        f"tickets: {len(SETTINGS) * plan.starts} solves at K = {WIDTH}, {len(SETTINGS) * small} at K = "
        f"{' and '.join(map(str, plan.short))}; {plan.runs} runs at K = {WIDTH} and {plan.runs * len(CANDIDATES)} at "
        f"K = {plan.short[0]}, each {steps:,} steps at N = {plan.dim}"
    )


def _coords(plan: Plan) -> dict[str, Any]:
    return {
        "setting": list(SETTINGS),
        "ranking": list(RANKINGS),
        "kept": list(plan.kept),
        "short": list(plan.short),
        "candidate": list(CANDIDATES),
        "contrast": [f"{ticket} - {control}" for ticket, control in CONTRASTS],
        "engine": ["theory", "simulation"],
        "start": np.arange(plan.starts),
        "run": np.arange(plan.runs),
    }


def _attrs(plan: Plan, quick: bool) -> dict[str, Any]:
    problem = xor_problem(WIDTH)
    return {
        "problem": json.dumps(ts.problem_to_tables(problem)),
        "conventions": internal.CONVENTIONS,
        "readout_learning_rates": json.dumps(SETTINGS),
        "bayes_accuracy": ts.XorMixture({"all": SAMPLES}).bayes_accuracy()["all"],
        "start_scale": SCALE,
        "retraining_alpha": RETRAINING,
        "dim": plan.dim,
        "seed": plan.seed,
        "significance": SIGNIFICANCE,
        "versions": json.dumps(ts.versions()),
        "command": f"figures.atlas.tickets_data(quick={quick}, seed={plan.seed})",
        "short": "units kept where students are retrained (alpha = 10) and rewound (alpha = 100)",
    }
