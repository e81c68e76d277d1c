"""The joint law of a run along its trajectory, and the response of a trajectory to every number, each alone."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from scipy import stats

import ode
import simulations
import teacher_student as ts
from teacher_student import Directions

from . import build
from .test_fluctuations import both_layers, switched, xor

ALPHAS = np.array([0.5, 1.5, 2.5, 4.0])
DIM, RUNS = 200, 4000
PROBLEMS = {each.__name__: each for each in (switched, both_layers, xor)}
OPTIONS: dict[str, dict[str, Any]] = {"xor": {"averages": ode.Sampled(2**11, 4)}}


@functools.cache
def theory_of(name: str) -> ts.Trajectory:
    return ode.fluctuations(*PROBLEMS[name](), ALPHAS, **OPTIONS.get(name, {}))


@functools.cache
def runs_of(name: str) -> ts.Trajectory:
    problem, start = PROBLEMS[name]()
    return simulations.run(
        problem, DIM, RUNS, ALPHAS, 3, start=start, method="overlaps", test_samples=64, progress=False
    )


def measured_covariance(runs: ts.Trajectory, with_accuracy: bool) -> tuple[np.ndarray, np.ndarray]:
    """N times the covariance of all quantities between all alphas (m, m), alpha slowest, and its standard error."""
    kinds = ("Q", "R", "readout", "error", *(["accuracy"] if with_accuracy else []))
    chosen = [q.values for q in ts.quantities(runs.observables, runs.problem) if q.kind in kinds]
    x = np.stack(chosen, axis=-1).reshape(RUNS, -1)
    x = (x - x.mean(axis=0)) * np.sqrt(DIM)
    products = np.einsum("ri,rj->ijr", x, x)
    return products.mean(axis=-1), products.std(axis=-1, ddof=1) / np.sqrt(RUNS)


def predicted_covariance(theory: ts.Trajectory, law: ts.JointLaw, tests: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The same as theory says, with the noise of so many test samples, and the error of its sampled averages."""
    predicted = build.given(theory.fluctuations)
    covariance, (_, error) = law.covariance(), predicted.joint_covariance()
    A, n = len(ALPHAS), law.innovation.shape[-1]
    for i in range(A if tests is not None else 0):
        covariance[i, n:, i, n:] += law.test_covariance[i] * DIM / tests
    m = A * covariance.shape[1]
    return covariance.reshape(m, m), np.nan_to_num(error.reshape(m, m))


def largest_z(name: str, law: ts.JointLaw | None = None, tests: int | None = 0) -> tuple[float, float]:
    """The largest |z| over every pair of quantities and alphas, and its threshold at a family-wise level of 1 %."""
    theory, runs = theory_of(name), runs_of(name)
    law = law or build.given(build.given(theory.fluctuations).law)
    measured, error = measured_covariance(runs, bool(theory.accuracy))
    predicted, its_error = predicted_covariance(theory, law, runs.source.test_samples if tests == 0 else tests)
    moving = (np.diagonal(measured) > 1e-8) & (np.diagonal(predicted) > 1e-8)
    pairs = np.outer(moving, moving) & (np.tri(len(moving)) > 0)
    z = np.abs(measured - predicted)[pairs] / np.hypot(error, its_error)[pairs]
    return float(z.max()), float(stats.norm.isf(0.01 / 2 / z.size))


@pytest.mark.long("switched", "xor")
@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_runs_at_two_alphas_vary_together_as_predicted(name: str) -> None:
    """4000 runs of the chain, every pair of quantities at every pair of alphas, at a family-wise level of 1 %."""
    largest, threshold = largest_z(name)
    assert largest < threshold


@pytest.mark.slow
def test_a_law_without_propagator_or_without_test_noise_is_caught() -> None:
    law = build.given(build.given(theory_of("switched").fluctuations).law)
    still = dataclasses.replace(law, propagator=np.broadcast_to(np.eye(law.propagator.shape[-1]), law.propagator.shape))
    for wrong in (largest_z("switched", still), largest_z("switched", tests=None)):
        assert wrong[0] > wrong[1]


