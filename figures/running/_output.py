"""Where results go: the files of each command, and whether a directory can take them."""

import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

import teacher_student as ts
from teacher_student import internal

COMPARISON_FILES = {
    "report": "report.json",
    "theory": "theory.nc",
    "fluctuations": "fluctuations.nc",
    "simulation": "simulation.nc",
    "smaller": "simulation_smaller.nc",
    "png": "comparison.png",
    "pdf": "comparison.pdf",
}
OPTIMUM_FILES = {
    "problem": "optimum.toml",
    "theory": "theory.nc",
    "report": "report.json",
    "check": "check.txt",
    "png": "optimum.png",
    "pdf": "optimum.pdf",
}
SOLUTION_FILES = {"theory": "theory.nc", "png": "solution.png", "pdf": "solution.pdf"}


def refuse_results(files: Iterable[Path], *, force: bool) -> None:
    """Raise InputError if one of `files` exists, unless `force`; nothing is made."""
    existing = [file for file in files if internal.as_path(file).exists()]
    if existing and not force:
        raise ts.InputError("an output directory without results", str(existing[0]), "choose another, or add --force")


def require_writable(problem: "ts.Problem") -> None:
    """Raise InputError for a problem that could not be written: one with a lambda as an activation, say."""
    try:
        ts.problem_to_tables(problem)
    except ts.InputError as error:
        error.args = (f"{error}, or write nothing (no `out`)",)
        raise


def check_output(out: str | Path, files: Mapping[str, str], *, force: bool) -> dict[str, Path]:
    """Make the directory `out`, and return the paths in it of `files`, by their names.

    Raises InputError if it cannot be written to, or has one of the files and not `force`.
    """
    out = internal.as_path(out)
    paths = {name: out / file for name, file in files.items()}
    refuse_results(paths.values(), force=force)
    for path in paths.values():
        internal.require_free(path, force=force)
    folder = internal.target(out)  # where a link leads to may have to be made
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A file is made in it: permissions alone do not tell, of a disk that is mounted read-only, say.
        probe = folder / f".teacher-student-{uuid.uuid4().hex}.probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ts.InputError("a writable output directory", f"{out} ({error.strerror})", "choose another") from error
    return paths
