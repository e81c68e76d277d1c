"""Curves of trajectories: theory as lines with their bands, simulation as points with standard errors."""

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import teacher_student as ts
from teacher_student import internal

from ..sweeps import plain
from ._canvas import Drawn, as_axes, drawn_in, is_lowest, is_ours, new_axes, require_as_many, say_above, start_panel
from ._legends import legend_beside
from ._looks import bar_of_colours, drawn_curves
from ._panels import ALPHA, Panel, chosen_names, level_of, panels_of, short_name
from ._phases import shade_phases
from ._style import drawing, put_letters

BAND = 0.2  # opacity
USUAL_DIM = 1000  # N of the runs whose spread is shaded where nothing else is said: that of `teacher-student compare`
MOST_POINTS = 40  # of a curve: more would hide the line
MARGIN = 0.025  # of an axis beside the first and last alpha: half a marker, also in a narrow panel
Band = tuple[np.ndarray, np.ndarray, float]  # low, high, opacity


def plot_trajectory(
    trajectory: ts.Trajectory,
    ax: Any = None,
    level: Any = None,
    quantities: Any = None,
    *,
    dim: int | None = None,
    label: str | None = None,
) -> tuple[Figure, np.ndarray]:
    """Draw a trajectory, one panel for each kind of quantity. See `Trajectory.plot`."""
    with drawing() as style:
        axes, panels = _places(trajectory, as_axes(ax), level, quantities)
        bands = _bands_of_a_run(trajectory, dim)
        _warn_of_another_dim(trajectory, axes)
        if axes is None:
            figure, axes = new_axes(len(panels), style, shown=True)
            say_above(figure, "")
            put_letters(axes)
        sentence = _said_of(trajectory, bands, dim)
        known = chosen_names(_recorded(trajectory), trajectory, level, quantities)
        columns = min(len(axes), style.columns)
        for index, (one, panel) in enumerate(zip(axes, panels, strict=True)):
            if panel is None:
                continue
            drawn = start_panel(one, panel)
            _draw(one, drawn, trajectory, known, bands, label)
            drawn.band_dim = (dim or _usual_dim(trajectory)) if bands else drawn.band_dim
            named = ax is not None or index < columns
            finish_panel(one, drawn, trajectory, named=named, lowest=ax is not None or is_lowest(axes, index, columns))
            show_names(one, drawn)
        if is_ours(axes[0].figure):
            say_above(axes[0].figure, sentence)
        return axes[0].figure, axes


def _places(
    trajectory: ts.Trajectory, axes: np.ndarray | None, level: Any, quantities: Any
) -> tuple[np.ndarray | None, Sequence[Panel | None]]:
    """Return the axes (None: to be made), and what each of them shows (None: nothing of this trajectory)."""
    if axes is None:
        return None, panels_of(trajectory, level, quantities)
    before = [drawn_in(one) for one in axes]
    if any(before):
        return axes, [None if drawn is None else drawn.panel for drawn in before]
    if len(axes) == 1:
        return axes, panels_of(trajectory, level, "error" if quantities is None else quantities, together=True)
    panels = panels_of(trajectory, level, quantities)
    require_as_many(axes, [panel.label for panel in panels])
    return axes, panels


def _warn_of_another_dim(runs: ts.Trajectory, axes: np.ndarray | None) -> None:
    """Warn of points at one N on a band that was drawn for another, which is too narrow or too wide for them."""
    dim = None if runs.runs is None else runs.source.dim
    before = [drawn_in(one) for one in ([] if axes is None else axes)]
    others = {drawn.band_dim for drawn in before if drawn is not None} - {None, dim}
    if dim is not None and others:
        text = f"the band is of a run at N = {min(filter(None, others))}, and these runs have N = {dim}"
        warnings.warn(f"{text}: draw the theory with plot(dim={dim})", stacklevel=6)


def _draw(
    axes: Axes, drawn: Drawn, trajectory: ts.Trajectory, known: set[str], bands: Mapping[str, Any], label: str | None
) -> None:
    """Draw the curves of a trajectory that are asked for, and count it."""
    if trajectory.runs is None:
        draw_theory(axes, drawn, trajectory, bands, known, label)
    else:
        draw_runs(axes, drawn, trajectory, known, label)