@pytest.mark.long
def test_alphas_that_are_left_out_do_not_change_the_law() -> None:
    """Pieces are put together, propagators and responses included, also across a switch."""
    theory, kept = theory_of("switched"), [1, 3]
    chosen = build.given(theory.at(ALPHAS[kept]).fluctuations)
    alone = build.given(ode.fluctuations(*switched(), ALPHAS[kept]).fluctuations)
    for some, whole in ((chosen.law, alone.law), (chosen.responses, alone.responses)):
        for a, b in zip(jax.tree.leaves(some), jax.tree.leaves(whole), strict=True):
            np.testing.assert_allclose(a, b, atol=2e-4 * max(1.0, float(np.max(np.abs(b)))))


def test_the_law_at_one_alpha_is_the_covariance() -> None:
    predicted = build.given(theory_of("switched").fluctuations)
    covariance, n = build.given(predicted.law).covariance(), predicted.covariance.shape[-1]
    for i in range(len(ALPHAS)):
        np.testing.assert_allclose(covariance[i, :n, i, :n], predicted.covariance[i], atol=1e-4)
    variances = [q.values for q in ts.quantities(predicted.variance, switched()[0])]
    np.testing.assert_allclose(np.einsum("imim->mi", covariance), variances, atol=1e-4)


def test_a_saved_law_comes_back(tmp_path: Path) -> None:
    theory = theory_of("switched")
    loaded = ts.Trajectory.load(theory.save(tmp_path / "theory.nc"))
    saved, read = build.given(theory.fluctuations), build.given(loaded.fluctuations)
    assert build.given(read.responses).names == build.given(saved.responses).names
    for a, b in zip(jax.tree.leaves(saved), jax.tree.leaves(read), strict=True):
        np.testing.assert_array_equal(a, b)


def ramped() -> tuple[ts.Problem, ts.Overlaps]:
    """A phase of one level, a ramp, and a mixture, with both layers trained."""
    problem, start = both_layers()
    phases = ts.Curriculum.phases(("easy", 1.2), ("easy", "hard", 1.5), ({"easy": 0.3, "hard": 0.7}, 3.0))
    return dataclasses.replace(problem, curriculum=phases), start


def values_of(problem: ts.Problem, start: ts.Overlaps) -> np.ndarray:
    trajectory = ode.solve(problem, start, ALPHAS, rtol=1e-10, atol=1e-12, with_accuracy=False)
    return np.stack([q.values for q in ts.quantities(trajectory.observables, problem)], axis=-1)


@pytest.mark.long("ramped")
@pytest.mark.parametrize("make", [switched, ramped])
def test_every_number_alone_moves_the_trajectory_as_the_response_says(make: Any) -> None:
    """Central differences of solves with one number changed: rates, noise, variances, fractions, lengths and scales."""
    problem, start = make()
    predicted = build.given(ode.fluctuations(problem, start, ALPHAS, with_accuracy=False).fluctuations)
    responses = build.given(predicted.responses).quantities(build.given(predicted.law))
    directions, step = Directions.of(problem, start), 1e-4
    tangents = jax.tree.leaves((directions.problem, directions.start))
    leaves, structure = jax.tree.flatten((problem, start))
    assert {"sgd.learning_rate", "start.scale", "task.inputs.fractions[relevant]"} < set(directions.names)
    for p, name in enumerate(directions.names):

        def moved(by: float, p: int = p) -> np.ndarray:
            numbers = [np.asarray(x, float) + by * dx[p] for x, dx in zip(leaves, tangents, strict=True)]
            other, state = jax.tree.unflatten(structure, numbers)
            other = dataclasses.replace(other, curriculum=other.curriculum + ts.Curriculum.single("hard", 1.0))
            return values_of(other, state)

        difference = (moved(step) - moved(-step)) / (2 * step)
        scale = max(1e-3, float(np.max(np.abs(difference))))
        np.testing.assert_allclose(responses[..., p], difference, atol=3e-4 * scale, err_msg=name)
