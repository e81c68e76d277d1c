"""Compiled programs that outlive the process: kept, found again, bounded, and harmless where they cannot be used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .as_users import HANGS
from .problem_files import SMALL as SMALL_PROBLEM

pytestmark = pytest.mark.slow  # most of its time is compilation

ROOT = Path(__file__).parent.parent
COUNT = """
import collections, sys, warnings
import jax
events = collections.Counter()
jax.monitoring.register_event_listener(lambda event, **_: events.update([event.rpartition("/")[2]]))
jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: events.update([event.rpartition("/")[2]]))
"""
# every program is kept, however quickly it was compiled: what is counted does not depend on the machine
SMALL = "import teacher_student as ts\nfrom teacher_student import _compiler\n_compiler.SHORTEST = 0.0\n"
KEEP = "ts.tune_compiler(cache=True)\n"
SOLVE = """
import ode
task, order = ts.Committee(ts.Inputs({"all": 1.0}), 1), ts.Curriculum.single("all", 1.0)
problem = ts.Problem(task, ts.Student(1), ts.SGD(0.5), order)
start = ts.Overlaps([[[0.5]]], [[[0.1]]], [[[1.0]]], [1.0])
many = ode.solve_many([problem, problem], start, [1.0], with_accuracy=False)  # compiled whole, by diffrax
print(float(many[0].error["all"][0]).hex())
print(events["backend_compile_duration"], events["cache_hits"])
"""
PROGRAMS = """
import jax.numpy as jnp
for n in range(2, 2 + 6):
    print(float(jax.jit(lambda x: jnp.linalg.eigvalsh(x @ x.T).sum())(jnp.arange(1.0, 1 + n * n).reshape(n, n))).hex())
