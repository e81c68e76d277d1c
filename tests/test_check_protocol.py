"""`best.check`: gains by simulation beside those of theory, and verdicts that do not claim what runs cannot see.

Keys are fixed. A right theory fails the statistical assertions for one key in a hundred, or as the test says.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import figures
import ode
import simulations
import teacher_student as ts
from figures.checks import Judged
from figures.checks._check_protocol import _gain
from figures.checks._predicted import limit_of, predict, solved_cost
from figures.checks._protocol_check import CONFIRMED, CONTRADICTED, UNSEEN
from ode import protocols
from teacher_student import internal

from . import optima

DIM, RUNS = 200, 40


def check(best: protocols.Optimum, key: int = 1, **options: Any) -> figures.ProtocolCheck:
    """A quiet check that is small enough for a test."""
    found: figures.ProtocolCheck = best.check(DIM, RUNS, key=key, progress=False, test_samples=64, **options)
    return found


@pytest.fixture(scope="module")
def of_order() -> figures.ProtocolCheck:
    return check(optima.best_order())


@pytest.mark.slow
def test_a_right_theory_is_confirmed_where_gains_can_be_seen(of_order: figures.ProtocolCheck) -> None:
    """The interval of each gain has the predicted one inside: for 99 of 100 keys it does so for all three."""
    assert [gain.name for gain in of_order.gains] == ["easy, hard", "hard, easy", "mixed"]
    for gain in of_order.gains:
        assert gain.low < gain.predicted < gain.high
        assert gain.low < gain.measured < gain.high
        assert gain.visible > gain.measured - gain.low
        assert (gain.verdict == CONFIRMED) == (gain.predicted >= gain.visible)
    assert of_order.gains[1].verdict == CONFIRMED  # the largest: 11 standard errors
    assert of_order.paired
    assert of_order.finite_size
    assert of_order.agreement.agrees


@pytest.mark.slow
def test_stated_gains_are_those_of_the_optimum(of_order: figures.ProtocolCheck) -> None:
    best = optima.best_order()
    for gain in of_order.gains:
        assert gain.stated == pytest.approx(best.named[gain.name].cost - best.cost)
        # 1/N terms and switches on whole steps: some parts in a thousand at N = 200.
        assert gain.predicted == pytest.approx(gain.stated, abs=2e-4)


@pytest.mark.slow
def test_pairing_makes_errors_smaller(of_order: figures.ProtocolCheck) -> None:
    """By 1.4 at least; of 40 pairs the ratio is known to about 15 %."""
    costs = of_order.costs
    apart = np.hypot(costs["mixed"].std(ddof=1), costs["optimum"].std(ddof=1)) / np.sqrt(RUNS)
    assert of_order.gains[2].standard_error < apart / 1.1


@pytest.mark.slow
def test_what_is_said(of_order: figures.ProtocolCheck) -> None:
    text = str(of_order)
    assert "SGD at N = 200, 40 runs of each protocol on the same samples" in text
    assert "Intervals hold together (Bonferroni over 3) with 99 %" in text
    assert "theory with its 1/N term" in text
    assert "AGREE" in text
    assert all(len(line) < 400 for line in text.splitlines())
    assert "confirmed over" in of_order.verdict
    assert "hard, easy" in repr(of_order)


@pytest.mark.long
@pytest.mark.slow
def test_an_order_that_is_not_the_optimum_is_not_confirmed() -> None:
    """Mixed order in place of the optimum: the gain over mixed that is stated is not there."""
    best = optima.best_order()
    swapped = dataclasses.replace(best, problem=best.named["mixed"].problem)
    gains = {gain.name: gain for gain in check(swapped).gains}
    assert gains["mixed"].verdict == CONTRADICTED
    assert gains["mixed"].measured == 0.0
    honest = dataclasses.replace(swapped, cost=best.named["mixed"].cost)
    gains = {gain.name: gain for gain in check(honest).gains}
    assert gains["mixed"].verdict == UNSEEN
    assert gains["mixed"].predicted == pytest.approx(0.0, abs=1e-6)


@pytest.mark.long
def test_a_gain_of_rates_is_confirmed_and_one_of_a_wrong_rate_contradicted() -> None:
    """The stated gain is that of the rates; simulated are rates that are 20 % larger. 1 key in 100 fails."""
    best = optima.best_rate()
    right = check(best)
    assert [gain.name for gain in right.gains] == ["as given"]
    assert right.gains[0].verdict == CONFIRMED
    off = optima.best_rate(better=ts.Schedule.phases((1.5 * 1.2, 3.0), (0.6 * 1.2, 3.0)))
    wrong = check(dataclasses.replace(off, cost=best.cost))
    assert wrong.gains[0].verdict == CONTRADICTED


@pytest.mark.slow
def test_protocols_that_cannot_be_paired_are_simulated_apart_and_it_is_said() -> None:
    falling = ts.Schedule.function(lambda alpha, a: a * jnp.exp(-0.2 * alpha), 1.5)
    result = check(optima.best_rate(better=falling), finite_size=False)
    assert not result.paired
    assert any("samples of their own" in note and "function of one's own" in note for note in result.notes)
    assert "theory for N -> infinity" in str(result)
    assert result.gains[0].low < result.gains[0].predicted < result.gains[0].high  # 1 key in 100 fails


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda best: best.check(DIM, 2), "at least 3 runs"),
        (lambda best: best.check(DIM, RUNS, significance=1.0), "a significance between 0 and 1"),
        (lambda best: best.check(0, RUNS), "dimension N"),
        (lambda best: figures.check_protocol(best.problem, DIM, RUNS), "what ode.optimize returned"),
    ],
)
def test_what_cannot_be_checked_is_said(call: Callable[[protocols.Optimum], object], message: str) -> None:
    with pytest.raises(ts.InputError, match=message):
        call(optima.best_order())


# ------------------------------------------------------------------------------------------------- verdicts on numbers


def test_verdicts_err_as_often_as_they_say() -> None:
    """Of 2000 right predictions at 5 %, 100 are contradicted, give or take 10: 4 of those are one chance in 20000."""
    rng = np.random.default_rng(0)
    verdicts = [
        _gain("other", rng.normal(0.3, 1.0, 50), 0.3, 0.3, 0.0, level=0.05, rounding=0.0).verdict for _ in range(2000)
    ]
    assert abs(verdicts.count(CONTRADICTED) - 100) < 40
    assert verdicts.count(CONFIRMED) < 0.6 * 2000  # 2.1 standard errors are hardly visible


def test_visible_gains_are_seen_nine_times_in_ten() -> None:
    """At the gain that is called visible, 0 is excluded in 0.9 of cases, +- 0.02 (3 standard errors)."""
    rng = np.random.default_rng(1)
    gains = [_gain("other", rng.normal(0.0, 1.0, 60), 0.0, 0.0, 0.0, 0.01, 0.0) for _ in range(2000)]
    visible = float(np.mean([gain.visible for gain in gains]))
    again = [_gain("other", rng.normal(visible, 1.0, 60), 0.0, visible, 0.0, 0.01, 0.0) for _ in range(2000)]
    assert np.mean([gain.low > 0 for gain in again]) == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(
    ("mean", "predicted", "verdict"),
    [
        (1.0, 1.0, CONFIRMED),
        (1.0, 0.0, CONTRADICTED),
        (0.01, 0.012, UNSEEN),
        (0.01, -0.01, UNSEEN),
        (1.0, -1.0, CONTRADICTED),
    ],
)
def test_words_of_a_verdict(mean: float, predicted: float, verdict: str) -> None:
    rows = np.array([-0.1, 0.0, 0.1] * 8) + mean
    assert _gain("other", rows, predicted, predicted, 0.0, 0.01, 0.0).verdict == verdict


def test_runs_that_diverge_are_left_out_until_too_few_are_left() -> None:
    rows = np.array([0.9, 1.0, 1.1, np.nan])
    assert _gain("other", rows, 1.0, 1.0, 0.0, 0.01, 0.0).measured == pytest.approx(1.0)
    assert _gain("other", rows[1:], 1.0, 1.0, 0.0, 0.01, 0.0).verdict == CONTRADICTED


# --------------------------------------------------------------------------------------------------- costs of any kind


def judge_of(cost: Any) -> Judged:
    return Judged.of(cost, optima.best_rate().given)


def test_series_are_judged_as_the_costs_say() -> None:
    alphas = np.linspace(0.0, 6.0, 33)
    series = np.exp(-alphas)[None]
    mean = judge_of(protocols.Integrated("all")).of_series(series, alphas)[0]
    assert mean == pytest.approx((1 - np.exp(-6)) / 6, rel=5e-3)
    reached = judge_of(protocols.TimeTo("all", value=0.1)).of_series(series, alphas)[0]
    assert reached == pytest.approx(np.log(10.0), rel=1e-12)  # an exponential is interpolated exactly
    never = judge_of(protocols.TimeTo("all", value=np.exp(-7.0))).of_series(series, alphas)[0]
    assert never == pytest.approx(6 * (1 + 1.0))
    at_once = judge_of(protocols.TimeTo("all", value=2.0)).of_series(series, alphas)[0]
    assert at_once == 0.0
    assert np.isnan(judge_of(protocols.TimeTo("all", value=0.1)).of_series(np.full((1, 33), np.nan), alphas)[0])


@pytest.mark.parametrize(
    "cost",
    [
        protocols.Final("all"),
        protocols.Final("all", at=(2.0, 6.0)),
        protocols.Own(lambda seen: seen.error["all"].mean(), at=(2.0, 6.0)),
    ],
)
def test_the_cost_of_a_theory_is_that_of_its_errors(cost: Any) -> None:
    best = optima.best_rate()
    judged = Judged.of(cost, best.given)
    at = [6.0] if getattr(cost, "at", None) is None else [2.0, 6.0]
    errors = ode.solve(best.problem, best.start, at, rtol=1e-9, atol=1e-11).error["all"]
    assert solved_cost(judged, best.problem, best.start) == pytest.approx(float(np.mean(errors)), rel=1e-6)


@pytest.mark.slow
def test_a_judge_looks_at_the_problem_as_it_was_given() -> None:
    """A protocol that makes inputs small makes no error small by it."""
    best = optima.best_rate()
    task = ts.Committee(ts.Inputs({"all": 1.0}, {"all": {"all": 0.1}}), 1, noise=0.3)
    smaller = ts.Problem(task, best.problem.student, best.problem.sgd, best.problem.curriculum)
    judged = Judged.of(protocols.Final("all"), best.given)
    trajectory = ode.solve(smaller, best.start, [6.0])
    own = float(trajectory.error["all"][0])
    assert limit_of(judged, trajectory) > 5 * own
    predicted = predict(judged, smaller, best.start, np.array([6.0]), DIM, wanted=None)
    assert "inputs by which they are not judged" in predicted.why


@pytest.mark.slow
def test_the_mean_over_runs_of_a_time_has_its_own_term() -> None:
    """Predicted means of 400 runs of the chain, by 1/N terms of costs that are linear and not; 4 standard errors."""
    best, dim = optima.best_rate(), 100
    for cost in (protocols.Final("all"), protocols.TimeTo("all", value=0.05)):
        judged = Judged.of(cost, best.given)
        runs = simulations.run(
            best.problem,
            dim,
            400,
            judged.alphas,
            3,
            start=best.start,
            method="overlaps",
            test_samples=2,
            progress=False,
        )
        costs = judged.values(runs.overlaps, np.asarray(runs.alphas))
        predicted = predict(judged, best.problem, best.start, np.asarray(runs.alphas), dim, wanted=True)
        standard_error = costs.std(ddof=1) / np.sqrt(costs.size)
        assert abs(costs.mean() - predicted.cost) < 4 * standard_error
        assert predicted.finite
        if isinstance(cost, protocols.Final):
            assert abs(predicted.cost - predicted.limit) > 1e-6


# ------------------------------------------------------------------------------------- one structure, without a change


def two_problems() -> list[ts.Problem]:
    levels: dict[str, dict[str, Any]] = {
        "easy": {"all": 0.5},
        "hard": {"all": ts.Schedule.linear(1.0, 0.5, 4.0)},
        "never": {"all": 2.0},
    }
    fixed = levels | {"hard": {"all": 1.0}}
    first = ts.Curriculum.phases(("hard", 1.0), ({"easy": 0.5, "hard": 0.5}, {"easy": 0.1, "hard": 0.9}, 3.0))
    second = ts.Curriculum.single("easy", 4.0)
    made = []
    for which, order, rate in ((levels, first, 0.5), (fixed, second, ts.Schedule.phases((1.0, 1.0), (0.3, 1.0)))):
        task = ts.Committee(ts.Inputs({"all": 1.0}, which), 1)
        made.append(ts.Problem(task, ts.Student(1), ts.SGD(rate), order))
    return made


def test_one_structure_changes_nothing_that_is_learned() -> None:
    before = two_problems()
    after = internal.with_one_structure(before)
    assert internal.same_structure(*after)
    for old, new in zip(before, after, strict=True):
        own = old.curriculum_of_all_levels()
        for alpha in (0.0, 0.3, 0.99, 1.0, 1.7, 2.5, 3.99):
            np.testing.assert_allclose(new.curriculum.shares(alpha), own.shares(alpha), rtol=1e-12)
            for part in ("sgd", "task"):
                one, other = (_numbers(getattr(problem.at(alpha), part)) for problem in (old, new))
                np.testing.assert_allclose(one, other, rtol=1e-12)


def _numbers(tree: object) -> np.ndarray:
    import jax

    return np.concatenate([np.ravel(np.asarray(leaf, float)) for leaf in jax.tree.leaves(tree)])


@pytest.mark.slow
def test_a_simulation_of_one_structure_is_the_same_simulation() -> None:
    before = two_problems()
    start = ts.Overlaps(Q=np.array([[[0.5]]]), R=np.array([[[0.1]]]), T=np.array([[[1.0]]]), readout=1.0)
    options: dict[str, Any] = {"start": start, "progress": False, "precision": "float64", "test_samples": 2}
    after = simulations.run_many(internal.with_one_structure(before), 50, 2, [1.0, 4.0], 5, **options)
    for problem, runs in zip(before, after, strict=True):
        (alone,) = simulations.run_many([problem], 50, 2, [1.0, 4.0], 5, **options)
        np.testing.assert_allclose(runs.overlaps.R, alone.overlaps.R, rtol=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (ts.Schedule.linear(1.0, 0.1, 2.0), ts.Schedule.cosine(1.0, 0.1, 2.0), "schedules of one shape"),
        (ts.Schedule.function(lambda alpha: 1.0 + alpha), 1.0, "function of one's own"),
        (ts.Schedule.spline([1.0, 0.5], [0.0, 1.0]), ts.Schedule.spline([1.0, 0.5, 0.2], [0.0, 1.0, 2.0]), "shapes"),
    ],
)
def test_schedules_of_other_shapes_have_no_one_structure(first: Any, second: Any, message: str) -> None:
    one, other = (optima.best_rate(better=1.0).given for _ in range(2))
    problems = [
        ts.Problem(p.task, p.student, ts.SGD(rate), p.curriculum) for p, rate in ((one, first), (other, second))
    ]
    with pytest.raises(ts.InputError, match=message):
        internal.with_one_structure(problems)


@pytest.mark.parametrize(
    "schedule",
    [
        ts.Schedule.cosine(1.0, 0.1, 2.0),
        ts.Schedule.power(1.0, 2.0, 1.0),
        ts.Schedule.spline([1.0, 0.5], [0.0, 1.0]),
        ts.Schedule.phases((1.0, 2.0), (0.5, 1.0)),
    ],
)
def test_a_number_is_a_constant_schedule_beside_any_shape(schedule: ts.Schedule) -> None:
    given = optima.best_rate(better=1.0).given
    problems = [ts.Problem(given.task, given.student, ts.SGD(rate), given.curriculum) for rate in (schedule, 0.7)]
    scheduled, constant = internal.with_one_structure(problems)
    for alpha in (0.0, 0.5, 2.5, 9.0):
        assert float(scheduled.at(alpha).sgd.learning_rate) == pytest.approx(float(schedule(alpha)))
        assert float(constant.at(alpha).sgd.learning_rate) == pytest.approx(0.7)


def test_switches_move_to_whole_steps() -> None:
    rate = ts.Schedule.phases((1.0, 1.23), (0.5, 0.001), (0.2, 5.0))
    order = ts.Curriculum.phases(("easy", 1.401170), ("hard", 0.0004), ("easy", 1.6))
    moved = internal.in_whole_steps(optima.order_problem(order, rate), 100)
    np.testing.assert_allclose(moved.curriculum.switches, [1.40, 3.0])
    np.testing.assert_allclose(moved.sgd.learning_rate.jumps, [1.23, 6.23])
    assert moved.curriculum.level_names == ("easy", "hard")
