"""The command line's `teacher-student solve`: theory alone of one problem, as a table, a picture and a file."""

from __future__ import annotations  # types are not looked up: JAX is loaded when the file has been checked

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import teacher_student as ts
from teacher_student import internal

from ..experiment import load_tables, naming_lines, read_file, require_verdict
from ..running import SOLUTION_FILES, check_output, refuse_results, stop_if_asked, write_pictures
from ._arguments import whole_number
from ._exit_codes import ExitCode
from ._next_steps import Step, free_place, numbers_of, say_next

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..experiment import Experiment


def add_solve_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `solve`."""
    parser.add_argument("problem", nargs="?", metavar="PROBLEM.toml", help="omitted: the built-in problem")
    parser.add_argument("--out", default="solution", metavar="DIR", help="where results go (default: ./solution)")
    parser.add_argument("--seed", type=whole_number, help="the one seed that everything random follows from")
    parser.add_argument("--force", action="store_true", help="overwrite existing results")
    parser.add_argument("--quiet", action="store_true", help="only the last line, and no next steps")
    parser.set_defaults(action=_solve)


def _solve(options: argparse.Namespace) -> int:
    tables = load_tables(options.problem, seed=options.seed)
    with naming_lines(options.problem, tables):
        read_file(tables, simulated=False)
    out = internal.as_path(options.out)
    refuse_results((out / file for file in SOLUTION_FILES.values()), force=options.force)
    from ..experiment import read_experiment

    with naming_lines(options.problem, tables):
        experiment = read_experiment(tables, simulated=False)
    say: Callable[[str], None] = (lambda line: None) if options.quiet else print
    theory, paths = solve(experiment, out, force=options.force, say=say)
    for path in paths.values():
        say(f"wrote {path}")
    solved, remedy = theory.status == ts.Status.OK, internal.remedy_of(theory)
    print(f"{'SOLVED' if solved else 'STOPPED'}: {internal.ending(theory)}" + (f"; {remedy}" if remedy else ""))
    say_next(options, lambda: [*_comparison(options, tables), numbers_of(paths["theory"])])
    return ExitCode.FINE if solved else ExitCode.NO


def _comparison(options: argparse.Namespace, tables: Mapping[str, Any]) -> list[Step]:
    """Return the step that compares this theory with simulations, where the file's simulation can be done."""
    try:
        require_verdict(read_file(tables))
    except ts.InputError:
        return []
    problem = [] if options.problem is None else [options.problem]
    seed = [] if options.seed is None else ["--seed", str(options.seed)]
    words = ["teacher-student", "compare", *problem, *seed, "--out", free_place("comparison")]
    return [("simulations beside it, and a verdict", words)]


def solve(
    experiment: Experiment, out: str | Path, *, force: bool, say: Callable[[str], None]
) -> tuple[ts.Trajectory, dict[str, Path]]:
    """Solve one problem that has been checked; its table is said, its picture drawn, and both are written to `out`.

    Returns the trajectory and the paths of the files, by name. Raises InputError before computing.
    """
    from .._describe import describe
    from .._solution_table import solution_table
    from ..experiment import solve_theory

    paths = check_output(out, SOLUTION_FILES, force=force)
    say(describe(experiment.problem))
    theory = solve_theory(experiment, say)
    stop_if_asked()
    theory.save(paths["theory"], force=True)
    say(solution_table(theory.at(experiment.alphas)))
    stop_if_asked()
    write_pictures(lambda: _picture(theory), paths)
    return theory, {name: path for name, path in paths.items() if path.exists()}


def _picture(theory: ts.Trajectory) -> Figure:
    from ..pictures import comparison  # matplotlib takes half a second to import

    return comparison(theory)