def draw_theory(
    axes: Axes,
    drawn: Drawn,
    theory: ts.Trajectory,
    bands: Mapping[str, Sequence[Band]],
    known: set[str] | None = None,
    label: str | None = None,
) -> None:
    """Draw theory's quantities of a panel as lines, over bands of its sampling error and over `bands`.

    Arguments: known: which of the panel's quantities; None: all. label: of the theory in the legend.
    """
    panel, index = drawn.panel, drawn.lines
    values = _values(theory.observables, theory.problem)
    number = drawn.number_of(index) if label is None else 1
    errors = {} if theory.sampling_error is None else _values(theory.sampling_error, theory.problem)
    for name, shown, curve in zip(panel.names, panel.shown, panel.looks(index), strict=True):
        if name not in values or (known is not None and name not in known):
            continue
        for low, high, opacity in bands.get(name, ()):
            axes.fill_between(theory.alphas, low, high, color=curve.colour, alpha=opacity, lw=0, zorder=0)
        if name in errors and np.any(errors[name] > 0):
            low, high = (values[name] + sign * errors[name] for sign in (-1, 1))
            axes.fill_between(theory.alphas, low, high, color=curve.colour, alpha=BAND, lw=0)
        text = _named(panel, shown, label, number)
        axes.plot(theory.alphas, values[name], curve.line, color=curve.colour, lw=1.2, label=text)
        if index == 0:
            _draw_bayes(axes, panel, name, theory, curve.colour)
    _mark_stop(axes, theory, label)
    drawn.theories.append((theory.problem, label))


def draw_runs(
    axes: Axes, drawn: Drawn, runs: ts.Trajectory, known: set[str] | None = None, label: str | None = None
) -> None:
    """Draw means over runs as points with standard errors, over the runs that are finite at each alpha.

    Points on the line of a theory have its colour, and its label where they have none of their own.
    """
    panel, values = drawn.panel, _values(runs.observables, runs.problem)
    index, label_of_theory = drawn.place_of(runs.problem)
    label = label_of_theory if label is None else label
    number = drawn.number_of(index) if label is None else 1
    alphas = np.asarray(runs.alphas)
    some = np.unique(np.linspace(0, alphas.size - 1, min(alphas.size, MOST_POINTS)).round().astype(int))
    for name, shown, curve in zip(panel.names, panel.shown, panel.looks(index), strict=True):
        if name not in values or (known is not None and name not in known):
            continue
        mean, error = mean_and_error(values[name])
        text = _named(panel, shown, label, number)
        axes.errorbar(alphas[some], mean[some], error[some], fmt=curve.marker, label=text, **curve.points)
    _mark_stop(axes, runs, label)
    drawn.taken.add(index)


def _values(observables: ts.Observables, problem: ts.Problem) -> dict[str, np.ndarray]:
    return {one.name: np.asarray(one.values, float) for one in ts.quantities(observables, problem)}


def _recorded(trajectory: ts.Trajectory) -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in ts.quantities(trajectory.observables, trajectory.problem)]


def _named(panel: Panel, shown: str, label: str | None, number: int) -> str:
    """Return the name of a curve in the legend. matplotlib leaves names with "_" out, where another key says them."""
    if panel.has_bar or panel.by_unit() is not None:
        return f"_{shown}"
    if label is None:
        return shown if number == 1 else f"{shown} ({number})"
    return plain(label) if len(panel.names) == 1 else f"{shown}, {plain(label).strip()}"


def mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over the runs that are finite at each alpha, and its standard error."""
    count = np.maximum(np.sum(np.isfinite(values), axis=0), 1)
    mean = np.nansum(values, axis=0) / count
    variance = np.nansum((values - mean) ** 2, axis=0) / np.maximum(count - 1, 1)
    return np.where(np.isfinite(values).any(axis=0), mean, np.nan), np.sqrt(variance / count)


def _draw_bayes(axes: Axes, panel: Panel, name: str, theory: ts.Trajectory, colour: str) -> None:
    """Draw the best accuracy that any classifier has on the level, as a dotted line."""
    task = theory.problem.task
    if name.startswith("accuracy[") and isinstance(task, ts.XorMixture):
        best = task.bayes_accuracy()[level_of(name, "accuracy")]
        axes.axhline(best, color=colour, ls=":", lw=0.9, label=f"Bayes, {short_name(name, 'accuracy')}")


def _mark_stop(axes: Axes, trajectory: ts.Trajectory, label: str | None) -> None:
    """Draw where a theory or the first of the runs stopped, and say in the legend how."""
    codes, reached = np.atleast_1d(trajectory.status), np.atleast_1d(trajectory.reached)
    if np.all(codes == ts.Status.OK):
        return
    first = float(np.min(reached[codes != ts.Status.OK]))
    who = "" if label is None else f"{plain(label)}: "
    # The reason in brackets is for the repr: a legend is narrow.
    text = who + re.sub(r" \(.*\)", "", internal.ending(trajectory)).replace(" at alpha ", "\nat $\\alpha$ = ")
    axes.axvline(first, color="0.3", lw=0.9, ls=":" if trajectory.runs is None else "-.", label=text)


def _bands_of_a_run(trajectory: ts.Trajectory, dim: int | None) -> dict[str, list[Band]]:
    """Return the bands of one standard deviation of a single run around theory, where it has fluctuations."""
    if trajectory.runs is not None or trajectory.fluctuations is None:
        if dim is not None:
            remedy = "ode.fluctuations computes them"
            raise ts.InputError("a theory with fluctuations for dim", "a trajectory without", remedy)
        return {}
    return spread_around(trajectory, trajectory, dim or _usual_dim(trajectory), None, {1.0: BAND})


def _usual_dim(theory: ts.Trajectory) -> int:
    assert theory.fluctuations is not None
    return max(USUAL_DIM, theory.fluctuations.smallest_dim)


def spread_around(
    theory: ts.Trajectory, bands: ts.Trajectory, dim: int, test_samples: int | None, opacities: Mapping[float, float]
) -> dict[str, list[Band]]:
    """Return the predicted bands at N = `dim`, by quantity: of one run, and of means over several.

    They follow theory's line: only what is to be added to it is interpolated between the recorded alphas. They end
    where the expansion in 1/N ends (`Trajectory.breakdown`): beyond, what is predicted is impossible.

    Arguments: theory: whose line they follow. bands: of `ode.fluctuations`. opacities: number of runs -> opacity.
    """
    fluctuations = bands.fluctuations
    assert fluctuations is not None
    parts = theory.observables, fluctuations.mean_shift(dim), fluctuations.spread(dim, test_samples)
    lines, shifts, spreads = (_values(part, theory.problem) for part in parts)
    end, result = bands.breakdown(dim), {}
    if end is not None and end.holds_to is None:
        return {}
    holds = np.asarray(theory.alphas) <= (np.inf if end is None or end.holds_to is None else end.holds_to)
    for name in shifts:
        added, width = (np.interp(theory.alphas, bands.alphas, part[name]) for part in (shifts, spreads))
        mean = np.where(holds, lines[name] + added, np.nan)
        result[name] = [
            (mean - width / np.sqrt(runs), mean + width / np.sqrt(runs), shade) for runs, shade in opacities.items()
        ]
    return result


def _said_of(trajectory: ts.Trajectory, bands: Mapping[str, Any], dim: int | None) -> str:
    """Say in a sentence what is drawn, for above the panels."""
    if trajectory.runs is not None:
        at = "" if trajectory.source.dim is None else f" at $N$ = {trajectory.source.dim}"
        return f"points: mean of {trajectory.runs} runs{at} with its standard error"
    sentence = "lines: theory (ODEs)"
    if trajectory.fluctuations is not None:
        shown_dim = dim or _usual_dim(trajectory)
        end = trajectory.breakdown(shown_dim)
        if bands:
            sentence += f"; shaded: one standard deviation of a run at $N$ = {shown_dim}"
        if end is not None:
            until = "" if end.holds_to is None else f" beyond $\\alpha$ = {end.holds_to:g}"
            sentence += f"; the expansion in $1/N$ does not hold{until} at $N$ = {shown_dim}"
    elif trajectory.sampling_error is not None:
        sentence += "; shaded: standard error of its sampled averages"
    return sentence


def finish_panel(
    axes: Axes, drawn: Drawn, trajectory: ts.Trajectory, *, named: bool, lowest: bool, shaded: bool = True
) -> None:
    """Give a panel its scales, labels and phases, the first time that something is drawn there, and end its x-axis
    where the data end.

    Phases go where the panel has curves of another curriculum: they would be false for them.
    """
    first, curriculum = not drawn.finished, trajectory.problem.curriculum
    if first:
        drawn.finished = True
        axes.set_ylabel(drawn.panel.label)
        if lowest:
            axes.set_xlabel(ALPHA)
        _scale(axes, drawn.panel)
    end_with_data(axes)
    if first and shaded:
        drawn.curriculum = curriculum
        drawn.phases = shade_phases(axes, curriculum, np.asarray(trajectory.alphas), named=named)
    elif drawn.phases and drawn.curriculum != curriculum:
        for artist in drawn.phases:
            artist.remove()
        drawn.phases = []


def _scale(axes: Axes, panel: Panel) -> None:
    """Take a logarithmic axis of alpha where it is spaced so, and of the error where it falls by much."""
    curves = drawn_curves(axes)
    alphas = np.unique(np.concatenate([np.asarray(line.get_xdata(), float) for line in curves] or [np.zeros(0)]))
    positive = alphas[alphas > 0]
    # Linearly spaced alphas have their median in the middle, however small the first of them is.
    if positive.size > 4 and positive[-1] / positive[0] > 200 and np.median(positive) < 0.2 * positive[-1]:
        axes.set_xscale("log")  # alpha = 0 is not on this axis
    if panel.kind == "error":
        values = np.concatenate([np.asarray(line.get_ydata(), float) for line in curves] or [np.zeros(0)])
        values = values[np.isfinite(values) & (values > 0)]
        if values.size and values.max() / values.min() > 8:
            axes.set_yscale("log")


def end_with_data(axes: Axes) -> None:
    """Let the x-axis begin and end with the curves that are drawn, but for half a marker."""
    columns = [np.asarray(line.get_xdata(), float) for line in drawn_curves(axes)]
    alphas = np.concatenate(columns) if columns else np.zeros(0)
    log = axes.get_xscale() == "log"
    alphas = alphas[np.isfinite(alphas) & ((alphas > 0) | (not log))]
    if not alphas.size or alphas.min() == alphas.max():
        return
    low, high = (np.log(end) if log else end for end in (alphas.min(), alphas.max()))
    room = MARGIN * (high - low)
    ends = low - room, high + room
    axes.set_xlim(*(np.exp(ends) if log else ends))


def show_names(axes: Axes, drawn: Drawn) -> None:
    """Put the legend beside a panel, or a bar of colours where there are too many curves for one."""
    panel = drawn.panel
    if panel.has_bar:
        if not drawn.bar:
            bar_of_colours(axes, panel.shown)
            drawn.bar = True
        legend_beside(axes, bbox_to_anchor=(1.0, -0.02), loc="lower right")
        return
    by_unit = panel.by_unit()
    legend_beside(axes, () if by_unit is None else _unit_handles(drawn))


def _unit_handles(drawn: Drawn) -> list[Line2D]:
    """Return a key of units: a colour for each first one, a dash and a marker for each second one."""
    panel = drawn.panel
    assert panel.pairs is not None
    second = "m" if panel.kind == "R" else "l"
    keys: dict[str, Line2D] = {}
    for (first, other), curve in zip(panel.pairs, panel.looks(), strict=True):
        style: dict[str, Any] = {"lw": 1.2, "ms": 3, "mfc": "none"}
        marker = curve.marker if drawn.points else ""
        line = curve.line if drawn.lines else ""
        keys.setdefault(f"$k = {first}$", Line2D([], [], color=curve.colour, lw=2.4))
        keys.setdefault(f"${second} = {other}$", Line2D([], [], color="0.35", ls=line, marker=marker, **style))
    for text, handle in keys.items():
        handle.set_label(text)
    return [handle for _, handle in sorted(keys.items(), key=lambda item: (item[0][1] != "k", item[0]))]
