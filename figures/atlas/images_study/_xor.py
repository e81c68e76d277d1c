"""The XOR of digits at every width and budget: SGD on images in each order, and theory from the starts of its runs."""

import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

import ode
import simulations
from teacher_student import internal

from ._digits import Pairs, pairs_of
from ._plan import NOISE, ORDERS, RATE, Plan, plan_of, problem_of
from ._points import point

PARTS = ("sgd", "theory")
# Seconds of one core, about: of a sample of N = 800 and for each unit more; of theory for each unit and alpha; of
# compiling for each width.
SAMPLE, THEORY, COMPILING = (6e-6, 2e-7), 6e-4, 35.0


def images_data(
    directory: str | Path,
    *,
    quick: bool = False,
    seed: int = Plan.seed,
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> xr.Dataset:
    """Compute what the order of easy and hard samples is worth to students of each width, on an XOR of images.

    A finished point is a file in the folder xor of `directory`: after Ctrl-C the same call goes on from there.

    Arguments: directory: of the figure. quick: two widths and few runs. seed: all random numbers follow from it.
      progress: whether to show bars. say: is told the cost.
    Returns a Dataset over width, budget, order and run of accuracies on hard samples: `images`, of SGD on the images
    that it learns from; `held_out`, of the same students on others; `theory`, of the mixture fitted to the images, from
    the starts of the same runs. NaN beyond the runs of a width.
    Raises InputError where the digits are not installed.
    """
    plan, folder = plan_of(quick, seed), internal.as_path(directory) / "xor"
    say(f"figure images, XOR of digits: {_cost(plan)} (Ctrl-C: goes on from there)")
    pairs = cache(lambda: pairs_of(plan))  # read when a point is computed, and not if all are there
    names = [f"{part}-{K}-{budget:g}" for K, budget in itertools.product(plan.runs, plan.budgets) for part in PARTS]
    rows = []
    for K in plan.runs:
        columns = []
        for budget in plan.budgets:
            parts = []
            for part in PARTS:
                settings = _settings(plan, part, K, budget)

                def compute(part: str = part, K: int = K, budget: float = budget) -> xr.Dataset:
                    say(f"{part}: {plan.runs[K]} runs of K = {K} to alpha = {budget:g}")
                    if part == "sgd":
                        return simulated(plan, pairs(), K, budget, progress=progress)
                    return predicted(plan, pairs(), K, budget)

                parts.append(point(folder, f"{part}-{K}-{budget:g}", settings, compute, names))
            columns.append(xr.merge(parts, combine_attrs="drop", compat="no_conflicts", join="outer"))
        rows.append(xr.concat(columns, xr.DataArray(list(plan.budgets), dims="budget", name="budget"), join="outer"))
    width = xr.DataArray(list(plan.runs), dims="width", name="width")
    return xr.concat(rows, width, join="outer").assign_attrs(title="images and width")


def simulated(plan: Plan, pairs: Pairs, width: int, budget: float, *, progress: bool = False) -> xr.Dataset:
    """Return SGD's accuracies on hard samples (order, run), all orders on the same starts, images and noise."""
    runs, number = plan.runs[width], plan.budgets.index(budget)
    fit = pairs.fit
    starts = fit.random_weights(width, runs, plan.key("starts", width))
    samples, tests = (plan.key(purpose, width, number) for purpose in ("samples", "test"))
    options: dict[str, Any] = {"start": starts, "data": fit.data, "test_samples": plan.tests}
    images, held_out = [], []
    for order in ORDERS:
        problem = problem_of(fit.task, width, order, budget)
        trained = simulations.run(
            problem, fit.data.dim, runs, [budget], samples, keep="weights", progress=progress, **options
        )
        others = simulations.test(problem, trained.weights, plan.tests, tests, data=pairs.held_out)
        images.append(trained.accuracy["hard"][:, -1])
        held_out.append(others.accuracy["hard"])
    dims = ("order", "run")
    return xr.Dataset({"images": (dims, np.array(images)), "held_out": (dims, np.array(held_out))}, _coords(runs))


def predicted(plan: Plan, pairs: Pairs, width: int, budget: float) -> xr.Dataset:
    """Return theory's accuracy on hard samples (order, run), each from the start of a run of SGD."""
    runs = plan.runs[width]
    fit = pairs.fit
    starts = fit.random_weights(width, runs, plan.key("starts", width))
    problems = [problem_of(fit.task, width, order, budget) for order in ORDERS]
    found = np.empty((len(ORDERS), runs))
    for run in range(runs):
        # Points of its own for every run: standard errors over runs then hold the error of the averages too.
        key = plan.key("theory", width, run)
        averages = ode.Sampled(plan.points, 1, key)
        start = [fit.overlaps(starts, run)] * len(problems)
        solved = ode.solve_many(problems, start, [budget], averages=averages, rtol=1e-3, atol=1e-4)
        # An accuracy over few points is rough, so that more of them see the last state.
        seen = jax.tree.map(lambda x: x[0], ode.Sampled(plan.observed, 1, jax.random.fold_in(key, 1)).draw(problems[0]))
        found[:, run] = [
            ode.observe(problem, solution.overlaps, seen).accuracy["hard"][-1]
            for problem, solution in zip(problems, solved, strict=True)
        ]
    return xr.Dataset({"theory": (("order", "run"), found)}, _coords(runs))


def _coords(runs: int) -> dict[str, Any]:
    return {"order": list(ORDERS), "run": range(runs)}


def _settings(plan: Plan, part: str, width: int, budget: float) -> dict[str, Any]:
    """Return all that the numbers of a point depend on."""
    sizes = {"tests": plan.tests} if part == "sgd" else {"points": plan.points, "observed": plan.observed}
    place = {"part": part, "width": width, "budget": budget, "number": plan.budgets.index(budget)}
    return {**place, "runs": plan.runs[width], "seed": plan.seed, "rate": RATE, "noise": NOISE, **sizes}


def _cost(plan: Plan) -> str:
    """Return the sizes and, from the seconds of a run, the minutes."""
    alphas = len(ORDERS) * sum(plan.budgets)
    # Two tests of two levels in every order.
    samples = 800 * alphas + 4 * len(ORDERS) * len(plan.budgets) * plan.tests
    seconds = sum(
        COMPILING + runs * (samples * (SAMPLE[0] + SAMPLE[1] * K) + alphas * THEORY * K)
        for K, runs in plan.runs.items()
    )
    sizes = ", ".join(f"{runs} runs of K = {K}" for K, runs in plan.runs.items())
    return f"{sizes}, and theory of each; about {seconds / 120:.2g} min on two cores"
