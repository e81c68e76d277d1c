"""What results say of themselves: in print, in the verdict's notes and in the report. Warnings are errors here."""

import dataclasses
import json
from typing import Any

import equinox as eqx
import numpy as np
import pytest
import xarray as xr

import figures
import ode
import simulations
import teacher_student as ts
from figures.command._draw import _table
from teacher_student import internal

from . import build

pytestmark = pytest.mark.filterwarnings("error")
SWITCH = ts.Curriculum.phases(("easy", 1.0), ("hard", 1.1))


def linear(rate: float) -> ts.Problem:
    return build.problem(
        blocks=1, K=1, M=1, student="linear", readout=(1.0,), learning_rate=rate, readout_learning_rate=0.0
    )


def test_a_trajectory_that_diverged_prints_its_last_error_without_a_warning() -> None:
    problem = linear(8.0)
    theory = ode.solve(problem, build.overlaps(problem), [0.1, 0.5, 10.0])
    assert theory.status == ts.Status.DIVERGED
    assert 0.5 < theory.reached < 10
    assert f"last error: easy {theory.error['easy'][1]:.5g} at alpha 0.5, hard " in repr(theory)
    gone = dataclasses.replace(
        theory, observables=eqx.tree_at(lambda o: o.error["hard"], theory.observables, np.full(3, np.nan))
    )
    assert "hard none)" in repr(gone)


def test_runs_of_which_some_diverged_print_the_mean_of_the_others() -> None:
    problem = linear(0.5)
    runs = simulations.run(
        problem, 20, 3, [0.1, 0.5], 0, start=build.overlaps(problem), test_samples=16, progress=False
    )
    error = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 4.0]])
    some = dataclasses.replace(runs, observables=eqx.tree_at(lambda o: o.error["easy"], runs.observables, error))
    assert "last error: easy 3," in repr(some)
    error = np.array([[1.0, np.nan], [3.0, np.nan], [np.inf, np.inf]])
    none = dataclasses.replace(runs, observables=eqx.tree_at(lambda o: o.error["easy"], runs.observables, error))
    assert "last error: easy 2 at alpha 0.1," in repr(none)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_ties_of_labels_are_stated_by_theory_simulation_verdict_and_report(noise: float) -> None:
    """Two sign units with equal readouts: half of the noiseless labels are 0, with noise on what SGD sees or not."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), 2, "sign", labels="sign", noise=noise)
    problem = ts.Problem(task, ts.Student(1), ts.SGD(0.5), ts.Curriculum.single("all", 1.0))
    start = ts.Overlaps([[0.4]], [[0.1, 0.05]], np.eye(2))
    theory = ode.solve(problem, start, [0.5, 1.0], averages=ode.Sampled(2**8, 2), with_accuracy=True)
    runs = simulations.run(problem, 40, 4, [0.5, 1.0], 0, start=start, test_samples=256, progress=False)
    verdict = simulations.agreement(theory, runs)
    assert max(np.max(theory.accuracy["all"]), np.max(runs.accuracy["all"].mean(axis=0))) < 0.56  # what is to be told
    assert theory.tie_probability == runs.tie_probability == {"all": pytest.approx(0.5)}
    for trajectory in (theory, runs):
        assert repr(trajectory).endswith("ties: label 0 with probability 0.5)")
    assert "note: ties: label 0 with probability 0.5; no output is right there" in verdict.table
    assert json.loads(verdict.to_json())["tie_probability"] == {"all": pytest.approx(0.5)}


def test_ties_are_stated_level_by_level_and_not_where_there_are_none() -> None:
    variances = {"easy": {"a": 1.0, "b": 0.0}, "hard": {"a": 1.0, "b": 1.0}}
    task = ts.Committee(ts.Inputs({"a": 0.5, "b": 0.5}, variances), 2, "sign", labels="sign")
    parallel, orthogonal = 0.5 * np.ones((2, 2)), 0.5 * np.eye(2)
    ties = task.tie_probability(np.stack([parallel, orthogonal]))
    assert ties == {"easy": pytest.approx(0.0, abs=1e-7), "hard": pytest.approx(1 / 3)}
    assert internal.describe_ties({"easy": 0.0, "hard": 1 / 3}) == "label 0 with probability 0.333 (hard)"
    problem = linear(0.5)
    assert "ties" not in repr(ode.solve(problem, build.overlaps(problem), [0.1]))


def test_the_boundary_of_an_exact_map_is_printed_as_exact() -> None:
    """An interval of width zero would look as if it had been measured."""
    xs, ys = np.arange(4.0), np.arange(2.0)
    exact = xr.Dataset({"value": (("y", "x"), xs + ys[:, None] - 1.7)}, {"x": xs, "y": ys})
    exact = exact.assign(se=xr.zeros_like(exact["value"]), status=xr.ones_like(exact["value"], dtype=np.int8))
    printed = _table(figures.boundary(exact, "x", "y", 0.0), "y")
    assert [row.split()[:3] for row in printed.splitlines()[1:3]] == [["0", "1.7", "exact"], ["1", "0.7", "exact"]]
    assert "exact: without sampling or run error" in printed
    noisy = exact.assign(se=exact["se"] + 0.1)
    printed = _table(figures.boundary(noisy, "x", "y", 0.0), "y")
    assert "exact" not in printed
    assert "[1.5" in printed
    unknown = exact.assign(se=exact["se"] * np.nan)
    assert "not known" in _table(figures.boundary(unknown, "x", "y", 0.0), "y")


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["solve", "solve_many", "run"])
def test_single_precision_alphas_that_end_with_the_curriculum_are_solved(solver: str) -> None:
    """2.1 in single precision lies below the end; the next number lies above it, by less than their distance."""
    problem = build.problem(blocks=1, K=1, M=1, readout=(1.0,), curriculum=SWITCH)
    start, alphas = (
        build.overlaps(problem),
        np.nextafter(np.array([0.5, 2.1], np.float32), np.array([0.5, 3.0], np.float32)),
    )
    assert alphas[-1] > SWITCH.end

    def error(alphas: np.ndarray) -> Any:
        if solver == "solve":
            return ode.solve(problem, start, alphas).error["hard"]
        if solver == "solve_many":
            return ode.solve_many([problem], [start], alphas)[0].error["hard"]
        return simulations.run(problem, 20, 2, alphas, 0, start=start, test_samples=16, progress=False).error["hard"]

    np.testing.assert_allclose(error(alphas), error(np.array([0.5, 2.1])), rtol=1e-5)
