"""The numbers of the study in words, with intervals."""

import itertools
import json
from collections.abc import Iterator

import numpy as np
import xarray as xr

import teacher_student as ts

from .._foreign_data import takes_data_of
from .._width_contrasts import FAMILY, POWER, QUESTIONS
from ._contrasts import FIRSTS, MEASURES, Statement, gains, in_words, statements
from ._plan import EFFECT
from ._sgd_summary import compared
from ._why import collapse, tickets


@takes_data_of("width")
def width_text(dataset: xr.Dataset, sgd: xr.Dataset) -> str:
    """Write what the orders are worth to narrow and to wide students, with intervals and verdicts, as text.

    Arguments: dataset: of `width_data`. sgd: the same gains by full-weight SGD, of the same figure.
    """
    parts = [_setting(dataset), *(_verdicts(dataset, measure) for measure in MEASURES), _points(dataset)]
    return "\n\n".join([*parts, _collapses(dataset), _tickets(dataset), _sgd(dataset, sgd)])


def _setting(dataset: xr.Dataset) -> str:
    rows = []
    for width in dataset["width"].values.tolist():
        of_width = dataset.sel(width=width)
        drawn = "; ".join(
            f"{float(of_width['coupons'].sel(convention=name).mean('start')):.3f}"
            for name in dataset["convention"].values.tolist()
        )
        needed = f"a gain of {EFFECT} at one point is seen in nine of ten studies with {int(of_width['needed_starts'])}"
        rows.append(
            f"K = {width}: {int(of_width['starts'])} starts ({needed}); all four coupons drawn: {drawn} "
            f"(law {float(ts.coupon_law(width)):.3f})"
        )
    for convention, easiness in _kinds(dataset):
        kind = dataset.sel(convention=convention, easiness=easiness)
        pairs = zip(
            dataset["width"].values.tolist(), kind["learning_time"].values, kind["own_rate"].values, strict=True
        )
        rows.append(
            f"{convention}, easy {easiness}: learning time (own rate) "
            + "  ".join(f"K={width} {time:g} ({rate:g})" for width, time, rate in pairs)
        )
    learnt = json.loads(dataset.attrs["settings"])["learnt_at"]
    rows.append(
        "learnt: an accuracy on hard samples of " + ", ".join(f"{p:.3f} ({name})" for name, p in learnt.items())
    )
    return "\n".join(rows)


def _kinds(dataset: xr.Dataset) -> Iterator[tuple[str, str]]:
    yield from itertools.product(dataset["convention"].values.tolist(), dataset["easiness"].values.tolist())


def _verdicts(dataset: xr.Dataset, measure: str) -> str:
    found = statements(dataset, measure)
    rows = [
        f"{measure} ({MEASURES[measure]}): order minus mixed, mean over the budgets of a clock; {len(found)} "
        f"statements, of which any is false with probability {FAMILY:g} at most (Holm); seen from: a true contrast of "
        f"this size is found with probability {POWER:g}, whatever the others are"
    ]
    for first in range(0, len(found), len(QUESTIONS)):
        family = found[first : first + len(QUESTIONS)]
        one = family[0]
        name = f"{one.order}, {one.convention}, easy {one.easiness}, {one.clock}"
        rows.append(f"  {name}: {in_words(*family)}")
        rows.append("    " + "  ".join(_numbers(statement) for statement in family))
    return "\n".join(rows)


def _numbers(statement: Statement) -> str:
    seen = f", seen from {statement.seen_from:.4f} on" if not statement.sign else ""
    return f"{statement.question} {statement.value:+.4f} +- {statement.se:.4f} (p = {statement.adjusted:.2g}{seen})"


def _points(dataset: xr.Dataset) -> str:
    rows = ["accuracy on hard samples at every point: order minus mixed, mean +- standard error"]
    widths = dataset["width"].values.tolist()
    for order in FIRSTS:
        found = gains(dataset, "accuracy on hard samples", order)
        for convention, easiness in _kinds(dataset):
            for budget in range(dataset.sizes["budget"]):
                point = found.isel(budget=budget).sel(convention=convention, easiness=easiness)
                cells = "  ".join(
                    f"K={width} {value:+.4f} +- {se:.4f}"
                    for width, value, se in zip(widths, point["point"].values, point["point_se"].values, strict=True)
                )
                clock = f"{dataset['clock'].values[budget]} {float(dataset['number'][budget]):g}"
                rows.append(f"  {order}, {convention}, easy {easiness}, {clock}: {cells}")
    return "\n".join(rows)


def _collapses(dataset: xr.Dataset) -> str:
    rows = [
        "do curves meet when budgets are learning times? spread between widths of the gain in accuracy on hard samples "
        "[95 %, bootstrap of starts]"
    ]
    for (convention, easiness), order in itertools.product(_kinds(dataset), FIRSTS):
        found = collapse(dataset, convention, easiness, order)
        parts = (
            f"{name} {_interval(getattr(found, key))}"
            for name, key in (("at equal alpha", "fixed"), ("at equal learning times", "scaled"), ("ratio", "ratio"))
        )
        rows.append(
            f"  {order}, {convention}, easy {easiness}: {', '.join(parts)}; equal for all widths: p = {found.p:.2g}"
        )
    return "\n".join(rows)


def _interval(numbers: tuple[float, float, float]) -> str:
    if np.isnan(numbers[0]):
        return "- (there is no spread)"
    return f"{numbers[0]:.4f} [{numbers[1]:.4f}, {numbers[2]:.4f}]"


def _tickets(dataset: xr.Dataset) -> str:
    rows = ["is the rest a matter of tickets? gain in accuracy on hard samples at two learning times and more"]
    for (convention, easiness), order in itertools.product(_kinds(dataset), FIRSTS):
        found = tickets(dataset, convention, easiness, order)
        widths = ", ".join(map(str, found.widths))
        rows.append(
            f"  {order}, {convention}, easy {easiness}, K = {widths or '-'}: all coupons {_pair(found.drawn)}, not all "
            f"{_pair(found.lacking)}, difference {_pair(found.difference)} (p = {found.difference[2]:.2g}); with all "
            f"coupons, per doubling of K {_pair(found.trend)} (p = {found.trend[2]:.2g})"
        )
    return "\n".join(rows)


def _pair(numbers: tuple[float, ...]) -> str:
    return "-" if np.isnan(numbers[0]) else f"{numbers[0]:+.4f} +- {numbers[1]:.4f}"


def _sgd(dataset: xr.Dataset, sgd: xr.Dataset) -> str:
    rows = ["the same gains by full-weight SGD (z: SGD minus theory, in joint standard errors)"]
    for found in compared(dataset, sgd):
        case = f"{found.order}, {found.convention}, easy {found.easiness}, {found.clock} {found.number:g}"
        size = f"K = {found.width}, N = {found.dim}, {found.runs} runs"
        numbers = f"{found.value:+.4f} +- {found.se:.4f}; theory {found.theory:+.4f} +- {found.theory_se:.4f}"
        rows.append(f"  {case}, {size}: {numbers}; z = {found.z:+.2f}")
    return "\n".join(rows)
