"""Derivatives of every cost in every control against differences of `ode.solve`, and costates against derivatives."""

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

import ode
import teacher_student as ts
from ode import protocols
from ode.protocols._protocol import Protocol

from .protocol_cases import PERCEPTRON, WRONG, by_solve, gradient, mignacco_mori, protocol

END = 4.0
LEVELS = {
    "easy": {"seen": 1.0, "unseen": 0.2},
    "medium": {"seen": 1.2, "unseen": 0.7},
    "hard": {"seen": 0.8, "unseen": 1.5},
}
ORDER = ts.Curriculum.phases(
    ("easy", 1.0), ({"easy": 0.3, "medium": 0.3, "hard": 0.4}, {"hard": 0.9, "easy": 0.1}, 1.5), ("medium", 1.5)
)
MIXTURE = {"easy": 0.2, "medium": 0.3, "hard": 0.5}
SCHEDULED = {
    "learning_rate": ts.Schedule.phases((0.9, 0.7), (0.5, 0.8, 1.9), (0.4, 1.4)),
    "readout_learning_rate": ts.Schedule.power(0.4, 2.0, 0.7),
    "weight_decay": ts.Schedule.cosine(0.2, 0.05, 3.0),
    "noise": ts.Schedule.phases((0.4, 2.2), (0.2, 1.0)),
}


def problem(**numbers: Any) -> ts.Problem:
    """Every term of the drift, two blocks and three levels."""
    chosen = {"learning_rate": 0.7, "readout_learning_rate": 0.3, "weight_decay": 0.1, "noise": 0.3} | numbers
    inputs = ts.Inputs({"seen": 0.4, "unseen": 0.6}, LEVELS)
    task = ts.Committee(inputs, 2, readout=(1.0, -0.7), support="seen", noise=chosen.pop("noise"))
    return ts.Problem(task, ts.Student(2), ts.SGD(**chosen), ORDER)


START = ts.random_overlaps(problem(), dim=30, key=3)


def own(seen: ts.Observables) -> Any:
    return seen.error["hard"][0] * seen.error["easy"][1] + 0.1 * seen.overlaps.readout[1, 0] ** 2


COSTS = {
    "end": protocols.Final(MIXTURE),
    "times": protocols.Final({"hard": 1.0}, at=[0.6, 1.0, 2.3]),
    "integrated": protocols.Integrated(MIXTURE),
    "met": protocols.TimeTo("hard", value=0.1),
    "not met": protocols.TimeTo("hard", value=1e-3),
    "own": protocols.Own(own, at=[1.5, END]),
}
NUMBERS = {
    "learning_rate": "sgd.learning_rate",
    "readout_learning_rate": "sgd.readout_learning_rate",
    "weight_decay": "sgd.weight_decay",
    "noise": "task.noise",
    "variance": "task.levels.hard.unseen",
}
CONTROLS: dict[str, Any] = {
    "shares": protocols.Shares(3),
    "shares, linear": protocols.Shares(3, "linear"),
    "switches": protocols.Switches(("easy", {"easy": 0.5, "medium": 0.5}, "hard", "medium")),
    **{
        f"{name}, {shape}": protocols.Values(place, (0.0, 2.0), 3, shape=shape)
        for name, place in NUMBERS.items()
        for shape in ("constant", "linear", "spline")
    },
    **{f"number {place}": protocols.Number(place, (0.0, 2.0)) for place in NUMBERS.values()},
    "readout": protocols.Number("task.readout.0", (-2.0, 2.0)),
}


# All shapes of the rate; of the other numbers steps and splines.
EACH_CONTROL = [
    pytest.param(control, marks=pytest.mark.long)
    if control.endswith("linear") and not control.startswith("learning_rate")
    else control
    for control in CONTROLS
]


def inside(found: Protocol, seed: int = 0) -> np.ndarray:
    """Values inside the bounds, which no symmetry has chosen. Those of a spline fall: at level knots it has kinks."""
    size = found.initial.size
    to = found.lower + (found.upper - found.lower) * np.linspace(0.55, 0.2, size)
    part = 0.3 + 0.2 * np.random.default_rng(seed).uniform(size=size)
    return np.asarray(found.initial + part * (to - found.initial))


def check(found: Protocol, x: np.ndarray, given: ts.Problem, start: ts.Overlaps, tolerance: float = 1e-6) -> None:
    """Compare the cost, and its derivative along two directions, with solves (differences of fourth order).

    One variable has one direction.
    """
    value, slope = gradient(found, x)
    assert value == pytest.approx(by_solve(found.problem(x), start, given, found.judge.cost), rel=1e-8)
    width = found.upper - found.lower
    for direction in np.random.default_rng(1).normal(size=(min(2, x.size), x.size)):
        step = 1e-3 * width * direction / np.max(np.abs(direction))
        at = {k: by_solve(found.problem(x + k * step), start, given, found.judge.cost) for k in (-2, -1, 1, 2)}
        expected = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / 12
        scale = float(np.linalg.norm(slope * step))
        assert scale > 0
        assert slope @ step == pytest.approx(expected, abs=tolerance * scale)


@pytest.mark.slow
@pytest.mark.parametrize("control", EACH_CONTROL)
def test_the_derivative_of_the_final_error_in_each_control_alone(control: str) -> None:
    given = problem()
    found = protocol(given, START, CONTROLS[control], COSTS["end"])
    check(found, inside(found), given, START)


@pytest.mark.slow
@pytest.mark.parametrize("control", EACH_CONTROL)
def test_derivatives_where_the_problem_has_schedules_that_jump(control: str) -> None:
    given = problem(**SCHEDULED)
    if control.startswith("number") and "levels" not in control:
        pytest.skip("there a schedule stands")
    found = protocol(given, START, CONTROLS[control], COSTS["times"])
    check(found, inside(found), given, START)


