"""Curves: one number of a sweep against one axis, theory as lines, simulation as points with error bars."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import teacher_student as ts
from teacher_student import internal

from ..maps import Contrast, engines_of, label_of_value, positions_of, scale_axis, select, take_engine
from ..sweeps import bayes_accuracy, drawable, normal_form, plain
from ._canvas import as_axes, require_as_many
from ._legends import along, legend_beside
from ._looks import COLOURS, MOST_NAMES, Look, bar_of_colours, looks
from ._notation import in_symbols
from ._style import drawing, new_figure
from ._trajectory_plot import MARGIN

UP = r"$\uparrow$"  # the marker of what lies beyond the edge


def curves(
    dataset: xr.Dataset,
    x: str | None = None,
    value: str = "error",
    *,
    lines: str | None = None,
    at: Mapping[str, Any] | None = None,
    contrast: "Contrast | Sequence[Any] | None" = None,
    over: str | None = None,
) -> Figure:
    """Draw `value` against the axis `x` of a sweep, one curve per value of the axis `lines`.

    Theory is a line, with a band of one standard error where it has one. Simulation is points with standard errors.
    Times that are never reached are arrows at the upper edge. More than eight curves have a bar of colours.

    Arguments:
      dataset: of `sweep` or `open_sweep`. x: name of an axis; None: the one left free. value: a variable.
      lines: name of an axis; None: one curve. at, contrast, over: as in `select`; an engine in `at` is drawn alone.
    Returns a matplotlib Figure. Raises InputError unless one axis is left free beside `lines`.
    """
    return plot_curves(dataset, x, value, lines=lines, at=at, contrast=contrast, over=over, shown=False)[0]


def plot_curves(
    dataset: xr.Dataset,
    x: str | None = None,
    value: str = "error",
    *,
    lines: str | None = None,
    at: Mapping[str, Any] | None = None,
    contrast: "Contrast | Sequence[Any] | None" = None,
    over: str | None = None,
    ax: Any = None,
    shown: bool = True,
) -> tuple[Figure, np.ndarray]:
    """Draw curves as `curves` does, into new axes or those that are given; return figure and axes."""
    dataset = normal_form(dataset)
    only, at = take_engine(dataset, None, at)
    by_engine = {
        engine: select(dataset, value, engine=engine, at=at, contrast=contrast, over=over)
        for engine in ([only] if only else engines_of(dataset))
    }
    first = next(iter(by_engine.values()))
    x = _free_axis([str(name) for name in first["value"].dims], x, lines)
    by_engine = {engine: _in_order(cells, x) for engine, cells in by_engine.items()}
    with drawing(None if shown else "prl-wide") as style:
        given = as_axes(ax)
        if given is None:
            figure = new_figure(style.width if style.columns == 1 else 0.7 * style.width, 1.5 * style.row, shown=shown)
            given = np.array([figure.add_subplot()], dtype=object)
        require_as_many(given, [value])
        axes = given[0]
        best = _bayes(dataset, at) if value == "accuracy" and contrast is None else None
        draw_curves(axes, by_engine, x, lines, best)
        scale_axis(axes.xaxis, _in_order(dataset, x)[x].values)
        _end_with_cells(axes, _in_order(dataset, x)[x].values)
        axes.set_xlabel(drawable(dataset[x].attrs.get("long_name", plain(x))))
        axes.set_ylabel(along(axes, drawable(first["value"].attrs["long_name"]), share=0.75))
        return axes.figure, given


def _free_axis(free: list[str], x: str | None, lines: str | None) -> str:
    """Return the axis to the right. Raises InputError unless one axis is left free beside `lines`."""
    for name in (x, lines):
        if name is not None:
            internal.require_name(name, free, "axis of the sweep that is left free")
    left = [name for name in free if name not in (x, lines)]
    x = x or (left.pop(0) if left else None)
    if x is None or left:
        raise ts.InputError("one free axis beside `lines`", free, "fix others with at (--at), contrast, over or lines")
    return x


def draw_curves(
    axes: Axes, by_engine: Mapping[str, xr.Dataset], x: str, lines: str | None, best: xr.DataArray | None = None
) -> None:
    """Draw a panel of curves with its legend: one for each value along `lines`, of each engine.

    Arguments: by_engine: cells of `select`, in the order of x. best: accuracies of the Bayes classifier, dotted.
    """
    cells_of_lines = next(iter(by_engine.values()))
    labels: list[Any] = cells_of_lines[lines].values.tolist() if lines else [None]
    family = looks(len(labels))
    nevers = False
    for label, curve in zip(labels, family, strict=True):
        for engine, cells in by_engine.items():
            nevers |= _draw(axes, cells.sel({lines: label}) if lines else cells, x, engine, curve)
        if best is not None:
            _draw_bayes(axes, best, x, {lines: label} if lines else {}, curve.colour)
    name = "" if lines is None else drawable(cells_of_lines[lines].attrs.get("long_name", plain(lines)))
    with_bar = len(labels) > len(COLOURS)
    if with_bar:
        style: Any = {"ticks": MOST_NAMES} if _are_names(labels) else {"label": name}
        bar_of_colours(axes, [_name(label) for label in labels], **style)
    handles = [] if with_bar or lines is None else _handles(by_engine, lines, labels, family)
    handles += _engine_handles(by_engine, family, nevers, alone=lines is None)
    place: Any = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.01), "ncols": 3} if with_bar else {}
    legend_beside(axes, handles, title=None if with_bar or lines is None or _are_names(labels) else name, **place)


def _handles(by_engine: Mapping[str, xr.Dataset], lines: str, labels: list[Any], family: list[Look]) -> list[Line2D]:
    """Return an entry of the legend for each curve, with dash and marker where it has such."""
    handles = []
    for label, curve in zip(labels, family, strict=True):
        own = {engine: cells.sel({lines: label}) for engine, cells in by_engine.items()}
        seen = {engine: _is_seen(cells) for engine, cells in own.items()}
        style: Any = {"lw": 1.2, "ms": 4, "mfc": "none", "color": curve.colour, "label": _name(label)}
        line = curve.line if seen.get("theory") else ""
        marker = curve.marker if seen.get("simulation") else "" if any(seen.values()) else UP
        handles.append(Line2D([], [], ls=line, marker=marker, **style))
    return handles


def _is_seen(cells: xr.Dataset) -> bool:
    """Say whether a curve has a number, and not only times that are never reached."""
    return bool(np.any(np.isfinite(np.asarray(cells["value"].values, float))))


def _engine_handles(by_engine: Mapping[str, Any], family: list[Look], nevers: bool, *, alone: bool) -> list[Line2D]:
    """Return entries that say what is theory, what simulation, and what an arrow means."""
    colour, handles = family[0].colour if alone else "0.4", []
    if all(engine in by_engine and _is_seen(by_engine[engine]) for engine in ("theory", "simulation")):
        handles.append(Line2D([], [], ls="-", lw=1.2, color=colour, label="theory"))
        handles.append(Line2D([], [], ls="", marker="o", ms=4, mfc="none", color=colour, label="simulation"))
    if nevers:
        handles.append(Line2D([], [], ls="", marker=UP, ms=7, color=colour, label="never"))
    return handles


def _are_names(labels: list[Any]) -> bool:
    """Say whether curves have names, which speak for themselves: the axis of numbers stands above the legend."""
    return all(isinstance(label, str) for label in labels)


def _name(label: Any) -> str:
    return in_symbols(plain(label)) if isinstance(label, str) else f"{label:.4g}"


def _in_order(cells: xr.Dataset, x: str) -> xr.Dataset:
    """Return `cells` with the numbers along `x` ascending, in which order a line joins them; names stay as they are."""
    return cells.sortby(x) if cells[x].dtype.kind in "if" else cells


def _end_with_cells(axes: Axes, values: np.ndarray) -> None:
    """Let the x-axis begin and end with the cells, but for half a marker."""
    places = positions_of(values)
    if axes.get_xscale() == "log":
        places = np.log(places)
    room = MARGIN * np.ptp(places) if np.ptp(places) else 0.5
    ends = np.array([places.min() - room, places.max() + room])
    axes.set_xlim(*(np.exp(ends) if axes.get_xscale() == "log" else ends))


def _draw(axes: Axes, cells: xr.Dataset, x: str, engine: str, curve: Look) -> bool:
    """Draw one curve; return whether some of its times are never reached (they stand at the upper edge)."""
    right = positions_of(cells[x].values)
    values, se = (np.asarray(cells[name].values, float) for name in ("value", "se"))
    never = np.isinf(values)
    edge: Any = {"transform": axes.get_xaxis_transform(), "clip_on": False}
    axes.plot(right[never], np.full(never.sum(), 0.97), ls="", marker=UP, ms=7, mew=0, color=curve.colour, **edge)
    values = np.where(never, np.nan, values)
    if engine == "theory":
        axes.plot(right, values, curve.line, lw=1.2, color=curve.colour)
        if np.any(se > 0):
            axes.fill_between(right, values - se, values + se, alpha=0.2, lw=0, color=curve.colour)
    else:
        axes.errorbar(right, values, se, fmt=curve.marker, **(curve.points | {"ms": 4}))
    return bool(never.any())


def _bayes(dataset: xr.Dataset, at: Mapping[str, Any] | None) -> xr.DataArray | None:
    """Return the best accuracy that any classifier has, for a sweep of mixtures, where `at` has fixed axes."""
    best = bayes_accuracy(dataset)
    if best is None:
        return None
    known, table = dict(at or {}), best.to_dataset(name="best")
    return best.sel({name: label_of_value(table, name, known[name]) for name in known if name in best.dims})


def _draw_bayes(axes: Axes, best: xr.DataArray, x: str, at: Mapping[str, Any], colour: Any) -> None:
    """Draw the best accuracy that any classifier has as a dotted line, along x if it changes there."""
    best = best.sel({name: label for name, label in at.items() if name in best.dims}).squeeze(drop=True)
    if best.ndim == 0:
        axes.axhline(float(best), ls=":", lw=0.9, color=colour)
    elif best.dims == (x,):
        best = best.sortby(x) if best[x].dtype.kind in "if" else best
        axes.plot(positions_of(best[x].values), best.values, ls=(0, (1, 3)), lw=0.9, color=colour)
