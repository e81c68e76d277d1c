"""Implied shifts of a theory without fluctuations, by theories in which one number has moved."""

import dataclasses
from typing import Any

import numpy as np
import pytest

import ode
import simulations
import teacher_student as ts

pytestmark = pytest.mark.slow  # fluctuations compile for seconds

ALPHAS = np.array([0.5, 1.0, 2.0, 3.0])
DIM, RUNS = 200, 60
LEVELS = {"easy": {"relevant": 1.0, "irrelevant": 0.3}, "hard": {"relevant": 1.0, "irrelevant": 1.2}}


def problem(rate: float = 0.8, variance: float = 1.2, width: int = 1) -> ts.Problem:
    """Return a problem of erf units with these numbers."""
    levels = {**LEVELS, "hard": {"relevant": 1.0, "irrelevant": variance}}
    task = ts.Committee(ts.Inputs({"relevant": 0.5, "irrelevant": 0.5}, levels), 1, "erf", support="relevant")
    return ts.Problem(task, ts.Student(width), ts.SGD(rate), ts.Curriculum.mixed({"easy": 0.5, "hard": 0.5}, 3.0))


@pytest.fixture(scope="module")
def start() -> ts.Overlaps:
    return ts.random_overlaps(problem(), DIM, 3, teacher="orthonormal")


@pytest.fixture(scope="module")
def runs(start: ts.Overlaps) -> ts.Trajectory:
    return simulations.run(problem(), DIM, RUNS, ALPHAS, 5, start=start, test_samples=256, progress=False)


def moved(start: ts.Overlaps, part: float) -> dict[str, simulations.Moved]:
    """Return theories with the rate, or the hard samples' variance, larger by this part of theirs."""
    rate, variance = problem(rate=0.8 * (1 + part)), problem(variance=1.2 * (1 + part))
    return {
        "learning rate": simulations.Moved(ode.solve(rate, start, ALPHAS), 0.8, 0.8 * part),
        "hard variance": simulations.Moved(ode.solve(variance, start, ALPHAS), 1.2, 1.2 * part),
    }


def test_shifts_are_those_of_the_responses_that_fluctuations_state(start: ts.Overlaps, runs: ts.Trajectory) -> None:
    stated = simulations.agreement(ode.fluctuations(problem(), start, ALPHAS), runs, spread="measured")
    # Differences to both sides: what is left of the response's curvature is of second order in the part.
    theory, ends = ode.solve(problem(), start, ALPHAS), [moved(start, part) for part in (0.01, -0.01)]
    found = [simulations.agreement(theory, runs, moved=end) for end in ends]
    for ours, name in (("learning rate", "learning rate"), ("hard variance", "variance of irrelevant (hard)")):
        expected = next(one for one in stated.shifts if one.label == name)
        shifts = [next(one for one in each.shifts if one.name == ours) for each in found]
        assert np.mean([one.shift for one in shifts]) == pytest.approx(expected.shift, rel=2e-3)
        assert np.mean([one.standard_error for one in shifts]) == pytest.approx(expected.standard_error, rel=2e-3)
        assert all(one.value == expected.value for one in shifts)
    assert all(each.agrees for each in found)


@pytest.mark.parametrize(("name", "wrong"), [("learning rate", {"rate": 0.72}), ("hard variance", {"variance": 1.0})])
def test_a_wrong_number_is_implied_to_be_what_the_runs_have(
    name: str, wrong: dict[str, Any], start: ts.Overlaps, runs: ts.Trajectory
) -> None:
    """The theory of another rate, or variance, has its own back, and no other number is asked for."""
    off, by = problem(**wrong), 0.05
    value, true = next(iter(wrong.values())), {"learning rate": 0.8, "hard variance": 1.2}[name]
    larger: dict[str, Any] = {key: number * (1 + by) for key, number in wrong.items()}
    more = problem(**larger)
    theory, other = (ode.solve(one, start, ALPHAS) for one in (off, more))
    simulated = dataclasses.replace(runs, problem=off)
    found = simulations.agreement(theory, simulated, moved={name: simulations.Moved(other, value, value * by)})
    (shift,) = found.shifts
    assert not found.agrees
    assert abs(shift.shift - (true - value)) < 4 * shift.standard_error + 0.1 * abs(true - value)
    assert shift.z > 4


