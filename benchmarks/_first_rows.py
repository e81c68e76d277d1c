"""What one waits for: CPU seconds (user + system) of fresh processes from start to end, and of next curves in them.

Against `yardstick.py`, a theorist's script for the same problem, in the same rounds. For a before and after in one run,
check an older version out and name its folder in BENCHMARKS_CHECKOUT: every row then has a second one, of that folder,
    git worktree add ../older v0.5.0 && BENCHMARKS_CHECKOUT=../older python -m benchmarks --only first
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from . import yardstick
from ._records import Check, Row
from ._timing import Plan, median, ratio

FOLDER = Path(__file__).parent
OLDER = "BENCHMARKS_CHECKOUT"
ROUNDS = 3  # a process is long, and its CPU time repeats to a few percent
QUICK_CHANGES = ("20 -> 21 alphas", "a level renamed")
NOT_SET_BY_USERS = ("XLA_FLAGS", "JAX_COMPILATION_CACHE_DIR", "EQX_ON_ERROR")  # but by what measures
COLD, WARM, NEXT = 1 / 4, 1 / 2.5, 1.0  # speeds asked for: 4 s, 2.5 s and 1 s where the yardstick takes 1 s
LARGEST_DIFFERENCE = 1e-5  # of the errors at the end, relative
OVER = "NumPy + SciPy script"
SMALL = ("2", "2", "1.5", "100")  # the yardstick of the command line: K, M, eta, last alpha


@dataclasses.dataclass(frozen=True)
class Checkout:
    """A folder of packages that is measured. words: what its rows say of it."""

    root: Path
    words: str = ""

    def command(self) -> list[str]:
        """`teacher-student` as pyproject.toml declares it there: the one that is installed may be of another folder."""
        declared = tomllib.loads((self.root / "pyproject.toml").read_text())["project"]["scripts"]["teacher-student"]
        module, function = declared.split(":")
        return ["-c", f"import sys; from {module} import {function}; sys.exit({function}())"]


def checkouts() -> list[Checkout]:
    """This checkout, and the older one if one is named."""
    older = os.environ.get(OLDER)
    return [Checkout(FOLDER.parent), *([Checkout(Path(older).resolve(), f", {Path(older).name}")] if older else [])]


@dataclasses.dataclass
class Measured:
    """CPU seconds by what was done, one number per round; compilations likewise; and a check of the result."""

    seconds: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    compilations: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    check: Check | None = None

    def note(self, what: str, seconds: float, compilations: float | None = None) -> None:
        """Add one round's numbers."""
        self.seconds.setdefault(what, []).append(seconds)
        if compilations is not None:
            self.compilations.setdefault(what, []).append(compilations)


def curves(name: str, plan: Plan, K: int, M: int, eta: float, last: float) -> list[Row]:
    """First curve without and with compiled programs kept, and next ones after small changes (CPU seconds)."""
    problem, found = [str(x) for x in (K, M, eta, last)], {checkout: Measured() for checkout in checkouts()}
    theirs: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(min(plan.rounds, ROUNDS)):
            theirs.append(run([str(FOLDER / "yardstick.py"), *problem], FOLDER.parent, folder)[0])
            for number, (checkout, measured) in enumerate(found.items()):
                own = Path(folder, str(number))
                own.mkdir(exist_ok=True)
                _cold_curve(measured, checkout, own, problem)
                if not plan.quick:
                    _warm_curve(measured, checkout, own, problem)
                _next_curves(measured, checkout, own, [*problem, *plan.size((), QUICK_CHANGES)])
    return [row for each in found for row in _rows(name, each, found[each], theirs, f"K={K} M={M}", last)]


def _cold_curve(measured: Measured, checkout: Checkout, folder: Path, problem: Sequence[str]) -> None:
    """Measure the script where nothing has been compiled, and check the error that it prints."""
    start = folder / "start.npz"
    with tempfile.TemporaryDirectory() as nothing_kept:
        script = [str(FOLDER / "first_curve.py"), *problem, str(start)]
        seconds, printed = run(script, checkout.root, nothing_kept)
    measured.note("cold", seconds)
    with np.load(start) as overlaps:
        exact = yardstick.final_error(**overlaps, eta=float(problem[-2]), last=float(problem[-1]))
    measured.check = Check(abs(float(printed) / exact - 1), LARGEST_DIFFERENCE, "SciPy DOP853, error at the end")


def _warm_curve(measured: Measured, checkout: Checkout, folder: Path, problem: Sequence[str]) -> None:
    """Measure the script with a folder of compiled programs, which the first round fills."""
    kept = folder / "kept"
    script = [str(FOLDER / "first_curve.py"), *problem, str(folder / "start.npz"), str(kept)]
    if not kept.exists():
        run(script, checkout.root, folder)
    measured.note("warm", run(script, checkout.root, folder)[0])


