"""Where results go: the files of each command, and whether a directory can take them."""

import os
from collections.abc import Iterable
from pathlib import Path

import teacher_student as ts

COMPARISON_FILES = {
    "report": "report.json",
    "theory": "theory.nc",
    "fluctuations": "fluctuations.nc",
    "simulation": "simulation.nc",
    "smaller": "simulation_smaller.nc",
    "png": "comparison.png",
    "pdf": "comparison.pdf",
}
SOLUTION_FILES = {"theory": "theory.nc", "png": "solution.png", "pdf": "solution.pdf"}


def refuse_results(files: Iterable[Path], *, force: bool) -> None:
    """Raise InputError if one of `files` exists, unless `force`; nothing is made."""
    there = [file for file in files if file.exists()]
    if there and not force:
        raise ts.InputError("an output directory without results", str(there[0]), "choose another, or add --force")


def check_output(out: Path, files: Iterable[Path], *, force: bool) -> None:
    """Make `out`. Raises InputError if it cannot be written to, or has results and not `force`."""
    refuse_results(files, force=force)
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ts.InputError("a writable output directory", f"{out} ({error.strerror})", "choose another") from error
