"""The picture of a comparison: errors, accuracies and overlaps against alpha, theory as lines, simulation as points."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

import teacher_student as ts

from ..sweeps import plain
from ._read_report import check_report
from ._verdict_plot import COLOURS, MARKERS, SYMBOLS, draw_shifts, draw_sizes

LINES = ("-", "--", "-.", ":")
STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
    "text.usetex": False,  # names of levels are no TeX, and "99 %" is a comment there
}
CHARACTER = 0.018  # width of a letter in phases' names, as a share of a panel's
CURVES_NAMED = 12  # a panel with more curves than this has no legend


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
    _check_trajectories(theory, runs, bands)
    report = None if report is None else check_report(report)
    with mpl.rc_context(STYLE):
        panels = _panels(theory)
        ratios = _spread_ratios(bands, runs)
        # What stands below the curves, each as a function of the axes.
        below: list[Callable[[Axes], None]] = []
        if report is not None:
            below += [partial(draw_sizes, report=report, theory=theory)]
        if ratios is not None:
            below += [partial(_draw_spread, ratios=ratios, theory=theory)]
        if report is not None and report.get("shifts"):
            below += [partial(draw_shifts, shifts=report["shifts"])]
        count = len(panels) + len(below)
        rows = -(-count // 2)
        figure = Figure(figsize=(7.0, 0.4 + 2.1 * rows), layout="constrained")
        grid = figure.add_gridspec(rows, 2)
        for index in range(count):
            axes = figure.add_subplot(grid[index // 2, index % 2])
            if index < len(panels):
                _draw_panel(axes, *panels[index], theory, runs, bands)
            else:
                below[index - len(panels)](axes)
            axes.set_title(f"({chr(ord('a') + index)})", loc="left", fontsize=8)
            if axes.get_xlabel():  # it is not against alpha
                continue
            _shade_phases(axes, theory, named=index < 2)
            if index + 2 >= count or (index + 3 == count and report is not None and report.get("shifts")):
                axes.set_xlabel(r"$\alpha$ = samples / $N$")  # the lowest of its column
        if report is not None and runs is not None:
            figure.suptitle(_caption(runs, report, bands), fontsize=7)
        return figure


def _check_trajectories(theory: Any, runs: Any, bands: Any) -> None:
    for name, trajectory in (("theory", theory), ("runs", runs), ("bands", bands)):
        if not isinstance(trajectory, ts.Trajectory) and (trajectory is not None or name == "theory"):
            raise ts.InputError(f"a ts.Trajectory as {name}", type(trajectory).__name__, "use ts.Trajectory.load")


def _caption(runs: ts.Trajectory, report: Mapping[str, Any], bands: ts.Trajectory | None) -> str:
    shaded = "" if bands is None else "shaded: predicted +- one standard deviation of a run (darker: of their mean)\n"
    word = "agree" if report["agrees"] else "disagree"
    how = "measured" if report.get("spread") is None else "predicted"
    return (
        f"lines: ODEs; points: mean of {runs.runs} runs at N = {runs.source.dim} with its standard error;\n"
        f"{shaded}dashed: family-wise limits; with {how} spread they {word} (p = {report['p']:.2g}{_questions(report)})"
    )


def _questions(report: Mapping[str, Any]) -> str:
    """Say over how many questions the verdict goes, where it says so itself."""
    count = len(report.get("questions", ()))
    return f" over {count} questions" if count > 1 else ""


def _spread_ratios(bands: ts.Trajectory | None, runs: ts.Trajectory | None) -> xr.Dataset | None:
    """Return measured over predicted standard deviation of what is predicted to fluctuate, and 99 % limits.

    The limits are those of the largest of all ratios (Bonferroni) where the prediction is right.
    """
    if bands is None or bands.fluctuations is None or runs is None or (runs.runs or 0) < 2:
        return None
    spread = bands.fluctuations.spread(runs.source.dim or 0, runs.source.test_samples)
    simulated = {quantity.name: quantity.values for quantity in ts.quantities(runs.observables, runs.problem)}
    predictions = ts.quantities(spread, bands.problem)  # without accuracies, where theory was not asked for them
    deviations = [
        (quantity.kind, simulated[quantity.name].std(axis=0, ddof=1), quantity.values) for quantity in predictions
    ]
    kept = [(kind, measured / predicted) for kind, measured, predicted in deviations if np.all(predicted > 1e-6)]
    if not kept:
        return None
    # What is predicted to be fixed is left out: the ratio of two roundings says nothing.
    freedom, tail = (runs.runs or 0) - 1, 0.01 / (2 * len(kept) * len(bands.alphas))
    limits = [np.sqrt(tailed(tail, freedom) / freedom) for tailed in (stats.chi2.ppf, stats.chi2.isf)]
    return xr.Dataset(
        {"ratio": (("quantity", "alpha"), [ratio for _, ratio in kept])},
        {"kind": ("quantity", [kind for kind, _ in kept]), "alpha": np.asarray(bands.alphas), "limit": limits},
    )


def _draw_spread(axes: Axes, ratios: xr.Dataset, theory: ts.Trajectory) -> None:
    """Draw every quantity's measured over predicted standard deviation against alpha, between family-wise limits."""
    for index, (kind, name) in enumerate(SYMBOLS.items()):
        chosen = ratios["ratio"].values[ratios["kind"].values == kind]
        if chosen.size:
            alphas = np.broadcast_to(ratios["alpha"].values, chosen.shape)
            marker, colour = MARKERS[index], COLOURS[index]
            axes.plot(alphas.T, chosen.T, marker, ms=3, mfc="none", mew=0.6, color=colour)
            axes.plot([], [], marker, ms=3, mfc="none", mew=0.6, color=colour, label=name)
    for limit in ratios["limit"].values:
        axes.axhline(limit, color="0.3", lw=0.8, ls="--")
    axes.axhline(1.0, color="0.3", lw=0.6)
    axes.set_ylabel("measured / predicted s.d.")
    axes.set_xlim(left=float(theory.alphas[0]))
    low, high = axes.get_ylim()
    axes.set_ylim(max(0.0, low - 0.25 * (high - low)), high)  # room below for the legend
    axes.legend(frameon=False, ncols=5, loc="lower left", columnspacing=0.8, handletextpad=0.1)


