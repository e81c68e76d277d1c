"""Curriculum maps: gains of the orders over mixed and over hard-only samples, against the width, for every budget."""

from collections import Counter

import matplotlib as mpl
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..pictures import COLOURS, LINES, MARKERS, STYLE
from ..sweeps import bayes_accuracy, plain
from ._gain_names import MEASURES
from ._gains import CONTRASTS, RESOLUTION, gain, shrinking


def curriculum(
    dataset: xr.Dataset, measure: str = "accuracy", *, rate: float | None = None, time: str | None = None
) -> Figure:
    """Draw the gains of the orders against the width K, with paired standard errors.

    There is one row of panels per kind of easiness, and one column per budget alpha = samples / N.

    Arguments: dataset: of the recipe curriculum/xor or curriculum/committee. measure, rate, time: as in `gain`.
    Returns a matplotlib Figure. Raises InputError.
    """
    gains = {pair: gain(dataset, measure, *pair, rate=rate, time=time) for pair in CONTRASTS}
    kinds, budgets = dataset["easiness"].values.tolist(), dataset["budget"].values.tolist()
    with mpl.rc_context(STYLE):
        size = (1.0 + 1.55 * len(budgets), 0.9 + 1.15 * len(kinds))
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(len(kinds), len(budgets), sharex=True, sharey="row", squeeze=False)
        for row, kind in enumerate(kinds):
            for column, budget in enumerate(budgets):
                axes = panels[row, column]
                _draw(
                    axes,
                    {pair: gains_of_pair.sel(easiness=kind, budget=budget) for pair, gains_of_pair in gains.items()},
                )
                if row == 0:
                    axes.set_title(rf"budget $\alpha$ = {budget:g}", fontsize=7)
            panels[row, 0].set_ylabel(_wrapped(kind), fontsize=7)
        for axes in panels[-1]:
            axes.set_xlabel("width $K$")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
        figure.suptitle(MEASURES[measure], fontsize=8)
        return figure


def _wrapped(kind: str) -> str:
    """Write "rest variance 0.1, 2" in two lines."""
    words = plain(kind).split(" ")
    if len(words) < 3:
        return " ".join(words)
    return " ".join(words[:-2]) + "\neasy " + words[-2].rstrip(",") + ", hard " + words[-1]


def _draw(axes: Axes, gains: dict[tuple[str, str], xr.Dataset]) -> None:
    axes.axhline(0.0, color="0.7", lw=0.8)
    for index, ((first, second), gain_of_pair) in enumerate(gains.items()):
        shift = 1 + 0.03 * (index - 1.5)
        axes.errorbar(
            gain_of_pair["width"] * shift,
            gain_of_pair["value"],
            gain_of_pair["se"],
            fmt=MARKERS[index] + LINES[index],
            color=COLOURS[index],
            ms=3,
            mfc="none",
            lw=0.9,
            label=f"{plain(first)} over {plain(second)}",
        )
    axes.set_xscale("log", base=2)
    widths = next(iter(gains.values()))["width"].values.tolist()
    axes.set_xticks(widths, labels=[f"{width}" for width in widths])
    axes.minorticks_off()


def curriculum_text(
    dataset: xr.Dataset, measure: str = "accuracy", *, rate: float | None = None, time: str | None = None
) -> str:
    """Write every gain with its paired standard error as text, and where the widest student gains less than another.

    Arguments: dataset, measure, rate, time: as in `curriculum`, and so are the errors.
    """
    measured = MEASURES[measure].replace("$-$", "-")
    rows = [
        f"{measured}: mean +- standard error over {dataset.sizes['start']} paired starts",
        f"gains and changes below {RESOLUTION:g} are not counted: the averages over sampled points do not resolve them",
    ]
    best = bayes_accuracy(dataset)
    if best is not None:
        shown = (f"{kind}: {float(best.sel(easiness=kind, level='hard')):.3f}" for kind in best["easiness"].values)
        rows.append("Bayes accuracy on hard samples: " + "; ".join(shown))
    for first, second in CONTRASTS:
        gains = gain(dataset, measure, first, second, rate=rate, time=time)
        widths = gains["width"].values.tolist()
        rows += ["", f"{first} over {second}"]
        rows.append(f"  {'easiness':<28}{'budget':>7}  " + "".join(f"K={width:<18}" for width in widths))
        verdicts = {change.row: change.verdict for change in shrinking(gains)}
        order = [str(dim) for dim in gains["value"].dims if dim != "width"]
        for kind in gains["easiness"].values.tolist():
            for budget in gains["budget"].values.tolist():
                panel = {"easiness": kind, "budget": budget}
                row = gains.sel(panel)
                cells = (f"{v:+.3f} +- {s:.3f}" for v, s in zip(row["value"].values, row["se"].values, strict=True))
                verdict = verdicts[tuple(panel[dim] for dim in order)]
                rows.append(f"  {kind:<28}{budget:>7g}  " + "".join(f"{cell:<20}" for cell in cells) + verdict)
        counts = Counter(verdict.partition(" beyond")[0] for verdict in verdicts.values())
        rows.append("  with width, the gain: " + ", ".join(f"{name} in {n} rows" for name, n in counts.most_common()))
    return "\n".join(rows)
