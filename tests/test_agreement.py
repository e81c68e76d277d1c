"""The verdict: calibrated where theory is right, "disagree" for every sabotage."""

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest
from scipy import stats

import ode
import simulations
import teacher_student as ts
from simulations.verdict._measured_means import normal_equivalent

pytestmark = pytest.mark.slow  # most of its time is compilation

ALPHAS = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0])
DIMS = (240, 80)
SIZES = {"relevant": 0.25, "irrelevant": 0.75}
LEVELS = {"easy": {"relevant": 1.0, "irrelevant": 0.2}, "hard": {"relevant": 1.0, "irrelevant": 1.5}}


def small_problem(
    *,
    rate: float = 1.5,
    fractions: dict[str, float] = SIZES,
    levels: dict[str, dict[str, float]] = LEVELS,
    order: tuple[str, str] = ("easy", "hard"),
) -> ts.Problem:
    """One erf unit learns from one; first easy, then hard."""
    task = ts.Committee(ts.Inputs(fractions, levels), 1, "erf", support="relevant")
    phases = ts.Curriculum.phases((order[0], 2.0), (order[1], 2.0))
    return ts.Problem(task, ts.Student(1), ts.SGD(rate), phases)


def small_start() -> ts.Overlaps:
    return ts.random_overlaps(small_problem(), DIMS[0], 11, teacher="orthonormal")


def ensembles(seed: int, runs: int) -> list[ts.Trajectory]:
    """Runs of the right problem at both dimensions."""
    keys = jax.random.split(jax.random.key(seed), len(DIMS))
    return [
        simulations.run(small_problem(), dim, runs, ALPHAS, key, start=small_start(), test_samples=64, progress=False)
        for dim, key in zip(DIMS, keys, strict=True)
    ]


def part(runs: ts.Trajectory, chosen: slice) -> ts.Trajectory:
    """Some of the runs of a trajectory."""
    observables = jax.tree.map(lambda x: x[chosen], runs.observables)
    return dataclasses.replace(runs, observables=observables, status=runs.status[chosen], reached=runs.reached[chosen])


@pytest.fixture(scope="module")
def many() -> list[ts.Trajectory]:
    return ensembles(1, 2400)


@pytest.fixture(scope="module")
def theory() -> ts.Trajectory:
    return ode.solve(small_problem(), small_start(), ALPHAS)


def test_verdict_is_calibrated(many: list[ts.Trajectory], theory: ts.Trajectory) -> None:
    """200 repeats with their own 12 pairs of runs: "disagree" as often as was asked for, 5 % (binomial, p > 0.1 %)."""
    repeats = [[part(each, slice(12 * i, 12 * (i + 1))) for each in many] for i in range(200)]
    verdicts = [simulations.agreement(theory, *pair, significance=0.05, seed=i) for i, pair in enumerate(repeats)]
    wrong = sum(not verdict.agrees for verdict in verdicts)
    assert stats.binom.cdf(wrong, 200, 0.05) > 0.0005
    assert stats.binom.sf(wrong - 1, 200, 0.05) > 0.0005


def test_few_runs_are_judged_by_a_valid_bound(many: list[ts.Trajectory], theory: ts.Trajectory) -> None:
    """With 4 pairs the Bonferroni bound holds: "disagree" at most as often as stated."""
    repeats = [[part(each, slice(4 * i, 4 * (i + 1))) for each in many] for i in range(200)]
    verdicts = [simulations.agreement(theory, *pair, significance=0.05) for pair in repeats]
    assert verdicts[0].method.startswith("Bonferroni")
    assert stats.binom.sf(sum(not verdict.agrees for verdict in verdicts) - 1, 200, 0.05) > 0.0005


def test_agreement_of_all_runs(many: list[ts.Trajectory], theory: ts.Trajectory) -> None:
    verdict = simulations.agreement(theory, *many)
    assert verdict.agrees
    assert verdict.dims == DIMS
    assert verdict.runs == (2400, 2400)


def without_second_order(theory: ts.Trajectory) -> ts.Trajectory:
    """Theory without the eta^2 term: the limit of a small rate at the same eta * alpha."""
    slow = 1e-4
    rate = float(theory.problem.sgd.learning_rate)
    phases = ts.Curriculum.phases(("easy", 2.0 * rate / slow), ("hard", 2.0 * rate / slow))
    problem = ts.Problem(theory.problem.task, ts.Student(1), ts.SGD(slow), phases)
    return dataclasses.replace(theory, observables=ode.solve(problem, small_start(), ALPHAS * rate / slow).observables)


