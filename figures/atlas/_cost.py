"""The cost frontier: the samples and the compute at which nine starts in ten reach an accuracy, against the width."""

import warnings
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

import teacher_student as ts
from teacher_student import internal

from ..pictures import UP, drawing, looks, new_figure, put_letters
from ..sweeps import bayes_accuracy, on_mixture, plain
from ._foreign_data import takes_data_of
from ._success import success, wilson

PROBABILITY = 0.9  # of reaching the accuracy
CONFIDENCE = 0.8  # of the intervals: 32 starts cannot show at 95 % that a share is above 0.9, even if all succeed
ADVANTAGE = 0.85  # share of the Bayes classifier's advantage over chance that must be reached


def target(dataset: xr.Dataset, advantage: float = ADVANTAGE, test: internal.TestMixture = "hard") -> xr.DataArray:
    """Return the accuracy to be reached on test samples, per kind of easiness: 1/2 + advantage (Bayes - 1/2)."""
    best = bayes_accuracy(dataset)
    if best is None or not 0 < advantage < 1:
        raise ts.InputError("a sweep of mixtures and an advantage between 0 and 1", advantage)
    weights = internal.mixture_weights(test)
    of_test = internal.of_mixture({level: best.sel(level=level) for level in best["level"].values}, weights)
    return 0.5 + advantage * (best.isel(level=0, drop=True).copy(data=of_test) - 0.5)


@takes_data_of("cost")
def frontier(
    dataset: xr.Dataset,
    *,
    probability: float = PROBABILITY,
    advantage: float = ADVANTAGE,
    test: internal.TestMixture = "hard",
) -> xr.Dataset:
    """Find the smallest budget at which a share `probability` of the starts ends above the target, at the best rate.

    Between the sweep's budgets the share is interpolated in log alpha. With several learning rates the one with the
    smallest budget counts, for each order and width.

    Arguments: dataset: of the recipe cost/xor. probability: share of the starts. advantage: share of the Bayes
      classifier's advantage over chance that must be reached, between 0 and 1. test: the level of the test samples, or
      a mixture of levels, {"easy": 0.5, "hard": 0.5}.
    Returns a data set of `budget` (alpha = samples / N; inf: not within the sweep), `low`, `high` and `rate`. `low` and
    `high` are where the ends of the share's 80 % Wilson interval pass the probability; they enclose the sweep's last
    failing and first succeeding budget.
    Raises InputError for a sweep that is not of mixtures. It warns of too few starts for an upper bound.
    """
    tested, level = on_mixture(dataset, internal.mixture_weights(test))
    accuracy = tested["accuracy"].isel(engine=0).sel(level=level).reset_coords(drop=True)
    shares = success((accuracy >= target(dataset, advantage, test)).astype(float), confidence=CONFIDENCE)
    if wilson(accuracy.sizes["start"], accuracy.sizes["start"], CONFIDENCE)[0] < probability:
        warnings.warn(
            f"{accuracy.sizes['start']} starts are too few for an upper bound: even if all succeed, the interval of "
            f"their share reaches below {probability:g}",
            stacklevel=2,
        )
    budgets = dataset["budget"].values
    first = {
        name: xr.apply_ufunc(
            lambda p: _crossing(budgets, p, probability), shares[of], input_core_dims=[["budget"]], vectorize=True
        )
        for name, of in (("budget", "p"), ("low", "high"), ("high", "low"))
    }
    for name, side in (("low", 0), ("high", 1)):  # nothing was measured between the sweep's budgets
        bracket = xr.apply_ufunc(
            lambda p, side=side: _bracket(budgets, p, probability)[side],
            shares["p"],
            input_core_dims=[["budget"]],
            vectorize=True,
        )
        first[name] = (np.minimum if name == "low" else np.maximum)(first[name], bracket)
    best = first["budget"].fillna(np.inf).argmin("rate")
    result = xr.Dataset({name: values.isel(rate=best) for name, values in first.items()})
    return result.assign(rate=dataset["rate"].isel(rate=best)).reset_coords(drop=True)


def _crossing(budgets: np.ndarray, p: np.ndarray, probability: float) -> float:
    """Return the budget from which on p stays at or above `probability`, interpolated in log; inf if it does not."""
    above = p >= probability
    if not above[-1]:
        return np.inf
    below = np.flatnonzero(~above)
    if below.size == 0:
        return float(budgets[0])
    i = int(below[-1])
    share = (probability - p[i]) / (p[i + 1] - p[i])
    return float(np.exp(np.log(budgets[i]) + share * np.log(budgets[i + 1] / budgets[i])))


def _bracket(budgets: np.ndarray, p: np.ndarray, probability: float) -> tuple[float, float]:
    """Return the last budget that fails and the first from which on all succeed."""
    below = np.flatnonzero(p < probability)
    if below.size == 0:
        return 0.0, float(budgets[0])
    last = int(below[-1])
    return float(budgets[last]), float(budgets[last + 1]) if last + 1 < budgets.size else np.inf


def multiply_adds(width: Any, budget: Any) -> Any:
    r"""Return the multiply-adds of training in units of N^2, 2 K alpha.

    They are alpha N samples, times 2 K N for the local fields and the weights' update.

    Arguments: width: K. budget: alpha = samples / N.
    """
    return 2 * width * budget


