"""The command line's `teacher-student solve`: theory alone of one problem, as a table, a picture and a file."""

from __future__ import annotations  # types are not looked up: JAX is loaded when the file has been checked

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import teacher_student as ts

from ._ctrl_c import stop_if_asked
from ._output import SOLUTION_FILES, check_output, refuse_results
from ._settings_file import load_tables, read_file

if TYPE_CHECKING:
    from ._settings import Settings

NOT_SOLVED = 1


def add_solve_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `solve`."""
    parser.add_argument("problem", nargs="?", metavar="PROBLEM.toml", help="omitted: the built-in problem")
    parser.add_argument("--out", default="solution", metavar="DIR", help="where results go (default: ./solution)")
    parser.add_argument("--seed", type=int, help="the one seed that everything random follows from")
    parser.add_argument("--force", action="store_true", help="overwrite existing results")
    parser.add_argument("--quiet", action="store_true", help="only the last line")
    parser.set_defaults(action=_solve)


def _solve(options: argparse.Namespace) -> int:
    tables = load_tables(options.problem, seed=options.seed)
    read_file(tables, simulated=False)
    paths = {name: Path(options.out) / file for name, file in SOLUTION_FILES.items()}
    refuse_results(paths.values(), force=options.force)
    from ._settings import read_settings

    settings = read_settings(tables, simulated=False)
    say: Callable[[str], None] = (lambda line: None) if options.quiet else print
    theory = solve(settings, paths, force=options.force, say=say)
    for path in paths.values():
        say(f"wrote {path}")
    print(f"{'SOLVED' if theory.status == ts.Status.OK else 'STOPPED'}: {theory.describe()}")
    return 0 if theory.status == ts.Status.OK else NOT_SOLVED


def solve(settings: Settings, paths: dict[str, Path], *, force: bool, say: Callable[[str], None]) -> ts.Trajectory:
    """Solve one problem; prints its table, draws and writes it. Raises InputError before computing."""
    from ._compare import describe, solve_theory
    from ._solution_table import solution_table

    start, alphas = settings.overlaps(), settings.wanted_alphas()
    ts.check_overlaps(start, settings.problem)  # before anything is said or made
    check_output(paths["theory"].parent, paths.values(), force=force)
    say(describe(settings))
    theory = solve_theory(settings, start, alphas, say)
    stop_if_asked()
    theory.save(paths["theory"], force=True)
    say(solution_table(theory.at(alphas)))
    stop_if_asked()
    _draw(theory, paths)
    return theory


def _draw(theory: ts.Trajectory, paths: dict[str, Path]) -> None:
    from ._comparison_plot import comparison  # matplotlib takes half a second to import

    figure = comparison(theory)
    for kind in ("png", "pdf"):
        ts.write_whole(paths[kind], lambda path: figure.savefig(path, dpi=200), force=True)
        stop_if_asked()
