"""Optimal orders of the perceptron in words."""

import itertools
import json
from collections import Counter
from collections.abc import Iterable

import numpy as np
import xarray as xr

from ._plan import BASE, JUDGED, NAMED
from ._summary import axes_of, best_named, boundaries, gains, orders, row_of

JUDGED_IN_WORDS = {"mixture": "half easy, half hard samples", "hard": "hard samples alone"}
IN_WORDS = {
    "share": "share of easy samples",
    "irrelevant": "fraction of irrelevant dimensions",
    "rate": "learning rate eta",
    "contrast": "contrast Delta",
    "budget": "budget alpha",
}
SMALL = 0.01  # of the cost, below which a gain is said to be small


def in_words(data: xr.Dataset) -> list[str]:
    """Return paragraphs: the setting, the answer, every number, boundaries, rates of their own, certificates."""
    return [_setting(data), _answer(data), *_tables(data), _boundaries(data), _tuned(data), _certificates(data)]


def counts(names: Iterable[str]) -> str:
    """Return each name with how often it is there, the most frequent one first."""
    return "; ".join(f"{name} ({count})" for name, count in Counter(names).most_common())


def _setting(data: xr.Dataset) -> str:
    base = ", ".join(f"{IN_WORDS[name]} {value:g}" for name, value in json.loads(data.attrs["base"]).items())
    return (
        "Perceptron: an erf student of a teacher sign(w.x) of the relevant dimensions. Irrelevant ones are silent in\n"
        f"easy samples and have variance Delta in hard ones. One number at a time is changed from the base point:\n"
        f"{base}.\n"
        "Cost: 1 - accuracy at the end. All orders show the same number of easy samples.\n"
        f"Gain: the least cost of the orders {' | '.join(NAMED)}, minus that of the optimum.\n"
        "An order is written as what it shows one after the other; mix: both levels at once."
    )


def _answer(data: xr.Dataset) -> str:
    lines = []
    for judged, words in JUDGED_IN_WORDS.items():
        cells = data.isel(cell=np.flatnonzero((data["judged"].values == judged) & ~_is_tuned(data)))
        if not cells.sizes["cell"]:
            continue
        gained, cost = gains(cells), cells["named_cost"].values.min(axis=1)
        most = int(np.argmax(gained / cost))
        before, after = cost[most], cost[most] - gained[most]
        small = int(np.sum(gained < SMALL * cost))
        lines += [
            f"Judged on {words}, {cells.sizes['cell']} points. The optimum is: {counts(orders(cells))}.",
            f"  It begins with easy samples in {_ends(cells, 0)} points, and ends with them in {_ends(cells, -1)}.",
            f"  The best named order is: {counts(best_named(cells))}.",
            f"  The gain over it has the median {np.median(gained / cost):.2%} of the cost. It is largest at "
            f"{_point(cells, most)}: {gained[most] / cost[most]:.1%}, from {before:.5f} to {after:.5f}.",
            f"  In {small} points it is below {SMALL:.0%}: there a named order is about as good as any.",
        ]
    return "\n".join(lines)


def _ends(cells: xr.Dataset, end: int) -> int:
    """Return in how many points the optimal order begins (0) or ends (-1) with easy samples alone."""
    return sum(name.split(", ")[end] == "easy" for name in orders(cells))


def _point(cells: xr.Dataset, index: int) -> str:
    """Return what a point changes of the base point."""
    changed = [name for name, value in BASE.items() if float(cells[name][index]) != value]
    return ", ".join(f"{IN_WORDS[axis]} {float(cells[axis][index]):g}" for axis in changed) or "the base point"


def _is_tuned(data: xr.Dataset) -> np.ndarray:
    return np.asarray(data["tuned"].values, bool)


