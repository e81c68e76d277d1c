"""Phase diagrams: a map over two axes of a sweep, its boundary with an interval, and simulated cells on top."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.patheffects as effects
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import AutoLocator, MaxNLocator

import teacher_student as ts
from teacher_student import internal

from ..maps import Contrast, check_where, engines_of, is_log, positions_of, scale_axis, select, take_engine
from ..sweeps import CellStatus, drawable, normal_form, plain
from ._canvas import as_axes, require_as_many
from ._draw_boundary import CASING, draw_boundary, mark_boundary
from ._legends import along, below, columns_within, legend_below, size_of_letters
from ._looks import map_of
from ._notation import in_figures, in_symbols
from ._style import drawing, new_figure, put_letters

NO_NUMBER = {np.isinf: ("never", "white", "++"), np.isnan: ("undefined", "white", "..")}  # times that are not reached
NEAR = 2.0  # standard errors within which a simulation may be what it is held to
# A dark ring within a white one is seen on light tiles and on dark ones.
RINGS: Any = [effects.Stroke(linewidth=1.8, foreground="white"), effects.Normal()]
ROUNDING = 1e-3  # of the largest value
DASHES = ("--", ":", "-.")  # of known curves
SPECIAL = {  # what stands in place of a value: label, colour, hatch
    CellStatus.DIVERGED: ("diverged", "#D55E00", ""),
    CellStatus.TOO_STIFF: ("too stiff", "0.8", "\\\\\\"),
    CellStatus.TIMED_OUT: ("timed out", "white", "---"),
    CellStatus.FAILED: ("failed", "white", "xxx"),
    CellStatus.PENDING: ("not done", "white", "////"),
}
# White dashes on a black line are seen on every colour of a map, and in grey.
SOLID: Any = {"dash_offset": 0.0, "dash_list": None}
KNOWN: Any = {
    "color": "white",
    "lw": 1.0,
    "path_effects": [effects.Stroke(linewidth=2.4, foreground="black", dashes=SOLID), effects.Normal()],
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
    theory and simulation disagree. A circle is hollow where theory, or in a contrast 0, lies within two standard errors
    of the simulation. Cells not done are hatched, and diverged ones have a colour of their own. Numbers of
    both signs, such as gains, are red and blue around a white 0.

    Arguments:
      dataset: of `sweep` or `open_sweep`. x, y: names of axes; None: the two left free. value: a variable.
      at, contrast, over: as in `select`.
      boundary: a number, drawn as a contour with a 95 % band from the cells' errors; or "steepest" or "diverged", drawn
        row by row with its interval.
      engine: "theory" or "simulation" for the tiles; None: the one that `at` names, or else theory where there is one.
      limits: lower and upper end of the colour scale; None: those of all values.
      lines: label -> (x values, y values) of known curves, drawn dashed, or (x values, y values, the one panel to draw
        it in).
    Returns a matplotlib Figure. Raises InputError unless two axes are left free beside `panels`.
    """
    choice: Any = {"at": at, "contrast": contrast, "over": over, "panels": panels, "boundary": boundary}
    more: Any = {"engine": engine, "limits": limits, "lines": lines}
    return plot_map(dataset, x, y, value, **choice, **more, shown=False)[0]


def plot_map(
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
    ax: Any = None,
    shown: bool = True,
) -> tuple[Figure, np.ndarray]:
    """Draw maps as `phase_diagram` does, into new axes or those that are given; return figure and axes."""
    dataset = normal_form(dataset)
    if boundary is not None:
        check_where(boundary)
    if limits is not None:
        _check_limits(limits)
    _check_lines(lines)
    engines = engines_of(dataset)
    engine, at = take_engine(dataset, engine, at)
    engine = engine or engines[0]
    choice: dict[str, Any] = {"at": at, "contrast": contrast, "over": over}
    cells = select(dataset, value, engine=engine, **choice)
    x, y, rows = free_axes(cells, x, y, panels)
    marks = None
    if engine == "theory" and "simulation" in engines:
        marks = select(dataset, value, engine="simulation", **choice)
    colours = _colours([some_cells for some_cells in (cells, marks) if some_cells is not None], value, contrast, limits)
    with drawing(None if shown else "prl-wide") as style, mpl.rc_context(FRAME):
        grid = as_axes(ax)
        if grid is None:
            figure = new_figure(*_size(len(rows), style.width, style.columns, style.row), shown=shown)
            grid = figure.subplots(1, len(rows), sharex=True, sharey=True, squeeze=False)[0]
        require_as_many(grid, [plain(next(iter(panel.values()), value)) for panel in rows])
        seen: set[str] = set()  # what the legend names
        for axes, panel in zip(grid, rows, strict=True):
            shown_cells = cells.sel(panel)
            seen |= draw_map(axes, shown_cells, x, y, colours, boundary)
            _draw_lines(axes, lines or {}, panel.get(panels or ""))
            if marks is not None:
                own = marks.sel(panel)
                centre = shown_cells["value"] if contrast is None else xr.zeros_like(shown_cells["value"])
                seen |= _mark(axes, own, centre, x, y, colours)
                seen |= {"simulated boundary"} if mark_boundary(axes, shown_cells, own, x, y, boundary) else set()
            axes.set_title(", ".join(in_symbols(plain(label)) for label in panel.values()), loc="left")
        for axes in grid:
            axes.set_xlabel(below(axes, _axis_label(dataset, x)))
            _thin_out_ticks(axes)
        grid[0].set_ylabel(along(grid[0], _axis_label(dataset, y)))
        put_letters(grid)
        # A legend below takes a part of the height.
        label = along(grid[0], drawable(cells["value"].attrs["long_name"]), share=0.8 if ax is None else 1.0)
        bar = grid[0].figure.colorbar(colours, ax=list(grid), label=label, pad=0.02)
        if isinstance(boundary, (int, float)) and "line" in seen:
            bar.ax.axhline(boundary, color="black", lw=1.2, path_effects=CASING)
        handles = _handles(cells, boundary, lines or {}, seen, "theory" if contrast is None else "0")
        _put_legend(grid, handles, outside=ax is None)
        return grid[0].figure, grid