SABOTAGE: dict[str, dict[str, Any]] = {
    "eta 3 % off": dict(rate=1.5 * 1.03),
    "one variance 5 % off": dict(levels=LEVELS | {"hard": {"relevant": 1.0, "irrelevant": 1.5 * 1.05}}),
    "blocks swapped": dict(
        levels={l: {"relevant": v["irrelevant"], "irrelevant": v["relevant"]} for l, v in LEVELS.items()}
    ),
    "fractions swapped": dict(fractions={"relevant": 0.75, "irrelevant": 0.25}),
    "easy and hard exchanged": dict(order=("hard", "easy")),
}


@pytest.mark.parametrize("slip", SABOTAGE)
def test_sabotage_is_found(slip: str, many: list[ts.Trajectory]) -> None:
    wrong = ode.solve(small_problem(**SABOTAGE[slip]), small_start(), ALPHAS)
    with pytest.raises(ts.InputError, match="the same problem"):
        simulations.agreement(wrong, *many)
    wrong = dataclasses.replace(wrong, problem=small_problem())
    verdict = simulations.agreement(wrong, *many)
    assert not verdict.agrees
    assert verdict.p < 0.001


def test_missing_second_order_term_is_found(many: list[ts.Trajectory], theory: ts.Trajectory) -> None:
    assert not simulations.agreement(without_second_order(theory), *many).agrees


def test_finite_size_term_is_measured_and_needed(many: list[ts.Trajectory], theory: ts.Trajectory) -> None:
    """At N = 80 the mean is off by its 1/N term, which the pair of dimensions measures and takes out."""
    alone = simulations.agreement(theory, many[1])
    assert not alone.agrees
    paired = simulations.agreement(theory, *many)
    largest = max(abs(c.allowance) / c.allowance_error for c in paired.deviations)
    assert largest > stats.norm.isf(0.01 / 2 / len(paired.deviations))


def test_report_says_everything(many: list[ts.Trajectory], theory: ts.Trajectory) -> None:
    few = [part(each, slice(0, 12)) for each in many]
    verdict = simulations.agreement(theory, *few)
    report = verdict.to_dict()
    # at each of 6 alphas: Q in two blocks, R in one (the other is 0), error and accuracy of two levels
    assert report["number_of_deviations"] == len(report["deviations"]) == 6 * (2 + 1 + 2 + 2)
    assert {"R[irrelevant][1,1]", "readout[1]"} <= set(report["fixed"])
    assert str(report["number_of_deviations"]) in verdict.verdict
    assert "Q[relevant][1,1]" in verdict.table
    worst = verdict.worst
    allowed = worst.simulation - worst.allowance
    assert np.sign(allowed - worst.theory) == np.sign(worst.z)


def test_a_fixed_quantity_that_differs_is_found(many: list[ts.Trajectory], theory: ts.Trajectory) -> None:
    start = small_start()
    other = ts.Overlaps(start.Q, start.R, start.T, 1.0 + 1e-3)
    moved = dataclasses.replace(theory, observables=ode.solve(small_problem(), other, ALPHAS).observables)
    overlaps = dataclasses.replace(theory.overlaps, readout=moved.overlaps.readout)
    wrong = dataclasses.replace(theory, observables=dataclasses.replace(theory.observables, overlaps=overlaps))
    few = [part(each, slice(0, 12)) for each in many]
    assert simulations.agreement(theory, *few).agrees
    verdict = simulations.agreement(wrong, *few)
    assert not verdict.agrees
    assert verdict.verdict.startswith("DISAGREE (readout[1] does not fluctuate and differs from theory by 1.0e-03): ")


def test_what_does_not_fluctuate_is_right_to_the_accuracy_of_the_solve() -> None:
    """Decay of weights without inputs in float64: far more precise than the ODE, and no disagreement."""
    inputs = ts.Inputs({"seen": 0.5, "silent": 0.5}, {"all": {"seen": 1.0, "silent": 0.0}})
    task = ts.Committee(inputs, 1, support="seen", noise=0.1)
    problem = ts.Problem(task, ts.Student(1), ts.SGD(0.5, 0.0, 1e-3), ts.Curriculum.single("all", 1.0))
    start = ts.random_overlaps(problem, 500, 0)
    theory = ode.solve(problem, start, [1.0], rtol=1e-6, atol=1e-7)
    runs = simulations.run(problem, 500, 8, [1.0], 1, start=start, progress=False)
    assert runs.source.precision == "float64"
    deviation = simulations.agreement(theory, runs).fixed["Q[silent][1,1]"]
    assert 1e-12 < deviation < 1e-8
    assert simulations.agreement(theory, runs).agrees


