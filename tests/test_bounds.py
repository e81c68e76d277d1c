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
from teacher_student import _usable_memory
from teacher_student._usable_memory import PAGE, require_memory, usable_memory
from teacher_student.state import _entries
from tests import build
from tests.sweep_files import BASE

PROBLEM = build.problem(K=1, M=1)
START = build.overlaps(PROBLEM, 1)
GIGA = 10**9


def run(**changes: Any) -> object:
    arguments: dict[str, Any] = {"dim": 60, "runs": 3, "alphas": [1.0], "key": 0, "start": START, "progress": False}
    return simulations.run(PROBLEM, **{**arguments, **changes})


WIDEST = ts.Problem(  # its single start takes terabytes: 200 blocks
    ts.Committee(ts.Inputs({str(i): 0.005 for i in range(200)}), 1),
    ts.Student(9899),
    ts.SGD(0.1),
    ts.Curriculum.single("all", 1.0),
)


def without_memory(K: int, M: int) -> ts.Overlaps:
    """Overlaps of two blocks, 0 everywhere, of one number in memory."""
    shapes = (2, K, K), (2, K, M), (2, M, M), (K,)
    # Not by its constructor, which copies.
    overlaps: ts.Overlaps = jax.tree.unflatten(
        jax.tree.structure(START), [np.broadcast_to(0.0, shape) for shape in shapes]
    )
    return overlaps


def law_of(alphas: int) -> ts.JointLaw:
    """A joint law of one entry, one error and one accuracy, of one number in memory."""
    return ts.JointLaw(*(np.broadcast_to(0.0, (alphas, *shape)) for shape in ((1, 1), (1, 1), (2, 1), (2, 2))))


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
    "random starts": (
        lambda: ts.random_overlaps(build.problem(K=5000), 10**6, jax.random.split(jax.random.key(0), 20_000)),
        "GB of memory for the overlaps of 20,000 x 5,002 units",
    ),
    "a random start": (
        lambda: ts.random_overlaps(WIDEST, 10**6, 0),
        "GB of memory for the overlaps of 9,900 units",
    ),
    "the law of wide starts": (
        lambda: ts.start_law(build.problem(K=3000), teacher=np.zeros((2, 2, 2))),
        "GB of memory for the covariance of 9,018,000 entries",
    ),
    "names of entries": (
        lambda: ts.entry_names(WIDEST),
        "GB of memory for the names of 9,801,999,699 entries",
    ),
    "directions": (
        lambda: ts.Directions.of(build.problem(K=5000), without_memory(5000, 2)),
        "GB of memory for the directions of 5,017 numbers",
    ),
    "fluctuations": (
        lambda: ode.fluctuations(PROBLEM, START, np.linspace(0, 1, 10**6), sample=ode.Sampled(2**10, 10**5)),
        "GB of memory for the covariances of 5 entries at 1,000,000 alphas and 100,000 scramblings",
    ),
    "weights": (
        lambda: simulations.weights_with(START, (10**9, 10**9), jax.random.key(0), "float64"),
        "GB of memory for the weights of 2 units at N = 2,000,000,000",
    ),
    "weights that cannot be counted": (
        lambda: simulations.weights_with(START, (10**30, 10**30), jax.random.key(0), "float64"),
        "a dimension N below 2^31",
    ),
    "a Jacobian": (
        lambda: ode.known_guesses(build.problem(K=500, readout_learning_rate=0.0)),
        "GB of memory for the Jacobian of 253,000 entries",
    ),
    "symbols": (lambda: ode.derive.symbols(10**5), "a number of rows below 100"),
    "an order": (lambda: ode.derive.mean_function("erf", 10**6), "an order of differentiation between 0 and 20"),
    "orders": (
        lambda: ode.derive.pair_function("erf", "erf", (10**5, 0)),
        "2 orders of differentiation between 0 and 20",
    ),
    "a joint covariance": (
        lambda: law_of(10**6).covariance(),
        "GB of memory for the covariance of 3 quantities at 1,000,000 alphas",
    ),
    "a derivation": (
        lambda: ode.derive.equations(build.problem(K=40)),
        "at most 100,000 averages I4(k, l, i, j) to derive",
    ),
    "a start": (lambda: experiment(start={"number": 10**30}), "below 2^31"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_too_large_is_refused_before_it_is_made(name: str) -> None:
    require_refusal(*REFUSED[name])


def require_refusal(call: Callable[[], object], words: str) -> None:
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


def test_sabotage_without_the_look_at_memory_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = build.problem(K=100)

    def call() -> object:
        return ts.entry_names(problem)

    monkeypatch.setattr(_entries, "ALWAYS_THERE", 10**5)
    monkeypatch.setattr(_usable_memory, "usable_memory", lambda: 10**5)
    require_refusal(call, "GB of memory for the names of 10,600 entries")
    monkeypatch.setattr(_entries, "require_memory", lambda *_: None)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        require_refusal(call, "")


def test_a_message_shows_the_beginning_and_the_end_of_what_was_got() -> None:
    error = str(ts.InputError("increasing alphas", [0.1] * 100_000, "sort them"))
    assert len(error) < 300
    assert error.startswith("required: increasing alphas; got: [0.1, 0.1,")
    assert error.endswith("0.1]; sort them")
    assert "int that cannot be printed" in str(ts.InputError("a number", 10**5000))
    assert len(str(ts.InputError("a number", "a" * 100_000))) < 600
    with pytest.raises(ts.InputError) as raised:
        ode.solve(PROBLEM, START, [1.0] * 50_000)
    assert len(str(raised.value)) < 300


def test_a_message_names_a_file_in_a_deep_folder(tmp_path: Path) -> None:
    folder = tmp_path / ("a_long_name_of_a_folder" * 5)
    folder.mkdir()
    path = folder / "a_result_with_a_name_that_says_much_about_its_problem_and_its_numbers.nc"
    path.write_bytes(b"no result")
    with pytest.raises(ts.InputError) as raised:
        ts.Trajectory.load(path)
    assert path.name in str(raised.value)


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