TICK = 0.42  # inches that a number below an axis takes, with the space to the next
FRAME: Any = {"axes.spines.top": True, "axes.spines.right": True}


def _size(count: int, width: float, columns: int, row: float) -> tuple[float, float]:
    """Return width and height of a row of maps: one alone is no wider than a column."""
    alone = width if columns == 1 else 0.6 * width
    return (width, 1.5 * row) if count > 1 else (alone, 1.7 * row)


def _thin_out_ticks(axes: Axes) -> None:
    """Leave as many numbers below a panel as have room there."""
    if isinstance(axes.xaxis.get_major_locator(), AutoLocator):
        room = axes.get_window_extent().width / axes.figure.dpi
        axes.xaxis.set_major_locator(MaxNLocator(min(9, max(2, int(room / TICK))), steps=[1, 2, 5, 10]))


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


def _colours(
    maps: list[xr.Dataset], value: str, contrast: object, limits: tuple[float, float] | None
) -> mpl.cm.ScalarMappable:
    """Return the scale and colours of a map: those that part at 0 for numbers of both signs, which then have the same
    reach on either side."""
    values = np.concatenate([cells["value"].values.ravel() for cells in maps]).astype(float)
    values = values[np.isfinite(values)]
    if limits is None and not values.size:
        return mpl.cm.ScalarMappable(Normalize(0, 1), map_of(False))
    low, high = limits or (float(values.min()), float(values.max()))
    if contrast is not None or low < -ROUNDING * high:  # an error that vanishes may be rounded below 0
        reach = max(abs(low), abs(high)) or 1.0
        own = limits is not None and not low < 0 < high  # a user's ends, on one side of 0
        return mpl.cm.ScalarMappable(Normalize(low, high) if own else Normalize(-reach, reach), map_of(True))
    if value != "accuracy" and low > 0 and high / low > 30:
        return mpl.cm.ScalarMappable(LogNorm(low, high), map_of(False))
    return mpl.cm.ScalarMappable(Normalize(low, high if high > low else low + 1), map_of(False))


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


def _scale(colours: mpl.cm.ScalarMappable) -> Any:
    """Return what matplotlib is told of a scale of colours."""
    return {"norm": colours.norm, "cmap": colours.cmap}


def draw_map(
    axes: Axes, cells: xr.Dataset, x: str, y: str, colours: mpl.cm.ScalarMappable, where: float | str | None = None
) -> set[str]:
    """Draw a panel of tiles over (x, y), with a boundary; what has no value is hatched, or has a colour of its own.

    Returns what there is to see of the boundary.
    """
    cells = cells.sortby([name for name in (x, y) if cells[name].dtype.kind in "if"]).transpose(y, x)
    status, values = cells["status"].values, np.asarray(cells["value"].values, float)
    done = (status == CellStatus.DONE) & np.isfinite(values)
    edges = _edges(cells[x].values), _edges(cells[y].values)
    axes.pcolormesh(*edges, np.where(done, values, np.nan), **_scale(colours), rasterized=True)
    for special, (_, colour, hatch) in SPECIAL.items():
        _cover(axes, status == special, *edges, colour, hatch)
    for test, (_, colour, hatch) in NO_NUMBER.items():
        _cover(axes, (status == CellStatus.DONE) & test(values), *edges, colour, hatch)
    scale_axis(axes.xaxis, cells[x].values)
    scale_axis(axes.yaxis, cells[y].values)
    return set() if where is None else draw_boundary(axes, cells, x, y, where)


