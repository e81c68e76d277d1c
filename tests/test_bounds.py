"""Bounds before work: what cannot be held or counted is refused in one line, and nothing is made."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import figures
import ode
import simulations
import teacher_student as ts
from figures.sweeps._workers import start_workers
from teacher_student._usable_memory import PAGE, require_memory, usable_memory
from tests import build
from tests.sweep_files import BASE

PROBLEM = build.problem(K=1, M=1)
START = build.overlaps(PROBLEM, 1)
GIGA = 10**9


def run(**changes: Any) -> object:
    arguments: dict[str, Any] = {"dim": 60, "runs": 3, "alphas": [1.0], "key": 0, "start": START, "progress": False}
    return simulations.run(PROBLEM, **{**arguments, **changes})


def experiment(**tables: Any) -> object:
    return figures.read_experiment({**BASE, **tables})


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a dimension": (lambda: experiment(simulation={"dim": 10**12}), "simulation.dim below 2^31"),
    "a dimension from Python": (
        lambda: figures.make_experiment(PROBLEM, START, [1.0], dim=10**12, spread="measured"),
        "a dim below 2^31",
    ),
    "a count of alphas": (lambda: experiment(record={"count": 10**12}), "record.count below 10,000,001"),
    "alphas": (lambda: ode.solve(PROBLEM, START, range(GIGA)), "at most 10,000,000 alphas"),
    "alphas beyond len": (lambda: run(alphas=range(10**30)), "at most 10,000,000 alphas"),
    "alphas of many": (lambda: ode.solve_many([PROBLEM], [START], [range(GIGA)]), "at most 10,000,000 alphas"),
    "alphas of all": (lambda: ode.solve_many([PROBLEM], [START], range(GIGA)), "at most 10,000,000 alphas"),
    "runs": (lambda: run(runs=GIGA), "GB of memory for the records of 1,000,000,000 runs"),
    "runs with starts": (lambda: run(runs=GIGA, start=None), "GB of memory for the records of 1,000,000,000 runs"),
    "runs of the chain": (lambda: run(runs=GIGA, method="overlaps"), "GB of memory for the records"),
    "uncountable runs": (lambda: run(runs=10**30), "number of runs below 2^31"),
    "test samples": (lambda: run(test_samples=10**11), "number of test samples below 2^31"),
    "steps": (lambda: run(dim=2 * GIGA, alphas=[2.0]), "fewer than 2^31 steps"),
    "points": (lambda: ode.Sampled(2**40), "at most 2^30 as points"),
    "points in memory": (lambda: ode.Sampled(2**30).draw(PROBLEM), "GB of memory for 4 x 1,073,741,824 points"),
    "replicates": (lambda: ode.Sampled(replicates=GIGA).draw(PROBLEM), "GB of memory for 1,000,000,000 x 4,096 points"),
    "theory": (
        lambda: ode.solve(build.problem(K=500), START, np.linspace(0, 1, 10**6)),
        "GB of memory for the overlaps at 1,000,000 alphas",
    ),
    "theory of many": (
        lambda: ode.solve_many(build.problem(K=500), [START] * 1000, np.linspace(0, 1, 10**4)),
        "GB of memory for the overlaps at 10,000,000 alphas",
    ),
    "workers of a sweep": (
        lambda: start_workers(None, GIGA, GIGA).__enter__(),
        "GB of memory for 1,000,000,000 local workers",
    ),
    "a student": (lambda: ts.Student(10**6), "GB of memory for the overlaps of the 1,000,000 units of width K"),
    "a teacher": (lambda: ts.Committee(PROBLEM.inputs, 10**7), "GB of memory for the overlaps of the 10,000,000 units"),
    "a teacher in a file": (
        lambda: experiment(task={**BASE["task"], "width": 10**7}),
        "GB of memory for the overlaps of the 10,000,000 units",
    ),
    "a derivation": (
        lambda: ode.derive.equations(build.problem(K=40)),
        "at most 100,000 averages I4(k, l, i, j) to derive",
    ),
    "a start": (lambda: experiment(start={"number": 10**30}), "below 2^31"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_too_large_is_refused_before_it_is_made(name: str) -> None:
    call, words = REFUSED[name]
    tracemalloc.start()
    try:
        with pytest.raises(ts.InputError) as raised:
            call()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert words in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
    assert peak < 50e6  # an array of a thousandth of these sizes would be more


def test_a_message_shows_the_beginning_and_the_end_of_what_was_got() -> None:
    error = str(ts.InputError("increasing alphas", [0.1] * 100_000, "sort them"))
    assert len(error) < 300
    assert error.startswith("required: increasing alphas; got: [0.1, 0.1,")
    assert error.endswith("0.1]; sort them")
    assert "int that cannot be printed" in str(ts.InputError("a number", 10**5000))
    with pytest.raises(ts.InputError) as raised:
        ode.solve(PROBLEM, START, [1.0] * 50_000)
    assert len(str(raised.value)) < 300


LIMITS = "Limit             Soft Limit  Hard Limit  Units\nMax address space {}  unlimited   bytes\n"
MEMINFO = "MemTotal: 9 kB\nMemAvailable:    8000 kB\n"


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_memory_counts_records_and_the_chain_and_not_its_dimension() -> None:
    problem = build.problem()
    one, many = (simulations.memory(problem, 100, runs=1000, alphas=np.arange(1, n + 1) / n) for n in (1, 101))
    numbers = sum(np.size(x) for x in jax.tree.leaves(build.overlaps(problem, 1))) + 2 * len(problem.inputs.level_names)
    assert many - one == 100 * 1000 * 2 * 8 * numbers
    chain, longer = (simulations.memory(problem, dim, runs=100, method="overlaps") for dim in (100, 10**8))
    assert chain == longer


def test_memory_counts_a_test_input_of_each_level() -> None:
    def with_levels(number: int) -> ts.Problem:
        inputs = ts.Inputs({"all": 1.0}, {f"level {i}": {"all": 1.0} for i in range(number)})
        return ts.Problem(ts.Committee(inputs, 2), ts.Student(2), ts.SGD(0.1), ts.Curriculum.phases(("level 0", 1.0)))

    few, many = (simulations.memory(with_levels(number), 10**7, workers=1) for number in (10, 20))
    assert many - few > 10 * 10**7 * 4


def test_memory_that_may_be_used_is_the_least_of_machine_container_and_process(tmp_path: Path) -> None:
    assert usable_memory(tmp_path) is None  # a system that does not say
    root = tmp_path
    write(root, "proc/meminfo", MEMINFO)
    assert usable_memory(root) == 8000 * 1024
    write(root, "proc/self/cgroup", "0::/user/app\n")
    write(root, "sys/fs/cgroup/user/memory.max", "6000000\n")
    write(root, "sys/fs/cgroup/user/memory.current", "2000000\n")
    write(root, "sys/fs/cgroup/user/memory.stat", "anon 5\ninactive_file 500000\n")
    write(root, "sys/fs/cgroup/user/app/memory.max", "max\n")
    write(root, "sys/fs/cgroup/user/app/memory.current", "1000\n")
    assert usable_memory(root) == 4_500_000
    write(root, "proc/self/limits", LIMITS.format("unlimited"))
    write(root, "proc/self/statm", "100 50 20 1 0 10 0\n")
    assert usable_memory(root) == 4_500_000
    write(root, "proc/self/limits", LIMITS.format("3000000"))
    assert usable_memory(root) == 3_000_000 - 100 * PAGE
    write(root, "proc/self/limits", LIMITS.format("4096"))
    assert usable_memory(root) == 0


def test_the_first_version_of_control_groups_is_read_too(tmp_path: Path) -> None:
    root = tmp_path
    write(root, "proc/meminfo", MEMINFO)
    write(root, "proc/self/cgroup", "5:cpu:/\n4:memory,hugetlb:/docker/abc\n0::/\n")
    write(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    write(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", "1000\n")
    assert usable_memory(root) == 8000 * 1024
    write(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "5000000\n")
    assert usable_memory(root) == 4_999_000


def test_memory_is_required_with_what_is_needed_and_what_there_is() -> None:
    require_memory(1, "nothing", "")
    with pytest.raises(ts.InputError, match=r"1e\+09 GB of memory for a world; got: .* GB available; shrink it"):
        require_memory(1e18, "a world", "shrink it")
