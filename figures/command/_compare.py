"""The command line's `teacher-student compare`: theory and simulation of one problem, and a verdict."""

from __future__ import annotations  # types are not looked up: JAX is loaded when the file has been checked

import argparse
import sys
from typing import TYPE_CHECKING

import teacher_student as ts
from teacher_student import internal

from ..experiment import load_tables, naming_lines, read_file, require_verdict, with_detect
from ..running import COMPARISON_FILES, refuse_results
from ._arguments import again, whole_number
from ._exit_codes import ExitCode
from ._next_steps import Step, free_place, numbers_of, say_next
from ._progress import progress_and_say

if TYPE_CHECKING:
    from .._comparison import Comparison

CODES = {"AGREE": ExitCode.FINE, "DISAGREE": ExitCode.NO, "NO VERDICT": ExitCode.NO_VERDICT}


def add_compare_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("problem", nargs="?", metavar="PROBLEM.toml", help="omitted: the built-in problem")
    parser.add_argument("--out", default="comparison", metavar="DIR", help="where results go (default: ./comparison)")
    parser.add_argument("--dim", type=whole_number, metavar="N", help="input dimension")
    parser.add_argument("--runs", type=whole_number, help="independent students")
    parser.add_argument(
        "--detect",
        action="append",
        metavar="NAME=SHIFT",
        help="in place of --runs: as many as find a relative error, such as sgd.learning_rate=0.01; may be repeated",
    )
    parser.add_argument("--seed", type=whole_number, help="the one seed that everything random follows from")
    parser.add_argument("--force", action="store_true", help="overwrite existing results")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no next steps, only the verdict")
    parser.set_defaults(action=_compare)


def _compare(options: argparse.Namespace) -> int:
    changes = {"dim": options.dim, "runs": options.runs, "seed": options.seed}
    if options.detect and options.runs is not None:
        raise ts.InputError("either --runs or --detect, which chooses the runs", "both", "leave one out")
    tables = with_detect(load_tables(options.problem, **changes), options.detect)
    with naming_lines(options.problem, tables):
        require_verdict(read_file(tables))
    out = internal.as_path(options.out)
    refuse_results([out / name for name in COMPARISON_FILES.values()], force=options.force)
    from .._compare import compare_experiment
    from ..experiment import read_experiment

    progress, say = progress_and_say(options)
    with naming_lines(options.problem, tables):
        experiment = read_experiment(tables)
    result = compare_experiment(experiment, out, force=options.force, progress=progress, say=say)
    if not options.quiet:
        print(f"{result.table}\n")
        for path in result.paths.values():
            print(f"wrote {path}")
    print(_for_reading(result.agreement.verdict) if sys.stdout.isatty() else result.agreement.verdict)
    say_next(options, lambda: _after_compare(options, result, read_file(tables).seed))
    return CODES[result.agreement.answer]


def _for_reading(verdict: str) -> str:
    """Return the verdict with a line for each of its statements, for a terminal; scripts read the last line of all."""
    return verdict.replace("; ", ";\n  ")


def _after_compare(options: argparse.Namespace, result: Comparison, seed: int) -> list[Step]:
    """Return what sharpens an agreement, or tells an error from chance; and how to open the numbers."""
    numbers = numbers_of(result.paths["theory"])
    if result.agreement.answer == "NO VERDICT":
        longer = again(options, dim=10 * result.agreement.dims[0], out=free_place(f"{options.out}-larger"), force=False)
        return [("at ten times the dimension the expansion in 1/N holds for longer", longer), numbers]
    if not result.agreement.agrees:
        other = again(options, seed=seed + 1, out=free_place(f"{options.out}-again"), force=False)
        return [("the same with other random numbers: is it chance?", other), numbers]
    out = free_place(f"{options.out}-sharper")
    if result.plan is not None:
        halves = [f"{name}={shift / 2:g}" for name, shift in result.plan.detect.items()]
        return [
            ("shifts half as large, with as many runs as find them", again(options, detect=halves, out=out)),
            numbers,
        ]
    runs = 4 * (result.runs.runs or 1)
    return [("four times the runs: errors half as large", again(options, runs=runs, out=out, force=False)), numbers]