def _tables(data: xr.Dataset) -> list[str]:
    tables = []
    names = "  ".join(f"{name:>10}" for name in NAMED)
    for axis, judged in itertools.product(axes_of(data), JUDGED):
        row = row_of(data, axis, judged)
        lines = [f"{IN_WORDS[axis]}, judged on {JUDGED_IN_WORDS[judged]}"]
        lines.append(f"  {'value':>8}  {'optimum':>9}  {names}  {'gain':>9}  order")
        numbers = zip(row[axis].values, row["cost"].values, row["named_cost"].values, gains(row), strict=True)
        for (value, cost, named, gained), order in zip(numbers, orders(row), strict=True):
            others = "  ".join(f"{each:10.6f}" for each in named)
            lines.append(f"  {value:8.4g}  {cost:9.6f}  {others}  {gained:9.6f}  {order}")
        tables.append("\n".join(lines))
    return tables


def _boundaries(data: xr.Dataset) -> str:
    lines = ["Where the optimal order changes, +- half of the way between the two points that were looked at"]
    for found in boundaries(data):
        middle, half = (found.low + found.high) / 2, (found.high - found.low) / 2
        lines.append(
            f"  {found.judged}, {IN_WORDS[found.axis]} {middle:.4g} +- {half:.2g}: {found.below} | {found.above}"
        )
    return "\n".join(lines if len(lines) > 1 else [lines[0] + ": nowhere"])


def _tuned(data: xr.Dataset) -> str:
    cells = data.isel(cell=np.flatnonzero(_is_tuned(data)))
    head = "Every order with a rate of its own at each time; in brackets its cost with the problem's rate"
    if not cells.sizes["cell"]:
        return f"{head}: not computed"
    lines, flipped = [head], 0
    names = orders(cells)
    for index, (named, untuned) in enumerate(
        zip(cells["named_cost"].values, cells["untuned_cost"].values, strict=True)
    ):
        others = "; ".join(f"{name} {a:.5f} ({b:.5f})" for name, a, b in zip(NAMED, named, untuned, strict=True))
        rates = cells["rate_over_time"].values[index]
        flipped += int(named.argmin() != untuned.argmin())
        lines += [
            f"  {_point(cells, index)}, judged on {JUDGED_IN_WORDS[str(cells['judged'].values[index])]}: {others}",
            f"    optimum {float(cells['cost'][index]):.5f}: {names[index]}, rates "
            f"{' '.join(f'{rate:.2f}' for rate in rates[np.isfinite(rates)])}; gain {gains(cells)[index]:.6f}",
        ]
    lines.append(f"  With its own rates another named order is best in {flipped} of {cells.sizes['cell']} points.")
    return "\n".join(lines)


def _certificates(data: xr.Dataset) -> str:
    kelley, cost = data["kelley"].values, data["cost"].values
    arcs = kelley[np.isfinite(kelley)]
    spread = (np.nanmax(data["search_cost"].values, axis=1) - cost) / cost
    lines = [
        f"Certificates of all {data.sizes['cell']} optima: {counts(data['verdict'].values)}.",
        f"  Searches: {counts(data['status'].values)}. Those of one point end apart by {np.median(spread):.1e} of the "
        f"cost (median), {spread.max():.1e} at most.",
        f"  Largest derivative that is left: {data['kkt'].values.max():.1e} of the largest one (KKT). Derivatives "
        f"against solves: {data['slopes'].values.max():.1e}.",
        f"  Finer phases could lower the cost by {data['to_gain'].values.max():.1e} of itself at most, to first order.",
        f"  {arcs.size} optima have singular arcs; Kelley's number is <= 0, as a minimum needs, in "
        f"{int(np.sum(arcs <= 0))} of them.",
    ]
    rejected = data.isel(cell=np.flatnonzero(data["verdict"].values == "REJECTED"))
    if rejected.sizes["cell"]:
        lines.append(
            f"  Of the rejected ones, derivatives against solves are wrong by {rejected['slopes'].values.min():.1e} or "
            f"more; the derivative that is left is at most {rejected['kkt'].values.max():.1e}."
        )
    return "\n".join(lines)
