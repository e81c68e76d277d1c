"""`ts.tune_compiler`: in a process of its own, since it acts before JAX starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .as_users import HANGS

pytestmark = pytest.mark.slow  # most of its time is compilation

SCRIPT = """
import os, sys
import numpy as np
import teacher_student as ts, ode
if "late" in sys.argv:
    import jax.numpy as jnp
    jnp.ones(2) + 1
if "plain" not in sys.argv:
    try:
        ts.tune_compiler(cache=sys.argv[1])
    except ts.InputError as error:
        sys.exit(str(error))
task, order = ts.Committee(ts.Inputs({"all": 1.0}), 2), ts.Curriculum.single("all", 5.0)
problem = ts.Problem(task, ts.Student(2), ts.SGD(0.5), order)
theory = ode.solve(problem, ts.random_overlaps(problem, 1000, 0), [1.0, 5.0], with_accuracy=False)
print(os.environ.get("XLA_FLAGS", ""), *(x.hex() for x in theory.error["all"].tolist()), sep="\\n")
"""


def run(*arguments: str, flags: str = "") -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("XLA_FLAGS", "JAX_"))}
    if flags:
        environment["XLA_FLAGS"] = flags
    command = [sys.executable, "-c", SCRIPT, *arguments]
    root = Path(__file__).parent.parent
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, timeout=HANGS)


def test_it_keeps_flags_fills_the_cache_and_changes_results_by_rounding_only(tmp_path: Path) -> None:
    kept = "--xla_cpu_multi_thread_eigen=false"
    tuned, plain = run(str(tmp_path / "cache"), flags=kept), run("plain")
    assert tuned.returncode == plain.returncode == 0, tuned.stderr
    flags, *values = tuned.stdout.split("\n")[:3]
    assert flags.startswith(kept)
    assert "small_while_loop_byte_threshold=65536" in flags
    assert any((tmp_path / "cache").iterdir())
    expected = plain.stdout.split("\n")
    assert "threshold" not in expected[0]  # nothing of ours asks for it by itself
    for mine, theirs in zip(values, expected[1:3], strict=True):
        assert float.fromhex(mine) == pytest.approx(float.fromhex(theirs), rel=1e-12)


def test_too_late_is_said_in_one_line(tmp_path: Path) -> None:
    late = run(str(tmp_path / "cache"), "late")
    assert late.returncode == 1
    assert late.stderr.startswith("required: ts.tune_compiler() before JAX computes anything; got: a call after it has")
    assert late.stderr.count("\n") == 1
