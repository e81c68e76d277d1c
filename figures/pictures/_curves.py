"""Curves: one number of a sweep against one axis, theory as lines, simulation as points with error bars."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import teacher_student as ts
from teacher_student import internal

from ..maps import Contrast, label_of_value, positions_of, scale_axis, select
from ..sweeps import bayes_accuracy, drawable, normal_form, plain
from ._comparison_plot import LINES, STYLE
from ._verdict_plot import COLOURS, MARKERS


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
    Times that are never reached stand at the upper edge.

    Arguments:
      dataset: of `sweep` or `open_sweep`. x: name of an axis; None: the one left free. value: a variable.
      lines: name of an axis; None: one curve. at, contrast, over: as in `select`.
    Returns a matplotlib Figure. Raises InputError unless one axis is left free beside `lines`.
    """
    dataset = normal_form(dataset)
    by_engine = {
        engine: select(dataset, value, engine=engine, at=at, contrast=contrast, over=over)
        for engine in dataset["engine"].values.tolist()
    }
    first = next(iter(by_engine.values()))
    free = [str(name) for name in first["value"].dims]
    for name in (x, lines):
        if name is not None:
            internal.require_name(name, free, "axis of the sweep that is left free")
    left = [name for name in free if name not in (x, lines)]
    x = x or (left.pop(0) if left else None)
    if x is None or left:
        raise ts.InputError("one free axis beside `lines`", free, "fix others with at (--at), contrast, over or lines")
    by_engine = {engine: _in_order(cells, x) for engine, cells in by_engine.items()}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2, 3.0), layout="constrained")
        axes = figure.subplots()
        nevers = False
        for index, label in enumerate(dataset[lines].values.tolist() if lines else [None]):
            style: dict[str, Any] = {"color": COLOURS[index % len(COLOURS)]}
            for engine, cells in by_engine.items():
                nevers |= _draw(axes, cells.sel({lines: label}) if lines else cells, x, engine, index)
            if lines:
                mark = MARKERS[index % len(MARKERS)] if "simulation" in by_engine else ""
                line = LINES[index % len(LINES)] if "theory" in by_engine else ""
                axes.plot([], [], line + mark, ms=4, mfc="none", label=_name(lines, label), **style)
            if value == "accuracy" and contrast is None:
                _draw_bayes(axes, dataset, x, dict(at or {}) | ({lines: label} if lines else {}), style)
        scale_axis(axes.xaxis, _in_order(dataset, x)[x].values)
        axes.set_xlabel(drawable(dataset[x].attrs.get("long_name", plain(x))))
        axes.set_ylabel(drawable(first["value"].attrs["long_name"]))
        if "theory" in by_engine and "simulation" in by_engine:
            axes.plot([], [], "-", color="0.4", lw=1.2, label="theory")
            axes.plot([], [], "o", color="0.4", ms=4, mfc="none", label="simulation")
        if nevers:
            axes.plot([], [], "^", color="0.4", ms=4, label="never")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False)
        return figure


def _in_order(cells: xr.Dataset, x: str) -> xr.Dataset:
    """Return `cells` with the numbers along `x` ascending, in which order a line joins them; names stay as they are."""
    return cells.sortby(x) if cells[x].dtype.kind in "if" else cells


def _draw(axes: Axes, cells: xr.Dataset, x: str, engine: str, index: int) -> bool:
    """Draw one curve; return whether some of its times are never reached (they stand at the upper edge)."""
    style: dict[str, Any] = {"color": COLOURS[index % len(COLOURS)]}
    right = positions_of(cells[x].values)
    values, se = (np.asarray(cells[name].values, float) for name in ("value", "se"))
    never = np.isinf(values)
    axes.plot(right[never], np.full(never.sum(), 0.98), "^", transform=axes.get_xaxis_transform(), ms=4, **style)
    values = np.where(never, np.nan, values)
    if engine == "theory":
        axes.plot(right, values, LINES[index % len(LINES)], lw=1.2, **style)
        if np.any(se > 0):
            axes.fill_between(right, values - se, values + se, alpha=0.2, lw=0, **style)
    else:
        axes.errorbar(right, values, se, fmt=MARKERS[index % len(MARKERS)], ms=4, mfc="none", lw=0.8, **style)
    return bool(never.any())


def _name(axis: str, label: Any) -> str:
    words = f"{label:g}" if isinstance(label, (int, float)) else str(label)
    return plain(label if isinstance(label, str) else f"{axis.replace('_', ' ')} {words}")


def _draw_bayes(axes: Axes, dataset: xr.Dataset, x: str, at: Mapping[str, Any], style: Mapping[str, Any]) -> None:
    """Draw the best accuracy that any classifier has, for a sweep of mixtures: dotted, along x if it changes there."""
    best = bayes_accuracy(dataset)
    if best is None:
        return
    labels = {name: label_of_value(best.to_dataset(name="best"), name, at[name]) for name in at if name in best.dims}
    best = best.sel(labels).squeeze(drop=True)
    if best.ndim == 0:
        axes.axhline(float(best), ls=":", lw=0.9, **style)
    elif best.dims == (x,):
        best = best.sortby(x) if best[x].dtype.kind in "if" else best
        axes.plot(positions_of(best[x].values), best.values, ":", lw=0.9, **style)
