"""A sweep's remaining time: right within a factor 1.5 after a tenth of it. Clocks are made up; nothing waits."""

import dataclasses
import heapq
import itertools
from collections.abc import Callable
from typing import Any

import pytest

import figures
from figures.sweeps import _workers
from figures.sweeps._job_clock import length_of_union, timed
from figures.sweeps._job_order import GOLDEN, MOST_STRUCTURES, in_fair_order, spread, structural_axes
from figures.sweeps._remaining_time import RemainingTime, Work, in_words
from tests.sweep_files import BASE


@dataclasses.dataclass(frozen=True)
class Case:
    """A sweep of made-up jobs: what a cell takes, by its width and engine, and what a program takes to compile."""

    jobs: list[tuple[Work, float]]  # with the seconds that the cells take
    compile: Callable[[Work], float]
    workers: int


def jobs_of(widths: int, cells: int, tile: int, cost: Callable[[int, int], float], engine: str = "theory") -> Any:
    """Jobs of `tile` cells each, whose cell number c of width k takes cost(k, c) seconds."""
    for k in range(widths):
        for first in range(0, cells, tile):
            numbers = range(first, min(first + tile, cells))
            yield Work(engine, len(numbers), frozenset({k})), sum(cost(k, c) for c in numbers)


CASES = {
    "one structure, one worker": Case(list(jobs_of(1, 4000, 64, lambda k, c: 0.01)), lambda job: 20.0, 1),
    "one structure, four workers": Case(list(jobs_of(1, 4000, 64, lambda k, c: 0.01)), lambda job: 20.0, 4),
    "widths that cost more and more": Case(
        list(jobs_of(20, 640, 64, lambda k, c: 0.002 * (1 + k))), lambda job: 5.0, 2
    ),
    "budgets that cost more and more": Case(list(jobs_of(1, 2000, 16, lambda k, c: 0.001 * c)), lambda job: 10.0, 2),
    "cheap theory, then dear simulation": Case(
        [
            *jobs_of(2, 640, 64, lambda k, c: 0.001),
            *jobs_of(2, 100, 1, lambda k, c: 3.0, "simulation"),
        ],
        lambda job: 4.0,
        2,
    ),
    "more structures than are kept": Case(list(jobs_of(100, 64, 8, lambda k, c: 0.01)), lambda job: 6.0, 2),
}


def estimates(case: Case, order: Callable[..., Any] = in_fair_order) -> list[tuple[float, float, float | None]]:
    """(time, share of the cells done, estimate) at the end of each job, and the whole sweep's time as the last one."""
    jobs = order(case.jobs, [job.structures for job, _ in case.jobs])
    remaining = RemainingTime([job for job, _ in jobs], case.workers, beside=True)
    total, done, told = sum(job.cells for job, _ in jobs), 0, []
    waiting, known = iter(jobs), [set[Any]() for _ in range(case.workers)]
    running: list[tuple[float, int, Work, float, int]] = []
    numbers = itertools.count()

    def start(now: float, worker: int) -> None:
        job, seconds = next(waiting, (None, 0.0))
        if job is not None:
            new = {(job.engine, structure) for structure in job.structures} - known[worker]
            known[worker] |= new
            compiling = len(new) * case.compile(job)
            heapq.heappush(running, (now + compiling + seconds, next(numbers), job, compiling, worker))

    for worker in range(case.workers):
        start(0.0, worker)
    while running:
        now, _, job, compiling, worker = heapq.heappop(running)
        seconds = compiling + next(s for j, s in case.jobs if j is job)
        remaining.done(job, seconds, compiling)
        done += job.cells
        told.append((now, done / total, remaining.seconds()))
        start(now, worker)
    return told


@pytest.mark.parametrize("name", CASES)
def test_after_a_tenth_the_remaining_time_is_right_within_a_factor_of_1_5(name: str) -> None:
    told = estimates(CASES[name])
    end = told[-1][0]
    after = [(left, end - now) for now, share, left in told if share >= 0.1 and now < 0.95 * end]
    assert len(after) > 10
    for left, true in after:
        assert left is not None
        assert true / 1.5 < left < 1.5 * true


def test_the_old_way_to_estimate_would_be_wrong() -> None:
    """All time over all cells, which takes compilation for a part of each cell."""
    told = estimates(CASES["one structure, one worker"])
    end = told[-1][0]
    now, share, _ = next(entry for entry in told if entry[1] >= 0.1)
    assert now / share * (1 - share) > 1.5 * (end - now)


def test_the_order_of_the_grid_would_be_wrong() -> None:
    in_order = lambda jobs, _: jobs  # noqa: E731
    for name in ("budgets that cost more and more", "cheap theory, then dear simulation"):
        told = estimates(CASES[name], in_order)
        end = told[-1][0]
        now, _, left = next(entry for entry in told if entry[1] >= 0.1)
        assert left is None or left < (end - now) / 1.5