print(events["cache_hits"], events["cache_misses"])
"""


def run(code: str, cache: Path, **variables: str) -> list[str]:
    """Lines that a new process prints, and its warnings behind them; `cache` is the user's cache folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XLA_FLAGS", "JAX_", "EQX_", "TEACHER_"))}
    environment = {**kept, "XDG_CACHE_HOME": str(cache), **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT, timeout=HANGS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines() + [line for line in done.stderr.splitlines() if "Warning" in line]


def programs(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*-cache"))


def test_a_compiled_solve_is_found_again_whether_equinox_was_loaded_before_or_not(tmp_path: Path) -> None:
    first = run(SMALL + KEEP + COUNT + SOLVE, tmp_path)
    assert programs(tmp_path / "teacher-student" / "programs")
    late = "import equinox, diffrax\n" + SMALL + KEEP
    second = run(late + COUNT + SOLVE, tmp_path)
    assert second[0] == first[0]
    needed, hits = (int(number) for number in second[1].split())
    assert needed == hits > 2  # none that JAX would not keep, because it calls back to Python


def test_garbage_in_the_cache_costs_warnings_and_no_result(tmp_path: Path) -> None:
    first = run(SMALL + KEEP + COUNT + PROGRAMS, tmp_path)
    files = [path for path in (tmp_path / "teacher-student").rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        path.write_bytes(b"garbage" * 40)
    second = run(SMALL + KEEP + COUNT + PROGRAMS, tmp_path)
    assert second[:6] == first[:6]
    assert any("persistent compilation cache" in line for line in second[7:])


def test_a_program_whose_writing_was_cut_short_is_dropped_and_kept_anew(tmp_path: Path) -> None:
    first = run(SMALL + KEEP + COUNT + PROGRAMS, tmp_path)
    victim = programs(tmp_path)[0]
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) // 2])
    victim.with_name(f"{victim.name.removesuffix('-cache')}-atime").unlink()
    second = run(SMALL + KEEP + COUNT + PROGRAMS, tmp_path)
    assert second[:6] == first[:6]
    assert second[7:] == []  # no warning
    assert second[6].split()[1] == "1"  # written anew


def test_the_cache_stays_below_its_bound(tmp_path: Path) -> None:
    largest = 40_000
    run(SMALL + f"_compiler.LARGEST = {largest}\n" + KEEP + COUNT + PROGRAMS, tmp_path)
    sizes = [path.stat().st_size for path in programs(tmp_path)]
    assert 0 < sum(sizes) <= largest
    assert len(sizes) < len(programs_without_bound(tmp_path / "more"))


def programs_without_bound(cache: Path) -> list[Path]:
    run(SMALL + KEEP + COUNT + PROGRAMS, cache)
    return programs(cache)


@pytest.mark.parametrize("how", ["the variable", "None"])
def test_nothing_is_kept_where_it_is_switched_off(how: str, tmp_path: Path) -> None:
    call = KEEP if how == "the variable" else "ts.tune_compiler(cache=None)\n"
    off = {"TEACHER_STUDENT_CACHE": "off"} if how == "the variable" else {}
    printed = run(SMALL + call + COUNT + PROGRAMS, tmp_path, **off)
    assert printed[6] == "0 0"
    assert not any(tmp_path.iterdir())


def test_the_variable_names_another_folder(tmp_path: Path) -> None:
    run(SMALL + KEEP + COUNT + PROGRAMS, tmp_path, TEACHER_STUDENT_CACHE=str(tmp_path / "mine"))
    assert programs(tmp_path / "mine")
    assert not (tmp_path / "teacher-student").exists()


def test_a_folder_that_cannot_be_made_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    printed = run(SMALL + KEEP + COUNT + PROGRAMS, tmp_path / "file")
    assert len(printed[:6]) == 6
    (warning,) = printed[7:]
    assert "compiled programs are not kept" in warning


def test_a_cache_that_the_user_gave_jax_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "unstamped-cache").write_bytes(b"theirs")
    code = SMALL + KEEP + "import jax; print(jax.config.jax_compilation_cache_max_size)"
    assert run(code, tmp_path, JAX_COMPILATION_CACHE_DIR=str(tmp_path / "theirs")) == ["-1"]
    assert (tmp_path / "theirs" / "unstamped-cache").exists()


COMMAND = """
import sys
from teacher_student import _compiler
from figures.command._main import main
_compiler.SHORTEST = 0.0
sys.exit(main(["solve", *sys.argv[1:], "--quiet", "--force"]))
"""


def command(cache: Path, out: Path, *options: str) -> tuple[str, str]:
    """Output and errors of `teacher-student solve` on a small problem."""
    file = out.with_suffix(".toml")
    file.write_text(SMALL_PROBLEM)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("XLA_FLAGS", "JAX_", "EQX_", "TEACHER_"))}
    call = [sys.executable, "-c", COMMAND, str(file), "--out", str(out), *options]
    done = subprocess.run(
        call, capture_output=True, text=True, env={**environment, "XDG_CACHE_HOME": str(cache)}, cwd=ROOT, timeout=HANGS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_the_command_line_keeps_programs_and_says_once_that_they_cannot_be_read(tmp_path: Path) -> None:
    cache, out = tmp_path / "cache", tmp_path / "out"
    assert command(cache, out) == ("SOLVED: ok\n", "")
    kept = programs(cache / "teacher-student")
    assert len(kept) > 1
    for path in kept:
        path.write_bytes(b"garbage")
    printed, said = command(cache, out)
    assert printed == "SOLVED: ok\n"
    assert said.count("\n") == 1
    assert said.startswith("teacher-student: warning: a kept program cannot be used")


@pytest.mark.long
def test_the_option_names_a_folder_or_switches_it_off(tmp_path: Path) -> None:
    cache, out = tmp_path / "cache", tmp_path / "out"
    command(cache, out, "--cache", "off")
    command(cache, out, "--cache", str(tmp_path / "mine"))
    assert not (cache / "teacher-student").exists()  # pictures have a cache of their own there
    assert programs(tmp_path / "mine")