def _next_curves(measured: Measured, checkout: Checkout, folder: Path, arguments: Sequence[str]) -> None:
    """Measure changes in a process that has solved one curve."""
    _, printed = run([str(FOLDER / "next_curves.py"), *arguments], checkout.root, folder)
    for each in json.loads(printed):
        measured.note(each["name"], each["seconds"], each["compilations"])


def _rows(name: str, checkout: Checkout, measured: Measured, theirs: list[float], size: str, last: float) -> list[Row]:
    """One row for the first curve cold and warm, and for every change."""
    first = {"cold": ("nothing compiled before", COLD), "warm": ("compiled programs kept", WARM)}
    rows = []
    for what, seconds in measured.seconds.items():
        if what in first:
            said, target = first[what]
            engine, said, check = "First curve", f"{said}, alpha={last:g}", measured.check
        else:
            engine, said, target, check = (
                f"Next curve, {median(measured.compilations[what]):g} compiled",
                what,
                NEXT,
                None,
            )
        speed = ratio(theirs, seconds, OVER)
        row = Row(
            name, engine + checkout.words, f"{size}, {said}", "curve", median(seconds), speed, target, check=check
        )
        rows.append(row)
    return rows


def commands(name: str, plan: Plan, arguments: Sequence[str], target: float | None = None) -> list[Row]:
    """A command line from start to end (CPU seconds)."""
    found = {checkout: Measured() for checkout in checkouts()}
    theirs: list[float] = []
    for _ in range(min(plan.rounds, ROUNDS)):
        with tempfile.TemporaryDirectory() as folder:
            theirs.append(run([str(FOLDER / "yardstick.py"), *SMALL], FOLDER.parent, folder)[0])
            for checkout, measured in found.items():
                measured.note("", run([*checkout.command(), *arguments], checkout.root, folder)[0])
    return _command_rows(name, found, theirs, arguments, target)


def compare(name: str, plan: Plan, cores: int) -> list[Row]:
    """`teacher-student compare` of the built-in problem, and again with what it left in the user's cache (CPU seconds).

    It is long, and measured in one round. cores: those that it runs on.
    """
    found = {checkout: Measured() for checkout in checkouts()}
    with tempfile.TemporaryDirectory() as folder:
        theirs = [run([str(FOLDER / "yardstick.py"), *SMALL], FOLDER.parent, folder)[0]]
    for checkout, measured in found.items():
        with tempfile.TemporaryDirectory() as folder:
            run(["-c", "import matplotlib.font_manager"], checkout.root, folder)  # lists a machine's fonts, once
            for turn in ("", ", again"):
                command = [*checkout.command(), "compare", "--out", str(Path(folder, f"out{turn}"))]
                measured.note(turn, run(command, checkout.root, folder)[0])
    return _command_rows(name, found, theirs, ["compare"], None, f", {cores} core{'s' * (cores > 1)}")


def _command_rows(
    name: str,
    found: Mapping[Checkout, Measured],
    theirs: list[float],
    arguments: Sequence[str],
    target: float | None,
    words: str = "",
) -> list[Row]:
    """One row for each turn of a command in each checkout."""
    said = " ".join(["teacher-student", *arguments])
    return [
        Row(
            name,
            f"Command line{checkout.words}",
            f"{said}{turn}{words}",
            "process",
            median(seconds),
            ratio(theirs, seconds, OVER),
            target,
        )
        for checkout, measured in found.items()
        for turn, seconds in measured.seconds.items()
    ]


def run(script: Sequence[str], root: Path, home: str | Path) -> tuple[float, str]:
    """CPU seconds (user + system, of the processes that it waits for too) and last line of one Python process.

    root: where it finds the packages. home: its working and cache folder. It has none of the variables that the
    measuring process set for itself. Raises RuntimeError with the last line of what failed.
    """
    inherited = {key: value for key, value in os.environ.items() if key not in NOT_SET_BY_USERS}
    places = {"PYTHONPATH": str(root), "XDG_CACHE_HOME": str(home), "MPLCONFIGDIR": str(Path(home, "matplotlib"))}
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, *script], stdout=printed, stderr=errors, cwd=home, env=inherited | places
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        lines = [_last_line(file) for file in (printed, errors)]
    if process.returncode:
        raise RuntimeError(f"{Path(script[0]).name}: {lines[1] or f'exit code {process.returncode}'}")
    return usage.ru_utime + usage.ru_stime, lines[0]


def _last_line(file: IO[str]) -> str:
    file.seek(0)
    return (file.read().strip().splitlines() or [""])[-1]