@pytest.mark.parametrize("with_accuracy", [True, False])
def test_sampled_theories_have_shifts_too(with_accuracy: bool, start: ts.Overlaps, runs: ts.Trajectory) -> None:
    """Of the same points: the responses are those of closed forms, and theory's own error is counted."""
    options: dict[str, Any] = {"averages": ode.Sampled(2**13, 4), "with_accuracy": with_accuracy}
    theory, other = (ode.solve(problem(rate=rate), start, ALPHAS, **options) for rate in (0.8, 0.84))
    exact = simulations.agreement(ode.solve(problem(), start, ALPHAS), runs, moved=moved(start, 0.05)).shifts[0]
    found = simulations.agreement(theory, runs, moved={"rate": simulations.Moved(other, 0.8, 0.04)})
    (shift,) = found.shifts
    assert found.agrees
    assert shift.shift == pytest.approx(exact.shift, abs=exact.standard_error)
    assert 0.7 * exact.standard_error < shift.standard_error < 2 * exact.standard_error


def test_what_is_not_a_moved_theory_is_refused(start: ts.Overlaps, runs: ts.Trajectory) -> None:
    theory, other = ode.solve(problem(), start, ALPHAS), moved(start, 0.05)["learning rate"]
    wider = problem(width=2)
    its = ode.solve(wider, ts.random_overlaps(wider, DIM, 3, teacher="orthonormal"), ALPHAS)
    fast = problem(rate=0.84)
    elsewhere = ode.solve(fast, ts.random_overlaps(fast, DIM, 4, teacher="orthonormal"), ALPHAS)
    Q = np.where(ALPHAS[:, None, None, None] > 1, np.nan, other.theory.overlaps.Q)
    overlaps = dataclasses.replace(other.theory.observables.overlaps, Q=Q)
    observables = dataclasses.replace(other.theory.observables, overlaps=overlaps)
    broken = dataclasses.replace(other.theory, observables=observables, reached=np.float64(1.0))
    for wrong, words in (
        ({"rate": dataclasses.replace(other, by=0.0)}, "other than 0"),
        ({"rate": dataclasses.replace(other, before=np.nan)}, "finite number"),
        ({"rate": other.theory}, "simulations.Moved"),
        ({}, "moved="),
        ({"rate": dataclasses.replace(other, theory=runs)}, "a simulation of"),
        ({"rate": dataclasses.replace(other, theory=its)}, "another structure"),
        ({"rate": dataclasses.replace(other, theory=theory)}, "nothing differs"),
        ({"rate": dataclasses.replace(other, theory=elsewhere)}, "whose R differs|whose Q differs"),
        ({"rate": dataclasses.replace(other, theory=broken)}, "stays finite .* NaN from alpha = 1 on"),
        ({"rate": dataclasses.replace(other, theory=other.theory.at(ALPHAS[:2]))}, "recorded"),
    ):
        with pytest.raises(ts.InputError, match=words):
            simulations.agreement(theory, runs, moved=wrong)  # type: ignore[arg-type]
    with pytest.raises(ts.InputError, match=r"ode\.solve"):
        simulations.agreement(ode.fluctuations(problem(), start, ALPHAS), runs, moved={"rate": other})
    few = simulations.run(problem(), DIM, 8, ALPHAS, 6, start=start, test_samples=64, progress=False)
    with pytest.raises(ts.InputError, match="at least 12 runs for the shifts"):
        simulations.agreement(theory, few, moved={"rate": other})
