"""The stores of all widths as one data set: accuracies, success and times of every start, with what the starts drew."""

import json
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import teacher_student as ts

from ...experiment import SharedStarts, read_file
from ._cases import cases_of, thresholds
from ._plan import CLOCKS, CONVENTIONS, EASINESS, ORDERS, RATE, RATES, SCALE, Plan, base_tables, case_tables

KEPT = ("accuracy_hard", "accuracy_easy", "solved", "learnt")
Width = tuple[xr.Dataset, xr.Dataset, int]  # the pilot's results, the sweep, and the starts that were needed


def budgets() -> list[tuple[str, float]]:
    """Return all (clock, number) in their order."""
    return [(clock, number) for clock, numbers in CLOCKS.items() for number in numbers]


def assembled(plan: Plan, widths: Mapping[int, Width]) -> xr.Dataset:
    """Return the data of all widths over (width, convention, easiness, budget, order, start); NaN beyond its starts."""
    dims = ("width", "convention", "easiness", "budget", "order", "start")
    starts = max(sweep.sizes["start"] for _, sweep, _ in widths.values())
    columns = budgets()
    shape = (len(widths), len(CONVENTIONS), len(EASINESS), len(columns), len(ORDERS), starts)
    values = {name: np.full(shape, np.nan, np.float32) for name in KEPT}
    alphas = np.full(shape[:4], np.nan)
    coupons = np.full((len(widths), len(CONVENTIONS), starts), np.nan, np.float32)
    places: dict[str, list[str]] = {"convention": list(CONVENTIONS), "easiness": list(EASINESS), "order": list(ORDERS)}
    for w, (width, (results, sweep, _)) in enumerate(widths.items()):
        number = sweep.sizes["start"]
        for case in cases_of(results):
            at = tuple(places[name].index(getattr(case, name)) for name in ("convention", "easiness"))
            column = columns.index((case.clock, case.number))
            place: Any = (w, *at, column, places["order"].index(case.order), slice(number))
            for name, kept in _kept(sweep.isel(engine=0).sel(case=case.name), at[1]).items():
                values[name][place] = kept
            alphas[w, *at, column] = case.budget
        for c, convention in enumerate(CONVENTIONS):
            coupons[w, c, :number] = all_coupons(plan, width, convention, number)
    _share_own_rates(values, alphas, columns)
    coords: dict[str, Any] = {
        "width": list(widths),
        **places,
        "clock": ("budget", [clock for clock, _ in columns]),
        "number": ("budget", [number for _, number in columns]),
    }
    parts: dict[str, Any] = {name: (dims, kept) for name, kept in values.items()}
    parts |= {"alpha": (dims[:4], alphas), "coupons": (("width", "convention", "start"), coupons)}
    pilots = xr.concat([results for results, _, _ in widths.values()], "width", coords="minimal", compat="override")
    counts = {
        "starts": ("width", [_finished(sweep) for _, sweep, _ in widths.values()]),
        "needed_starts": ("width", [needed for *_, needed in widths.values()]),
    }
    data = xr.Dataset(parts, coords).assign({name: pilots[name] for name in pilots.data_vars}).assign(counts)
    return data.assign_attrs(_attrs(plan))


def _finished(sweep: xr.Dataset) -> int:
    """Return the number of starts of which every case has its numbers."""
    found = sweep["accuracy"].isel(engine=0).sel(level="hard").notnull().all("case")
    return int(found.sum())


def _kept(cell: xr.Dataset, easiness: int) -> dict[str, np.ndarray]:
    """Return what is kept of one case, for all starts; the time to learn is infinite where it did not."""
    hard, easy = cell.sel(level="hard"), cell.sel(level="easy")
    times = cell[f"time_to_learnt_{easiness}"].values
    finished = np.isfinite(hard["accuracy"].values)
    learnt = np.where(finished & ~np.isfinite(times), np.inf, times)
    parts = (hard["accuracy"].values, easy["accuracy"].values, hard["solved"].values, learnt)
    return dict(zip(KEPT, parts, strict=True))


def _share_own_rates(values: dict[str, np.ndarray], alphas: np.ndarray, columns: list[tuple[str, float]]) -> None:
    """Where a width's own rate is the usual one, its budgets are those in samples / N: write them there too."""
    for column, (clock, number) in enumerate(columns):
        if clock == "alpha, own rate":
            usual = columns.index(("alpha", number))
            lacking = np.isnan(alphas[:, :, :, column])
            alphas[:, :, :, column][lacking] = alphas[:, :, :, usual][lacking]
            for kept in values.values():
                kept[:, :, :, column][lacking] = kept[:, :, :, usual][lacking]


def all_coupons(plan: Plan, width: int, convention: str, starts: int) -> np.ndarray:
    """Return for each start whether it has, for every mean, a unit that answers to it with the right sign.

    Unit k answers to mean c if its field there is positive, sum_b R^b_k.a_c > 0, and it votes rightly if v_k y_c > 0:
    relu is 0 elsewhere. With random signs this is the coupon collector's event, of probability `ts.coupon_law(K)`.
    """
    base = base_tables(width, plan.points[width])
    case = case_tables(convention, next(iter(EASINESS)), RATE, "mixed", 1.0)
    tables = {**base, **case} | {name: {**base[name], **case[name]} for name in ("task", "start")}
    problem, draw = ts.problem_from_tables(tables), SharedStarts()
    drawn = [draw(read_file({**tables, "seed": plan.first_seed + number}), problem) for number in range(starts)]
    R, readout = (np.stack([np.asarray(getattr(start, name)) for start in drawn]) for name in ("R", "readout"))
    means = np.asarray(problem.task.cluster_means)[0]
    fields = np.einsum("skm,cm->skc", R.sum(axis=1), means)
    with jax.enable_x64(True):
        labels = np.asarray(problem.task.clean_label(jnp.asarray(means), jnp.arange(len(means))))
    answers = (fields > 0) & (readout[:, :, None] * labels > 0)
    result: np.ndarray = answers.any(axis=1).all(axis=-1)
    return result


def _attrs(plan: Plan) -> dict[str, Any]:
    settings = {"seed": plan.seed, "rate": RATE, "rates": RATES, "start_scale": SCALE, "levels": EASINESS}
    settings |= {"points": {str(width): points for width, points in plan.points.items()}, "learnt_at": thresholds()}
    return {"title": "width and curriculum", "settings": json.dumps(settings)}
