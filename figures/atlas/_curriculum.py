"""Curriculum maps: gains of the orders over mixed and over hard-only samples, against the width, for every budget."""

from collections import Counter

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from teacher_student import internal

from ..pictures import drawing, looks, new_figure, put_letters
from ..sweeps import bayes_accuracy, plain
from ._foreign_data import takes_data_of
from ._gain_names import label_of_gain
from ._gains import CONTRASTS, RESOLUTION, gain, shrinking

CHANGES = ("shrinks", "grows")  # of the verdicts of `shrinking`


@takes_data_of("curriculum")
def curriculum(
    dataset: xr.Dataset,
    measure: str = "accuracy",
    *,
    rate: float | None = None,
    time: str | None = None,
    test: internal.TestMixture = "hard",
) -> Figure:
    """Draw the gains of the orders against the width K, with paired standard errors.

    There is one row of panels per kind of easiness, and one column per budget alpha = samples / N. The title says in
    how many of them the gain of easy to hard over mixed changes with width, and a word above a panel says how.

    Arguments: dataset: of the recipe curriculum/xor or curriculum/committee. measure, rate, time, test: as in
      `gain`.
    Returns a matplotlib Figure. Raises InputError.
    """
    gains = {pair: gain(dataset, measure, *pair, rate=rate, time=time, test=test) for pair in CONTRASTS}
    verdicts = _verdicts(gains[CONTRASTS[0]])
    kinds, budgets = dataset["easiness"].values.tolist(), dataset["budget"].values.tolist()
    with drawing("prl-wide"):
        figure = new_figure(1.0 + 1.55 * len(budgets), 0.9 + 1.25 * len(kinds))
        panels = figure.subplots(len(kinds), len(budgets), sharex=True, sharey="row", squeeze=False)
        for row, kind in enumerate(kinds):
            for column, budget in enumerate(budgets):
                axes = panels[row, column]
                _draw(
                    axes,
                    {pair: gains_of_pair.sel(easiness=kind, budget=budget) for pair, gains_of_pair in gains.items()},
                )
                if row == 0:
                    axes.set_title(f"budget $\\alpha$ = {budget:g}\n")  # above the letters and words
                axes.set_title(_short(verdicts, kind, budget), loc="right", fontsize="small", color="0.25")
            panels[row, 0].set_ylabel(_wrapped(kind))
        for axes in panels[-1]:
            axes.set_xlabel("width $K$")
        put_letters(panels.ravel())
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        figure.suptitle(f"{label_of_gain(measure, test)}\n{_answer(verdicts)}")
        return figure


def _verdicts(gains: xr.Dataset) -> dict[frozenset[object], str]:
    """Return what `shrinking` says of every panel, by its kind of easiness and its budget."""
    return {frozenset(change.row): change.verdict.partition(" ")[0] for change in shrinking(gains)}


def _short(verdicts: dict[frozenset[object], str], kind: str, budget: float) -> str:
    """Return the word for a panel in which the gain changes with width, and nothing for the others."""
    verdict = verdicts[frozenset({kind, budget})]
    return verdict if verdict in CHANGES else ""


def _answer(verdicts: dict[frozenset[object], str]) -> str:
    """Return in a sentence what all panels say of the first pair of orders."""
    counts = Counter(verdicts.values())
    first, second = CONTRASTS[0]
    changes = " and ".join(f"{verdict} in {counts[verdict]}" for verdict in CHANGES)
    return f"with width, the gain of {first} over {second} {changes} of {len(verdicts)} panels"


def _wrapped(kind: str) -> str:
    """Write "rest variance 0.1, 2" in two lines."""
    words = plain(kind).split(" ")
    if len(words) < 3:
        return " ".join(words)
    return " ".join(words[:-2]) + "\neasy " + words[-2].rstrip(",") + ", hard " + words[-1]


def _draw(axes: Axes, gains: dict[tuple[str, str], xr.Dataset]) -> None:
    """Draw a panel: the gain of every pair of orders against the width, side by side at each width."""
    axes.axhline(0.0, color="0.7", lw=0.8)
    for index, ((first, second), of_pair) in enumerate(gains.items()):
        curve, shift = looks(len(gains))[index], 1 + 0.03 * (index - (len(gains) - 1) / 2)
        style = curve.points | {"lw": 0.9, "ls": curve.line, "label": f"{plain(first)} over {plain(second)}"}
        axes.errorbar(of_pair["width"] * shift, of_pair["value"], of_pair["se"], fmt=curve.marker, **style)
    axes.set_xscale("log", base=2)
    widths = next(iter(gains.values()))["width"].values.tolist()
    axes.set_xticks(widths, labels=[f"{width}" for width in widths])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.03)


@takes_data_of("curriculum")
def curriculum_text(
    dataset: xr.Dataset,
    measure: str = "accuracy",
    *,
    rate: float | None = None,
    time: str | None = None,
    test: internal.TestMixture = "hard",
) -> str:
    """Write every gain with its paired standard error as text, and where the widest student gains less than another.

    Arguments: dataset, measure, rate, time, test: as in `curriculum`, and so are the errors.
    """
    measured = label_of_gain(measure, test).replace("$-$", "-")
    rows = [
        f"{measured}: mean +- standard error over {dataset.sizes['start']} paired starts",
        f"gains and changes below {RESOLUTION:g} are not counted: the averages over sampled points do not resolve them",
    ]
    best = bayes_accuracy(dataset)
    if best is not None:
        tested_on = internal.mixture_weights(test)
        of_test = internal.of_mixture({level: best.sel(level=level) for level in best["level"].values}, tested_on)
        shown = (f"{kind}: {value:.3f}" for kind, value in zip(best["easiness"].values, of_test, strict=True))
        rows.append(f"Bayes accuracy on {internal.mixture_name(tested_on)} samples: " + "; ".join(shown))
    for first, second in CONTRASTS:
        gains = gain(dataset, measure, first, second, rate=rate, time=time, test=test)
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
