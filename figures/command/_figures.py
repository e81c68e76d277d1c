"""The command line's `teacher-student figure NAME`: pictures drawn from saved data alone."""

from __future__ import annotations  # types are not looked up: matplotlib is loaded when something is drawn

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import teacher_student as ts
from teacher_student import internal

from ..atlas import MEASURES
from ..running import COMPARISON_FILES as FILES
from ..running import require_matplotlib, require_picture, write_picture
from ._arguments import again, mixture, whole_number
from ._next_steps import Step, numbers_of, numbers_of_sweep, say_next

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = (".png", ".pdf", ".svg")
TEST = "the level of the test samples, or a mixture of levels, as easy=0.5,hard=0.5"
FORCE = "overwrite also a file that is no picture of matplotlib's (pictures are overwritten without it)"


def add_figure_commands(parser: argparse.ArgumentParser) -> None:
    """Add `comparison`, `phase-diagram` and `curves`."""
    names = parser.add_subparsers(required=True, metavar="NAME")
    one = names.add_parser("comparison", help="theory and simulation of one problem, from the --out of `compare`")
    one.add_argument("directory", metavar="DIR", help="the --out of `compare`")
    one.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="MODULE",
        help="a module of your own that the results name, which may be imported; may be repeated (drawing needs none)",
    )
    one.set_defaults(draw="draw_comparison")
    two = names.add_parser("phase-diagram", help="a map over two axes of a sweep, with its boundary")
    two.add_argument("--x", help="axis to the right (default: the first one left free)")
    two.add_argument("--y", help="axis upwards")
    two.add_argument("--panels", metavar="AXIS", help="one panel per value of this axis")
    two.add_argument("--boundary", metavar="WHERE", help="a contour (a number), 'steepest' or 'diverged'")
    two.add_argument("--engine", choices=["theory", "simulation"], help="of the tiles")
    two.set_defaults(draw="draw_phase_diagram")
    two.add_argument("--limits", nargs=2, type=float, metavar=("LOW", "HIGH"), help="of the colour scale")
    three = names.add_parser("curves", help="one number against one axis of a sweep")
    three.add_argument("--x", help="axis to the right (default: the first one left free)")
    three.add_argument("--lines", metavar="AXIS", help="one curve per value of this axis")
    three.set_defaults(draw="draw_curves")
    for command in (two, three):
        command.add_argument("store", metavar="STORE", help="the --out of `sweep`")
        command.add_argument("--value", default="error", help="error, accuracy, time_to_NAME ... (default: error)")
        command.add_argument("--test", type=mixture, metavar="LEVELS", help=TEST)
        command.add_argument("--at", action="append", default=[], metavar="NAME=VALUE", help="fix a dimension")
        command.add_argument(
            "--contrast",
            nargs=3,
            metavar=("AXIS", "FIRST", "SECOND"),
            help="how much better FIRST is than SECOND: log10 ratio of errors, difference of accuracies",
        )
        command.add_argument("--over", metavar="AXIS", help="average over this axis (seeds)")
    _add_named(names)
    for command in (one, two, three):
        command.add_argument(
            "--save",
            action="append",
            metavar="FILE",
            help="ends in .png, .pdf or .svg; may be repeated (default: a .png here, named after the data)",
        )
        command.add_argument("--force", action="store_true", help=FORCE)
        command.add_argument("--quiet", action="store_true", help="no next steps")
        command.set_defaults(action=_figure)


NAMED = {
    "lottery": "P(all four means right) of the XOR mixture against the width: ODEs, SGD and the coupon law",
    "tickets": "a wide student pruned to few units, and these rewound and trained alone: ODEs and SGD",
    "curriculum": "what the order of samples is worth: width x budget x order, for each kind of easiness",
    "finite-size": "runs of finite N against theory: exponents of mean and variance, escape time against log N",
    "optimal": "the best order of easy and hard samples, and its gain: perceptron, and XOR mixture against the width",
    "width": "whether wide students need a curriculum: gains against the width, in samples and in learning times",
    "images": "whether wide students of images need a curriculum: XOR of digits beside its theory, and ten digits",
    "cost": "samples and compute to reach an accuracy in nine starts of ten, against the width, for each order",
}


def _add_named(names: Any) -> None:
    """Add the figures that know their own sweeps."""
    for name, description in NAMED.items():
        command = names.add_parser(name, help=description)
        command.add_argument("directory", nargs="?", metavar="DIR", help=f"its data; default ./{name} (./{name}-quick)")
        command.add_argument(
            "--quick", action="store_true", help="a coarse version, in at most two minutes on two cores"
        )
        command.add_argument(
            "--workers", type=whole_number, metavar="N", help="local processes (default: one per core; 0: none)"
        )
        command.add_argument("--save", action="append", metavar="FILE", help="default: DIR/NAME.png and DIR/NAME.pdf")
        command.add_argument("--force", action="store_true", help=FORCE)
        command.add_argument("--quiet", action="store_true", help="no progress bar and no next steps")
        command.add_argument("--pack", action="store_true", help="also keep the data as one NetCDF file for each sweep")
        if name in ("curriculum", "cost"):
            command.add_argument("--test", type=mixture, metavar="LEVELS", help=f"{TEST} (default: hard)")
        if name == "curriculum":
            command.add_argument("--task", default="xor", choices=["xor", "committee"], help="default: xor")
            command.add_argument("--measure", default="accuracy", choices=list(MEASURES), help="default: accuracy")
            command.add_argument("--rate", type=float, help="learning rate (default: the middle one of the sweep)")
            command.add_argument("--time", help="which time to an accuracy, such as accuracy_90 (for --measure time)")
        command.set_defaults(action=_named, name=name)


