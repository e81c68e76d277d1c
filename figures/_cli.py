"""The command line: `teacher-student compare`, `sweep`, `figure` and `derive`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import teacher_student as ts

from ._cli_derive import add_derive_options
from ._cli_figures import add_figure_commands
from ._compare import Interrupted, compare
from ._settings import load_settings
from .sweeps import FINISHED, RETRY, CellStatus, load_sweep, open_sweep, run_sweep

AGREE, DISAGREE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
FAILED_CELLS = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 agree, 1 disagree, 2 bad input, 130 interrupted."""
    options = _parser().parse_args(arguments)
    if not ts.jax_has_started():  # called from Python, it may have
        ts.tune_compiler()
    try:
        return options.action(options)
    except ts.InputError as error:
        print(f"teacher-student: {error}", file=sys.stderr)
        return BAD_INPUT
    except Interrupted as error:
        print(f"teacher-student: {error}", file=sys.stderr)
        return INTERRUPTED
    except KeyboardInterrupt:
        print("teacher-student: interrupted before a run had finished", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="teacher-student", description="Order-parameter theory of online learning, checked by simulation."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {ts.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser(
        "compare", help="theory and simulation of one problem, a verdict, a picture and files (the main job)"
    )
    one.add_argument("problem", nargs="?", metavar="PROBLEM.toml", help="omitted: the built-in problem")
    one.add_argument("--out", default="comparison", metavar="DIR", help="where results go (default: ./comparison)")
    one.add_argument("--dim", type=int, metavar="N", help="input dimension")
    one.add_argument("--runs", type=int, help="independent students")
    one.add_argument("--seed", type=int, help="the one seed that everything random follows from")
    one.add_argument("--force", action="store_true", help="overwrite existing results")
    one.add_argument("--quiet", action="store_true", help="no progress bar, only the verdict")
    one.set_defaults(action=_compare)
    sweep = commands.add_parser(
        "sweep", help="a grid of problems into a Zarr store; started again, it computes only what is missing"
    )
    sweep.add_argument("sweep", metavar="SWEEP.toml", help="a problem file with [axes] (see docs/sweep.toml)")
    sweep.add_argument("--out", metavar="STORE.zarr", help="default: the file's name with .zarr, here")
    sweep.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler; omitted: a local cluster")
    sweep.add_argument("--workers", type=int, metavar="N", help="local processes (default: one per core; 0: none)")
    sweep.add_argument(
        "--retry", action="append", default=[], choices=list(RETRY), help="compute cells of this status again"
    )
    sweep.add_argument("--seed", type=int, help="the one seed that everything random follows from")
    sweep.add_argument("--quiet", action="store_true", help="no progress, only the last line")
    sweep.set_defaults(action=_sweep)
    add_figure_commands(commands.add_parser("figure", help="draw a picture again from saved data"))
    add_derive_options(commands.add_parser("derive", help="the ODE of an activation, derived, as LaTeX"))
    return parser


def _compare(options: argparse.Namespace) -> int:
    settings = load_settings(options.problem, dim=options.dim, runs=options.runs, seed=options.seed)
    found = compare(
        settings,
        options.out,
        force=options.force,
        progress=not options.quiet and sys.stderr.isatty(),
        say=(lambda line: None) if options.quiet else print,
    )
    if not options.quiet:
        print(found.agreement.table)
        for path in found.paths.values():
            print(f"wrote {path}")
    print(found.agreement.verdict)
    return AGREE if found.agreement.agrees else DISAGREE


def _sweep(options: argparse.Namespace) -> int:
    spec = load_sweep(options.sweep, seed=options.seed)
    out = Path(options.out) if options.out else Path(Path(options.sweep).stem + ".zarr")
    try:
        summary = run_sweep(
            spec,
            out,
            scheduler=options.scheduler,
            workers=options.workers,
            retry=options.retry,
            progress=not options.quiet and sys.stderr.isatty(),
            say=(lambda line: None) if options.quiet else print,
        )
    except KeyboardInterrupt:
        done = int(np.sum(open_sweep(out)["status"].isin(FINISHED))) if out.exists() else 0
        raise Interrupted(f"interrupted; {out} has {done} finished cells, and the same command goes on") from None
    print(f"{out}: {summary}")
    return FAILED_CELLS if summary.counts.get(CellStatus.FAILED) else 0