def _draw_lines(axes: Axes, lines: Mapping[str, tuple[Any, ...]], panel: Any) -> None:
    limits = axes.get_xlim(), axes.get_ylim()
    for index, (xs, ys, *only) in enumerate(lines.values()):
        if not only or panel in only:
            axes.plot(xs, ys, DASHES[index % len(DASHES)], **KNOWN)
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


def _mark(
    axes: Axes, marks: xr.Dataset, centre: xr.DataArray, x: str, y: str, colours: mpl.cm.ScalarMappable
) -> set[str]:
    """Draw simulated cells as circles of the map's colours, crossed where they disagree with theory.

    They are hollow where `centre` lies within two of their standard errors. Returns which kinds there are.
    """
    flat = marks.transpose(y, x)
    done = (flat["status"].values == CellStatus.DONE) & np.isfinite(flat["value"].values)
    off = np.abs(flat["value"].values - centre.transpose(y, x).values.astype(float))
    near = done & (off <= NEAR * flat["se"].values)
    apart = done & (flat["agrees"].values == 0)
    right, up = np.meshgrid(positions_of(flat[x].values), positions_of(flat[y].values))
    ring: Any = {"edgecolors": "0.15", "linewidths": 0.7, "path_effects": RINGS}
    style: Any = ring | {"s": 22, "zorder": 3, "clip_on": False}  # the outermost cells are narrower than a circle
    seen = set()
    if np.any(done & ~near):
        seen.add("filled")
        some = done & ~near
        axes.scatter(right[some], up[some], c=flat["value"].values[some].astype(float), **_scale(colours), **style)
    if np.any(near):
        seen.add("hollow")
        axes.scatter(right[near], up[near], facecolors="none", **style)
    if np.any(apart):
        seen.add("apart")
        axes.scatter(right[apart], up[apart], marker="x", s=16, c="red", linewidths=0.8, zorder=4)
    return seen


def _axis_label(dataset: xr.Dataset, name: str) -> str:
    return drawable(dataset[name].attrs.get("long_name", plain(name)))


def _handles(
    cells: xr.Dataset, where: float | str | None, lines: Mapping[str, Any], seen: set[str], centre: str
) -> list[Any]:
    """Return a key for each kind of thing that the maps show, and for nothing else."""
    handles: list[Any] = []
    for special, (label, colour, hatch) in SPECIAL.items():
        if np.any(cells["status"].values == special):
            handles.append(Patch(facecolor=colour, edgecolor="0.5", hatch=hatch, label=label))
    for test, (label, colour, hatch) in NO_NUMBER.items():
        if np.any((cells["status"].values == CellStatus.DONE) & test(cells["value"].values)):
            handles.append(Patch(facecolor=colour, edgecolor="0.5", hatch=hatch, label=label))
    if where is not None and "line" in seen:
        exact = isinstance(where, str) and not np.any(cells["se"].values > 0)
        label = _boundary_label(where, band="band" in seen, exact=exact)
        handles.append(Line2D([], [], color="black", lw=1.2, path_effects=CASING, label=label))
    for index, label in enumerate(lines):
        handles.append(Line2D([], [], ls=DASHES[index % len(DASHES)], label=in_symbols(drawable(label)), **KNOWN))
    circle: Any = {"ls": "", "marker": "o", "ms": 4.5, "mec": "0.15", "mew": 0.7}
    if "filled" in seen:
        handles.append(Line2D([], [], mfc="0.8", label="simulation", **circle))
    if "hollow" in seen:
        handles.append(Line2D([], [], mfc="none", label=f"simulation, {centre} within 2 s.e.", **circle))
    if "simulated boundary" in seen:
        label = "its boundary, 95 %"
        handles.append(Line2D([], [], marker="D", ms=3, color="black", mfc="white", lw=0.8, label=label))
    if "apart" in seen:
        handles.append(Line2D([], [], ls="", marker="x", ms=4, color="red", label="disagrees with theory"))
    return handles


def _put_legend(grid: np.ndarray, handles: list[Any], *, outside: bool) -> None:
    """Put the legend below the figure, or below the first of the axes that were given."""
    if not handles:
        return
    figure = grid[0].figure
    if not outside:
        legend_below(grid[0], handles, ncols=2)
        return
    columns = columns_within(figure.get_figwidth(), [handle.get_label() for handle in handles], size_of_letters())
    figure.legend(handles=handles, loc="outside lower center", ncols=min(columns, 4), frameon=False)


def _boundary_label(where: float | str, *, band: bool, exact: bool) -> str:
    if isinstance(where, str):
        name = "steepest change" if where == "steepest" else "start of divergence"
        return f"{name} (band: {'one' if exact or where != 'steepest' else '95 %, at least one'} cell)"
    return f"contour {in_figures(where)}" + (" (band: 95 %)" if band else "")
