"""The command line's `teacher-student figure NAME`: pictures drawn from saved data alone."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import teacher_student as ts

from ._boundary import boundary
from ._compare import FILES
from ._comparison_plot import comparison
from ._curves import curves
from ._map import along_theory, coarse, select
from ._phase_diagram import free_axes, phase_diagram
from .atlas import MEASURES, named_figure, pack
from .sweeps import CellStatus, axes_of, open_sweep

COLUMNS = ("position", "low", "high", "cell_low", "cell_high")  # of a printed boundary
KINDS = (".png", ".pdf", ".svg")


def add_figure_commands(parser: argparse.ArgumentParser) -> None:
    """Add `comparison`, `phase-diagram` and `curves`."""
    names = parser.add_subparsers(required=True, metavar="NAME")
    one = names.add_parser("comparison", help="theory and simulation of one problem, from the --out of `compare`")
    one.add_argument("directory", metavar="DIR", help="the --out of `compare`")
    one.set_defaults(draw=_comparison)
    two = names.add_parser("phase-diagram", help="a map over two axes of a sweep, with its boundary")
    two.add_argument("--x", help="axis to the right (default: the first one left free)")
    two.add_argument("--y", help="axis upwards")
    two.add_argument("--panels", metavar="AXIS", help="one panel per value of this axis")
    two.add_argument("--boundary", metavar="WHERE", help="a level, 'steepest' or 'diverged'")
    two.add_argument("--engine", choices=["theory", "simulation"], help="of the tiles")
    two.set_defaults(draw=_phase_diagram)
    two.add_argument("--limits", nargs=2, type=float, metavar=("LOW", "HIGH"), help="of the colour scale")
    three = names.add_parser("curves", help="one number against one axis of a sweep")
    three.add_argument("--x", help="axis to the right (default: the first one left free)")
    three.add_argument("--lines", metavar="AXIS", help="one curve per value of this axis")
    three.set_defaults(draw=_curves)
    for each in (two, three):
        each.add_argument("store", metavar="STORE", help="the --out of `sweep`")
        each.add_argument("--value", default="error", help="error, accuracy, time_to_NAME ... (default: error)")
        each.add_argument("--at", action="append", default=[], metavar="NAME=VALUE", help="fix a dimension")
        each.add_argument(
            "--contrast",
            nargs=3,
            metavar=("AXIS", "FIRST", "SECOND"),
            help="how much better FIRST is than SECOND: log10 ratio of errors, difference of accuracies",
        )
        each.add_argument("--over", metavar="AXIS", help="average over this axis (seeds)")
    _add_named(names)
    for each in (one, two, three):
        each.add_argument("--save", required=True, action="append", metavar="FILE", help="ends in .png, .pdf or .svg")
        each.add_argument("--force", action="store_true", help="overwrite it")
        each.set_defaults(action=_figure)


NAMED = {
    "lottery": "P(all four means right) of the XOR mixture against the width: ODEs, SGD and the coupon law",
    "tickets": "a wide student pruned to few units, and these rewound and trained alone: ODEs and SGD",
    "curriculum": "what the order of samples is worth: width x budget x order, for each kind of easiness",
    "finite-size": "runs of finite N against theory: exponents of mean and variance, escape time against log N",
    "cost": "samples and compute to reach an accuracy in nine starts of ten, against the width, for each order",
}


def _add_named(names: Any) -> None:
    """Add the figures that know their own sweeps."""
    for name, what in NAMED.items():
        each = names.add_parser(name, help=what)
        each.add_argument("directory", nargs="?", metavar="DIR", help=f"its data; default ./{name} (./{name}-quick)")
        each.add_argument("--quick", action="store_true", help="a coarse version, in at most two minutes on two cores")
        each.add_argument("--workers", type=int, metavar="N", help="local processes (default: one per core; 0: none)")
        each.add_argument("--save", action="append", metavar="FILE", help="default: DIR/NAME.png and DIR/NAME.pdf")
        each.add_argument("--force", action="store_true", help="overwrite pictures")
        each.add_argument("--pack", action="store_true", help="also keep the data as one NetCDF file for each sweep")
        if name == "curriculum":
            each.add_argument("--task", default="xor", choices=["xor", "committee"], help="default: xor")
            each.add_argument("--measure", default="accuracy", choices=list(MEASURES), help="default: accuracy")
            each.add_argument("--rate", type=float, help="learning rate (default: the middle one of the sweep)")
            each.add_argument("--time", help="which time to an accuracy, such as accuracy_90 (for --measure time)")
        each.set_defaults(action=_named, name=name)


def _named(options: argparse.Namespace) -> int:
    name = options.name
    directory = Path(options.directory or (f"{name}-quick" if options.quick else name))
    stem = f"{name}-{options.task}-{options.measure.replace(' ', '-')}" if name == "curriculum" else name
    paths = [Path(each) for each in options.save or (directory / f"{stem}.png", directory / f"{stem}.pdf")]
    _check_pictures(paths, force=options.force)
    given = {key: getattr(options, key) for key in ("task", "measure", "rate", "time") if hasattr(options, key)}
    drawn = named_figure(
        name, directory, quick=options.quick, workers=options.workers, progress=sys.stderr.isatty(), **given
    )
    print(drawn.caption, end="")
    _save(drawn.figure, paths, force=options.force)
    caption = paths[0].with_suffix(".txt")
    ts.write_whole(caption, lambda path: path.write_text(drawn.caption), force=True)
    for path in [caption, *(pack(drawn.data, directory) if options.pack else [])]:
        print(f"wrote {path}")
    return 0


def _check_pictures(paths: list[Path], *, force: bool) -> None:
    """Raise InputError, before anything is computed, for a picture that could not be written."""
    for path in paths:
        if path.suffix not in KINDS:
            raise ts.InputError("a --save path that ends in .png, .pdf or .svg", str(path))
        if path.exists() and not force:
            raise ts.InputError("a path that does not exist yet", str(path), "choose another, or force (--force)")


def _save(figure: Figure, paths: list[Path], *, force: bool) -> None:
    for name in paths:
        ts.write_whole(name, lambda path: figure.savefig(path, dpi=200), force=force)
        print(f"wrote {name}")


def _figure(options: argparse.Namespace) -> int:
    paths = [Path(name) for name in options.save]
    _check_pictures(paths, force=options.force)
    _save(options.draw(options), paths, force=options.force)
    return 0


def _comparison(options: argparse.Namespace) -> Figure:
    directory = Path(options.directory)
    for name in ("theory", "simulation"):
        if not (directory / FILES[name]).exists():
            raise ts.InputError(
                f"a directory with {FILES[name]}", str(directory), "run `teacher-student compare` first"
            )
    theory, runs = (ts.Trajectory.load(directory / FILES[name]) for name in ("theory", "simulation"))
    report, bands = directory / FILES["report"], directory / FILES["fluctuations"]
    return comparison(
        theory,
        runs,
        json.loads(report.read_text()) if report.exists() else None,
        ts.Trajectory.load(bands) if bands.exists() else None,
    )


def _choice(options: argparse.Namespace, dataset: xr.Dataset) -> dict[str, Any]:
    at = {}
    for each in options.at:
        name, equals, text = each.partition("=")
        if not equals:
            raise ts.InputError("--at NAME=VALUE", repr(each))
        at[name] = _typed(dataset, name, text)
    contrast = options.contrast
    if contrast is not None:
        contrast = (contrast[0], *(_typed(dataset, contrast[0], text) for text in contrast[1:]))
    return {"value": options.value, "at": at, "contrast": contrast, "over": options.over}


def _typed(dataset: xr.Dataset, name: str, text: str) -> Any:
    ts.require_name(name, [str(dim) for dim in dataset.sizes], "dimension of the sweep")
    if dataset[name].dtype.kind not in "if":
        return text
    return _number(text, f"value of {name}")


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ts.InputError(f"a number as {what}", repr(text)) from None


def _phase_diagram(options: argparse.Namespace) -> Figure:
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


def _print_boundary(dataset: xr.Dataset, options: argparse.Namespace, choice: dict[str, Any], where: Any) -> None:
    engines = [options.engine] if options.engine else dataset["engine"].values.tolist()
    maps = {engine: select(dataset, engine=engine, **choice) for engine in engines}
    for engine, found in maps.items():
        x, y, panels = free_axes(found, options.x, options.y, options.panels)
        for place in panels:
            here, how = found.sel(place), ""
            if engine == "simulation" and "theory" in maps and not isinstance(where, str):
                here, how = along_theory(maps["theory"].sel(place), here, x), " (theory + the interpolated difference)"
            elif engine == "simulation":
                here = coarse(here)
            of = ", ".join([engine, *(str(label) for label in place.values())])
            print(f"boundary of {of}: {x} at which {_words(options, where)}{how}")
            print(_table(boundary(here, x, y, where), y))


def _table(line: xr.Dataset, y: str) -> str:
    rows = [f"  {y:<20}{'position':>10}  {'95 % from the errors':<24}{'between cells'}"]
    for _, row in line.groupby(y, squeeze=False):
        at, (position, low, high, left, right) = row[y].item(), (row[name].item() for name in COLUMNS)
        place = f"{at:.6g}" if isinstance(at, (int, float)) else str(at)
        interval = "not known" if np.isnan(low) else "exact" if low == high else f"[{low:.4g}, {high:.4g}]"
        found = f"{position:>10.4g}  {interval:<24}[{left:.4g}, {right:.4g}]"
        rows.append(f"  {place:<20}" + ("      none" if np.isnan(position) else found))
    if any(line["low"].values == line["high"].values):
        rows.append("  exact: without sampling or run error; the place between two cells is interpolated")
    several = int(np.sum(line["crossings"] > 1))
    if several:
        rows.append(f"  {several} rows pass it more than once; the first place is listed, the picture has all")
    return "\n".join(rows)


def _words(options: argparse.Namespace, where: Any) -> str:
    if isinstance(where, str):
        return "it changes most steeply" if where == "steepest" else "it starts to diverge"
    return f"{options.value}{' contrast' if options.contrast else ''} passes {where:g}"


def _opened(store: str) -> xr.Dataset:
    """A sweep's data set, read as far as it is used; says how much of it is missing."""
    dataset = open_sweep(store)
    axes_of(dataset)
    asked = int(np.sum(dataset["status"] != CellStatus.NOT_ASKED))
    missing = int(np.sum(dataset["status"] == CellStatus.PENDING))
    if missing:
        print(f"note: {missing} of {asked} cells of {store} are not done yet")
    return dataset


def _curves(options: argparse.Namespace) -> Figure:
    dataset = _opened(options.store)
    return curves(dataset, x=options.x, lines=options.lines, **_choice(options, dataset))
