"""Phase diagrams: a map over two axes of a sweep, its boundary with an interval, and simulated cells on top."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

import teacher_student as ts
from teacher_student import internal

from ..maps import Contrast, check_where, is_log, positions_of, scale_axis, select
from ..sweeps import CellStatus, drawable, normal_form, plain
from ._comparison_plot import STYLE
from ._draw_boundary import draw_boundary, mark_boundary

NO_NUMBER = {np.isinf: ("never", "white", "++"), np.isnan: ("undefined", "white", "..")}  # times that are not reached
COLOURS = "cividis"  # for all eyes, and monotone in grey
DASHES = ("--", ":", "-.")  # of known curves
SPECIAL = {  # what stands in place of a value: label, colour, hatch
    CellStatus.DIVERGED: ("diverged", "#D55E00", ""),
    CellStatus.TOO_STIFF: ("too stiff", "0.8", "\\\\\\"),
    CellStatus.TIMED_OUT: ("timed out", "white", "---"),
    CellStatus.FAILED: ("failed", "white", "xxx"),
    CellStatus.PENDING: ("not done", "white", "////"),
}


def phase_diagram(
    dataset: xr.Dataset,
    x: str | None = None,
    y: str | None = None,
    value: str = "error",
    *,
    at: Mapping[str, Any] | None = None,
    contrast: "Contrast | Sequence[Any] | None" = None,
    over: str | None = None,
    panels: str | None = None,
    boundary: float | str | None = None,
    engine: str | None = None,
    limits: tuple[float, float] | None = None,
    lines: Mapping[str, tuple[Any, ...]] | None = None,
) -> Figure:
    """Draw a map of `value` over the axes `x` and `y` of a sweep; one panel per value of the axis `panels`.

    Cells of theory are tiles. Simulated ones, where there are both, are circles of the same colour scale, crossed where
    theory and simulation disagree. Cells not done are hatched, and diverged ones have a colour of their own.

    Arguments:
      dataset: of `sweep` or `open_sweep`. x, y: names of axes; None: the two left free. value: a variable.
      at, contrast, over: as in `select`.
      boundary: a number, drawn as a contour with a 95 % band from the cells' errors; or "steepest" or "diverged", drawn
        row by row with its interval.
      engine: "theory" or "simulation" for the tiles; None: theory where there is one.
      limits: lower and upper end of the colour scale; None: those of all values.
      lines: label -> (x values, y values) of known curves, drawn dashed, or (x values, y values, the one panel to draw
        it in).
    Returns a matplotlib Figure. Raises InputError unless two axes are left free beside `panels`.
    """
    dataset = normal_form(dataset)
    if boundary is not None:
        check_where(boundary)
    if limits is not None:
        _check_limits(limits)
    _check_lines(lines)
    engines = dataset["engine"].values.tolist()
    engine = engine or engines[0]
    choice: dict[str, Any] = {"at": at, "contrast": contrast, "over": over}
    cells = select(dataset, value, engine=engine, **choice)
    x, y, rows = free_axes(cells, x, y, panels)
    marks = None
    if engine == "theory" and "simulation" in engines:
        marks = select(dataset, value, engine="simulation", **choice)
    norm = _norm([some_cells for some_cells in (cells, marks) if some_cells is not None], value, contrast, limits)
    with mpl.rc_context(STYLE | {"axes.spines.top": True, "axes.spines.right": True}):
        figure = Figure(figsize=(0.9 + 2.9 * len(rows), 3.0), layout="constrained")
        grid = figure.subplots(1, len(rows), sharex=True, sharey=True, squeeze=False)[0]
        for index, (axes, panel) in enumerate(zip(grid, rows, strict=True)):
            shown = cells.sel(panel)
            _draw(axes, shown, x, y, norm, boundary)
            _draw_lines(axes, lines or {}, panel.get(panels or ""))
            if marks is not None:
                _mark(axes, marks.sel(panel), x, y, norm)
                mark_boundary(axes, shown, marks.sel(panel), x, y, boundary)
            axes.set_xlabel(_axis_label(dataset, x))
            if index == 0:
                axes.set_ylabel(_axis_label(dataset, y))
            title = ", ".join(plain(label) for label in panel.values())
            axes.set_title(f"({chr(ord('a') + index)}) {title}" if len(rows) > 1 else title, loc="left")
        colours = mpl.cm.ScalarMappable(norm, COLOURS)
        bar = figure.colorbar(colours, ax=list(grid), label=drawable(cells["value"].attrs["long_name"]), pad=0.02)
        if isinstance(boundary, (int, float)):
            bar.ax.axhline(boundary, color="black", lw=1.2)
        _legend(figure, cells, marks, boundary, lines or {})
        return figure


def _check_limits(limits: Any) -> None:
    if not isinstance(limits, Sequence) or len(limits) != 2 or not all(map(internal.is_number, limits)):
        raise ts.InputError("two numbers as limits of the colour scale", repr(limits))
    if not -np.inf < limits[0] < limits[1] < np.inf:
        raise ts.InputError("limits of the colour scale, the lower first", limits)


def _check_lines(lines: Any) -> None:
    """Raise InputError unless `lines` are label -> (x values, y values), or one more for the panel."""
    if lines is None:
        return
    if not isinstance(lines, Mapping):
        raise ts.InputError("lines as label -> (x values, y values)", repr(lines))
    for label, line in lines.items():
        if not isinstance(line, Sequence) or len(line) not in (2, 3):
            raise ts.InputError(f"(x values, y values) as the line {label!r}", repr(line))
        xs, ys = (np.asarray(internal.as_numbers(values, f"the line {label!r}")) for values in line[:2])
        if xs.ndim != 1 or xs.shape != ys.shape:
            raise ts.InputError(f"as many x as y values of the line {label!r}", f"{xs.shape} and {ys.shape}")


def free_axes(
    cells: xr.Dataset, x: str | None, y: str | None, panels: str | None
) -> tuple[str, str, list[dict[str, Any]]]:
    """Return x, y, and what fixes each panel."""
    free = [str(name) for name in cells["value"].dims]
    for name in (x, y, panels):
        if name is not None:
            internal.require_name(name, free, "axis of the sweep that is left free")
    left = [name for name in free if name not in (x, y, panels)]
    chosen = [name or (left.pop(0) if left else None) for name in (x, y)]
    if None in chosen or left or len({*chosen, panels}) < 3:
        raise ts.InputError(
            f"two free axes{' beside the panels' if panels else ''}",
            free,
            "fix others with at (--at), contrast, over or panels",
        )
    labels = cells[panels].values.tolist() if panels else []
    return str(chosen[0]), str(chosen[1]), [{panels: label} for label in labels] if panels else [{}]


def _norm(maps: list[xr.Dataset], value: str, contrast: object, limits: tuple[float, float] | None) -> Normalize:
    values = np.concatenate([cells["value"].values.ravel() for cells in maps]).astype(float)
    values = values[np.isfinite(values)]
    if limits is None and not values.size:
        return Normalize(0, 1)
    low, high = limits or (float(values.min()), float(values.max()))
    if contrast is None and value != "accuracy" and low > 0 and high / low > 30:
        return LogNorm(low, high)
    return Normalize(low, high if high > low else low + 1)


def _edges(centres: np.ndarray) -> np.ndarray:
    """Return the edges of cells around values, half way between them on the axis' own scale; strings are numbered."""
    centres = np.asarray(centres)
    if centres.dtype.kind not in "if":
        return np.arange(centres.size + 1) - 0.5
    if is_log(centres):
        return np.asarray(np.exp(_edges(np.log(centres))))
    if centres.size == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[centres[0] - (middle[0] - centres[0])], middle, [2 * centres[-1] - middle[-1]]])


