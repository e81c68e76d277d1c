"""What a user may want to do next: the last words of a command.

They go to standard error. The verdict stays the last line of standard output, where scripts read it, and what is piped
on (the LaTeX of `derive`) has no advice in it. Who wants none adds --quiet.
"""

import argparse
import contextlib
import json
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import teacher_student as ts
from teacher_student import internal

Step = tuple[str, Sequence[str]]  # what it is for, and the words of a command


def say_next(options: argparse.Namespace, steps: Callable[[], Iterable[Step]]) -> None:
    """Print commands to copy, each below what it is for, unless --quiet.

    Advice that cannot be given, of a store that was deleted meanwhile, say, changes nothing of what was done.
    """
    if options.quiet:
        return
    lines: list[str] = []
    with contextlib.suppress(ts.InputError):
        lines = [line for purpose, words in steps() if (line := _lines(purpose, words))]
    if lines:
        sys.stdout.flush()  # or a terminal might show the advice before the verdict
        print("\n".join(["next:", *lines]), file=sys.stderr)


def _lines(purpose: str, words: Sequence[str]) -> str:
    """Return the two lines of a step; none for a path with control characters, which a terminal would obey."""
    command = shlex.join(words)
    return f"  {purpose}:\n    {command}" if command.isprintable() else ""


def numbers_of(file: Path) -> Step:
    """Return the step that opens a NetCDF file of ours with xarray."""
    code = f"import xarray; print(xarray.open_dataset({literal(file)}))"
    return f"the numbers of {file.name} in Python", ["python", "-c", code]


def numbers_of_sweep(store: str | Path) -> Step:
    """Return the step that opens a sweep's store in Python."""
    code = f"import figures; print(figures.open_sweep({literal(store)}))"
    return "the numbers in Python, by xarray", ["python", "-c", code]


def literal(path: str | Path) -> str:
    """Return a path as Python writes it, in double quotes, since a shell's single ones stand around the code."""
    return json.dumps(str(path), ensure_ascii=False)


def free_place(name: str) -> str:
    """Return a path that does not exist yet: `name`, or the same with a number."""
    number, path = 1, name
    while internal.as_path(path).exists():
        number += 1
        path = f"{name}-{number}"
    return path
