"""The picture of curricula on images: gains against the width, with a column for every budget."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ...pictures import drawing, look, new_figure, put_letters
from .._foreign_data import takes_data_of
from ._contrasts import SHOWN, accuracies, gains, mean_and_error

BARS: dict[str, Any] = {"ms": 3.6, "mew": 0.9, "lw": 1.0, "capsize": 0, "zorder": 3}


@takes_data_of("images")
def images(xor: xr.Dataset, softmax: xr.Dataset) -> Figure:
    """Draw what each order gains over mixed in accuracy on hard samples, against the width, with a column for a budget.

    First row: XOR of digits. Points are SGD on images, open ones on images held out, and lines are the theory of the
    fitted mixture, with a band of one standard error. Second row: ten digits with a softmax, on images held out.
    Error bars are standard errors over runs.

    Arguments: xor: of `images_data`. softmax: of `softmax_data`.
    Returns a matplotlib Figure.
    """
    found = accuracies(xor, softmax)
    rows = ("images", "softmax")
    columns = max(found[source].sizes["budget"] for source in rows)
    with drawing("prl-wide"):
        figure = new_figure(7.0, 4.6)
        panels = figure.subplots(len(rows), columns, squeeze=False, sharey="row")
        for row, source in zip(panels, rows, strict=True):
            budgets = found[source]["budget"].values
            for axes, budget in zip(row, budgets, strict=False):
                at = {name: values.sel(budget=budget) for name, values in found.items() if budget in values["budget"]}
                _against_width(axes, at, source)
                name = rf"$\alpha$ = {budget:g}" if source == "images" else _passes(budget)
                axes.set_title(f"{'XOR of digits' if source == 'images' else 'ten digits'}, {name}\n")
            for axes in row[len(budgets) :]:
                axes.remove()
            row[0].set_ylabel("gain over mixed")
        put_letters([axes for axes in panels.ravel() if axes.figure is not None])
        figure.legend(handles=_legend(), loc="outside lower center", ncols=3)
        return figure


def _passes(budget: float) -> str:
    return f"{budget:g} {'pass' if budget == 1 else 'passes'}"


def _against_width(axes: Axes, found: dict[str, xr.DataArray], source: str) -> None:
    """Draw the gains of all orders at one budget."""
    for number, order in enumerate(SHOWN):
        style = look(number)
        gain = gains(found[source], order)
        widths = gain["width"].values * 2 ** (0.1 * (number - 1))  # error bars beside each other
        mean, error, _ = mean_and_error(gain)
        line = "-" if source == "softmax" else "none"
        axes.errorbar(widths, mean, error, color=style.colour, marker=style.marker, ls=line, **BARS)
        if source == "images":
            theory, spread, _ = mean_and_error(gains(found["theory"], order))
            axes.plot(gain["width"].values, theory, color=style.colour, lw=1.0)
            axes.fill_between(
                gain["width"].values, theory - spread, theory + spread, color=style.colour, alpha=0.2, lw=0
            )
            mean, error, _ = mean_and_error(gains(found["held_out"], order))
            axes.errorbar(
                widths * 2**0.12, mean, error, color=style.colour, marker=style.marker, ls="none", mfc="white", **BARS
            )
    axes.set_xscale("log", base=2)
    axes.margins(x=0.03)
    shown = found[source]["width"].values
    axes.set_xticks(shown, [str(width) for width in shown])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("width $K$")
    axes.axhline(0.0, color="0.6", lw=0.6, zorder=0)


def _legend() -> list[Line2D]:
    entries = []
    for number, order in enumerate(SHOWN):
        style = look(number)
        entries.append(Line2D([], [], color=style.colour, ls="none", marker=style.marker, ms=3.6, label=order))
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("SGD on images", {"ls": "none", "marker": "o", "ms": 3.6}),
        ("on images held out (first row)", {"ls": "none", "marker": "o", "ms": 3.6, "mfc": "white"}),
        ("theory, band: standard error", {"ls": "-", "lw": 1.0}),
    )
    for name, style_of in kinds:
        entries.append(Line2D([], [], color="0.3", label=name, **style_of))
    return entries
