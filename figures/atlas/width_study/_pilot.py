"""The pilot: how long each width takes to learn, and which rate is the best for it, on starts of its own."""

import itertools
from typing import Any

import numpy as np
import xarray as xr

from ._plan import CONVENTIONS, EASINESS, RATE, RATES, TUNED_AT, Plan, base_tables, case_tables


def pilot_tables(plan: Plan, width: int) -> dict[str, Any]:
    """Return a sweep of the mixed order over starts, cases and rates that keeps the whole curves of accuracy."""
    choices = {
        f"{convention}, {easiness}, {rate:g}": case_tables(convention, easiness, rate, "mixed", plan.longest)
        for convention, easiness, rate in itertools.product(CONVENTIONS, EASINESS, RATES)
    }
    first = plan.first_seed + 500_000
    return {
        **base_tables(width, plan.points[width]),
        "record": {"count": 96},
        "measures": {"keep": ["accuracy"], "trajectories": True},
        "axes": {
            "start": {"seed": {"from": first, "to": first + plan.pilot[width] - 1}},
            "case": {"choices": choices},
        },
        "sweep": {"tile": len(choices)},
    }


def pilot_results(pilot: xr.Dataset) -> xr.Dataset:
    """Return learning times and best rates (convention, easiness) of one width.

    The learning time is the alpha at which the mean accuracy on hard samples has gone half of its way from 1/2 to its
    last value. Half of the way to what it reaches, and not to Bayes' accuracy: some narrow students never come near it.
    Where it ends below 1/2 it is the alpha of the end.
    The best rate is that of the highest mean accuracy at the alpha `TUNED_AT`.
    """
    shape = len(CONVENTIONS), len(EASINESS), len(RATES)
    paths = pilot["accuracy_path"].isel(engine=0).sel(level="hard").mean("start")
    curves = paths.transpose("case", "record").values.reshape(*shape, -1)
    alphas = pilot["alpha"].isel(engine=0, start=0, case=0).values
    usual = curves[:, :, RATES.index(RATE)]
    half = (0.5 + usual[..., -1:]) / 2
    first = np.argmax(usual >= half, axis=-1)
    # Where nothing has been learnt at the end, the half way lies below the start: the time is longer than the pilot.
    times = np.where((usual[..., -1] > 0.5) & (first > 0), alphas[first], alphas[-1])
    tuned = curves[..., np.argmin(np.abs(alphas - TUNED_AT))]
    dims = ("convention", "easiness")
    return xr.Dataset(
        {"learning_time": (dims, times), "own_rate": (dims, np.array(RATES)[np.argmax(tuned, axis=-1)])},
        {"convention": list(CONVENTIONS), "easiness": list(EASINESS)},
    )