@takes_data_of("cost")
def cost(dataset: xr.Dataset, *, test: internal.TestMixture = "hard") -> Figure:
    """Draw what is needed to reach the accuracy against the width K, one row of panels per kind of easiness.

    On the left it is samples, alpha = samples / N, on the right multiply-adds / N^2, with one curve per order. Bars are
    80 % intervals; one that goes on to the upper edge has no end within the sweep. Arrows there, each in the colour of
    its curve, mean: not within the largest budget.

    Arguments: dataset: of the recipe cost/xor. test: as in `frontier`.
    Returns a matplotlib Figure. Raises InputError for a sweep that is not of mixtures.
    """
    result = frontier(dataset, test=test)
    kinds, wanted = result["easiness"].values.tolist(), target(dataset, test=test)
    with drawing("prl-wide"):
        figure = new_figure(7.0, 0.6 + 2.2 * len(kinds))
        panels = figure.subplots(len(kinds), 2, sharex=True, squeeze=False)
        for row, kind in enumerate(kinds):
            of_kind = result.sel(easiness=kind)
            for axes, scale, label in zip(
                panels[row],
                (np.ones(of_kind.sizes["width"]), multiply_adds(of_kind["width"].values, 1.0)),
                (r"samples $\alpha$", r"multiply-adds / $N^2$"),
                strict=True,
            ):
                _draw(axes, of_kind, scale)
                axes.set_ylabel(label)
            panels[row, 0].yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            panels[row, 0].yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            panels[row, 0].yaxis.set_minor_formatter(NullFormatter())
            title = (
                f"{plain(kind)}: accuracy {float(wanted.sel(easiness=kind)):.3f} in {100 * PROBABILITY:.0f} % of starts"
            )
            panels[row, 0].set_title(title, loc="left")
        for axes in panels[-1]:
            axes.set_xlabel("width $K$")
        put_letters(panels.ravel())
        handles, labels = panels[0, 0].get_legend_handles_labels()
        never = f"not within $\\alpha$ = {float(dataset['budget'].max()):g}"
        handles.append(Line2D([], [], ls="", marker=UP, ms=8, mew=0, color="0.3"))
        figure.legend(handles, [*labels, never], loc="outside lower center", ncols=5)
        return figure


HEADROOM = 1.5  # factor between the largest value of a panel and its edge: the arrows stand there


def _draw(axes: Axes, of_kind: xr.Dataset, scale: np.ndarray) -> None:
    """Draw a panel: budgets times `scale` against the width, the orders side by side at each width."""
    orders = of_kind["order"].values.tolist()
    ends = np.concatenate([of_kind[name].transpose("width", ...).values.T * scale for name in ("budget", "high")])
    top = HEADROOM * float(np.max(ends[np.isfinite(ends)], initial=1.0))
    for index, (order, curve) in enumerate(zip(orders, looks(len(orders)), strict=True)):
        of_order = of_kind.sel(order=order)
        width = of_order["width"].values * (1 + 0.035 * (index - (len(orders) - 1) / 2))
        budget, low, high = (of_order[name].values * scale for name in ("budget", "low", "high"))
        never = np.isinf(budget)
        reached = budget[~never]
        bars = np.stack([reached - low[~never], np.where(np.isinf(high[~never]), 2 * top, high[~never]) - reached])
        style: Any = curve.points | {"ms": 4, "lw": 0.9, "ls": curve.line, "label": plain(order)}
        axes.errorbar(width[~never], reached, np.maximum(bars, 0.0), fmt=curve.marker, **style)
        at_edge: Any = {"transform": axes.get_xaxis_transform(), "ls": "", "marker": UP, "ms": 8, "mew": 0}
        axes.plot(width[never], np.full(never.sum(), 0.955), color=curve.colour, **at_edge)
    axes.set(xscale="log", yscale="log")
    axes.set_ylim(top=top)
    axes.margins(x=0.03)
    widths = of_kind["width"].values.tolist()
    axes.set_xticks(widths, labels=[str(width) for width in widths])
    axes.xaxis.set_minor_locator(NullLocator())


@takes_data_of("cost")
def cost_text(dataset: xr.Dataset, *, test: internal.TestMixture = "hard") -> str:
    """Write the frontier with intervals as text, and the cheapest width of every order.

    Arguments: dataset: of the recipe cost/xor. test: as in `frontier`.
    Raises InputError for a sweep that is not of mixtures.
    """
    result, wanted = frontier(dataset, test=test), target(dataset, test=test)
    tested_on = internal.mixture_name(internal.mixture_weights(test))
    budgets = dataset["budget"].values
    count = dataset.sizes["start"]
    rows = [
        f"smallest budget alpha at which {PROBABILITY:.0%} of {count} starts reach the accuracy on {tested_on} samples "
        "[80 % interval, no finer than the grid], at the better of the rates; x 2K: multiply-adds / N^2",
        f"budgets swept: {', '.join(f'{budget:g}' for budget in budgets)}; inf: not within them",
    ]
    for kind in result["easiness"].values.tolist():
        rows += ["", f"{kind}: accuracy {float(wanted.sel(easiness=kind)):.3f}"]
        widths = result["width"].values.tolist()
        rows.append(f"  {'order':<14}" + "".join(f"K={width:<22}" for width in widths) + "cheapest")
        for order in result["order"].values.tolist():
            row = result.sel(easiness=kind, order=order)
            cells = [f"{b:.4g} [{l:.4g}, {h:.4g}]" for b, l, h in zip(*(row[n].values for n in VALUES), strict=True)]
            spent = multiply_adds(row["width"].values, row["budget"].values)
            i = int(np.argmin(spent))
            least = f"K={widths[i]}: {spent[i]:.4g}" if np.isfinite(spent[i]) else "none"
            rows.append(f"  {order:<14}" + "".join(f"{cell:<24}" for cell in cells) + least)
    return "\n".join(rows)


VALUES = ("budget", "low", "high")