def test_nothing_is_said_before_each_engine_has_done_a_cell() -> None:
    theory, simulation = Work("theory", 64, frozenset({1})), Work("simulation", 1, frozenset({1}))
    remaining = RemainingTime([theory, theory, simulation, simulation], 1, beside=False)
    remaining.done(theory, 5.0, 4.0)
    assert remaining.seconds() is None
    remaining.done(simulation, 5.0, 2.0)
    assert remaining.seconds() == 1.0 + 3.0
    assert remaining.seconds(writing=0.1) == pytest.approx(4.0 + 65 * 0.1)
    for job in (theory, simulation, simulation):  # one more than there are: a job was split
        remaining.done(job, 1.0, 0.0)
    assert remaining.seconds() == 0.0


def test_writing_beside_the_workers_counts_where_it_is_slower_than_they() -> None:
    job = Work("theory", 10, frozenset({1}))
    remaining = RemainingTime([job] * 3, 2, beside=True)
    remaining.done(job, 3.0, 1.0)
    assert remaining.seconds(0.01) == pytest.approx((2 * 2.0 + 1.0) / 2)
    assert remaining.seconds(1.0) == pytest.approx(20.0)


def test_every_beginning_of_the_order_is_spread_over_all_jobs() -> None:
    for count in (10, 97, 1000):
        order = spread(range(count))
        assert sorted(order) == list(range(count))
        for share in (0.1, 0.3):
            first = sorted(order[: max(2, round(share * count))])
            gaps = [b - a for a, b in itertools.pairwise([-1, *first, count])]
            assert max(gaps) <= 3.7 * count / len(first)
    assert 0.6 < GOLDEN < 0.62


def test_many_structures_are_done_one_after_the_other() -> None:
    structures = [k for k in range(MOST_STRUCTURES + 1) for _ in range(3)]
    order = in_fair_order(list(enumerate(structures)), structures)
    assert sorted(order) == list(enumerate(structures))
    assert len([k for k, _ in itertools.groupby(k for _, k in order)]) == MOST_STRUCTURES + 1
    few = in_fair_order(list(enumerate(structures[:9])), structures[:9])
    assert len([k for k, _ in itertools.groupby(k for _, k in few)]) > 3


def test_axes_of_real_numbers_and_seeds_change_no_program() -> None:
    axes = {
        "rate": {"sgd.learning_rate": [0.5, 1.0]},
        "width": {"student.width": [1, 2]},
        "seed": {"seed": [0, 1]},
        "order": {"choices": {"up": {"curriculum": {"order": ["easy", "hard"]}}}},
        "unit": {"student.activation": ["erf", "relu"], "start.scale": [0.1, 0.2]},
    }
    sweep = figures.read_sweep(BASE | {"axes": axes})
    assert [sweep.axes[number].name for number in structural_axes(sweep)] == ["width", "order", "unit"]


def test_compilations_inside_and_beside_each_other_count_once() -> None:
    assert length_of_union([]) == 0.0
    assert length_of_union([(5.0, 6.0), (0.0, 3.0), (1.0, 2.0), (2.0, 4.0)]) == 5.0


def test_a_job_is_timed_with_its_compilation() -> None:
    import jax
    import jax.numpy as jnp

    def compute(number: float) -> float:
        return float(jax.jit(lambda x: jnp.sin(x) * number)(jnp.asarray(1.0)))

    first = timed(compute, 2.5)
    assert 0 < first.compiling <= first.seconds
    assert timed(lambda number: number, 2.5).compiling == 0.0


def test_a_sweep_tells_the_estimate_the_time_of_every_job(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, float, float]] = []

    class Spy(RemainingTime):
        def done(self, job: Work, seconds: float, compiling: float) -> None:
            told.append((job.cells, seconds, compiling))
            super().done(job, seconds, compiling)

    from figures.sweeps import _run

    monkeypatch.setattr(_run, "RemainingTime", Spy)
    axes = {"rate": {"sgd.learning_rate": [0.5, 1.0, 1.5, 2.0]}}
    figures.sweep(BASE, axes, ["error"], workers=0, tile=2, progress=False)
    assert [cells for cells, _, _ in told] == [2, 2]
    assert all(0 <= compiling <= seconds for _, seconds, compiling in told)
    assert _workers.ThisProcess().count() == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "about 0 s"), (99.0, "about 99 s"), (600.0, "about 10 min"), (9000.0, "about 2.5 h")],
)
def test_times_are_said_in_words(seconds: float, text: str) -> None:
    assert in_words(seconds) == text
