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
from figures._describe import describe
from figures.command._compare import _for_reading
from figures.command._draw import _table
from ode.stability._fixed_point import FixedPoint
from ode.stability._plateau import Plateau
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
    assert "last error: easy 3 +- 1," in repr(some)
    error = np.array([[1.0, np.nan], [3.0, np.nan], [np.inf, np.inf]])
    none = dataclasses.replace(runs, observables=eqx.tree_at(lambda o: o.error["easy"], runs.observables, error))
    assert "last error: easy 2 +- 1 at alpha 0.1," in repr(none)


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


def test_the_boundary_of_an_exact_map_has_no_sampling_error() -> None:
    """An interval of width zero would look as if it had been measured."""
    xs, ys = np.arange(4.0), np.arange(2.0)
    exact = xr.Dataset({"value": (("y", "x"), xs + ys[:, None] - 1.7)}, {"x": xs, "y": ys})
    exact = exact.assign(se=xr.zeros_like(exact["value"]), status=xr.ones_like(exact["value"], dtype=np.int8))
    printed = _table(exact, "x", "y", 0.0)
    assert [row.split()[:3] for row in printed.splitlines()[1:3]] == [["0", "1.7", "up"], ["1", "0.7", "up"]]
    assert printed.count("no sampling error; interpolated between cells") == 2
    assert "positions are interpolated between two cells, at most 1 apart" in printed
    assert "errors:" not in printed
    noisy = exact.assign(se=exact["se"] + 0.1)
    printed = _table(noisy, "x", "y", 0.0)
    assert "no sampling error" not in printed
    assert "[1.504, 1.896] errors" in printed
    assert "  errors: of the two cells around the position" in printed
    printed = _table(exact.assign(se=exact["se"] + 0.2), "x", "y", 0.0)
    assert "[1, 3] grid" in printed
    assert "  grid: a cell between was skipped or is unclear" in printed
    assert "  not resolved: y 0, x 2: 1.5 s.e. from 0" in printed.splitlines()
    printed = _table(exact.assign(se=exact["se"] + 0.5), "x", "y", 0.0)
    assert "  not resolved: y 1, x 0 to 1 (2 cells): at most 1.4 s.e. from 0" in printed.splitlines()
    guessed = exact.assign(se=exact["se"] + 0.2, interpolated=exact["value"] > -1)
    assert "  not resolved: y 0, x 2: 1.5 s.e. from 0 (interpolated)" in _table(guessed, "x", "y", 0.0).splitlines()
    unknown = exact.assign(se=exact["se"] * np.nan)
    assert "errors not known" in _table(unknown, "x", "y", 0.0)


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


def test_a_dip_between_two_cells_is_not_seen_and_the_print_says_so() -> None:
    """The map passes 0 at 1.2, at 1.8 and at 3.5; cells at whole numbers see the last place alone."""
    y = np.arange(2.0)
    coarse, fine = (xr.DataArray(x, dims="x") for x in (np.arange(5.0), np.linspace(0, 4, 41)))
    line, maps, apart = [], [], ["1", "0.1"]
    for x in (coarse, fine):
        value = (3.5 - x - 4 * np.exp(-(((x - 1.5) / 0.25) ** 2))).expand_dims(y=y)
        cells = xr.Dataset({"value": value}, {"x": x.values, "y": y})
        cells = cells.assign(se=xr.zeros_like(value), status=xr.ones_like(value, dtype=np.int8))
        line.append(figures.boundary(cells, "x", "y", 0.0))
        maps.append(cells)
    assert line[0]["crossings"].values.tolist() == [1, 1]
    assert line[1]["crossings"].values.tolist() == [3, 3]
    assert line[1]["position"].max() < 1.5 < 3 < line[0]["position"].min()
    for cells, distance in zip(maps, apart, strict=True):
        printed = _table(cells, "x", "y", 0.0)
        assert f"at most {distance} apart" in printed
        assert "a dip or a second crossing between cells is not seen" in printed
    assert [text.split()[2] for text in printed.splitlines()[1:7]] == ["down", "up", "down"] * 2


def test_a_terminal_gets_the_verdict_in_short_lines() -> None:
    """Each statement in a line of its own, and none of them lost."""
    verdict = "AGREE: p = 0.6 at significance 0.01; largest |z| 2.74 of 192 deviations; would have seen 0.2 % off"
    lines = _for_reading(verdict).splitlines()
    assert [line.split()[0] for line in lines] == ["AGREE:", "largest", "would"]
    assert " ".join(" ".join(lines).split()) == verdict


def test_a_problem_says_its_width_once() -> None:
    text = describe(build.problem(K=3, M=2, readout=(1.0, 1.0)))
    assert "M = 2" in text
    assert "width" not in text


def test_an_error_that_is_zero_to_rounding_is_not_negative() -> None:
    state = build.overlaps(build.problem())
    point = FixedPoint(state, 1e-17, np.array([-0.1 + 0j]), state, {"all": -1.043e-16}, "specialised", 0.5)
    assert "error all 0, residual" in point.describe()
    none = np.zeros(1)
    found = Plateau(point, none, {"all": none}, none, 0.0, 1.0, {"all": -1e-17}, 0.2)
    assert found.describe().startswith("plateau: error all 0, escape")
