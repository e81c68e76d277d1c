"""The heart: the drift equals the mean of one SGD step of the simulator, N (Omega_after - Omega_before).

Tolerance: 5 standard errors of that mean (and of sampled averages, added in quadrature) for each of at most
50 entries a case: a right drift fails with probability below 1e-3 over all cases. N is large enough that the
1/N term is a small part of a standard error (a block of fraction 0 has M/N of the dimensions, so it needs more).
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ode
import teacher_student as ts
from teacher_student import internal

from . import build
from .single_steps import steps

pytestmark = pytest.mark.slow  # most of its time is compilation

DIM, SAMPLES = {1: 500, 2: 500, 3: 1000}, {1: 25_000, 2: 25_000, 3: 12_500}  # by number of blocks


def entries(state: ts.Overlaps) -> np.ndarray:
    """Q, R and readout as one vector."""
    leading = state.readout.shape[:-1]
    return np.concatenate([np.reshape(x, (*leading, -1)) for x in (state.Q, state.R, state.readout)], axis=-1)


Case = tuple[ts.Problem, ts.Overlaps]
Estimate = tuple[np.ndarray, np.ndarray]  # mean and standard error of each entry


def mean_steps(cases: list[Case], seed: int, dims: int = 1) -> list[Estimate]:
    """Mean and standard error of N (Omega_after - Omega_before) over fresh samples at fixed weights, case by case.

    dims: how many times as many dimensions as usual. All cases see the same normals, and share one program: most of the
    time goes into drawing and compiling.
    """
    blocks = cases[0][0].shape[0]
    found = []
    for each in steps(cases, seed, dims * DIM[blocks], SAMPLES[blocks]):
        flat = entries(each)
        found.append((flat.mean(axis=0), flat.std(axis=0, ddof=1) / np.sqrt(len(flat))))
    return found


def theories(cases: list[Case]) -> list[Estimate]:
    """The drift at alpha = 0 and its standard error (0 for closed forms) of each case, all in one program."""
    with jax.enable_x64(True):
        inputs = internal.to_float([list(each) for each in cases], jnp.float64)
        found = []
        for drifts in internal.to_host(_drifts(inputs)):
            flat = entries(drifts)
            found.append((flat.mean(axis=0), flat.std(axis=0, ddof=len(flat) > 1) / np.sqrt(len(flat))))
        return found


@build.compiled
def _drifts(cases: list[list[Any]]) -> list[ts.Overlaps]:
    """The drift (leading axis: scramblings of sampled averages, one of closed forms)."""
    found = []
    for problem, state in cases:
        if ode.missing_closed_form(problem) is None:
            found.append(jax.tree.map(lambda x: x[None], ode.drift(problem, ode.ClosedForm(), 0.0, state)))
        else:
            points = ode.Sampled(2**12, 8, key=5).draw(problem)
            found.append(jax.vmap(lambda each, p=problem, s=state: ode.drift(p, each, 0.0, s))(points))
    return found


def standard_errors(theory: Estimate, simulated: Estimate) -> np.ndarray:
    """Deviation of each entry of the drift from the simulator's step, in standard errors (0 where both are exact)."""
    (drift, drift_error), (mean, error) = theory, simulated
    total = np.sqrt(drift_error**2 + error**2)
    exact = total < 1e-9
    np.testing.assert_allclose(drift[exact], mean[exact], atol=1e-7)
    return np.where(exact, 0.0, (drift - mean) / np.where(exact, 1.0, total))


def largest(theory: Estimate, simulated: Estimate) -> float:
    return float(np.max(np.abs(standard_errors(theory, simulated))))


TEACHERS = {"erf": "erf", "relu": "relu", "linear": "sign", "tanh": "linear"}  # each kind with some student
LABELS = (("value", "squared"), ("sign", "squared"), ("sign", "logistic"))


# Each student with each kind of labels and loss, and with each number of blocks, and each kind of labels and loss with
# each number of blocks: what a unit, a label and a block enter are separate factors of the drift.
CASES = [(student, *kind, (i + j) % 3 + 1) for i, student in enumerate(TEACHERS) for j, kind in enumerate(LABELS)]


@functools.cache
def deviations(blocks: int) -> dict[tuple[str, str, str], float]:
    """The largest deviation of each case with so many blocks."""
    cases = {}
    for student, labels, loss in (case[:3] for case in CASES if case[3] == blocks):
        activation = jnp.tanh if student == "tanh" else student
        problem = build.problem(student=activation, teacher=TEACHERS[student], labels=labels, loss=loss, blocks=blocks)
        cases[student, labels, loss] = problem, build.overlaps(problem, seed=blocks)
    theory, simulated = theories(list(cases.values())), mean_steps(list(cases.values()), seed=blocks)
    return dict(zip(cases, map(largest, theory, simulated), strict=True))


@pytest.mark.parametrize(("student", "labels", "loss", "blocks"), CASES)
def test_drift_is_the_mean_step_of_the_simulator(student: str, labels: str, loss: str, blocks: int) -> None:
    assert deviations(blocks)[student, labels, loss] < 5


CLOSED = [  # those that the cases above leave out
    ("erf", "sign", "value"),
    ("erf", "linear", "value"),
    ("linear", "erf", "value"),
    ("linear", "linear", "value"),
    ("erf", "sign", "sign"),
    ("erf", "erf", "sign"),
    ("linear", "erf", "sign"),
    ("x**2", "x**2", "value"),
    ("x**3 - 3*x", "x**3 - 3*x", "value"),
    ("x**2 + x", "erf", "value"),
    ("erf", "x**2", "value"),
    ("x**2", "x**3", "sign"),
]


