"""Many problems in one call: the same numbers as one by one, whatever stands beside them, and one compilation."""

import dataclasses

import jax
import numpy as np
import pytest

import ode
import teacher_student as ts
from ode import _batches

from . import build

pytestmark = pytest.mark.slow  # most of its time is compilation

INPUTS = {"relevant": 0.3, "irrelevant": 0.7}


def problem(rate: float, variance: float = 1.5, unit: str = "erf", width: int = 1) -> ts.Problem:
    levels = {"easy": {"relevant": 1.0, "irrelevant": 0.1}, "hard": {"relevant": 1.0, "irrelevant": variance}}
    task = ts.Committee(ts.Inputs(INPUTS, levels), 1, unit, support="relevant")
    order = ts.Curriculum.ordered(("easy", "hard"), {"easy": 0.5, "hard": 0.5}, 20.0)
    return ts.Problem(task, ts.Student(width, unit), ts.SGD(rate), order)


ALPHAS = np.array([5.0, 20.0])


def start_of(problem: ts.Problem, seed: int = 0) -> ts.Overlaps:
    return ts.random_overlaps(problem, 1000, seed)


def bits(trajectory: ts.Trajectory) -> list[bytes]:
    kept = (trajectory.observables, trajectory.status, trajectory.reached, trajectory.stats)
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(kept)]


def test_a_trajectory_does_not_depend_on_the_batch() -> None:
    problems = [
        problem(rate, variance) for rate, variance in zip(np.linspace(0.2, 3, 70), np.linspace(0, 2, 70), strict=True)
    ]
    starts = [start_of(each, seed) for seed, each in enumerate(problems)]
    together = ode.solve_many(problems, starts, ALPHAS)
    few = ode.solve_many(problems[40:43], starts[40:43], [ALPHAS] * 3)
    for alone, member in zip(few, together[40:43], strict=True):
        assert_same(alone, member)
    one = ode.solve(problems[5], starts[5], ALPHAS, compiled=True)
    assert_same(one, together[5])
    assert together[5].source == one.source
    in_one_thread = ode.solve_many(problems, starts, ALPHAS, workers=1)
    assert [bits(each) for each in in_one_thread] == [bits(each) for each in together]


def assert_same(a: ts.Trajectory, b: ts.Trajectory) -> None:
    for x, y in zip(jax.tree.leaves(a.observables), jax.tree.leaves(b.observables), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13)


@pytest.mark.long
@pytest.mark.parametrize("width", [2, 5])
def test_wide_and_narrow_students_side_by_side_or_in_turn_are_solved_as_alone(width: int) -> None:
    """40 problems: the narrow ones advance side by side, the wide ones one after the other in two threads."""
    problems = [problem(rate, width=width) for rate in np.linspace(2, 0.2, 40)]
    start = start_of(problems[0])
    together = ode.solve_many(problems, start, ALPHAS, workers=2)
    for i in (0, 17, 39):
        assert_same(together[i], ode.solve(problems[i], start, ALPHAS, compiled=True))
        assert together[i].problem is problems[i]