def _draw(axes: Axes, cells: xr.Dataset, x: str, y: str, norm: Normalize, where: float | str | None) -> None:
    cells = cells.sortby([name for name in (x, y) if cells[name].dtype.kind in "if"]).transpose(y, x)
    status, values = cells["status"].values, np.asarray(cells["value"].values, float)
    done = (status == CellStatus.DONE) & np.isfinite(values)
    edges = _edges(cells[x].values), _edges(cells[y].values)
    axes.pcolormesh(*edges, np.where(done, values, np.nan), norm=norm, cmap=COLOURS, rasterized=True)
    for special, (_, colour, hatch) in SPECIAL.items():
        _cover(axes, status == special, *edges, colour, hatch)
    for test, (_, colour, hatch) in NO_NUMBER.items():
        _cover(axes, (status == CellStatus.DONE) & test(values), *edges, colour, hatch)
    scale_axis(axes.xaxis, cells[x].values)
    scale_axis(axes.yaxis, cells[y].values)
    if where is not None:
        draw_boundary(axes, cells, x, y, where)


def _draw_lines(axes: Axes, lines: Mapping[str, tuple[Any, ...]], panel: Any) -> None:
    limits = axes.get_xlim(), axes.get_ylim()
    for index, (xs, ys, *only) in enumerate(lines.values()):
        if not only or panel in only:
            axes.plot(xs, ys, DASHES[index % len(DASHES)], color="white", lw=1.2)
    axes.set(xlim=limits[0], ylim=limits[1])