@pytest.fixture(scope="module")
def closed_forms() -> dict[tuple[str, str, str], float]:
    """The largest deviation of each of these closed forms."""
    cases = []
    for student, teacher, labels in CLOSED:
        M = 1 if labels == "sign" else 2  # a sign label of one odd unit has a closed form, of several it has none
        noise = 0.0 if labels == "sign" else 0.3
        problem = build.problem(student=student, teacher=teacher, labels=labels, M=M, noise=noise)
        assert ode.missing_closed_form(problem) is None
        cases.append((problem, build.overlaps(problem, seed=3)))
    return dict(zip(CLOSED, map(largest, theories(cases), mean_steps(cases, seed=3)), strict=True))


@pytest.mark.parametrize("case", CLOSED)
def test_closed_forms_are_the_mean_step_of_the_simulator(
    case: tuple[str, str, str], closed_forms: dict[Any, float]
) -> None:
    assert closed_forms[case] < 5


MIXTURES = [("relu", "squared"), ("relu", "logistic"), ("tanh", "squared")]
MIXTURE_SLIPS = ("", "separation", "variances swapped", "one cluster relabelled")


@pytest.fixture(scope="module")
def mixtures() -> dict[tuple[str, str], dict[str, float]]:
    """The largest deviation on each mixture, without a slip and with each, from the steps without one."""
    slips = {
        slip: [build.mixture(student=jnp.tanh if s == "tanh" else s, loss=loss, slip=slip) for s, loss in MIXTURES]
        for slip in MIXTURE_SLIPS
    }
    states = [build.overlaps(problem, seed=4) for problem in slips[""]]
    simulated = mean_steps(list(zip(slips[""], states, strict=True)), seed=4, dims=2)  # a larger 1/N term
    found: dict[tuple[str, str], dict[str, float]] = {case: {} for case in MIXTURES}
    for slip, problems in slips.items():
        theory = theories(list(zip(problems, states, strict=True)))
        for case, deviation in zip(MIXTURES, map(largest, theory, simulated), strict=True):
            found[case][slip] = deviation
    return found


@pytest.mark.parametrize("case", MIXTURES)
def test_drift_on_the_mixture_is_the_mean_step_of_the_simulator(
    case: tuple[str, str], mixtures: dict[Any, dict[str, float]]
) -> None:
    right, *wrong = mixtures[case].values()
    assert right < 5
    assert min(wrong) > 5, mixtures[case]


@pytest.fixture(scope="module")
def erf_case() -> tuple[ts.Problem, ts.Overlaps, Estimate]:
    problem = build.problem()
    state = build.overlaps(problem, seed=9)
    return problem, state, mean_steps([(problem, state)], seed=9)[0]


def sabotaged(problem: ts.Problem, name: str) -> ts.Problem:
    """The problem with one convention slip."""
    task, sgd = problem.task, problem.sgd
    assert isinstance(task, ts.Committee)
    changes: dict[str, Any] = {"task": {}, "sgd": {}}
    easy, hard = task.inputs.variances
    names = ("relevant", "irrelevant")
    if name == "blocks swapped":
        levels = {"easy": dict(zip(names, easy[::-1], strict=True)), "hard": dict(zip(names, hard[::-1], strict=True))}
        changes["task"] = {"inputs": ts.Inputs(build.BLOCKS[2], levels)}
    elif name == "fractions swapped":
        levels = {"easy": dict(zip(names, easy, strict=True)), "hard": dict(zip(names, hard, strict=True))}
        changes["task"] = {"inputs": ts.Inputs({"relevant": 0.7, "irrelevant": 0.3}, levels)}
    elif name == "noise forgotten":
        changes["task"] = {"noise": 0.0}
    elif name == "weight decay halved":
        changes["sgd"] = {"weight_decay": 0.05}
    elif name == "factor 2 in the rate":
        changes["sgd"] = {"learning_rate": 1.4}
    given = {"inputs": task.inputs, "noise": task.noise} | changes["task"]
    rates = {
        "learning_rate": sgd.learning_rate,
        "readout_learning_rate": sgd.readout_learning_rate,
        "weight_decay": sgd.weight_decay,
    } | changes["sgd"]
    committee = ts.Committee(given["inputs"], 2, "erf", task.readout, task.support, "value", given["noise"])
    order = problem.curriculum
    if name == "levels exchanged":
        order = ts.Curriculum.mixed({"easy": 0.6, "hard": 0.4}, 10.0)
    return ts.Problem(committee, problem.student, ts.SGD(**rates), order)


SLIPS = ["blocks swapped", "fractions swapped", "noise forgotten", "weight decay halved", "factor 2 in the rate",
         "levels exchanged"]  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_convention_slip_is_caught(slip: str, erf_case: Any) -> None:
    problem, state, simulated = erf_case
    (right,), (wrong,) = theories([(problem, state)]), theories([(sabotaged(problem, slip), state)])
    assert largest(right, simulated) < 5
    assert largest(wrong, simulated) > 5


def test_a_missing_second_order_term_is_caught(erf_case: Any) -> None:
    problem, state, (mean, error) = erf_case
    ((drift, _),) = theories([(problem, state)])
    ((double, _),) = theories([(sabotaged(problem, "factor 2 in the rate"), state)])
    readouts = problem.student.width
    without = drift - np.where(np.arange(drift.size) < drift.size - readouts, (double - 2 * drift) / 2, 0.0)
    z = (without - mean)[error > 1e-9] / error[error > 1e-9]
    assert np.max(np.abs(z)) > 5
