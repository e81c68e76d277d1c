"""The heart: the drift equals the mean of one SGD step of the simulator, N (Omega_after - Omega_before).

Tolerance: 5 standard errors of that mean (and of sampled averages, added in quadrature) for each of at most
50 entries a case: a right drift fails with probability below 1e-3 over all cases. N is large enough that the
1/N term is a small part of a standard error (a block of fraction 0 has M/N of the dimensions, so it needs more).
"""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ode
import simulations
import teacher_student as ts
from simulations._step import block_of_dimension

from . import build

pytestmark = pytest.mark.slow  # most of its time is compilation

DIM, SAMPLES, BATCH = {1: 1000, 2: 1000, 3: 2000}, {1: 25_000, 2: 25_000, 3: 12_500}, 250  # by number of blocks


def entries(state: ts.Overlaps) -> np.ndarray:
    """Q, R and readout as one vector."""
    leading = state.readout.shape[:-1]
    return np.concatenate([np.reshape(x, (*leading, -1)) for x in (state.Q, state.R, state.readout)], axis=-1)


def mean_step(problem: ts.Problem, state: ts.Overlaps, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error of N (Omega_after - Omega_before) over fresh samples at fixed weights."""
    samples = SAMPLES[problem.shape[0]]
    flat = entries(steps(problem, state, seed, DIM[problem.shape[0]], samples))
    return flat.mean(axis=0), flat.std(axis=0, ddof=1) / np.sqrt(samples)


def steps(problem: ts.Problem, state: ts.Overlaps, seed: int, dim: int, samples: int) -> ts.Overlaps:
    """N (Omega_after - Omega_before) of many single steps from the same weights, in N = `dim` (leading axis)."""
    with jax.enable_x64(True):
        inputs = ts.to_float((problem, state), jnp.float64)
        return ts.to_host(_steps(*inputs, jax.random.key(seed), dim, samples))


def _steps(problem: ts.Problem, state: ts.Overlaps, key: Any, dim: int, samples: int) -> ts.Overlaps:
    sizes = problem.inputs.sizes(dim, problem.task.latents)
    blocks = block_of_dimension(sizes)
    weights_key, samples_key = jax.random.split(key)
    weights = simulations.weights_with(state, sizes, weights_key, jnp.float64)
    before = simulations.measure_overlaps(weights, sizes)
    shares = problem.level_shares(problem.curriculum.shares(0.0))
    clusters = jnp.asarray(problem.task.cluster_probabilities)

    def one(key: Any) -> ts.Overlaps:
        keys = jax.random.split(key, 4)
        cluster = jax.random.choice(keys[3], clusters.size, p=clusters)
        level = jax.random.choice(keys[0], shares.size, p=shares)
        normal, noise = jax.random.normal(keys[1], (dim,)), jax.random.normal(keys[2])
        sample = simulations.make_sample(problem, weights.latents, blocks, normal, level, cluster, noise)
        after = simulations.measure_overlaps(simulations.sgd_step(problem, weights, sample), sizes)
        return jax.tree.map(lambda a, b: dim * (a - b), after, before)

    return jax.jit(partial(jax.lax.map, one, batch_size=BATCH))(jax.random.split(samples_key, samples))


def theory(problem: ts.Problem, state: ts.Overlaps, sampled: bool) -> tuple[np.ndarray, np.ndarray]:
    """The drift at alpha = 0 and its standard error (0 for closed forms)."""
    with jax.enable_x64(True):
        inputs = ts.to_float((problem, state), jnp.float64)
        if not sampled:
            exact = entries(ts.to_host(eqx.filter_jit(ode.drift)(inputs[0], ode.ClosedForm(), 0.0, inputs[1])))
            return exact, np.zeros_like(exact)
        points = ode.Sampled(2**12, 8, key=5).draw(problem)
        drifts = jax.jit(jax.vmap(lambda each: ode.drift(inputs[0], each, 0.0, inputs[1])))(points)
        flat = entries(ts.to_host(drifts))
        return flat.mean(axis=0), flat.std(axis=0, ddof=1) / np.sqrt(8)


def standard_errors(problem: ts.Problem, state: ts.Overlaps, simulated: tuple, sampled: bool) -> np.ndarray:
    """Deviation of each entry of the drift from the simulator's step, in standard errors (0 where both are exact)."""
    (drift, drift_error), (mean, error) = theory(problem, state, sampled), simulated
    total = np.sqrt(drift_error**2 + error**2)
    exact = total < 1e-9
    np.testing.assert_allclose(drift[exact], mean[exact], atol=1e-7)
    return np.where(exact, 0.0, (drift - mean) / np.where(exact, 1.0, total))


TEACHERS = {"erf": "erf", "relu": "relu", "linear": "sign", "tanh": "linear"}  # each kind with some student
CASES = [
    (student, labels, loss, blocks)
    for student in ("erf", "relu", "linear", "tanh")
    for labels, loss in (("value", "squared"), ("sign", "squared"), ("sign", "logistic"))
    for blocks in (1, 2, 3)
]


@pytest.mark.parametrize(("student", "labels", "loss", "blocks"), CASES)
def test_drift_is_the_mean_step_of_the_simulator(student: str, labels: str, loss: str, blocks: int) -> None:
    activation = jnp.tanh if student == "tanh" else student
    problem = build.problem(student=activation, teacher=TEACHERS[student], labels=labels, loss=loss, blocks=blocks)
    state = build.overlaps(problem, seed=blocks)
    sampled = ode.missing_closed_form(problem) is not None
    z = standard_errors(problem, state, mean_step(problem, state, seed=blocks), sampled)
    assert np.max(np.abs(z)) < 5


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


@pytest.mark.parametrize(("student", "teacher", "labels"), CLOSED)
def test_closed_forms_are_the_mean_step_of_the_simulator(student: str, teacher: str, labels: str) -> None:
    M = 1 if labels == "sign" else 2  # a sign label of one odd unit has a closed form, of several it has none
    noise = 0.0 if labels == "sign" else 0.3
    problem = build.problem(student=student, teacher=teacher, labels=labels, M=M, noise=noise)
    state = build.overlaps(problem, seed=3)
    z = standard_errors(problem, state, mean_step(problem, state, seed=3), sampled=False)
    assert np.max(np.abs(z)) < 5


@pytest.mark.parametrize(("student", "loss"), [("relu", "squared"), ("relu", "logistic"), ("tanh", "squared")])
def test_drift_on_the_mixture_is_the_mean_step_of_the_simulator(student: str, loss: str) -> None:
    problem = build.mixture(student=jnp.tanh if student == "tanh" else student, loss=loss)
    state = build.overlaps(problem, seed=4)
    simulated = mean_step(problem, state, seed=4)
    assert np.max(np.abs(standard_errors(problem, state, simulated, sampled=True))) < 5
    for slip in ("separation", "variances swapped", "one cluster relabelled"):
        wrong = build.mixture(student=problem.student.activation, loss=loss, slip=slip)
        assert np.max(np.abs(standard_errors(wrong, state, simulated, sampled=True))) > 5, slip


@pytest.fixture(scope="module")
def erf_case() -> tuple[ts.Problem, ts.Overlaps, tuple[np.ndarray, np.ndarray]]:
    problem = build.problem()
    state = build.overlaps(problem, seed=9)
    return problem, state, mean_step(problem, state, seed=9)


def sabotaged(problem: ts.Problem, name: str) -> ts.Problem:
    """The problem with one convention slip."""
    task, sgd = problem.task, problem.sgd
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
    assert np.max(np.abs(standard_errors(problem, state, simulated, sampled=False))) < 5
    assert np.max(np.abs(standard_errors(sabotaged(problem, slip), state, simulated, sampled=False))) > 5


def test_a_missing_second_order_term_is_caught(erf_case: Any) -> None:
    problem, state, (mean, error) = erf_case
    drift, _ = theory(problem, state, sampled=False)
    double, _ = theory(sabotaged(problem, "factor 2 in the rate"), state, sampled=False)
    readouts = problem.student.width
    without = drift - np.where(np.arange(drift.size) < drift.size - readouts, (double - 2 * drift) / 2, 0.0)
    z = (without - mean)[error > 1e-9] / error[error > 1e-9]
    assert np.max(np.abs(z)) > 5