def _cover(axes: Axes, mask: np.ndarray, xs: np.ndarray, ys: np.ndarray, colour: str, hatch: str) -> None:
    """Draw rectangles over the masked cells, those beside each other in one: hatches then run on."""
    patches = []
    for row in range(mask.shape[0]):
        turns = np.flatnonzero(np.diff(np.concatenate([[0], mask[row].astype(int), [0]])))
        for first, last in turns.reshape(-1, 2):
            patches.append(Rectangle((xs[first], ys[row]), xs[last] - xs[first], ys[row + 1] - ys[row]))
    if patches:
        axes.add_collection(
            PatchCollection(patches, facecolor=colour, edgecolor="0.5" if hatch else colour, lw=0, hatch=hatch)
        )


def _mark(axes: Axes, marks: xr.Dataset, x: str, y: str, norm: Normalize) -> None:
    flat = marks.transpose(y, x)
    ys, xs = np.nonzero((flat["status"].values == CellStatus.DONE) & np.isfinite(flat["value"].values))
    if not xs.size:
        return
    right, up = positions_of(flat[x].values)[xs], positions_of(flat[y].values)[ys]
    colours = flat["value"].values[ys, xs].astype(float)
    axes.scatter(right, up, c=colours, norm=norm, cmap=COLOURS, s=26, edgecolors="white", linewidths=0.8, zorder=3)
    apart = flat["agrees"].values[ys, xs] == 0
    axes.scatter(right[apart], up[apart], marker="x", s=16, c="red", linewidths=0.8, zorder=4)


def _axis_label(dataset: xr.Dataset, name: str) -> str:
    return drawable(dataset[name].attrs.get("long_name", plain(name)))


def _legend(figure: Figure, cells: xr.Dataset, marks: xr.Dataset | None, where: Any, lines: Mapping[str, Any]) -> None:
    handles: list[Any] = []
    for special, (label, colour, hatch) in SPECIAL.items():
        if np.any(cells["status"].values == special):
            handles.append(Patch(facecolor=colour, edgecolor="0.5", hatch=hatch, label=label))
    for test, (label, colour, hatch) in NO_NUMBER.items():
        if np.any((cells["status"].values == CellStatus.DONE) & test(cells["value"].values)):
            handles.append(Patch(facecolor=colour, edgecolor="0.5", hatch=hatch, label=label))
    if where is not None:
        band = bool(np.any(cells["se"].values > 0))
        handles.append(Line2D([], [], color="black", lw=1.2, label=_boundary_label(where, band)))
    for index, label in enumerate(lines):
        handles.append(Line2D([], [], color="white", ls=DASHES[index % len(DASHES)], lw=1.2, label=drawable(label)))
    if marks is not None and np.any(marks["status"].values == CellStatus.DONE):
        handles.append(Line2D([], [], ls="", marker="o", ms=5, mfc="0.6", mec="white", label="simulation"))
        if isinstance(where, (int, float)):
            label = "its boundary, 95 %"
            handles.append(Line2D([], [], marker="D", ms=3, color="black", mfc="white", lw=0.8, label=label))
        if np.any(marks["agrees"].values == 0):
            handles.append(Line2D([], [], ls="", marker="x", ms=4, color="red", label="disagrees with theory"))
    if handles:
        figure.legend(
            handles=handles, loc="outside lower center", ncols=4, frameon=True, edgecolor="none", facecolor="0.85"
        )


def _boundary_label(where: float | str, band: bool) -> str:
    if isinstance(where, str):
        name = "steepest change" if where == "steepest" else "start of divergence"
        return f"{name} (band: {'95 %, at least one' if band and where == 'steepest' else 'one'} cell)"
    return f"contour {where:g}" + (" (band: 95 %)" if band else "")
