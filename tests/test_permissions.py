"""Files and folders that may not be read or written: one line of Python's InputError, and exit code 2 of a command.

Root may read and write everything, so the calls are made in a process that has given that right up.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import figures
import ode

from . import build
from .sweep_files import BASE, toml

ROOT = Path(__file__).parents[1]
# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH leave with the next exec. Who is not root has neither.
WITHOUT_RIGHTS = """
import ctypes, os, sys
if os.geteuid() == 0 and any(ctypes.CDLL(None).prctl(24, right, 0, 0, 0) for right in (1, 2)):
    sys.exit("these rights cannot be given up")
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
CALLS = """
import contextlib, io, json, sys
import figures
import teacher_student as ts
from figures.command._main import main

def python(name, code):
    try:
        eval(code)
        said = [0, "done"]
    except ts.InputError as error:
        said = [2, str(error)]
    except BaseException as error:
        said = [70, repr(error)]
    print(json.dumps([name, *said]), flush=True)

def command(name, arguments):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            code = main(arguments)
        except BaseException as error:
            code = repr(error)
    print(json.dumps([name, code, said.getvalue().strip()]), flush=True)

for kind, name, what in json.loads(sys.stdin.read()):
    {"python": python, "command": command}[kind](name, what)
"""
REFUSED: dict[str, tuple[str | list[str], str]] = {
    "load a shut file": ("ts.Trajectory.load('shut.nc')", "shut.nc (Permission denied)"),
    "load from a shut folder": ("ts.Trajectory.load('shut/theory.nc')", "shut/theory.nc (Permission denied)"),
    "save in a folder that may not be written": ("ts.Trajectory.load('theory.nc').save('read_only/a.nc')", "writable"),
    "save in a shut folder": ("ts.Trajectory.load('theory.nc').save('shut/a.nc')", "shut/a.nc (Permission denied)"),
    "a shut problem file": ("figures.load_experiment('shut.toml')", "shut.toml (Permission denied)"),
    "a shut sweep file": ("figures.load_sweep('shut.toml')", "shut.toml (Permission denied)"),
    "a shut store": ("figures.open_sweep('shut_store')", "shut_store"),
    "a store with a shut chunk": ("figures.open_sweep('shut_chunks').load()", "shut_chunks"),
    "a shut folder of a figure": ("figures.atlas.named_figure('cost', 'shut')", "shut"),
    "data of a figure that may not be written": ("figures.atlas.pack({'a': None}, 'shut')", "shut/a.nc"),
    "a shut cache": ("ts.tune_compiler('shut/cache')", "shut/cache (Permission denied)"),
    "solve: file": (["solve", "shut.toml", "--out", "new"], "shut.toml (Permission denied)"),
    "solve: out": (["solve", "problem.toml", "--out", "read_only/a"], "read_only/a (Permission denied)"),
    "solve: shut out": (["solve", "problem.toml", "--out", "shut"], "shut/theory.nc (Permission denied)"),
    "compare: out": (["compare", "problem.toml", "--out", "read_only/a"], "read_only/a (Permission denied)"),
    "optimize: file": (["optimize", "shut.toml", "--out", "new"], "shut.toml (Permission denied)"),
    "optimize: out": (["optimize", "optimize.toml", "--out", "read_only/a"], "read_only/a (Permission denied)"),
    "optimize: shut out": (["optimize", "optimize.toml", "--out", "shut"], "shut/optimum.toml (Permission denied)"),
    "sweep: file": (["sweep", "shut.toml", "--out", "new"], "shut.toml (Permission denied)"),
    "sweep: out": (["sweep", "sweep.toml", "--out", "read_only/a"], "read_only/a (Permission denied)"),
    "sweep: store": (["sweep", "sweep.toml", "--out", "shut_store"], "shut_store"),
    "figure: shut results": (["figure", "comparison", "shut"], "shut/theory.nc (Permission denied)"),
    "figure: shut store": (["figure", "curves", "shut_store"], "shut_store"),
    "figure: shut folder of data": (["figure", "finite-size", "shut"], "shut"),
    "figure: save": (
        ["figure", "curves", "store", "--at", "level=easy", "--save", "read_only/a.png"],
        "read_only (Permission denied)",
    ),
    "figure: shut chunks": (["figure", "curves", "shut_chunks", "--at", "level=easy"], "(Permission denied)"),
    "sweep: shut chunks": (["sweep", "sweep.toml", "--out", "shut_chunks"], "(Permission denied)"),
    "derive: a PDF": (["derive", "--pdf", "read_only/a.pdf"], "read_only (Permission denied)"),
    "explore: file": (["explore", "shut.toml"], "shut.toml (Permission denied)"),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """What each of the calls was answered, all in one process."""
    if sys.platform != "linux":
        pytest.skip("rights are given up as Linux does it")
    folder = tmp_path_factory.mktemp("permissions")
    shut = _made(folder)
    calls = [["python" if isinstance(what, str) else "command", name, what] for name, (what, _) in REFUSED.items()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WITHOUT_RIGHTS, "-c", CALLS]
    try:
        done = subprocess.run(
            command, input=json.dumps(calls), capture_output=True, text=True, cwd=folder, env=environment
        )
    finally:
        for path in shut:  # else the folder could not be removed
            path.chmod(0o700)
    if "cannot be given up" in done.stderr:
        pytest.skip(done.stderr)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return {name: (code, text) for name, code, text in lines}


def _made(folder: Path) -> list[Path]:
    """Make files and folders of which some are shut; return these."""
    problem = build.problem(blocks=1, K=1, M=1)
    theory = ode.solve(problem, build.overlaps(problem), [1.0])
    for name in ("shut", "read_only"):
        (folder / name).mkdir()
    for path in ("theory.nc", "shut.nc", "shut/theory.nc"):
        theory.save(folder / path)
    tables = {**BASE, "axes": {"rate": {"sgd.learning_rate": [0.5, 1.0]}}, "measures": {"keep": ["error"]}}
    search = BASE | {"optimize": {"cost": {"final": "error", "on": "hard"}, "shares": {"phases": 2}}}
    for name, text in (
        ("problem", toml(BASE)),
        ("optimize", toml(search)),
        ("sweep", toml(tables)),
        ("shut", toml(BASE)),
    ):
        (folder / f"{name}.toml").write_text(text)
    for name in ("store", "shut_store", "shut_chunks"):
        figures.run_sweep(figures.read_sweep(tables), folder / name, workers=0, progress=False, say=lambda line: None)
    chunks = [path for path in (folder / "shut_chunks" / "error").rglob("*") if path.is_file() and path.name[0] == "c"]
    assert chunks
    shut = [*(folder / name for name in ("shut", "shut.nc", "shut.toml", "shut_store")), *chunks]
    for place in shut:
        place.chmod(0)
    (folder / "read_only").chmod(0o500)
    return [*shut, folder / "read_only"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_not_be_read_or_written_is_refused_in_one_line(name: str, said: dict[str, tuple[int, str]]) -> None:
    code, text = said[name]
    assert (code, len(text.splitlines())) == (2, 1), text
    assert REFUSED[name][1] in text
