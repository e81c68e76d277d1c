"""A comparison in a process of its own: the page stays responsive, and its memory and time can be had back."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import multiprocessing
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import teacher_student as ts
from teacher_student import internal

if TYPE_CHECKING:
    from .._comparison import Comparison


class Job:
    """One comparison after the other, in one process that keeps its compiled programs.

    Fields to read: tables, those of the comparison that was started last. lines: what it has said so far.
    result: what came of it, None before. failure: why nothing did, "" if something may still.
    """

    def __init__(self) -> None:
        self.tables: dict[str, Any] | None = None
        self.lines: list[str] = []
        self.result: Comparison | None = None
        self.failure = ""
        self._process: Any = None
        self._pipe: Connection | None = None

    @property
    def is_running(self) -> bool:
        """Whether a comparison has been started and has not ended. What it has said until now is read."""
        self._read()
        return self.tables is not None and self.result is None and not self.failure

    def start(self, tables: Mapping[str, Any]) -> None:
        """Start comparing theory and simulation of a problem file's tables, in place of what runs."""
        if self.is_running:
            self.stop()
        if self._process is None or not self._process.is_alive():
            self._spawn()
        self.tables, self.lines, self.result, self.failure = dict(tables), [], None, ""
        assert self._pipe is not None
        self._pipe.send(self.tables)

    def stop(self) -> None:
        """End the process. A comparison that it was in the middle of is lost."""
        if self._process is not None:
            self._process.terminate()
            self._process.join()
        if self.tables is not None and self.result is None:
            self.failure = "stopped"
        self._process = self._pipe = None

    def wait(self, timeout: float) -> None:
        """Wait until the comparison says something, at most so many seconds."""
        if self._pipe is not None:
            self._pipe.poll(timeout)

    def _spawn(self) -> None:
        # Spawned: a fork of a process in which JAX has started would hang.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    def _read(self) -> None:
        try:
            while self._pipe is not None and self._pipe.poll():
                kind, content = self._pipe.recv()
                if kind == "line":
                    self.lines.append(content)
                elif kind == "result":
                    self.result = content
                else:
                    self.failure = content
        except (EOFError, OSError):
            self._process = self._pipe = None
            if self.tables is not None and self.result is None:
                self.failure = self.failure or "the simulation's process has ended; perhaps its memory was not enough"


def _work(pipe: Connection) -> None:
    """Compare what comes through the pipe, until nobody is at its other end."""
    internal_errors = (EOFError, BrokenPipeError, KeyboardInterrupt)
    try:
        ts.tune_compiler(True)
        while True:
            pipe.send(_outcome(pipe.recv(), pipe))
    except internal_errors:
        sys.exit(0)


def _outcome(tables: Mapping[str, Any], pipe: Connection) -> tuple[str, Any]:
    """Return ("result", the comparison) or ("failure", why there is none)."""
    from .._compare import compare
    from ..experiment import read_experiment

    def say(line: str) -> None:
        pipe.send(("line", line))

    try:
        return "result", compare(read_experiment(tables), progress=False, say=say)
    except ts.InputError as error:
        return "failure", str(error)
    except MemoryError:
        return "failure", "out of memory; fewer runs or a smaller dimension need less"
    except Exception as error:  # whatever the user's own code raises is for the page to say
        return "failure", f"{type(error).__name__}: {internal.first_line(error)}"