# A control meets a cost in the costates alone: one that moves times and one that moves numbers see all of it.
MOVING = ("switches", "learning_rate, linear")


@pytest.mark.slow
@pytest.mark.parametrize("control", MOVING)
@pytest.mark.parametrize("cost", [name for name in COSTS if name != "end"])
def test_the_derivative_of_each_cost(cost: str, control: str) -> None:
    given = problem()
    found = protocol(given, START, CONTROLS[control], COSTS[cost])
    check(found, inside(found), given, START)


def test_derivatives_in_the_numbers_of_a_schedule() -> None:
    given = problem(learning_rate=ts.Schedule.power(1.2, 3.0, 0.8))
    parts = ("initial", "scale", "exponent")
    controls = [protocols.Number(f"sgd.learning_rate.power.{part}", (0.1, 5.0)) for part in parts]
    found = protocol(given, START, controls, COSTS["end"])
    check(found, found.initial, given, START)


# ---- durations at their bounds


def one_sided(found: Protocol, x: np.ndarray, direction: np.ndarray, given: ts.Problem, start: ts.Overlaps) -> float:
    """The derivative along a direction that only goes forward, of third order."""
    h = 2e-3
    value = [by_solve(found.problem(x + k * h * direction), start, given, found.judge.cost) for k in range(4)]
    return (-11 * value[0] + 18 * value[1] - 9 * value[2] + 2 * value[3]) / (6 * h)


@pytest.mark.long("two switches coincide", "two at the beginning", "last empty")
@pytest.mark.parametrize(
    "durations",
    [(0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 2.0), (1.0, 1.0, 2.0)],
    ids=["first empty", "two switches coincide", "three coincide", "two at the beginning", "last empty"],
)
def test_derivatives_in_durations_of_phases_that_last_no_time(durations: tuple[float, ...]) -> None:
    given = problem()
    found = protocol(given, START, CONTROLS["switches"], COSTS["end"])
    x = np.array(durations)
    slope = gradient(found, x)[1]
    for i in range(3):
        direction = np.eye(3)[i]
        if sum(durations) == END:  # only what makes room for the last phase keeps to the bounds
            direction = -direction
        expected = one_sided(found, x, direction, given, START)
        assert slope @ direction == pytest.approx(expected, rel=2e-5, abs=1e-8)


# ---- averages over points


@pytest.mark.long
@pytest.mark.slow
def test_derivatives_of_sampled_averages_are_those_of_the_law() -> None:
    """A drift averaged over points has kinks; its derivatives are averages too, equal to differences on average."""
    inputs = ts.Inputs({"all": 1.0}, {"easy": {"all": 0.5}, "hard": {"all": 1.2}})
    task = ts.Committee(inputs, 2, "relu", labels="sign")
    order = ts.Curriculum.mixed({"easy": 0.5, "hard": 0.5}, 3.0)
    given = ts.Problem(task, ts.Student(2, "relu"), ts.SGD(0.3, 0.2, loss="logistic"), order)
    start = ts.random_overlaps(given, dim=50, key=0)
    controls = [protocols.Shares(2), protocols.Values("sgd.learning_rate", (0.0, 1.0), 2)]
    errors = []
    for key in range(8):
        found = protocol(given, start, controls, protocols.Final("hard"), averages=ode.Sampled(2**11, 1, key))
        x = found.initial
        _, slope = gradient(found, x)
        measured = []
        for unit in np.eye(4):
            high, low = (gradient(found, x + s * unit)[0] for s in (0.05, -0.05))
            measured.append((high - low) / 0.1)
        errors.append((slope - measured) / np.linalg.norm(measured))
    mean, deviation = np.mean(errors, axis=0), np.std(errors, axis=0, ddof=1) / np.sqrt(8)
    assert np.all(np.abs(mean) < 4.8 * deviation + 2e-3), (mean, deviation)
    assert np.all(deviation < 0.03), deviation


# ---- costates


@pytest.mark.long("True")
@pytest.mark.slow
@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.usefixtures("x64")
def test_costates_are_derivatives_in_the_start(scheduled: bool) -> None:
    given = problem(**(SCHEDULED if scheduled else {}))
    found = protocol(given, START, CONTROLS["shares"], COSTS["times"])
    judge = dataclasses.replace(found.judge, rtol=1e-10, atol=1e-12)
    found = dataclasses.replace(found, judge=judge)
    shown = found.problem(found.initial)

    def cost(start: ts.Overlaps) -> Any:
        errors = ode.solve(shown, start, [0.6, 1.0, 2.3], rtol=1e-10, atol=1e-12).error["hard"]
        return errors.mean()

    slope = jax.grad(cost)(jax.tree.map(jax.numpy.asarray, START))
    solved, _ = found.solve(found.initial)
    size = np.size(START.Q), np.size(START.R), np.size(START.T)
    nu = np.split(solved.at(0.0), np.cumsum(size))
    scale = np.max(np.abs(solved.at(0.0)))
    for mine, theirs in zip(nu, (slope.Q, slope.R, slope.T, slope.readout), strict=True):
        np.testing.assert_allclose(mine, np.ravel(theirs), atol=1e-6 * scale)


def test_the_costate_of_the_perceptron_is_the_published_one() -> None:
    found = protocol(mignacco_mori(), PERCEPTRON, protocols.Shares(4), WRONG)
    value, slope = gradient(found, found.initial)
    assert np.isfinite(value)
    assert np.all(np.isfinite(slope))
