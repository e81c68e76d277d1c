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
from ..maps import along_theory, boundary, coarse, select
from ..pictures import check_report, comparison, curves, free_axes, phase_diagram
from ..running import COMPARISON_FILES as FILES
from ..sweeps import CellStatus, normal_form, open_sweep

COLUMNS = ("position", "low", "high", "cell_low", "cell_high")  # of a printed boundary


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
        _report(report) if report.exists() else None,
        ts.Trajectory.load(bands, trust=options.trust) if bands.exists() else None,
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
    engines = [options.engine] if options.engine else dataset["engine"].values.tolist()
    maps = {engine: select(dataset, engine=engine, **choice) for engine in engines}
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
                shown = coarse(shown)
            map_name = ", ".join([engine, *(internal.one_line(str(label)) for label in panel.values())])
            print(f"boundary of {map_name}: {x} at which {_words(options, where)}{how}")
            print(_table(boundary(shown, x, y, where), y))


def _table(line: xr.Dataset, y: str) -> str:
    rows = [f"  {y:<20}{'position':>10}  {'95 % from the errors':<24}{'between cells'}"]
    for _, row in line.groupby(y, squeeze=False):
        at, (position, low, high, left, right) = row[y].item(), (row[name].item() for name in COLUMNS)
        label = f"{at:.6g}" if isinstance(at, (int, float)) else internal.one_line(str(at))
        interval = "not known" if np.isnan(low) else "exact" if low == high else f"[{low:.4g}, {high:.4g}]"
        text = f"{position:>10.4g}  {interval:<24}[{left:.4g}, {right:.4g}]"
        rows.append(f"  {label:<20}" + ("      none" if np.isnan(position) else text))
    if any(line["low"].values == line["high"].values):
        rows.append("  exact: without sampling or run error; the place between two cells is interpolated")
    several = int(np.sum(line["crossings"] > 1))
    if several:
        rows.append(f"  {several} rows pass it more than once; the first place is listed, the picture has all")
    return "\n".join(rows)


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
