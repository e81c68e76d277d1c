"""The command line's `teacher-student explore`: a page on this machine, with sliders for a problem's numbers."""

from __future__ import annotations  # types are not looked up: JAX is loaded when the file has been checked

import argparse
import multiprocessing
import os
import sys
from pathlib import Path

from ..experiment import load_tables, read_file
from ..running import signal_asked
from ._arguments import whole_number
from ._exit_codes import ExitCode


def add_explore_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `explore`."""
    parser.add_argument("problem", nargs="?", metavar="PROBLEM.toml", help="omitted: the built-in problem")
    parser.add_argument("--port", type=whole_number, metavar="PORT", help="of this machine (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="open none, only print the page's address")
    parser.set_defaults(action=_explore)


def _explore(options: argparse.Namespace) -> int:
    from ..explorer import listening, open_problem, require_marimo, serve

    tables = load_tables(options.problem)
    read_file(tables)
    require_marimo()  # after the file: what is wrong with it is said on every machine
    with listening(options.port) as listener:
        from ..experiment import read_experiment

        read_experiment(tables)
        open_problem(tables, "" if options.problem is None else Path(options.problem).name)
        try:
            serve(listener, browser=not options.no_browser, say=print)
        except KeyboardInterrupt:
            _leave()
    return ExitCode.FINE


def _leave() -> None:
    """End the process at once, with the code of the signal that asked for it.

    Open pages have threads in the middle of a solve or a compilation. Python would wait for them, for a minute perhaps,
    and to end it beside them may crash in compiled code. Nothing is lost: the page writes no files.
    """
    for simulation in multiprocessing.active_children():
        simulation.terminate()
    print("teacher-student: interrupted", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(128 + signal_asked())
