"""The picture of a comparison: errors, accuracies and overlaps against alpha, theory as lines, simulation as points."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

import teacher_student as ts

from ._canvas import as_axes, new_axes, require_as_many, say_above, start_panel
from ._legends import legend_beside
from ._looks import look
from ._panels import ALPHA, SYMBOLS, Panel, chosen_names, panels_of
from ._phases import shade_phases
from ._read_report import check_report, words_of
from ._style import drawing, put_letters
from ._trajectory_plot import draw_runs, draw_theory, finish_panel, show_names, spread_around
from ._verdict_plot import draw_shifts, draw_sizes

RUN, MEAN = 0.15, 0.35  # opacities of the bands of a run and of the mean over the runs


def comparison(
    theory: ts.Trajectory,
    runs: ts.Trajectory | None = None,
    report: Mapping[str, Any] | None = None,
    bands: ts.Trajectory | None = None,
) -> Figure:
    """Draw theory as lines (with a band where its averages are sampled), and run means with standard errors as points.

    There are panels of error and accuracy per level, of student-student overlaps Q and student-teacher overlaps R per
    block, and of the readout where it is trained, all against alpha = samples / N. Phases of the curriculum are shaded
    and named.

    Arguments:
      theory: a trajectory of the ODEs. runs: one of the simulation; None: theory alone.
      report: `Agreement.to_dict()`, or what report.json holds: adds |z| of every deviation below its threshold, and the
        shift of every number that the simulation implies.
      bands: theory of `ode.fluctuations`: the mean at the runs' N is shaded +- one standard deviation of a single run,
        and darker +- that of the mean over the runs, as predicted; adds measured over predicted standard deviations.
    Returns a matplotlib Figure. Raises InputError for what is no trajectory, and for a report that lacks what is shown.
    """
    return plot_comparison(theory, runs, report, bands, shown=False)[0]


def plot_comparison(
    theory: ts.Trajectory,
    runs: ts.Trajectory | None,
    report: Mapping[str, Any] | None,
    bands: ts.Trajectory | None,
    ax: Any = None,
    level: Any = None,
    quantities: Any = None,
    *,
    shown: bool = True,
) -> tuple[Figure, np.ndarray]:
    """Draw the whole picture of a comparison, or the panels of some quantities. See `Comparison.plot`."""
    _check_trajectories(theory, runs, bands)
    report = None if report is None else check_report(report)
    with drawing("prl-wide") as style:
        panels = panels_of(theory, level, quantities)
        below = _below(theory, runs, report, bands, level, quantities)
        axes = as_axes(ax)
        if axes is None:
            figure, axes = new_axes(len(panels) + len(below), style, shown=shown)
            put_letters(axes)
        else:
            require_as_many(axes, [panel.label for panel in panels] + [name for name, _ in below])
            figure = axes[0].figure
        columns = min(style.columns, len(axes))
        predicted = _predicted(theory, bands, runs)
        for index, panel in enumerate(panels):
            _draw_panel(axes[index], panel, theory, runs, predicted, named=index < columns)
        for one, (_, draw) in zip(axes[len(panels) :], below, strict=True):
            draw(one)
            if not one.get_xlabel():  # it is against alpha
                one.set_xlim(axes[0].get_xlim())
                one.set_xscale(axes[0].get_xscale())
                shade_phases(one, theory.problem.curriculum, np.asarray(theory.alphas), named=False)
        _label_lowest(axes, columns)
        if report is not None and runs is not None and ax is None:
            say_above(figure, _caption(runs, report, bands))
        return figure, axes


def _below(
    theory: ts.Trajectory,
    runs: ts.Trajectory | None,
    report: Mapping[str, Any] | None,
    bands: ts.Trajectory | None,
    level: Any,
    quantities: Any,
) -> list[tuple[str, Callable[[Axes], None]]]:
    """Return what stands below the curves: the name of each panel, and what draws it."""
    recorded = [(one.kind, one.name) for one in ts.quantities(theory.observables, theory.problem)]
    names = chosen_names(recorded, theory, level, quantities)
    chosen = None if level is None and quantities is None else names
    ratios = _spread_ratios(bands, runs, names)
    below: list[tuple[str, Callable[[Axes], None]]] = []
    if report is not None:
        below.append(("deviations", partial(draw_sizes, report=report, names=chosen)))
    if ratios is not None:
        below.append(("standard deviations", partial(_draw_spread, ratios=ratios)))
    if report is not None and report.get("shifts"):
        below.append(("shifts", partial(draw_shifts, shifts=report["shifts"])))
    return below


def _draw_panel(
    axes: Axes,
    panel: Panel,
    theory: ts.Trajectory,
    runs: ts.Trajectory | None,
    predicted: Mapping[str, Any],
    *,
    named: bool,
) -> None:
    drawn = start_panel(axes, panel)
    draw_theory(axes, drawn, theory, predicted)
    if runs is not None:
        draw_runs(axes, drawn, runs)
    finish_panel(axes, drawn, theory, named=named, lowest=False)
    show_names(axes, drawn)


def _label_lowest(axes: np.ndarray, columns: int) -> None:
    """Label alpha below the lowest panel of each column that is against alpha."""
    against_alpha = [index for index, one in enumerate(axes) if not one.get_xlabel()]
    for column in range(columns):
        own = [index for index in against_alpha if index % columns == column]
        if own:
            axes[own[-1]].set_xlabel(ALPHA)


def _check_trajectories(theory: Any, runs: Any, bands: Any) -> None:
    for name, trajectory in (("theory", theory), ("runs", runs), ("bands", bands)):
        if not isinstance(trajectory, ts.Trajectory) and (trajectory is not None or name == "theory"):
            raise ts.InputError(f"a ts.Trajectory as {name}", type(trajectory).__name__, "use ts.Trajectory.load")


def _caption(runs: ts.Trajectory, report: Mapping[str, Any], bands: ts.Trajectory | None) -> str:
    shaded = (
        "" if bands is None else "shaded: predicted $\\pm$ one standard deviation of a run (darker: of their mean); "
    )
    word = words_of(report)
    how = "measured" if report.get("spread") is None else "predicted"
    p = f"$p$ = {report['p']:.2g}{_questions(report)}"
    return (
        f"lines: ODEs; points: mean of {runs.runs} runs at $N$ = {runs.source.dim} with its standard error; "
        f"{shaded}dashed: family-wise limits; with {how} spread they {word} ({p})"
    )


def _questions(report: Mapping[str, Any]) -> str:
    """Say over how many questions the verdict goes, where it says so itself."""
    count = len(report.get("questions", ()))
    return f" over {count} questions" if count > 1 else ""


def _predicted(theory: ts.Trajectory, bands: ts.Trajectory | None, runs: ts.Trajectory | None) -> dict[str, Any]:
    """Return the predicted bands of a single run and of the mean over `runs`, at their N and test samples."""
    if bands is None or bands.fluctuations is None or runs is None or runs.source.dim is None:
        return {}
    opacities = {1.0: RUN, float(runs.runs or 1): MEAN}
    return spread_around(theory, bands, runs.source.dim, runs.source.test_samples, opacities)


def _spread_ratios(bands: ts.Trajectory | None, runs: ts.Trajectory | None, names: set[str]) -> xr.Dataset | None:
    """Return measured over predicted standard deviation of what is predicted to fluctuate, and 99 % limits.

    The limits are those of the largest of all ratios (Bonferroni) where the prediction is right.
    """
    if bands is None or bands.fluctuations is None or runs is None or (runs.runs or 0) < 2:
        return None
    end = bands.breakdown(runs.source.dim or 0)
    kept_alphas = np.asarray(bands.alphas)[np.asarray(bands.alphas) < (np.inf if end is None else end.alpha)]
    if not kept_alphas.size:
        return None
    bands, runs = bands.at(kept_alphas), runs.at(kept_alphas)
    assert bands.fluctuations is not None
    spread = bands.fluctuations.spread(runs.source.dim or 0, runs.source.test_samples)
    simulated = {quantity.name: quantity.values for quantity in ts.quantities(runs.observables, runs.problem)}
    predictions = ts.quantities(spread, bands.problem)  # without accuracies, where theory was not asked for them
    deviations = [
        (quantity.name, quantity.kind, simulated[quantity.name].std(axis=0, ddof=1), quantity.values)
        for quantity in predictions
    ]
    kept = [
        (name, kind, measured / predicted) for name, kind, measured, predicted in deviations if np.all(predicted > 1e-6)
    ]
    if not any(name in names for name, *_ in kept):
        return None
    # What is predicted to be fixed is left out: the ratio of two roundings says nothing.
    freedom, tail = (runs.runs or 0) - 1, 0.01 / (2 * len(kept) * len(bands.alphas))
    limits = [np.sqrt(tailed(tail, freedom) / freedom) for tailed in (stats.chi2.ppf, stats.chi2.isf)]
    shown = [(kind, ratio) for name, kind, ratio in kept if name in names]
    return xr.Dataset(
        {"ratio": (("quantity", "alpha"), [ratio for _, ratio in shown])},
        {"kind": ("quantity", [kind for kind, _ in shown]), "alpha": np.asarray(bands.alphas), "limit": limits},
    )


def _draw_spread(axes: Axes, ratios: xr.Dataset) -> None:
    """Draw every quantity's measured over predicted standard deviation against alpha, between family-wise limits."""
    for index, (kind, name) in enumerate(SYMBOLS.items()):
        chosen = ratios["ratio"].values[ratios["kind"].values == kind]
        if chosen.size:
            alphas = np.broadcast_to(ratios["alpha"].values, chosen.shape)
            curve = look(index)
            axes.plot(alphas.ravel(), chosen.ravel(), curve.marker, ls="", label=name, **curve.points)
    for limit in ratios["limit"].values:
        axes.axhline(limit, color="0.3", lw=0.8, ls="--")
    axes.axhline(1.0, color="0.3", lw=0.6)
    axes.set_ylabel("measured / predicted s.d.")
    legend_beside(axes)