def _named(options: argparse.Namespace) -> int:
    name = options.name
    usual = f"{name}-quick" if options.quick else name
    directory = internal.as_path(usual if options.directory is None else options.directory)
    stem = f"{name}-{options.task}-{options.measure.replace(' ', '-')}" if name == "curriculum" else name
    pictures = options.save or (directory / f"{stem}.png", directory / f"{stem}.pdf")
    paths = [internal.as_path(picture) for picture in pictures]
    _check_pictures(paths, force=options.force)
    choices = {key: getattr(options, key) for key in ("task", "measure", "rate", "time") if hasattr(options, key)}
    choices |= {"test": options.test} if getattr(options, "test", None) else {}
    require_matplotlib()  # before the sweeps, which take longer
    from ..atlas import named_figure, pack

    drawn = named_figure(
        name,
        directory,
        quick=options.quick,
        workers=options.workers,
        progress=sys.stderr.isatty() and not options.quiet,
        **choices,
    )
    print(drawn.caption, end="")
    _save(drawn.figure, paths)
    caption = paths[0].with_suffix(".txt")
    internal.write_whole(caption, lambda path: path.write_text(drawn.caption, encoding="utf-8"), force=True)
    for path in [caption, *(pack(drawn.data, directory) if options.pack else [])]:
        print(f"wrote {path}")
    say_next(options, lambda: _after_named(options, paths))
    return 0


def _after_named(options: argparse.Namespace, paths: list[Path]) -> list[Step]:
    """Return the full version after a quick one, else the data as files; and the picture in another format."""
    if options.quick:
        full = ("all of its cells, which takes longer", again(options, quick=False, directory=None, save=None))
        return [full, _other_format(options, paths)]
    return [("also its data, as NetCDF", again(options, pack=True)), _other_format(options, paths)]


def _check_pictures(paths: list[Path], *, force: bool) -> None:
    """Raise InputError, before anything is computed, for a picture that could not be written."""
    for path in paths:
        if path.suffix not in KINDS:
            raise ts.InputError("a --save path that ends in .png, .pdf or .svg", str(path))
        require_picture(path, force=force)


def _save(figure: Figure, paths: list[Path]) -> None:
    for name in paths:
        write_picture(figure, name, force=True)
        print(f"wrote {name}")


def _figure(options: argparse.Namespace) -> int:
    paths = [internal.as_path(name) for name in options.save or [_usual_picture(options)]]
    _check_pictures(paths, force=options.force)
    _check_data(options)
    require_matplotlib()
    from . import _draw

    _save(getattr(_draw, options.draw)(options), paths)
    say_next(options, lambda: _after_figure(options, paths))
    return 0


def _usual_picture(options: argparse.Namespace) -> str:
    """Return the name of a picture without --save: that of the data, and of the figure."""
    kind: str = options.parser.prog.split()[-1]
    data = internal.as_path(options.directory if kind == "comparison" else options.store).resolve().stem
    return f"{kind}.png" if data in ("", kind) else f"{data}-{kind}.png"


def _other_format(options: argparse.Namespace, paths: list[Path]) -> Step:
    """Return the step that writes the picture in a format that it does not have yet."""
    kinds = {path.suffix for path in paths}
    kind = next((kind for kind in (".pdf", ".png", ".svg") if kind not in kinds), ".pdf")
    purpose = {".pdf": "the same for print", ".png": "the same for a screen", ".svg": "the same for an editor"}[kind]
    return purpose, again(options, save=[str(paths[0].with_suffix(kind))])


def _after_figure(options: argparse.Namespace, paths: list[Path]) -> list[Step]:
    """Return how to have the picture in another format, and where its numbers are."""
    if options.draw == "draw_comparison":
        numbers = numbers_of(internal.as_path(options.directory) / FILES["simulation"])
    else:
        numbers = numbers_of_sweep(options.store)
    return [_other_format(options, paths), numbers]


def _check_data(options: argparse.Namespace) -> None:
    """Raise InputError where there is nothing to draw."""
    if options.draw != "draw_comparison":
        if not internal.is_there(options.store):
            reason = f"{options.store} (no such file or directory)"
            raise ts.InputError("the store of a sweep", reason, "run `teacher-student sweep` first")
        return
    directory = internal.as_path(options.directory)
    for name in ("theory", "simulation"):
        if not internal.is_there(directory / FILES[name]):
            raise ts.InputError(
                f"a directory with {FILES[name]}", str(directory), "run `teacher-student compare` first"
            )