def _panels(theory: ts.Trajectory) -> list[tuple[str, list[ts.Quantity]]]:
    """Return (axis label, quantities) of each panel; overlaps that vanish throughout get none."""
    quantities = ts.quantities(theory.observables, theory.problem)
    blocks = theory.problem.inputs.block_names
    panels = [
        (r"generalisation error $\epsilon_g$", [q for q in quantities if q.kind == "error"]),
        ("accuracy", [q for q in quantities if q.kind == "accuracy"]),
    ]
    panels = [(label, chosen) for label, chosen in panels if chosen]
    for block in blocks:
        for kind in ("Q", "R"):
            head = f"{kind}[{block}][" if len(blocks) > 1 else ""
            chosen = [q for q in quantities if q.kind == kind and q.name.startswith(head)]
            if any(np.nanmax(np.abs(q.values), initial=0.0) > 0 for q in chosen):
                block_label = f", {plain(block)}" if len(blocks) > 1 else ""
                indices = "kl" if kind == "Q" else "km"
                panels.append((f"${kind}_{{{indices}}}${block_label}", chosen))
    if np.any(np.asarray(theory.problem.sgd.readout_learning_rate) > 0):
        panels.append((r"readout $v_k$", [q for q in quantities if q.kind == "readout"]))
    return [(label, chosen) for label, chosen in panels if chosen]  # accuracies may not have been computed


def _draw_panel(
    axes: Axes,
    label: str,
    chosen: list[ts.Quantity],
    theory: ts.Trajectory,
    runs: ts.Trajectory | None,
    bands: ts.Trajectory | None,
) -> None:
    simulated = {q.name: q.values for q in ts.quantities(runs.observables, runs.problem)} if runs is not None else {}
    errors = {}
    if theory.sampling_error is not None:
        errors = {q.name: q.values for q in ts.quantities(theory.sampling_error, theory.problem)}
    predicted = _predicted(theory, bands, runs)
    for index, quantity in enumerate(chosen):
        colour = COLOURS[index % len(COLOURS)]
        for low, high, shade in predicted.get(quantity.name, ()):
            axes.fill_between(theory.alphas, low, high, color=colour, alpha=shade, lw=0, zorder=0)
        line = LINES[index % len(LINES)]
        axes.plot(theory.alphas, quantity.values, line, color=colour, lw=1.2)
        if quantity.name in errors:
            low, high = (quantity.values + sign * errors[quantity.name] for sign in (-1, 1))
            axes.fill_between(theory.alphas, low, high, color=colour, alpha=0.2, lw=0)
        marker = MARKERS[index % len(MARKERS)]
        if quantity.name in simulated and runs is not None:
            mean, error = _mean_and_error(simulated[quantity.name])
            axes.errorbar(runs.alphas, mean, error, fmt=marker, ms=3, mfc="none", mew=0.8, lw=0.8, color=colour)
        shown = line if runs is None else line + marker
        axes.plot([], [], shown, color=colour, ms=3, mfc="none", lw=1.2, label=_short(quantity))
        _draw_bayes(axes, quantity, theory, colour)
    _scale_axes(axes, chosen, theory.alphas)
    axes.set_ylabel(label)
    if len(chosen) <= CURVES_NAMED:
        axes.legend(frameon=False, ncols=2 if len(chosen) > 3 else 1, handlelength=2.6)


