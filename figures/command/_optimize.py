"""The command line's `teacher-student optimize`: the best protocol of one problem, with its certificate."""

from __future__ import annotations  # types are not looked up: JAX is loaded when the file has been checked

import argparse
from pathlib import Path

from teacher_student import internal

from ..experiment import load_tables, naming_lines, read_file, require_search
from ..running import OPTIMUM_FILES, refuse_results
from ._arguments import whole_number
from ._exit_codes import ExitCode
from ._next_steps import Step, free_place, numbers_of, say_next
from ._progress import progress_and_say


def add_optimize_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `optimize`."""
    parser.add_argument("problem", metavar="PROBLEM.toml", help="a problem file with a table [optimize]")
    parser.add_argument("--out", default="optimum", metavar="DIR", help="where results go (default: ./optimum)")
    parser.add_argument("--seed", type=whole_number, help="the one seed that everything random follows from")
    parser.add_argument("--force", action="store_true", help="overwrite existing results")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no next steps, only the last line")
    parser.set_defaults(action=_optimize)


def _optimize(options: argparse.Namespace) -> int:
    tables = load_tables(options.problem, seed=options.seed)
    with naming_lines(options.problem, tables):
        require_search(read_file(tables, simulated=False))
    out = internal.as_path(options.out)
    refuse_results([out / name for name in OPTIMUM_FILES.values()], force=options.force)
    from .._optimize import optimize_experiment
    from ..experiment import read_experiment, read_search

    progress, say = progress_and_say(options)
    with naming_lines(options.problem, tables):
        experiment = read_experiment(tables, simulated=False)
        search = read_search(tables, experiment.problem)
        found = optimize_experiment(
            experiment,
            search,
            tables,
            out,
            source=internal.as_path(options.problem).name,
            force=options.force,
            progress=progress,
            say=say,
        )
    for path in found.paths.values():
        say(f"wrote {path}")
    print(found.verdict)
    say_next(options, lambda: _after_optimize(found.paths))
    return ExitCode.FINE if found.holds else ExitCode.NO


def _after_optimize(paths: dict[str, Path]) -> list[Step]:
    """Return the comparison of the optimum with simulations, and how to open its numbers."""
    words = ["teacher-student", "compare", str(paths["problem"]), "--out", free_place("comparison")]
    return [("the optimum beside simulations, and a verdict", words), numbers_of(paths["theory"])]
