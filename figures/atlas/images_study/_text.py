"""The numbers of the study in words, with intervals."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from .._foreign_data import takes_data_of
from .._width_contrasts import FAMILY, POWER
from ._contrasts import FIRSTS, POOLS, SHOWN, SOURCES, Family, Statement, accuracies, families, gains, mean_and_error
from ._universality import compared


@takes_data_of("images")
def images_text(xor: xr.Dataset, softmax: xr.Dataset) -> str:
    """Write what the orders are worth to narrow and to wide students of images, with intervals and verdicts, as text.

    Arguments: xor: of `images_data`. softmax: of `softmax_data`.
    """
    found = accuracies(xor, softmax)
    said = families(found)
    parts = [_setting(found), _claims(said), _statements(said), _levels(found), _points(found), _beside(xor)]
    return "\n\n".join(parts)


def _setting(found: dict[str, xr.DataArray]) -> str:
    rows = []
    for source, unit in (("images", "samples / N"), ("softmax", "passes over the images")):
        accuracy = found[source]
        counts = accuracy.isel(budget=0, order=0).notnull().sum("run").values
        runs = ", ".join(f"{int(n)} runs of K = {K}" for K, n in zip(_list(accuracy, "width"), counts, strict=True))
        budgets = ", ".join(f"{budget:g}" for budget in _list(accuracy, "budget"))
        name = SOURCES[source].partition(", ")[0]
        rows.append(f"{name}: {runs}; budgets {budgets} ({unit})")
    return "\n".join(rows)


def _claims(said: list[Family]) -> str:
    rows = ["easy to hard, over all budgets: does it help narrow students, and does its gain shrink with width?"]
    for family in said:
        if family.narrow.order == FIRSTS[0] and family.narrow.pool == POOLS[0]:
            claims = (
                f"{_answer(family.narrow, 1)} (p = {family.narrow.adjusted:.2g})",
                f"{_answer(family.trend, -1)} (p = {family.trend.adjusted:.2g})",
            )
            rows.append(f"  {SOURCES[family.narrow.source]}: {claims[0]}, {claims[1]}")
    return "\n".join(rows)


def _answer(statement: Statement, claimed: int) -> str:
    """Return what the data say of a claim that a contrast has the sign `claimed`."""
    return {claimed: "yes", 0: "not seen", -claimed: "the opposite"}[statement.sign]


def _statements(said: list[Family]) -> str:
    count = sum(len(family.statements) for family in said)
    rows = [
        f"gain over mixed in accuracy on hard samples; {count} statements, of which any is false with probability "
        f"{FAMILY:g} at most (Holm); trend: per doubling of the width"
    ]
    for family in said:
        one = family.narrow
        rows.append(f"  {SOURCES[one.source]}; {one.order}, {one.pool}: {family.words}")
        rows.append("    " + "  ".join(_numbers(statement) for statement in family.statements))
    rows.append(
        f"  (seen from: a true contrast of this size is found with probability {POWER:g}, whatever the others are)"
    )
    return "\n".join(rows)


def _numbers(statement: Statement) -> str:
    seen = f", seen from {statement.seen_from:.4f} on" if not statement.sign else ""
    return f"{statement.question} {statement.value:+.4f} +- {statement.se:.4f} (p = {statement.adjusted:.2g}{seen})"


def _levels(found: dict[str, xr.DataArray]) -> str:
    rows = ["accuracy on hard samples of mixed, mean +- standard error"]
    for source, accuracy in found.items():
        values = accuracy.sel(order="mixed", drop=True)
        rows += [f"  {SOURCES[source]}, {line}" for line in _of_budgets(values, "")]
    return "\n".join(rows)


def _points(found: dict[str, xr.DataArray]) -> str:
    rows = ["gain over mixed at every point, mean +- standard error"]
    for source, accuracy in found.items():
        for order in SHOWN:
            rows += [f"  {SOURCES[source]}; {order}, {line}" for line in _of_budgets(gains(accuracy, order), "+")]
    return "\n".join(rows)


def _of_budgets(values: xr.DataArray, sign: str) -> Iterator[str]:
    mean, error, _ = mean_and_error(values)
    mean, error = (
        values.mean("run").copy(data=numbers).transpose("budget", "width").values for numbers in (mean, error)
    )
    for budget, row, errors in zip(_list(values, "budget"), mean, error, strict=True):
        cells = zip(_list(values, "width"), row, errors, strict=True)
        yield f"budget {budget:g}: " + "  ".join(f"K={K} {value:{sign}.4f} +- {se:.4f}" for K, value, se in cells)


def _beside(xor: xr.Dataset) -> str:
    points = list(compared(xor))
    rows = ["SGD on the images beside the theory of its own starts (z: paired difference in standard errors)"]
    for one in points:
        what = "accuracy of mixed" if one.order == "mixed" else f"gain of {one.order}"
        rows.append(
            f"  {what}, K = {one.width}, alpha = {one.budget:g}: SGD {one.sgd[0]:+.4f} +- {one.sgd[1]:.4f}, theory "
            f"{one.theory[0]:+.4f} +- {one.theory[1]:.4f}, difference {one.difference[0]:+.4f} +- "
            f"{one.difference[1]:.4f}, z = {one.z:+.2f}; of a single run {one.scatter:.4f} (rms)"
        )
    for name, chosen in (("accuracies of mixed", ("mixed",)), ("gains", SHOWN)):
        z = np.array([one.z for one in points if one.order in chosen])
        rows.append(
            f"  {name}: |z| > 2 at {np.sum(np.abs(z) > 2)} and > 4 at {np.sum(np.abs(z) > 4)} of {z.size} points"
        )
    return "\n".join(rows)


def _list(values: xr.DataArray, name: str) -> list[float]:
    result: list[float] = values[name].values.tolist()
    return result
