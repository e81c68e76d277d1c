"""Fresh processes for the cases, one after the other: each has its own compile time and peak memory."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from teacher_student.internal import usable_cores

from ._catalogue import Case
from ._records import Curve, Row, from_tables

ROOT = Path(__file__).parents[1]
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"),
    "JAX_PLATFORMS": "cpu",
    "MPLBACKEND": "Agg",
}
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"
LONGEST = 240.0  # seconds of one process


def groups(cases: Sequence[Case], quick: bool) -> list[list[Case]]:
    """The cases of each process: one, or in quick mode, which times nothing, all of one engine."""
    if not quick:
        return [[case] for case in cases]
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.group, []).append(case)
    return list(found.values())


def measure(cases: Sequence[Case], quick: bool, core: int | None, untuned: bool = False) -> list[Row | Curve]:
    """Records of cases of one process, on the core given or the last usable one (all, if a case wants them)."""
    cores = usable_cores()
    if not any(case.every_core for case in cases):
        cores = [cores[-1] if core is None else core]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "records.json"
        names = [case.name for case in cases]
        command = [sys.executable, "-m", "benchmarks._measure", str(out), *names]
        longest = max(LONGEST, *(case.longest for case in cases))
        command += ["--cores", ",".join(map(str, cores)), *["--quick"] * quick, *["--untuned"] * untuned]
        with _process(command, environment(quick)) as process:
            try:
                _, errors = process.communicate(timeout=longest)
            except subprocess.TimeoutExpired:
                return [_failed(name, f"took longer than {longest:.0f} s") for name in names]
        if process.returncode != 0:
            last = (errors.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
            return [_failed(name, last) for name in names]
        return from_tables(json.loads(out.read_text()))


def environment(quick: bool) -> dict[str, str]:
    """One thread each for XLA and BLAS; no compiled programs from before, unless times do not count."""
    kept = {k: v for k, v in os.environ.items() if quick or k != "JAX_COMPILATION_CACHE_DIR"}
    flags = f"{kept.get('XLA_FLAGS', '')} {XLA_ONE_THREAD}".strip()
    path = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])  # this checkout, not one installed
    return {**kept, **ONE_THREAD, "XLA_FLAGS": flags, "PYTHONPATH": path}


@contextlib.contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Killed on the way out if it still runs, and those it started; Ctrl-C reaches this process, which ends it."""
    process = subprocess.Popen(
        command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _failed(name: str, why: str) -> Row:
    return Row(name, name, "", note=f"failed: {why}", failed=True)
