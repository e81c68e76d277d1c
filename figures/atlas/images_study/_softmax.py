"""Ten digits at every width and budget: what the order of easy and hard samples is worth in plain classification."""

import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from teacher_student import internal

from ._digits import TenDigits, ten_digits
from ._plan import NOISE, ORDERS, Plan, plan_of
from ._points import point
from ._train import trained

SECONDS = 4e-6, 6e-8  # of one core, about: for an image and an order, and for each unit more
COMPILING = 5.0  # for each width and budget


def softmax_data(
    directory: str | Path,
    *,
    quick: bool = False,
    seed: int = Plan.seed,
    say: Callable[[str], object] = print,
) -> xr.Dataset:
    """Compute what the order of easy and hard samples is worth in a classification of ten digits.

    One hidden layer of relu units and a softmax, plain SGD. A finished point is a file in the folder softmax.

    Arguments: directory, quick, seed, say: as in `images_data`.
    Returns a Dataset over width, budget (passes over the images), order and run: `softmax`, the accuracy on held-out
    images with hard noise. NaN beyond the runs of a width. Raises InputError where the digits are not installed.
    """
    plan, folder = plan_of(quick, seed), internal.as_path(directory) / "softmax"
    sizes = plan.softmax
    say(f"figure images, ten digits: {_cost(plan)} (Ctrl-C: goes on from there)")
    digits = cache(lambda: ten_digits(plan))
    names = [f"softmax-{K}-{budget:g}" for K, budget in itertools.product(sizes.runs, sizes.budgets)]
    rows = []
    for K in sizes.runs:
        columns = []
        for budget in sizes.budgets:

            def compute(K: int = K, budget: float = budget) -> xr.Dataset:
                say(f"softmax: {sizes.runs[K]} runs of K = {K}, {budget:g} passes")
                return classified(plan, digits(), K, budget)

            columns.append(point(folder, f"softmax-{K}-{budget:g}", _settings(plan, K, budget), compute, names))
        rows.append(xr.concat(columns, xr.DataArray(list(sizes.budgets), dims="budget", name="budget"), join="outer"))
    width = xr.DataArray(list(sizes.runs), dims="width", name="width")
    return xr.concat(rows, width, join="outer", combine_attrs="drop").assign_attrs(title="ten digits and width")


def classified(plan: Plan, digits: TenDigits, width: int, budget: float) -> xr.Dataset:
    """Return the accuracy of every run (order, run), all orders on the same start, images and noise."""
    runs = range(plan.softmax.runs[width])
    number = plan.softmax.budgets.index(budget)
    accuracy = []
    for run in runs:
        start = plan.key("softmax", width, run)  # a start is kept over the budgets, samples are not
        keys = [start, *jax.random.split(jax.random.fold_in(start, 1 + number))]
        accuracy.append(trained(digits, plan.softmax, width, budget, keys))
    return xr.Dataset({"softmax": (("order", "run"), np.array(accuracy).T)}, {"order": list(ORDERS), "run": runs})


def _settings(plan: Plan, width: int, budget: float) -> dict[str, Any]:
    """Return all that the numbers of a point depend on."""
    sizes = plan.softmax
    place = {"part": "softmax", "width": width, "budget": budget, "number": sizes.budgets.index(budget)}
    numbers = {"runs": sizes.runs[width], "batch": sizes.batch, "rate": sizes.rate, "tests": sizes.tests}
    return {**place, **numbers, "seed": plan.seed, "noise": NOISE}


def _cost(plan: Plan) -> str:
    """Return the sizes and, from the seconds of an image, the minutes."""
    sizes = plan.softmax
    shown = len(ORDERS) * 4000 * sum(sizes.budgets)
    seconds = COMPILING * len(sizes.runs) * len(sizes.budgets)
    seconds += sum(runs * shown * (SECONDS[0] + SECONDS[1] * K) for K, runs in sizes.runs.items())
    return f"{', '.join(f'{runs} runs of K = {K}' for K, runs in sizes.runs.items())}; about {seconds / 60:.2g} min"
