"""How a command ends: what each failure says, in one line, and its exit code."""

import os
import shlex
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import teacher_student as ts
from teacher_student import internal

from ..running import PictureError, signal_asked, stop_if_asked
from ._exit_codes import ExitCode

VARIABLE = "TEACHER_STUDENT_TRACEBACK"
OURS = [Path(__file__).parents[2] / name for name in ("teacher_student", "ode", "simulations", "figures")]


def end_of(action: Callable[[], int]) -> int:
    """Do what a command does, and return its exit code. Whatever it raises is said in one line."""
    try:
        code = action()
        stop_if_asked()
        return code
    except BaseException as error:
        if os.environ.get(VARIABLE):
            traceback.print_exception(error)
        line, code = _told(error)
        if line:
            print(f"teacher-student: {line}", file=sys.stderr)
        return code


def _told(error: BaseException) -> tuple[str, int]:
    """Return what to say of a failure, and its code."""
    if isinstance(error, ts.InputError):
        return str(error), ExitCode.BAD_INPUT
    if isinstance(error, KeyboardInterrupt):
        return str(error) or "interrupted", 128 + signal_asked()
    if isinstance(error, BrokenPipeError) and getattr(sys.stdout, "pipe_is_closed", False):
        return "", ExitCode.CLOSED_PIPE
    if isinstance(error, PictureError):
        return str(error), ExitCode.NOT_WRITTEN
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):  # so says XLA
        remedy = "fewer runs, a smaller dimension or fewer cells at a time need less"
        return f"out of memory ({internal.first_line(error)}); {remedy}", ExitCode.NO_MEMORY
    if (place := _place_in_users_code(error)) is not None:
        reason = f"{type(error).__name__}: {internal.first_line(error)}"
        return f"required: code of your own that does not fail; got: {reason}, at {place}", ExitCode.BAD_INPUT
    if isinstance(error, OSError):
        return f"a file could not be read or written: {internal.first_line(error)}", ExitCode.NOT_WRITTEN
    return _bug(error), ExitCode.BUG


def _place_in_users_code(error: BaseException) -> str | None:
    """Return the file and line that raised, if they are neither ours, nor Python's, nor of an installed package."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or frames[-1].filename.startswith("<"):
        return None
    path = Path(frames[-1].filename)
    installed = (*OURS, *map(Path, sysconfig.get_paths().values()), Path(sys.base_prefix))
    if any(path.is_relative_to(folder) for folder in installed):
        return None
    return f"{path}, line {frames[-1].lineno}"


def _bug(error: BaseException) -> str:
    """Keep the traceback in a file, and return a line that says so."""
    text = "".join(traceback.format_exception(error))
    name = f"{type(error).__name__}: {internal.first_line(error)}"
    head = f"this is a bug of teacher-student: {name}"
    remedy = "please send it to the authors, or report it as an issue"
    try:
        descriptor, path = tempfile.mkstemp(prefix="teacher-student-bug-", suffix=".txt", text=True)
        with os.fdopen(descriptor, "w", errors="backslashreplace") as file:
            file.write(f"{shlex.join(sys.argv)}\n{_versions()}\n\n{text}")
    except OSError as failure:
        return f"{head}; its traceback could not be kept ({failure.strerror}); {VARIABLE}=1 prints it; {remedy}"
    return f"{head}; its traceback is in {path}; {remedy}"


def _versions() -> str:
    try:
        return ", ".join(f"{name} {version}" for name, version in ts.versions().items())
    except Exception as error:  # nothing may hide the bug that is being told
        return f"versions not known: {error}"
