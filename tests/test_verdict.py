"""What a verdict asks and what it could have seen: its questions, the implied shifts, power and plans.

Runs are drawn from exactly the law that theory predicts (`build.drawn_runs`), so that only the statistics are tested
here. That simulations have this law is tested in tests/test_joint_law.py. False-alarm rates stand at each test.
"""

import dataclasses
import functools
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pytest
from scipy import stats

import ode
import simulations
import teacher_student as ts
from ode._outcome import mean_and_error
from simulations.verdict._verdict_text import _predicted_error
from simulations.verdict._whitening import Root, Whitening

from . import build
from .test_fluctuations import switched

ALPHAS = np.array([0.5, 1.0, 2.0, 3.0, 4.0])
DIM = 500


@functools.cache
def theory() -> ts.Trajectory:
    return ode.fluctuations(*switched(), ALPHAS, sample=ode.Sampled(2**12, 2), with_accuracy=False)


@functools.cache
def wrong_theory(name: str = "sgd.learning_rate", error: float = 0.03) -> ts.Trajectory:
    """Theory with one number off, under the name of the right problem."""
    problem, start = switched()
    directions = ts.Directions.of(problem, start)
    p = directions.names.index(name)
    by = error * directions.values[p]
    tangents = (directions.problem, directions.start)
    moved: tuple[ts.Problem, ts.Overlaps] = jax.tree.map(
        lambda x, dx: np.asarray(x, float) + by * dx[p], (problem, start), tangents
    )
    wrong = ode.fluctuations(moved[0], moved[1], ALPHAS, sample=ode.Sampled(2**12, 2), with_accuracy=False)
    return dataclasses.replace(wrong, problem=problem, start=start)


def runs(count: int, seed: int = 0) -> ts.Trajectory:
    return build.drawn_runs(theory(), DIM, count, np.random.default_rng(seed))


def judge(found: ts.Trajectory, by: ts.Trajectory | None = None, **options: Any) -> simulations.Agreement:
    return simulations.agreement(by or theory(), found, **({"spread": "predicted"} | options))


def answers(verdict: simulations.Agreement) -> dict[str, float]:
    return {question.name: question.p for question in verdict.questions}


# The whitening


@pytest.mark.long
def test_whitened_deviations_are_independent() -> None:
    """W C W^T = 1 for the covariance C of all quantities between all alphas, which is put together in another way."""
    law = build.given(build.given(theory().fluctuations).law)
    covariance = law.covariance()
    A, n, q = len(ALPHAS), law.innovation.shape[-1], law.slope.shape[1]
    for i in range(A):
        covariance[i, n:, i, n:] += law.test_covariance[i] * DIM / 256
    whitening = Whitening.of(law, DIM, 4, 256)
    flat = covariance.reshape(A * (n + q), A * (n + q)) / (DIM * 4)
    unit = np.eye(A * (n + q)).reshape(A, n + q, -1)
    W = whitening.whitened(unit)
    np.testing.assert_allclose(W @ flat @ W.T, np.eye(whitening.size), atol=1e-8)
    still = dataclasses.replace(law, propagator=np.broadcast_to(np.eye(n), law.propagator.shape))
    wrong = Whitening.of(still, DIM, 4, 256).whitened(unit)
    assert np.max(np.abs(wrong @ flat @ wrong.T - np.eye(len(wrong)))) > 0.1


def test_what_each_direction_makes_is_undone_by_the_whitening() -> None:
    whitening = Whitening.of(build.given(build.given(theory().fluctuations).law), DIM, 4, 256)
    np.testing.assert_allclose(whitening.whitened(whitening.deviations()), np.eye(whitening.size), atol=1e-8)


