"""The command line: `teacher-student compare`, `solve`, `sweep`, `figure` and `derive`.

Help, and what is wrong with an option or a file, is said before JAX is loaded, which takes a second: what computes is
imported by the function that calls it.
"""

import argparse
import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import teacher_student as ts
from teacher_student import internal

from ..experiment import load_tables, read_file, require_verdict, with_detect
from ..running import COMPARISON_FILES, Interrupted, heeding_ctrl_c, refuse_results
from ..sweeps import CELL_TIMEOUT, FINISHED, RETRY, CellStatus
from ._derive import add_derive_options
from ._endings import end_of
from ._exit_codes import ExitCode, explained
from ._figures import add_figure_commands
from ._solve import add_solve_options
from ._streams import unbreakable_streams


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, of which `ExitCode` says the meaning."""
    with unbreakable_streams() as streams:
        try:
            code = _run(arguments)
        except SystemExit as end:  # of argparse: help, the version, an unknown option
            raise SystemExit(streams.code(end.code)) from None
        return int(streams.code(code))


def _run(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
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
    parser = argparse.ArgumentParser(
        prog="teacher-student",
        description="Order-parameter theory of online learning, checked by simulation.",
        epilog=explained(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="the version, and no more")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser(
        "compare", help="theory and simulation of one problem, a verdict, a picture and files (the main job)"
    )
    one.add_argument("problem", nargs="?", metavar="PROBLEM.toml", help="omitted: the built-in problem")
    one.add_argument("--out", default="comparison", metavar="DIR", help="where results go (default: ./comparison)")
    one.add_argument("--dim", type=int, metavar="N", help="input dimension")
    one.add_argument("--runs", type=int, help="independent students")
    one.add_argument(
        "--detect",
        action="append",
        metavar="NAME=SHIFT",
        help="in place of --runs: as many as find a relative error, such as sgd.learning_rate=0.01; may be repeated",
    )
    one.add_argument("--seed", type=int, help="the one seed that everything random follows from")
    one.add_argument("--force", action="store_true", help="overwrite existing results")
    one.add_argument("--quiet", action="store_true", help="no progress bar, only the verdict")
    one.set_defaults(action=_compare)
    add_solve_options(commands.add_parser("solve", help="theory alone of one problem: a table, a picture and a file"))
    sweep = commands.add_parser(
        "sweep", help="a grid of problems into a Zarr store; started again, it computes only what is missing"
    )
    sweep.add_argument("sweep", metavar="SWEEP.toml", help="a problem file with [axes] (see docs/sweep.toml)")
    sweep.add_argument("--out", metavar="STORE.zarr", help="default: the file's name with .zarr, here")
    sweep.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler; omitted: a local cluster")
    for option, what in (
        ("ca", "the authority's certificate"),
        ("cert", "this client's certificate"),
        ("key", "its key"),
    ):
        sweep.add_argument(f"--tls-{option}", metavar="FILE", help=f"TLS to the scheduler: {what}, in PEM format")
    sweep.add_argument("--workers", type=int, metavar="N", help="local processes (default: one per core; 0: none)")
    sweep.add_argument(
        "--retry", action="append", default=[], choices=list(RETRY), help="compute cells of this status again"
    )
    sweep.add_argument(
        "--cell-timeout",
        default=f"{CELL_TIMEOUT:g}",
        metavar="SECONDS",
        help="how long a cell may take, compilation included, before it has timed out; off: any time. With --workers 0 "
        "no cell can be stopped (default: %(default)s)",
    )
    sweep.add_argument("--seed", type=int, help="the one seed that everything random follows from")
    sweep.add_argument("--quiet", action="store_true", help="no progress, only the last line")
    sweep.set_defaults(action=_sweep)
    add_figure_commands(commands.add_parser("figure", help="draw a picture again from saved data"))
    add_derive_options(commands.add_parser("derive", help="the ODE of an activation, derived, as LaTeX"))
    for command in _leaves(commands):
        command.add_argument(
            "--cache",
            metavar="DIR",
            help="where compiled programs are kept, at most 1 GiB (default: your cache folder, or what the variable "
            "TEACHER_STUDENT_CACHE says); off: nowhere",
        )
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


def progress_and_say(options: argparse.Namespace) -> tuple[bool, Callable[[str], None]]:
    """Return whether to show a progress bar, and what gets each line of text."""
    return not options.quiet and sys.stderr.isatty(), (lambda line: None) if options.quiet else print


def _compare(options: argparse.Namespace) -> int:
    changes = {"dim": options.dim, "runs": options.runs, "seed": options.seed}
    if options.detect and options.runs is not None:
        raise ts.InputError("either --runs or --detect, which chooses the runs", "both", "leave one out")
    tables = with_detect(load_tables(options.problem, **changes), options.detect)
    require_verdict(read_file(tables))
    out = internal.as_path(options.out)
    refuse_results([out / name for name in COMPARISON_FILES.values()], force=options.force)
    from .._compare import compare
    from ..experiment import read_experiment

    progress, say = progress_and_say(options)
    result = compare(read_experiment(tables), out, force=options.force, progress=progress, say=say)
    if not options.quiet:
        print(f"{result.table}\n")
        for path in result.paths.values():
            print(f"wrote {path}")
    print(result.agreement.verdict)
    return ExitCode.FINE if result.agreement.agrees else ExitCode.NO


def _sweep(options: argparse.Namespace) -> int:
    from ..sweeps import load_sweep, read_cell_timeout

    cell_timeout = read_cell_timeout(options.cell_timeout)
    spec = load_sweep(options.sweep, seed=options.seed)
    out = internal.as_path(Path(options.sweep).stem + ".zarr" if options.out is None else options.out)
    if options.workers is not None and options.workers < 0:
        raise ts.InputError("workers >= 0", options.workers)
    from ..sweeps import Tls, encrypted, run_sweep

    progress, say = progress_and_say(options)
    tls = Tls.of(options.tls_ca, options.tls_cert, options.tls_key)
    try:
        with encrypted(options.scheduler, tls) as scheduler:
            summary = run_sweep(
                spec,
                out,
                scheduler=scheduler,
                workers=options.workers,
                retry=options.retry,
                cell_timeout=cell_timeout,
                progress=progress,
                say=say,
            )
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {out} has {_done(out)} finished cells, and the same command goes on") from None
    print(f"{out}: {summary}")
    without_values = summary.counts.get(CellStatus.FAILED) or summary.counts.get(CellStatus.TIMED_OUT)
    return ExitCode.NO if without_values else ExitCode.FINE


def _done(store: Path) -> int:
    """Return the number of finished cells of a sweep's store."""
    from ..sweeps import open_sweep

    return int(open_sweep(store)["status"].isin(FINISHED).sum()) if store.exists() else 0


if __name__ == "__main__":
    sys.exit(main())
