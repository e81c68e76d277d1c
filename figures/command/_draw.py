"""The pictures of `teacher-student figure NAME`, drawn from saved data alone."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import teacher_student as ts
from teacher_student import internal

from ..experiment import look_for_modules
from ..maps import along_theory, boundary, coarse, engines_of, select, take_engine, unclear_cells
from ..pictures import check_report, comparison, curves, free_axes, phase_diagram
from ..running import COMPARISON_FILES as FILES
from ..sweeps import CellStatus, normal_form, open_sweep

COLUMNS = ("position", "low", "high", "cell_low", "cell_high")  # of a printed boundary
DIRECTIONS = {1: "up", -1: "down", 0: ""}
EXACT = "no sampling error; interpolated between cells"
WIDTH = len(EXACT) + 2
MOST_PLACES = 12  # that are listed as not resolved


def draw_comparison(options: argparse.Namespace) -> Figure:
    """Draw theory and simulation of one problem."""
    directory = internal.as_path(options.directory)
    if options.trust:
        # Where one works, and not where the results lie: whoever sent these may have put modules beside them.
        look_for_modules(Path())
    theory, runs = (
        ts.Trajectory.load(directory / FILES[name], trust=options.trust) for name in ("theory", "simulation")
    )
    report, bands = directory / FILES["report"], directory / FILES["fluctuations"]
    return comparison(
        theory,
        runs,
        _report(report) if internal.is_there(report) else None,
        ts.Trajectory.load(bands, trust=options.trust) if internal.is_there(bands) else None,
    )


def _report(path: Path) -> Mapping[str, Any]:
    """Read report.json, also of version 0.7.0 and before, which called the deviations comparisons."""
    report = internal.read_json_file(path, "a report.json that `compare` wrote")
    internal.check_sealed_json(path, path.read_text(encoding="utf-8"))
    return check_report(report)


def _choice(options: argparse.Namespace, dataset: xr.Dataset) -> dict[str, Any]:
    at = {}
    for option in options.at:
        name, equals, text = option.partition("=")
        if not equals:
            raise ts.InputError("--at NAME=VALUE", repr(option))
        at[name] = _typed(dataset, name, text)
    if options.test is not None:
        if "level" in at:
            raise ts.InputError("--test or --at level=VALUE", "both", "leave one out")
        at["level"] = options.test
    contrast = options.contrast
    if contrast is not None:
        contrast = (contrast[0], *(_typed(dataset, contrast[0], text) for text in contrast[1:]))
    return {"value": options.value, "at": at, "contrast": contrast, "over": options.over}


def _typed(dataset: xr.Dataset, name: str, text: str) -> Any:
    internal.require_name(name, [str(dim) for dim in dataset.sizes], "dimension of the sweep")
    if dataset[name].dtype.kind not in "if":
        return text
    return _number(text, f"value of {name}")


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ts.InputError(f"a number as {name}", repr(text)) from None


def draw_phase_diagram(options: argparse.Namespace) -> Figure:
    """Draw a map over two axes of a sweep; its boundary is printed too."""
    dataset = _opened(options.store)
    choice, where = _choice(options, dataset), options.boundary
    if where is not None and where not in ("steepest", "diverged"):
        where = _number(where, "boundary (or 'steepest' or 'diverged')")
    axes = {"x": options.x, "y": options.y, "panels": options.panels}
    limits = tuple(options.limits) if options.limits else None
    figure = phase_diagram(dataset, **axes, **choice, boundary=where, engine=options.engine, limits=limits)
    if where is not None:
        _print_boundary(dataset, options, choice, where)
    return figure


def _print_boundary(
    dataset: xr.Dataset, options: argparse.Namespace, choice: dict[str, Any], where: float | str
) -> None:
    only, at = take_engine(dataset, options.engine, choice["at"])
    choice = choice | {"at": at}
    maps = {name: select(dataset, engine=name, **choice) for name in ([only] if only else engines_of(dataset))}
    for engine, cells in maps.items():
        x, y, panels = free_axes(cells, options.x, options.y, options.panels)
        for panel in panels:
            shown, how = cells.sel(panel), ""
            if engine == "simulation" and "theory" in maps and not isinstance(where, str):
                shown, how = (
                    along_theory(maps["theory"].sel(panel), shown, x),
                    " (theory + the interpolated difference)",
                )
            elif engine == "simulation":
                shown = coarse(shown, *([] if isinstance(where, str) else [y]))
            map_name = ", ".join([engine, *(internal.one_line(str(label)) for label in panel.values())])
            print(f"boundary of {map_name}: {x} at which {_words(options, where)}{how}")
            print(_table(shown, x, y, where))


def _table(cells: xr.Dataset, x: str, y: str, where: float | str) -> str:
    """Return the crossings of a map as lines of text, with what their intervals hold, and what was not resolved."""
    line = boundary(cells, x, y, where, all_crossings=True)
    rows = [f"  {_shown(y):<20}{'position':>10}  {'':<6}{'95 % interval, and what it holds':<{WIDTH}}between cells"]
    for at in range(line.sizes[y]):
        label = f"  {_shown(line[y].values[at].item()):<20}"
        row = line.isel({y: at})
        found = [row.isel(crossing=i) for i in range(max(1, int(row["crossings"])))]
        rows += [label + _text_of(crossing, where) for crossing in found]
    if np.any(np.isfinite(line["position"])):
        rows += _what_intervals_hold(line, where)
    else:
        rows.append(f"  {_outside(cells, where)}")
    return "\n".join([*rows, *([] if isinstance(where, str) else _not_resolved(cells, x, y, where))])


def _outside(shown: xr.Dataset, where: float | str) -> str:
    """Say that a map has no boundary, and of a contour on which sides of it the cells are."""
    if isinstance(where, str):
        return "no row has one: the boundary lies outside the map, and is not drawn"
    values = np.asarray(shown["value"].values, float)
    values = values[np.isfinite(values)]
    if not values.size:
        return "no cell has a value"
    ends = f"the values go from {values.min():.4g} to {values.max():.4g}"
    if values.min() <= where <= values.max():
        return f"no row passes {where:g} between two cells that are clearly on different sides of it ({ends})"
    return f"no row passes {where:g}: the boundary lies outside the map, and is not drawn ({ends})"


def _shown(label: Any) -> str:
    return f"{label:.6g}" if isinstance(label, (int, float)) else internal.one_line(str(label))


def _text_of(crossing: xr.Dataset, where: float | str) -> str:
    """Return the line of one crossing: rising ("up") and falling ("down") ones are different branches."""
    position, low, high, left, right = (crossing[name].item() for name in COLUMNS)
    if np.isnan(position):
        return "      none"
    way = DIRECTIONS[int(crossing["direction"])]
    return f"{position:>10.4g}  {way:<6}{_interval(low, high, left, right, where):<{WIDTH}}[{left:.4g}, {right:.4g}]"


def _interval(low: float, high: float, left: float, right: float, where: float | str) -> str:
    if np.isnan(low):
        return "errors not known"
    if low == high:
        return EXACT
    if isinstance(where, str):
        return f"[{low:.4g}, {high:.4g}]"
    return f"[{low:.4g}, {high:.4g}] {'grid' if (low, high) == (left, right) else 'errors'}"


def _what_intervals_hold(line: xr.Dataset, where: float | str) -> list[str]:
    """Return what the intervals hold, and what a grid cannot tell: they know nothing of what lies between two cells."""
    held = {
        "errors": "  errors: of the two cells around the position, which is interpolated between them",
        "grid": "  grid: a cell between was skipped or is unclear, so all between the two clear cells around it",
    }
    low, high, left, right = (line[name].values for name in COLUMNS[1:])
    spread = low < high
    of_grid = spread & (low == left) & (high == right)
    kinds = {"errors": bool(np.any(spread & ~of_grid)), "grid": bool(np.any(of_grid))}
    apart = float(np.nanmax(right - left))
    return [
        *(text for kind, text in held.items() if kinds[kind] and not isinstance(where, str)),
        f"  positions are interpolated between two cells, at most {apart:.3g} apart",
        "  a dip or a second crossing between cells is not seen (a finer axis shows it)",
    ]


def _not_resolved(cells: xr.Dataset, x: str, y: str, contour: float) -> list[str]:
    """Return the cells that are too near to the contour for their errors, which may hide a crossing.

    Neighbours in a row are said together.
    """
    apart = unclear_cells(cells, x, y, contour)
    guessed = cells["interpolated"].sortby(x).transpose(y, x).values if "interpolated" in cells else apart.values < 0
    texts = []
    for i, row in enumerate(np.isfinite(apart.values)):
        ends = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]]))).reshape(-1, 2)
        for first, last in ends:
            near = apart.values[i, first:last]
            places = [_shown(apart[x].values[j].item()) for j in (first, last - 1)]
            place = places[0] if near.size == 1 else f"{places[0]} to {places[1]} ({near.size} cells)"
            how = f"{'' if near.size == 1 else 'at most '}{near.max():.2g} s.e. from {contour:g}"
            note = " (interpolated)" if np.all(guessed[i, first:last]) else ""
            texts.append(f"{y} {_shown(apart[y].values[i].item())}, {x} {place}: {how}{note}")
    more = [f"and {len(texts) - MOST_PLACES} more"] if len(texts) > MOST_PLACES else []
    return [f"  not resolved: {text}" for text in [*texts[:MOST_PLACES], *more]]


def _words(options: argparse.Namespace, where: float | str) -> str:
    if isinstance(where, str):
        return "it changes most steeply" if where == "steepest" else "it starts to diverge"
    return f"{options.value}{' contrast' if options.contrast else ''} passes {where:g}"


def _opened(store: str) -> xr.Dataset:
    """Open a sweep's data set, which is read as far as it is used, and say how much of it is missing."""
    dataset = normal_form(open_sweep(store))
    asked = int(np.sum(dataset["status"] != CellStatus.NOT_ASKED))
    missing = int(np.sum(dataset["status"] == CellStatus.PENDING))
    if missing:
        print(f"note: {missing} of {asked} cells of {store} are not done yet")
    return dataset


def draw_curves(options: argparse.Namespace) -> Figure:
    """Draw one number against one axis of a sweep."""
    dataset = _opened(options.store)
    return curves(dataset, x=options.x, lines=options.lines, **_choice(options, dataset))
