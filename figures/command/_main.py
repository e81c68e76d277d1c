"""The command line: `teacher-student compare`, `solve`, `optimize`, `sweep`, `figure`, `explore` and `derive`.

Help, and what is wrong with an option or a file, is said before JAX is loaded, which takes a second: what computes is
imported by the function that calls it.
"""

import argparse
import contextlib
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import teacher_student as ts
from teacher_student import internal

from ..running import heeding_ctrl_c
from ._compare import add_compare_options
from ._derive import add_derive_options
from ._endings import end_of
from ._examples import add_examples
from ._exit_codes import explained
from ._explore import add_explore_options
from ._figures import add_figure_commands
from ._optimize import add_optimize_options
from ._parser import Parser
from ._solve import add_solve_options
from ._streams import unbreakable_streams
from ._sweep import add_sweep_options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, of which `ExitCode` says the meaning."""
    with unbreakable_streams() as streams:
        try:
            code = _run(arguments)
        except SystemExit as end:  # of argparse: help, the version, an unknown option
            raise SystemExit(streams.code(end.code)) from None
        return int(streams.code(code))


def _run(arguments: Sequence[str] | None) -> int:
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        options.parser.error_of_unknown(unknown)
    with heeding_ctrl_c(), _warnings_in_one_line():
        return end_of(lambda: _act(options))


def _act(options: argparse.Namespace) -> int:
    if not internal.jax_has_started():  # called from Python, it may have
        ts.tune_compiler(_cache(options.cache))
    code: int = options.action(options)
    return code


def _cache(option: str | None) -> bool | str | None:
    """Return what `--cache` says, for `ts.tune_compiler`: omitted, the usual folder; "off", none."""
    return True if option is None else None if option.lower() == "off" else option


@contextlib.contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Print warnings as lines like any other, each once.

    Of kept programs that cannot be read, which may be all of them, only the first is said.
    """
    unreadable: list[str] = []
    said: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        text = internal.shown(str(message).partition("\n")[0])
        if text in said:  # such as of the two files of one comparison
            return
        said.add(text)
        if "persistent compilation cache" in text:
            unreadable.append(text)
            if len(unreadable) > 1:
                return
            text = f"a kept program cannot be used; all is compiled again, `--cache off` keeps none ({text})"
        print(f"teacher-student: warning: {text}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="teacher-student",
        description="Order-parameter theory of online learning, checked by simulation.",
        epilog=explained(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="the version, and no more")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    compare = commands.add_parser(
        "compare", help="theory and simulation of one problem, a verdict, a picture and files (the main job)"
    )
    add_compare_options(compare)
    add_solve_options(commands.add_parser("solve", help="theory alone of one problem: a table, a picture and a file"))
    optimize = commands.add_parser(
        "optimize", help="the best order of levels, rates or numbers of one problem, with a certificate and files"
    )
    add_optimize_options(optimize)
    sweep = commands.add_parser(
        "sweep", help="a grid of problems into a Zarr store; started again, it computes only what is missing"
    )
    add_sweep_options(sweep)
    add_figure_commands(commands.add_parser("figure", help="draw a picture again from saved data"))
    explore = commands.add_parser("explore", help="a page with sliders: curves that follow, simulations, a verdict")
    add_explore_options(explore)
    add_derive_options(commands.add_parser("derive", help="the ODE of an activation, derived, as LaTeX"))
    for command in _leaves(commands):
        command.add_argument(
            "--cache",
            metavar="DIR",
            help="where compiled programs are kept, at most 1 GiB (default: your cache folder, or what the variable "
            "TEACHER_STUDENT_CACHE says); off: nowhere",
        )
        command.set_defaults(parser=command)
        add_examples(command)
    return parser


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that reads files of every installed package."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(f"{parser.prog} {ts.__version__}")
        parser.exit()


def _leaves(commands: Any) -> list[argparse.ArgumentParser]:
    """Return the parsers of all commands, those of `figure` one by one."""
    leaves = []
    for parser in commands.choices.values():
        below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        leaves += [leaf for action in below for leaf in _leaves(action)] if below else [parser]
    return leaves


if __name__ == "__main__":
    sys.exit(main())