def test_the_rank_of_a_covariance_is_found() -> None:
    """Of a sum of two quantities that is also listed, and of one that never moves."""
    x = np.random.default_rng(0).normal(size=(3, 3))
    x[2] = x[0] - 1e3 * x[1]
    covariance = np.zeros((4, 4))
    covariance[:3, :3] = x[:, :2] @ x[:, :2].T
    root = Root.of(covariance)
    assert root.rank == 2
    np.testing.assert_allclose(root.root @ root.root.T, covariance, atol=1e-9 * covariance.max())
    np.testing.assert_allclose(root.inverse @ root.root, np.eye(2), atol=1e-9)


# The questions


@pytest.mark.long("4-predicted", "16-predicted")
@pytest.mark.slow
@pytest.mark.parametrize(("count", "spread"), [(4, "predicted"), (16, "predicted"), (16, "measured")])
def test_every_question_alone_holds_its_level(count: int, spread: str) -> None:
    """120 repeats at 5 %: false alarms of each question and of the verdict within what a binomial has at 1e-4."""
    families = [judge(runs(count, seed), spread=spread, significance=0.05) for seed in range(120)]
    largest = stats.binom.isf(1e-4, 120, 0.05)
    assert sum(not family.agrees for family in families) <= largest
    for name in ("largest", "all", "numbers"):
        assert sum(answers(family)[name] <= 0.05 for family in families) <= largest, name


def scrambled(seed: int, size: float) -> ts.Trajectory:
    """Theory as four scramblings of sampled averages would give it: smooth errors, `size` times the spread of a run."""
    exact, rng = theory(), np.random.default_rng([seed, 9])
    # At a large N, and scaled up again, as there the runs have no 1/N term.
    deviations = build.drawn_runs(exact, DIM * 10**6, 4, rng).observables
    four = jax.tree.map(
        lambda x, right: right + 1e3 * size * (np.asarray(x) - np.asarray(right)), deviations, exact.observables
    )
    mean, error = mean_and_error(four)
    return dataclasses.replace(exact, observables=mean, sampling_error=error.standard, scatter=error.scatter)


@pytest.mark.long("16")
@pytest.mark.slow
@pytest.mark.parametrize("count", [4, 16])
def test_theorys_own_error_raises_no_false_alarm(count: int) -> None:
    """120 repeats at 5 % with averages about as uncertain as the means of the runs; without their scatter it does."""
    theories = [scrambled(seed, 2 / np.sqrt(count)) for seed in range(120)]
    families = [judge(runs(count, seed), by, spread="measured", significance=0.05) for seed, by in enumerate(theories)]
    largest = stats.binom.isf(1e-4, 120, 0.05)
    assert sum(not family.agrees for family in families) <= largest
    for name in answers(families[0]):
        assert sum(answers(family)[name] <= 0.05 for family in families) <= largest, name
    if count == 16:
        bare = [dataclasses.replace(by, scatter=None) for by in theories[:30]]
        verdicts = [judge(runs(count, seed), by, spread="measured") for seed, by in enumerate(bare)]
        assert sum(answers(verdict)["all"] <= 0.05 for verdict in verdicts) > stats.binom.isf(1e-4, 30, 0.05)