@pytest.mark.long
def test_one_that_takes_many_steps_is_solved_alone_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a bound of 40 steps side by side, those that need more are solved all the same; a bound of 3 is heeded."""
    monkeypatch.setattr(_batches, "MANY_STEPS", 40)
    problems = [problem(rate) for rate in np.linspace(0.1, 3, 20)]
    start = start_of(problems[0])
    found = ode.solve_many(problems, start, ALPHAS)
    steps = [int(each.stats["num_steps"]) for each in found]
    assert min(steps) < 40 < max(steps)
    for i in (0, 10, 19):
        assert found[i].status == ts.Status.OK
        assert_same(found[i], ode.solve(problems[i], start, ALPHAS, compiled=True))
    bounded = ode.solve_many(problems, start, ALPHAS, max_steps=3)
    assert {int(each.status) for each in bounded} == {int(ts.Status.TOO_STIFF)}
    assert max(int(each.stats["num_steps"]) for each in bounded) <= 3


def test_one_that_diverges_leaves_the_rest_alone() -> None:
    """Above its critical rate 2 / sum_b rho_b Delta_b a linear student explodes; its neighbours do not notice."""
    rates = [0.5, 9.0, 0.7]
    problems = [problem(rate, unit="linear") for rate in rates]
    start = start_of(problems[0])
    found = ode.solve_many(problems, start, ALPHAS)
    assert [int(each.status) for each in found] == [ts.Status.OK, ts.Status.DIVERGED, ts.Status.OK]
    calm = ode.solve_many([problems[0], problems[2]], start, ALPHAS)
    assert bits(found[0]) == bits(calm[0])
    assert bits(found[2]) == bits(calm[1])
    stiff = ode.solve_many(problems, start, ALPHAS, max_steps=3)
    assert all(each.status != ts.Status.OK for each in stiff)


def test_numbers_share_a_compilation_and_structures_do_not_mix() -> None:
    problems = [problem(rate) for rate in np.linspace(0.3, 1, 20)]
    ode.solve_many(problems, start_of(problems[0]), ALPHAS, with_accuracy=False)
    before = build.unchecked(_batches._vmapped)._cached._cache_size()
    ode.solve_many(
        [problem(rate, 0.7) for rate in np.linspace(1, 2, 40)],
        start_of(problems[0], 3),
        ALPHAS + 1e-3 * np.array([1, 0]),
        with_accuracy=False,
    )
    assert build.unchecked(_batches._vmapped)._cached._cache_size() == before
    mixed = [problem(0.5), problem(0.5, unit="linear"), problem(0.7)]
    found = ode.solve_many(mixed, [start_of(each) for each in mixed], ALPHAS, with_accuracy=False)
    assert [each.problem.student.activation.name for each in found] == ["erf", "linear", "erf"]
    assert bits(found[2]) == bits(ode.solve_many([mixed[2]], start_of(mixed[2]), ALPHAS, with_accuracy=False)[0])
    assert found[0].accuracy == {}


def test_bad_members_are_named_before_anything_is_solved() -> None:
    problems = [problem(0.5), problem(0.6)]
    start = start_of(problems[0])
    with pytest.raises(ts.InputError, match="at least one problem"):
        ode.solve_many([], start, ALPHAS)
    with pytest.raises(ts.InputError, match="an integer number of workers >= 1"):
        ode.solve_many(problems, start, ALPHAS, workers=0)
    with pytest.raises(ts.InputError, match="Q of shape"):
        ode.solve_many([problem(0.5), problem(0.5, width=2)], start, ALPHAS)
    with pytest.raises(ts.InputError, match="as many as problems"):
        ode.solve_many(problems, [start], ALPHAS)
    with pytest.raises(ts.InputError, match="curriculum's end"):
        ode.solve_many(problems, start, [ALPHAS, np.array([30.0])])
    spoilt = dataclasses.replace(start, Q=start.Q * np.nan)
    with pytest.raises(ts.InputError, match="finite"):
        ode.solve_many(problems, [start, spoilt], ALPHAS)
    with pytest.raises(ts.InputError, match="rtol between 0 and 1"):
        ode.solve_many(problems, start, ALPHAS, rtol=0.0)


def test_ordered_curricula_spend_the_same_budget() -> None:
    shares = {"easy": 0.25, "hard": 0.75}
    one = ts.Curriculum.ordered(("easy", "hard"), shares, 8.0)
    assert one.phase_names() == ("easy", "hard")
    np.testing.assert_allclose(one.durations, [2.0, 6.0])
    mixed = ts.Curriculum.ordered("mixed", shares, 8.0)
    assert mixed.phase_names() == ("0.25 easy + 0.75 hard",)
    alone = ts.Curriculum.ordered(("hard",), shares, 8.0)
    assert alone.phase_names() == ("hard",)
    assert float(alone.end) == float(mixed.end) == float(one.end) == 8.0
    assert ts.Curriculum.ordered(("easy", "hard"), {"easy": 0.0, "hard": 1.0}, 8.0).phase_names() == ("hard",)
    for order, shares_, message in (
        (("easy", "hrad"), shares, "did you mean 'hard'"),
        (("easy", "easy"), shares, "each level once"),
        ("mixed", {"easy": 0.5, "hard": 0.6}, "sum to 1"),
        (("easy",), {"easy": 0.0, "hard": 1.0}, "a share > 0"),
    ):
        with pytest.raises(ts.InputError, match=message):
            ts.Curriculum.ordered(order, shares_, 8.0)


def test_each_problem_may_have_times_of_its_own() -> None:
    """Lists of different lengths, also in one structure; each as if it were alone."""
    problem, lists = build.problem(K=1, M=1, readout=(1.0,)), [[1.0, 2.0], (0.5, 1.0, 3.0), np.array([2.5])]
    start = build.overlaps(problem)
    for alphas, theory in zip(lists, ode.solve_many([problem] * 3, start, lists), strict=True):
        np.testing.assert_array_equal(theory.alphas, alphas)
        alone = ode.solve(problem, start, alphas)
        np.testing.assert_allclose(theory.overlaps.Q, alone.overlaps.Q, atol=1e-7)


@pytest.mark.long
def test_levels_come_in_the_order_of_the_task() -> None:
    names = ("10", "2", "b", "a")
    task = ts.Committee(ts.Inputs({"x": 1.0}, {name: {"x": 1.0 + i} for i, name in enumerate(names)}), 1)
    problem = ts.Problem(task, ts.Student(1), ts.SGD(0.3), ts.Curriculum.single("b", 1.0))
    start = ts.Overlaps([[0.3]], [[0.1]], [[1.0]])
    theory, (batch, *_) = ode.solve(problem, start, [1.0]), ode.solve_many([problem] * 2, start, [1.0])
    for trajectory in (theory, batch, ode.fluctuations(problem, start, [1.0])):
        assert tuple(trajectory.error) == tuple(trajectory.accuracy) == names
        assert np.all(np.diff([trajectory.error[name][0] for name in names]) > 0)