def test_student_t_becomes_a_normal_value() -> None:
    t = np.array([0.5, -2.0, 40.0, 1e6])
    z = normal_equivalent(t, 7)
    np.testing.assert_allclose(stats.norm.sf(np.abs(z)), stats.t.sf(np.abs(t), 7), rtol=1e-9)
    assert np.all(np.sign(z) == np.sign(t))


@pytest.mark.parametrize(("accuracy", "runs"), [(0.9998, 16), (0.9, 3)])
def test_an_accuracy_that_is_equal_in_all_runs_by_chance_is_no_disagreement(accuracy: float, runs: int) -> None:
    """60 repeats of a right theory whose test samples are nearly all right: "disagree" within the binomial bound."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), 1)
    problem = ts.Problem(task, ts.Student(1), ts.SGD(0.02), ts.Curriculum.single("all", 1.0))
    R = np.cos(np.pi * (1 - accuracy))
    start = ts.Overlaps([[1.0]], [[R]], [[1.0]])
    theory = ode.solve(problem, start, [0.01, 0.02])
    found = simulations.run(problem, 100, 60 * runs, [0.01, 0.02], 5, start=start, precision="float64", progress=False)
    repeats = [part(found, slice(runs * i, runs * (i + 1))) for i in range(60)]
    wrong = sum(not simulations.agreement(theory, each, significance=0.05).agrees for each in repeats)
    assert stats.binom.sf(wrong - 1, 60, 0.05) > 0.001


def test_large_norms_round_at_their_own_scale() -> None:
    problem = small_problem(rate=0.1)
    start = ts.random_overlaps(problem, 800, 2, scale=30.0)
    theory = ode.solve(problem, start, [0.0, 0.05])
    runs = simulations.run(problem, 800, 12, [0.0, 0.05], 3, start=start, precision="float64", progress=False)
    assert simulations.agreement(theory, runs).agrees


def test_a_stationary_state_agrees_without_fluctuations() -> None:
    problem = small_problem()
    start = small_start()
    same = ts.Overlaps(start.T, start.T, start.T)
    theory = ode.solve(problem, same, [0.0, 0.5])
    runs = simulations.run(problem, 40, 3, [0.0, 0.5], 3, start=same, precision="float64", progress=False)
    verdict = simulations.agreement(theory, runs)
    assert verdict.agrees
    assert verdict.deviations == ()
    assert "no quantity fluctuates" in verdict.verdict


def test_another_start_is_refused(many: list[ts.Trajectory]) -> None:
    start = small_start()
    moved = ts.Overlaps(1.01 * start.Q, start.R, start.T, start.readout)
    with pytest.raises(ts.InputError, match="start from theory's overlaps"):
        simulations.agreement(ode.solve(small_problem(), moved, ALPHAS), many[0])


def test_divergence_ends_the_comparison_and_shows_in_the_verdict(
    many: list[ts.Trajectory], theory: ts.Trajectory
) -> None:
    few = [part(each, slice(0, 12)) for each in many]
    status = np.where(np.arange(12) == 3, int(ts.Status.DIVERGED), int(ts.Status.OK))
    stopped = dataclasses.replace(few[0], status=status, reached=np.where(status == ts.Status.OK, 4.0, 2.0))
    verdict = simulations.agreement(theory, stopped, few[1])
    assert not verdict.agrees  # theory did not diverge
    assert verdict.compared_to == 2.0
    assert "up to alpha 2 of 4" in verdict.verdict
    assert any("1 of 12 runs diverged" in note for note in verdict.notes)


def test_bad_input(many: list[ts.Trajectory], theory: ts.Trajectory) -> None:
    with pytest.raises(ts.InputError, match="alphas that were recorded"):
        simulations.agreement(ode.solve(small_problem(), small_start(), [1.0]), many[0])
    with pytest.raises(ts.InputError, match="at least 3"):
        simulations.agreement(theory, part(many[0], slice(0, 2)))
    with pytest.raises(ts.InputError, match="theory trajectory first"):
        simulations.agreement(many[0], many[1])
    with pytest.raises(ts.InputError, match="smaller dimension"):
        simulations.agreement(theory, many[1], many[0])