Band = tuple[np.ndarray, np.ndarray, float]  # low, high, opacity


def _predicted(theory: ts.Trajectory, bands: ts.Trajectory | None, runs: ts.Trajectory | None) -> dict[str, list[Band]]:
    """Return the predicted bands of a single run and of the mean over `runs`, by quantity, at their N and test samples.

    They follow theory's line: only what is to be added to it is interpolated between the recorded alphas.
    """
    if bands is None or bands.fluctuations is None or runs is None or runs.source.dim is None:
        return {}
    fluctuations, dim = bands.fluctuations, runs.source.dim
    parts = theory.observables, fluctuations.mean_shift(dim), fluctuations.spread(dim, runs.source.test_samples)
    result = {}
    for line, shift, spread in zip(*(ts.quantities(observables, theory.problem) for observables in parts), strict=True):
        added, width = (np.interp(theory.alphas, bands.alphas, observables.values) for observables in (shift, spread))
        mean = line.values + added
        roots = ((1.0, 0.15), (np.sqrt(runs.runs or 1), 0.35))
        result[line.name] = [(mean - width / root, mean + width / root, shade) for root, shade in roots]
    return result


def _draw_bayes(axes: Axes, quantity: ts.Quantity, theory: ts.Trajectory, colour: str) -> None:
    """Draw the best accuracy that any classifier has on the level, as a dotted line."""
    task = theory.problem.task
    if quantity.kind == "accuracy" and isinstance(task, ts.XorMixture):
        best = task.bayes_accuracy()[_level(quantity)]
        axes.axhline(best, color=colour, ls=":", lw=0.9, label=f"Bayes, {_short(quantity)}")


def _mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over the runs that are finite at each alpha, and its standard error."""
    count = np.maximum(np.sum(np.isfinite(values), axis=0), 1)
    mean = np.nansum(values, axis=0) / count
    variance = np.nansum((values - mean) ** 2, axis=0) / np.maximum(count - 1, 1)
    return np.where(np.isfinite(values).any(axis=0), mean, np.nan), np.sqrt(variance / count)


def _short(quantity: ts.Quantity) -> str:
    """Return what the legend calls a quantity: "easy", "$Q_{12}$", "$v_1$" (its panel names the block)."""
    if quantity.kind in ("error", "accuracy"):
        return plain(_level(quantity))
    index = quantity.name.rsplit("[", 1)[-1].rstrip("]")
    symbol = SYMBOLS[quantity.kind].strip("$")
    return f"${symbol}_{{{index if len(index) > 3 else index.replace(',', '')}}}$"


def _level(quantity: ts.Quantity) -> str:
    """Return the level of an error or an accuracy: all that stands between its outer brackets."""
    return quantity.name.removeprefix(f"{quantity.kind}[").removesuffix("]")


def _scale_axes(axes: Axes, chosen: list[ts.Quantity], alphas: Any) -> None:
    positive = alphas[alphas > 0]
    # Linearly spaced alphas have their median in the middle, however small the first of them is.
    if positive.size > 4 and positive[-1] / positive[0] > 200 and np.median(positive) < 0.2 * positive[-1]:
        axes.set_xscale("log")
        axes.set_xlim(left=positive[0])  # alpha = 0 is not on this axis
    if chosen[0].kind == "error":
        values = np.concatenate([q.values for q in chosen])
        values = values[np.isfinite(values) & (values > 0)]
        if values.size and values.max() / values.min() > 8:
            axes.set_yscale("log")


def _shade_phases(axes: Axes, theory: ts.Trajectory, *, named: bool) -> None:
    """Draw a background per phase, with its name above the axes of the first row."""
    curriculum = theory.problem.curriculum
    ends = np.minimum(np.asarray(curriculum.switches), theory.alphas[-1])
    left, right = axes.get_xlim()
    begins = np.maximum(np.concatenate([[0.0], ends[:-1]]), left)
    to_axes = axes.transData + axes.transAxes.inverted()
    for index, (begin, end, name) in enumerate(zip(begins, ends, curriculum.phase_names(), strict=True)):
        if end <= begin:
            continue
        if index % 2:
            axes.axvspan(begin, end, color="0.93", lw=0, zorder=-2)
        name = plain(name)
        from_, to = (to_axes.transform((alpha, 1.0))[0] for alpha in (begin, end))
        width = CHARACTER * len(name)
        if named and len(ends) > 1 and (width < 1.1 * (to - from_) or len(ends) < 4):
            middle = np.clip((from_ + to) / 2, width / 2, 1 - width / 2)
            axes.annotate(name, (middle, 1.01), xycoords="axes fraction", ha="center", va="bottom", fontsize=7)
    axes.set_xlim(left, right)
