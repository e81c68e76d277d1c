"""Optimal orders in words, each number with the sentence that it supports."""

import itertools
import json
from collections.abc import Iterator

import xarray as xr

from .._foreign_data import takes_data_of
from ._perceptron_text import counts, in_words
from ._summary import Gain, best_on_average, gain_of, orders, xor_rows

MIXED = "mixed"  # a random order


@takes_data_of("optimal")
def optimal_text(perceptron: xr.Dataset, xor: xr.Dataset) -> str:
    """Write orders, costs, gains, boundaries and certificates of the perceptron, and gains on the XOR mixture, as text.

    Arguments: perceptron, xor: of `optimal_data`.
    """
    return "\n\n".join([*in_words(perceptron), _xor(xor)])


def _xor(data: xr.Dataset) -> str:
    plan, setting = json.loads(data.attrs["plan"]), json.loads(data.attrs["setting"])
    lines = [
        f"XOR mixture: relu units, both layers learn at the rate {setting['learning_rates']:g} up to alpha = "
        f"{setting['alpha']:g}; half of the samples are easy.",
        f"Optimal shares in {plan['xor_phases']} phases, for the error on hard samples, are found for one start with "
        f"{plan['xor_points']} points. Then the error and",
        f"the accuracy are compared with those of the best named order on {plan['replicates']} x "
        f"{plan['fresh_points']} other points, at that start and at another one.",
        "Gain: mean +- standard error over starts [Student's 95 % interval]; standard error that the points leave",
    ]
    for kind, width, row in xor_rows(data):
        lines += _row(kind, width, row)
    lines += _answers(data)
    return "\n".join(lines)


def _row(kind: str, width: int, row: xr.Dataset) -> Iterator[str]:
    """Yield the lines of one kind of easiness and one width."""
    named = best_on_average(row)
    error, accuracy = (
        float(row["evaluated"].sel(protocol=named, of_start="own", quantity=quantity).mean())
        for quantity in ("error", "accuracy")
    )
    yield f"  easy {kind}, K = {width}, {row.sizes['cell']} starts. The optimum is: {counts(orders(row))}."
    yield f"    The best named order is {named}: error {error:.4f}, accuracy {accuracy:.3f}."
    for quantity, where in itertools.product(("error", "accuracy"), ("own", "other")):
        gain = gain_of(row, quantity, where, named)
        what = "less error" if quantity == "error" else "more accuracy"
        yield f"    {what:<13} at {'that' if where == 'own' else 'another'} start: {_interval(gain)}: {gain.verdict}"


def _interval(gain: Gain) -> str:
    return f"{gain.mean:+.5f} +- {gain.se:.5f} [{gain.low:+.5f}, {gain.high:+.5f}]; {gain.sampling:.5f}"


def _answers(data: xr.Dataset) -> Iterator[str]:
    """Yield the answer for the widest student of every kind of easiness."""
    widest = {kind: (width, row) for kind, width, row in xor_rows(data)}  # widths increase
    for kind, (width, row) in widest.items():
        named = best_on_average(row)
        yield f"Does any order help a student of K = {width} (easy {kind})? The optimum has"
        for other in dict.fromkeys((MIXED, named)):
            yield f"  less error on hard samples than {other}: {_in_short(gain_of(row, 'error', 'own', other))};"
            yield f"  more accuracy on them: {_in_short(gain_of(row, 'accuracy', 'own', other))}."


def _in_short(gain: Gain) -> str:
    return f"{gain.mean:+.5f} +- {gain.se:.5f} ({gain.verdict})"