@pytest.mark.long
def test_runs_that_are_not_near_the_limit_are_named() -> None:
    """60 ensembles with the spread of the limit, of which at most one is named; runs twice too similar always are."""
    named = {1.0: 0, 2.0: 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        big, small = (build.drawn_runs(theory(), dim, 12, rng) for dim in (DIM, DIM // 4))
        for factor in named:
            squeezed = jax.tree.map(lambda x, f=factor: x.mean(axis=0) + (x - x.mean(axis=0)) / f, small.observables)
            smaller = dataclasses.replace(small, observables=squeezed)
            verdict = simulations.agreement(theory(), big, smaller)
            named[factor] += any("these N are not near it" in note for note in verdict.notes)
    assert named[1.0] <= stats.binom.isf(1e-4, 60, 0.005)
    assert named[2.0] >= 50


@pytest.mark.long
@pytest.mark.slow
def test_a_small_error_that_is_everywhere_is_seen_by_the_shifts_alone() -> None:
    """A learning rate 3 % off with 20 runs at N = 500: its shift finds it, and names it; the largest |z| does not."""
    verdicts = [judge(runs(20, seed), wrong_theory()) for seed in range(20)]
    assert sum(not verdict.agrees for verdict in verdicts) >= 12
    assert sum(answers(verdict)["largest"] < 0.001 for verdict in verdicts) < 10
    shifts = np.array([verdict.shift("sgd.learning_rate").shift for verdict in verdicts])
    error = verdicts[0].shift("sgd.learning_rate").standard_error
    # The right rate is 0.8, theory's is 3 % larger. At a false-alarm rate of 1e-4.
    assert abs(shifts.mean() + 0.03 * 0.8) < 4 * error / np.sqrt(20)


def test_a_deviation_of_one_quantity_is_seen_by_the_largest_z() -> None:
    found = runs(8)
    Q = np.array(found.overlaps.Q)
    spread = build.given(theory().fluctuations).spread(DIM, 256).overlaps.Q
    Q[:, 2, 1, 0, 0] += 7 * spread[2, 1, 0, 0] / np.sqrt(8)
    verdict = judge(eqx.tree_at(lambda r: r.observables.overlaps.Q, found, Q))
    assert not verdict.agrees
    assert verdict.worst.name == "Q[irrelevant][1,1]"
    assert verdict.worst.alpha == ALPHAS[2]


@pytest.mark.long("predicted")
@pytest.mark.slow
@pytest.mark.parametrize("spread", ["predicted", "measured"])
def test_implied_shifts_are_unbiased_and_cover_as_stated(spread: str) -> None:
    """200 repeats of 16 runs: means of z, and shares within two standard errors, of every number, family-wise 1e-3."""
    verdicts = [judge(runs(16, seed), spread=spread) for seed in range(200)]
    z = np.array([[shift.z for shift in verdict.shifts] for verdict in verdicts])
    freedom = 15 if spread == "measured" else np.inf
    expected = stats.t.cdf(2, freedom) - stats.t.cdf(-2, freedom)
    tail = 1e-3 / 2 / z.shape[1]
    assert np.all(np.abs(z.mean(axis=0)) < stats.norm.isf(tail / 2) * z.std(axis=0, ddof=1) / np.sqrt(200))
    covered = np.sum(np.abs(z) < 2, axis=0)
    # Measured weights are not those of normal data with a known covariance: at least as much is covered as is stated.
    assert np.all(stats.binom.cdf(covered, 200, expected) > tail / 2)
    if spread == "predicted":
        assert np.all(stats.binom.sf(covered - 1, 200, expected) > tail / 2)


# Power


@pytest.mark.long
@pytest.mark.slow
def test_what_is_said_to_be_detectable_is_found_nine_times_in_ten() -> None:
    """100 repeats with a start scale that is off by just so much: the binomial interval of 90 % at 1e-3."""
    by = judge(runs(8)).shift("start.scale").detectable
    wrong = wrong_theory("start.scale", by)
    missed = sum(judge(runs(8, seed), wrong).agrees for seed in range(100))
    assert stats.binom.isf(0.0005, 100, 0.1) >= missed >= stats.binom.ppf(0.0005, 100, 0.1)


def test_a_blind_agreement_says_so_first() -> None:
    few, many = judge(runs(2)), judge(runs(200))
    assert few.verdict.startswith("AGREE, but a learning rate ")
    assert "off could have been missed" in few.verdict
    assert many.verdict.startswith("AGREE: p = ")
    assert many.verdict.endswith("off (9 times in 10)")
    share = many.shift("sgd.learning_rate").detectable / few.shift("sgd.learning_rate").detectable
    assert share == pytest.approx(np.sqrt(2 / 200), rel=0.2)


def test_a_plan_says_how_many_runs_find_what_is_off() -> None:
    """The runs that are planned make a verdict whose own statement of what it sees is the one that was asked for."""
    plan = simulations.plan(theory(), {"sgd.learning_rate": 0.05}, dims=(DIM, 2000))
    verdict = judge(runs(plan.simulations[0].runs))
    assert verdict.shift("sgd.learning_rate").detectable / 0.8 == pytest.approx(0.05, rel=0.15)
    # Means are as sharp by more runs as by a larger N, but for the noise of the test samples.
    assert plan.simulations[1].runs == pytest.approx(plan.simulations[0].runs * DIM / 2000, rel=0.3)
    assert plan.table.count("sgd.learning_rate") == 3
    assert plan.cheapest in plan.simulations


def test_a_plan_is_for_its_hardest_number() -> None:
    alone = [simulations.plan(theory(), {name: 0.01}, dims=(DIM,)) for name in ("sgd.learning_rate", "start.scale")]
    both = simulations.plan(theory(), {"start.scale": 0.01, "sgd.learning_rate": 0.01}, dims=(DIM,))
    assert both.cheapest.runs == max(plan.cheapest.runs for plan in alone)
    assert both.cheapest.needed_for == "sgd.learning_rate"


def test_plans_of_what_cannot_be_seen_are_refused() -> None:
    for detect, words in (
        ({"sgd.lerning_rate": 0.1}, r"did you mean 'sgd.learning_rate'"),
        (
            {"task.noise": 0.1},
            r"task.noise, whose derivative is 0 in all that fluctuates.*no number of runs would show it",
        ),
        ({"sgd.learning_rate": 0.0}, r"a shift > 0 of sgd.learning_rate.*got: 0.0"),
        ({"sgd.learning_rate": 1e-9}, r"at most 1000000 runs.*ask for a larger shift"),
        ({}, "detect as"),
    ):
        with pytest.raises(ts.InputError, match=words):
            simulations.plan(theory(), detect)
    with pytest.raises(ts.InputError, match="N >= 16, the number of overlaps"):
        simulations.plan(theory(), {"sgd.learning_rate": 0.1}, dims=(15,))
    with pytest.raises(ts.InputError, match=r"joint law.*take theory = ode.fluctuations"):
        simulations.plan(dataclasses.replace(theory(), fluctuations=None), {"sgd.learning_rate": 0.1})


# What is not independent


def test_what_is_not_independent_is_named() -> None:
    found = runs(12)
    twice = jax.tree.map(lambda x: np.concatenate([x, x[4:5]]), found.observables)
    status, reached = np.zeros(13, int), np.full(13, ALPHAS[-1])
    with pytest.raises(ts.InputError, match="runs 4 and 12 that are the same to the bit"):
        judge(dataclasses.replace(found, observables=twice, status=status, reached=reached))
    keyed = [
        dataclasses.replace(found, source=dataclasses.replace(found.source, seed="01", dim=dim)) for dim in (500, 100)
    ]
    with pytest.raises(ts.InputError, match="keys that differ at the two dimensions"):
        judge(keyed[0], spread="measured", smaller=keyed[1])
    error = found.observables.error
    same = eqx.tree_at(lambda r: r.observables.error["easy"], found, error["hard"])
    assert "error[easy] and error[hard] are equal to the bit in all runs" in judge(same, spread="measured").notes


@pytest.mark.parametrize("spread", ["predicted", "measured"])
def test_one_altered_run_is_named(spread: str) -> None:
    found = runs(24)
    R = np.array(found.overlaps.R)
    R[5, 3, 0, 1, 1] += 12 * R[:, 3, 0, 1, 1].std()
    assert not [note for note in judge(found, spread=spread).notes if "apart" in note]
    notes = judge(eqx.tree_at(lambda r: r.observables.overlaps.R, found, R), spread=spread).notes
    assert [note for note in notes if note.startswith("run 5 lies apart from all others")]


# Fewer runs than the questions need, and the text


def test_few_runs_with_measured_spread_say_what_was_left_out() -> None:
    verdict = judge(runs(6), spread="measured")
    assert list(answers(verdict)) == ["largest"]
    assert verdict.shifts == ()
    assert "only the largest |z| is asked: the other questions need 12 runs" in verdict.notes


def test_z_follows_from_the_table_that_shows_it() -> None:
    """z is in predicted errors, which have a column beside the measured ones."""
    verdict = judge(runs(8))
    for one in verdict.deviations:
        excess = one.simulation - one.allowance - one.theory
        assert excess / _predicted_error(verdict, one) == pytest.approx(one.z, rel=1e-9)
    (head,) = (line for line in verdict.table.splitlines() if line.startswith("quantity"))
    assert "simulation +- measured" in head
    assert head.split()[-4:] == ["predicted", "error", "worst", "z"]


def test_the_table_says_what_its_rows_are() -> None:
    table = judge(runs(8)).table
    assert "the verdict: one p for all four questions (min-p)" in table
    assert "cannot be judged from these runs: label noise, duration of phase 2" in table
    assert "largest z of" in table
    assert "most suspicious number: " in judge(runs(8)).verdict
    measured = judge(runs(12), spread="measured").table
    assert "the verdict: one p for all three questions (min-p)" in measured
    assert "predicted error" not in measured
    assert "its standard error over the runs, as the equally likely normal value" in measured


def test_the_report_has_what_the_verdict_says() -> None:
    verdict = judge(runs(8))
    report = verdict.to_dict()
    assert [question["name"] for question in report["questions"]] == ["largest", "all", "numbers", "spread"]
    rate = next(shift for shift in report["shifts"] if shift["name"] == "sgd.learning_rate")
    assert rate["shift"] == verdict.shift("sgd.learning_rate").shift
    assert report["unseen"] == ("task.noise", "curriculum.durations[2]")
    for question in verdict.questions:
        assert question.text in verdict.table
    for shift in verdict.shifts:
        assert shift.label in verdict.table
    with pytest.raises(ts.InputError, match="moves nothing"):
        verdict.shift("task.noise")


# Starts of their own


def test_the_law_of_random_starts() -> None:
    """20,000 starts at N = 400: every mean and covariance within 4.5 standard errors (136 comparisons; 1e-3)."""
    problem, _ = switched()
    T = np.array([[[0.3, 0.06], [0.06, 0.4]], np.zeros((2, 2))])
    mean, covariance = ts.start_law(problem, teacher=T, scale=0.7)
    keys = jax.random.split(jax.random.key(3), 20_000)
    starts = ts.random_overlaps(problem, 400, keys, teacher=T, scale=0.7)
    x = np.asarray(jax.vmap(ts.to_vector)(starts))
    variance = np.diagonal(covariance)
    error = np.sqrt((np.outer(variance, variance) + covariance**2) / 20_000) + 1e-12
    assert np.max(np.abs(400 * np.cov(x.T) - covariance) / error) < 4.5
    assert np.max(np.abs(x.mean(axis=0) - np.asarray(ts.to_vector(mean))) / np.sqrt(variance / 8e6 + 1e-18)) < 4.5


@pytest.mark.slow
def test_runs_with_starts_of_their_own_agree_with_the_law_of_the_start() -> None:
    """One comparison of 64 runs at a level of 1e-3; without the start's covariance it is refused."""
    problem, _ = switched()
    T = np.array([[[0.3, 0.06], [0.06, 0.4]], np.zeros((2, 2))])
    mean, covariance = ts.start_law(problem, teacher=T, scale=0.7)
    alphas = [0.0, 0.5, 1.5]
    starts = ts.random_overlaps(problem, 400, jax.random.split(jax.random.key(7), 64), teacher=T, scale=0.7)
    found = simulations.run(problem, 400, 64, alphas, 5, start=starts, method="overlaps", progress=False)
    law = ode.fluctuations(problem, mean, alphas, start_covariance=covariance)
    assert judge(found, law, significance=1e-3).agrees
    halved = ode.fluctuations(problem, mean, alphas, start_covariance=covariance / 2)
    assert not judge(found, halved, significance=1e-3).agrees
    with pytest.raises(ts.InputError, match=r"ts\.start_law"):
        judge(found, ode.fluctuations(problem, mean, alphas))
    with pytest.raises(ts.InputError, match="symmetric start_covariance"):
        ode.fluctuations(problem, mean, alphas, start_covariance=np.triu(covariance + 1))


# Two theories, and two curricula


@pytest.mark.slow
def test_the_right_one_of_two_equations_is_preferred_and_the_level_held() -> None:
    """100 repeats of 8 runs: the right theory is rejected as often as 5 %, and the wrong one as often as is said."""
    choices = [
        simulations.preference(theory(), wrong_theory("sgd.learning_rate", 0.06), runs(8, seed), significance=0.05)
        for seed in range(100)
    ]
    assert sum(choice.p_first <= 0.05 for choice in choices) <= stats.binom.isf(1e-3, 100, 0.05)
    found = sum(choice.p_second <= 0.05 for choice in choices)
    low, high = stats.binom.ppf(5e-4, 100, choices[0].chance), stats.binom.isf(5e-4, 100, choices[0].chance)
    assert low <= found <= high
    swapped = simulations.preference(wrong_theory("sgd.learning_rate", 0.06), theory(), runs(8), significance=0.05)
    assert swapped.p_second == choices[0].p_first
    assert {"first": "second", "second": "first"}.get(choices[0].preferred, choices[0].preferred) == swapped.preferred


def test_theories_that_are_both_wrong_are_both_rejected() -> None:
    faster, slower = (wrong_theory("sgd.learning_rate", error) for error in (0.1, -0.1))
    assert simulations.preference(faster, slower, runs(200)).preferred == "neither"
    with pytest.raises(ts.InputError, match="two that say the same"):
        simulations.preference(theory(), theory(), runs(4))


@pytest.mark.slow
def test_the_difference_of_two_curricula_is_seen_more_sharply_than_either() -> None:
    """Paired runs of two orders: theory's difference agrees, and an order that is wrong by little does not."""
    problem, start = switched()
    mixed = dataclasses.replace(problem, curriculum=ts.Curriculum.mixed({"easy": 0.5, "hard": 0.5}, 4.0))
    off = dataclasses.replace(problem, curriculum=ts.Curriculum.phases(("easy", 2.3), ("hard", 1.7)))
    alphas = [1.0, 2.0, 3.0, 4.0]
    found = [
        simulations.run(each, 400, 16, alphas, 3, start=start, method="overlaps", progress=False)
        for each in (problem, mixed)
    ]
    solved = [ode.solve(each, start, alphas, with_accuracy=False) for each in (problem, mixed)]
    verdict = simulations.difference_agreement(solved, found, significance=1e-3)
    assert verdict.agrees
    assert verdict.deviations[0].theory == pytest.approx(
        float(solved[0].overlaps.Q[0, 0, 0, 0] - solved[1].overlaps.Q[0, 0, 0, 0])
    )
    wrong = dataclasses.replace(ode.solve(off, start, alphas, with_accuracy=False), problem=problem)
    assert not simulations.difference_agreement([wrong, solved[1]], found).agrees
    with pytest.raises(ts.InputError, match="two theories"):
        simulations.difference_agreement(solved[:1], found)
    some = jax.tree.map(lambda x: x[:8], found[1].observables)
    fewer = dataclasses.replace(found[1], observables=some, status=np.zeros(8, int), reached=np.full(8, 4.0))
    with pytest.raises(ts.InputError, match="equal numbers of runs"):
        simulations.difference_agreement(solved, [found[0], fewer])
