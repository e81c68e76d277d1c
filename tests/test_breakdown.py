"""Where the expansion in 1/N ends there is no verdict, in words, pictures and exit codes."""

import dataclasses
import functools
from typing import Any

import jax
import numpy as np
import pytest
from matplotlib import pyplot

import figures
import ode
import simulations
import teacher_student as ts
from figures.command import _compare, _exit_codes
from simulations.verdict._broken_symmetry import notes_on_broken_symmetry

from . import build, test_plots

DIM = 1000
LATE = [10.0, 20.0, 40.0, 60.0]


def tied(start: float = 0.0) -> tuple[ts.Problem, ts.Overlaps]:
    """Saad and Solla's start: R and Q_12 of 1e-12, so that noise of order N^-1/2 and not the start parts the units."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), 2)
    problem = ts.Problem(task, ts.Student(2), ts.SGD(1.5), ts.Curriculum.single("all", 60.0))
    R = 1e-12 * np.array([[0.9, 0.1], [0.3, 0.7]]) + start * np.eye(2)
    return problem, ts.Overlaps(np.diag([0.3, 0.2]), R, np.eye(2))


@functools.cache
def theory() -> ts.Trajectory:
    return ode.fluctuations(*tied(), LATE, sample=ode.Sampled(2**10, 2))


@functools.cache
def runs(start: float = 0.0) -> ts.Trajectory:
    problem, overlaps = tied(start)
    return simulations.run(problem, DIM, 12, LATE, 3, start=overlaps, method="overlaps", progress=False)


# ---- the criterion, on made-up numbers


def made_up(part: str, name: str, size: float, *, variance: float = 1.0) -> ts.Trajectory:
    """A theory whose overlaps have a variance and no shift, but for one of them in the second half."""
    trajectory = test_plots.with_bands(test_plots.made_up())
    sizes = {"variance": variance, "shift": 0.0}
    filled: dict[str, Any] = {each: test_plots._like(trajectory.observables, x) for each, x in sizes.items()}
    kind, k, l = name[0], int(name[-4]) - 1, int(name[-2]) - 1
    b = trajectory.problem.inputs.block_names.index(name[2 : name.index("]")])
    getattr(filled[part].overlaps, kind)[len(test_plots.ALPHAS) // 2 :, b, k, l] = size
    fluctuations = dataclasses.replace(build.given(trajectory.fluctuations), **filled)
    return dataclasses.replace(trajectory, fluctuations=fluctuations)


def norms(trajectory: ts.Trajectory, name: str) -> float:
    """What Q and T allow of an overlap at the first alpha of the second half."""
    kind, k, l = name[0], int(name[-4]) - 1, int(name[-2]) - 1
    b = trajectory.problem.inputs.block_names.index(name[2 : name.index("]")])
    Q, T = (np.asarray(x)[len(test_plots.ALPHAS) // 2, b] for x in (trajectory.overlaps.Q, trajectory.overlaps.T))
    return float(np.sqrt(Q[k, k] * (Q[l, l] if kind == "Q" else T[l, l])))


@pytest.mark.parametrize("name", ["Q[relevant][1,1]", "Q[relevant][1,2]", "R[irrelevant][2,1]"])
def test_a_spread_that_Q_and_T_do_not_allow_ends_the_expansion(name: str) -> None:
    limit = norms(made_up("variance", name, 1.0), name)
    assert made_up("variance", name, 0.98 * DIM * limit**2).breakdown(DIM) is None
    end = build.given(made_up("variance", name, 1.02 * DIM * limit**2).breakdown(DIM))
    half = len(test_plots.ALPHAS) // 2
    assert (end.name, end.part, end.limited_by) == (name, "spread", "what Q and T allow")
    assert (end.holds_to, end.alpha) == (test_plots.ALPHAS[half - 1], test_plots.ALPHAS[half])
    assert end.limit == pytest.approx(limit)
    assert end.size == pytest.approx(limit * np.sqrt(1.02))


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_mean_shift_above_its_spread_ends_the_expansion(sign: int) -> None:
    name, spread = "Q[relevant][1,2]", np.sqrt(DIM * 1.0)
    assert made_up("shift", name, sign * 0.98 * spread).breakdown(DIM) is None
    end = build.given(made_up("shift", name, sign * 1.02 * spread).breakdown(DIM))
    assert (end.name, end.part, end.limited_by) == (name, "mean shift", "its spread")


def test_what_does_not_fluctuate_may_be_displaced_within_what_is_possible() -> None:
    """A weight decay takes steps of 1/N and no noise."""
    name = "R[relevant][1,1]"
    limit = norms(made_up("shift", name, 0.0, variance=0.0), name)
    assert made_up("shift", name, 0.98 * DIM * limit, variance=0.0).breakdown(DIM) is None
    end = build.given(made_up("shift", name, 1.02 * DIM * limit, variance=0.0).breakdown(DIM))
    assert (end.part, end.limited_by) == ("mean shift", "what Q and T allow")


def test_it_holds_for_longer_in_more_dimensions_and_from_the_start_it_may_not() -> None:
    limit = norms(made_up("variance", "Q[relevant][1,1]", 1.0), "Q[relevant][1,1]")
    broken = made_up("variance", "Q[relevant][1,1]", 2 * DIM * limit**2)
    assert broken.breakdown(10 * DIM) is None
    late = broken.at(broken.alphas[-2:])
    assert build.given(late.breakdown(DIM)).holds_to is None
    assert "at any recorded alpha" in late.describe(DIM)
    assert test_plots.made_up().breakdown(DIM) is None  # without fluctuations


def test_theories_that_hold_are_described_and_drawn_as_before() -> None:
    sound = test_plots.with_bands(test_plots.made_up())
    assert "No prediction" not in sound.describe()
    assert "1/N" not in repr(sound.budget(DIM))
    figure, _ = sound.plot()
    assert "does not hold" not in "".join(text.get_text() for text in figure.texts)


def test_pictures_and_budget_end_where_the_expansion_ends() -> None:
    broken = made_up("shift", "Q[relevant][1,1]", 300.0 * DIM)
    half = test_plots.ALPHAS[len(test_plots.ALPHAS) // 2 - 1]
    figure, axes = broken.plot(dim=DIM)
    for one in axes:
        assert max(abs(end) for end in one.get_ylim()) < 3
        for band in one.collections:
            assert max(path.vertices[:, 0].max() for path in band.get_paths()) <= half
    assert "does not hold" in "".join(text.get_text() for text in figure.texts)
    pyplot.close(figure)
    budget = broken.budget(DIM)
    assert np.max(budget.parts["mean shift"]) == 0
    words = f"no mean shift and spread beyond alpha = {half:g}: the predicted mean shift of Q[relevant][1,1]"
    assert words in repr(budget)
    assert f"beyond alpha = {half:g}" in broken.describe(DIM)
    assert "Q[relevant][1,1]" in repr(broken)


# ---- exit code, report


def without_verdict(compared_to: float, p: float) -> simulations.Agreement:
    known = test_plots.verdict(test_plots.made_up())
    text = "beyond alpha = 1: it does not hold"
    return dataclasses.replace(known, agrees=False, p=p, compared_to=compared_to, no_verdict=text)


def test_the_answer_is_a_third_one_unless_the_alphas_before_disagree() -> None:
    assert without_verdict(1.0, 0.5).answer == "NO VERDICT"
    assert without_verdict(0.0, 1.0).answer == "NO VERDICT"
    assert without_verdict(1.0, 1e-5).answer == "DISAGREE"
    assert test_plots.verdict(test_plots.made_up()).answer == "AGREE"
    text = without_verdict(1.0, 0.5).verdict
    assert text.startswith("NO VERDICT beyond alpha = 1: it does not hold. Before that: AGREE: p = 0.5")
    assert without_verdict(0.0, 1.0).verdict == "NO VERDICT beyond alpha = 1: it does not hold"
    assert "quantity" not in without_verdict(0.0, 1.0).table


def test_no_verdict_has_an_exit_code_of_its_own() -> None:
    codes = {answer: int(code) for answer, code in _compare.CODES.items()}
    assert codes == {"AGREE": 0, "DISAGREE": 1, "NO VERDICT": 3}
    assert "no verdict" in _exit_codes.MEANINGS[_exit_codes.ExitCode.NO_VERDICT]


def test_a_report_without_a_verdict_is_drawn_and_says_so() -> None:
    for report, words in ((without_verdict(1.0, 0.5), "agree up to"), (without_verdict(0.0, 1.0), "get no verdict")):
        figure, _ = figures.plot(report)
        assert words in "".join(text.get_text() for text in figure.texts)
        pyplot.close(figure)


# ---- a start that noise of order N^-1/2 breaks


@pytest.mark.slow
def test_a_broken_expansion_gets_no_verdict_and_the_alphas_before_agree() -> None:
    verdict = simulations.agreement(theory(), runs())
    assert verdict.answer == "NO VERDICT"
    assert not verdict.agrees
    assert verdict.compared_to == 20.0
    assert verdict.verdict.startswith("NO VERDICT beyond alpha = 20: the predicted mean shift of Q[1,2] at alpha 40 (")
    assert "the expansion in 1/N does not hold. Before that: AGREE: p = " in verdict.verdict
    assert {one.alpha for one in verdict.deviations} == {10.0, 20.0}
    measured = simulations.agreement(theory(), runs(), spread="measured")
    assert measured.answer == "NO VERDICT"
    late = simulations.agreement(theory().at(LATE[2:]), runs().at(LATE[2:]))
    assert late.verdict.startswith("NO VERDICT at any recorded alpha: ")
    with pytest.raises(ts.InputError, match="whose expansion in 1/N holds"):
        simulations.preference(theory(), theory(), runs())
    found = simulations.plan(theory(), {"sgd.learning_rate": 0.05}, dims=(DIM,))
    before = simulations.plan(theory().at(LATE[:2]), {"sgd.learning_rate": 0.05}, dims=(DIM,))
    assert found.simulations[0].runs == before.simulations[0].runs


@pytest.mark.slow
def test_without_the_criterion_it_is_a_sharp_disagreement(monkeypatch: pytest.MonkeyPatch) -> None:

    def nowhere(*_: object) -> None:
        return None

    monkeypatch.setattr(ts.Trajectory, "breakdown", nowhere)
    assert simulations.agreement(theory(), runs()).p < 1e-20


@pytest.mark.slow
def test_runs_that_part_each_in_its_own_direction_are_noted() -> None:
    """A theory of `ode.solve` does not know that noise decides; runs whose start decides get no note."""
    alone = dataclasses.replace(theory(), fluctuations=None)
    verdict = simulations.agreement(alone, runs())
    assert verdict.answer == "DISAGREE"
    assert any("noise of order N^(-1/2), not the start, parts these units" in note for note in verdict.notes)
    every = np.ones(len(LATE), bool)
    problem, start = tied(0.3)
    decided = ode.solve(problem, start, LATE)
    assert notes_on_broken_symmetry(decided, runs(0.3), every, 0) == []


def test_the_note_is_rare_where_units_differ_by_normal_noise() -> None:
    """Of 200 made-up ensembles of 12 runs on a symmetric plateau at most as many are noted as 0.5 % allow."""
    problem, start = tied()
    rng, alphas, noted = np.random.default_rng(0), np.arange(1.0, 4.0), 0
    source = dataclasses.replace(test_plots.made_up(runs=2).source)
    for _ in range(200):
        R = 0.5 + 0.1 * np.cumsum(rng.normal(size=(12, 3, 1, 2, 2)), axis=1)
        Q, T = (np.broadcast_to(np.eye(2), R.shape) for _ in range(2))
        observables = ts.Observables(ts.Overlaps(Q, R, T), {}, {})
        status, reached = np.zeros(12, int), np.full(12, 3.0)
        made = ts.Trajectory(problem, start, alphas, observables, status, reached, {}, None, source)
        noted += len(notes_on_broken_symmetry(made, made, np.ones(3, bool), 0))
    assert noted <= 5  # binomial: p < 0.1 %


# ---- differences, exact errors, the integrator's error


def test_a_difference_says_how_far_off_it_would_have_been_seen() -> None:
    """Made-up pairs whose difference is off by what it says: 9 in 10 of them are seen (binomial, p > 0.1 %)."""
    theories = [test_plots.made_up(), test_plots.made_up()]
    count, rng, found, sizes = 8, np.random.default_rng(5), 0, []

    source = dataclasses.replace(test_plots.made_up(runs=2).source, precision="float64", seed="1", test_samples=256)

    def pair(off: float) -> list[ts.Trajectory]:
        noise = [build.given(test_plots.made_up(runs=count)) for _ in range(2)]
        for one, base in zip(noise, theories, strict=True):
            for level in one.observables.error:
                one.observables.error[level][:] = base.observables.error[level] + 0.01 * rng.normal(size=(count, 9))
        noise[0].observables.error["hard"][:, -1] += off
        others = (jax.tree.map(lambda x: np.broadcast_to(x, (count, *x.shape)), base.overlaps) for base in theories)
        return [
            dataclasses.replace(
                one,
                observables=dataclasses.replace(one.observables, overlaps=overlaps),
                start=theories[0].start,
                source=source,
            )
            for one, overlaps in zip(noise, others, strict=True)
        ]

    first = simulations.difference_agreement(theories, pair(0.0))
    last = {one.name: one for one in first.deviations if one.alpha == test_plots.ALPHAS[-1]}
    assert build.given(last["error[hard]"].detectable) > 0
    assert "could have been missed" in first.verdict
    assert f"error[hard] {last['error[hard]'].detectable:.2g} off its +0" in first.verdict
    for _ in range(60):
        sizes.append(build.given(last["error[hard]"].detectable) / last["error[hard]"].standard_error)
        off = sizes[0] * 0.01 * np.sqrt(2 / count)
        verdict = simulations.difference_agreement(theories, pair(off))
        found += not verdict.agrees
    assert 45 <= found <= 59


def test_exact_errors_of_runs_have_their_leading_axes() -> None:
    problem = build.problem(K=2, M=2)
    states = [build.overlaps(problem, seed=seed) for seed in range(4)]
    several = jax.tree.map(lambda *x: np.stack(x).reshape(2, 2, *np.shape(x[0])), *states)
    found = ode.observe(problem, several)
    for level in ("easy", "hard"):
        alone = [float(ode.observe(problem, state).error[level]) for state in states]
        np.testing.assert_allclose(found.error[level].ravel(), alone, rtol=1e-12)
    assert found.error["hard"].shape == (2, 2)
    assert found.error["hard"].dtype == np.float64
    assert found.accuracy == {}  # it has no closed form
    sample = jax.tree.map(lambda x: x[0], ode.Sampled(2**6, 1).draw(problem))
    sampled = ode.observe(problem, several, sample)
    alone = [float(ode.observe(problem, state, sample).accuracy["hard"]) for state in states]
    np.testing.assert_allclose(sampled.accuracy["hard"].ravel(), alone)
    several.Q[0, 1] = np.nan
    assert np.isnan(ode.observe(problem, several).error["hard"]).tolist() == [[False, True], [False, False]]
    with pytest.raises(ts.InputError, match="a sample for an error or accuracy"):
        ode.observe(problem, several, with_accuracy=True)


def test_a_solve_states_the_error_of_its_integration() -> None:
    problem, start = tied(0.3)
    exact = ode.solve(problem, start, [2.0], rtol=1e-12, atol=1e-14)
    rough = ode.solve(problem, start, [2.0], rtol=1e-4, atol=1e-6, with_error=True)
    stated = float(build.given(rough.integrator_error).error["all"][0])
    true = abs(float(rough.error["all"][0] - exact.error["all"][0]))
    assert stated / 10 < true < 4 * stated
    assert "integrator" in rough.budget().parts
    assert ode.solve(problem, start, [2.0]).integrator_error is None
