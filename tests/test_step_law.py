"""Covariance D of one SGD step, and the remainder c of its mean at finite N, against the simulator's own step.

Tolerance: 5 standard errors for each of at most 400 entries a case: with normal errors a right formula fails with
probability below 3e-4.
"""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ode
import teacher_student as ts
from ode import _diffusion
from ode.averages import FixedSample
from teacher_student import internal

from . import build
from .single_steps import steps

pytestmark = pytest.mark.slow  # most of its time is compilation

CASES: dict[str, Callable[[], ts.Problem]] = {
    "erf": lambda: build.problem(),
    "tanh, sign labels, logistic": lambda: build.problem(student=jnp.tanh, labels="sign", loss="logistic", blocks=1),
    "relu, a block of fraction 0": lambda: build.problem(student="relu", teacher="linear", blocks=3),
    "mixture": lambda: build.mixture(),
}
SMALL = {1: 40, 2: 40, 3: 42}  # N whose blocks have exactly their fractions of what the finite block leaves


def vectors(changes: ts.Overlaps) -> np.ndarray:
    """(samples, n) entries of many changes."""
    with jax.enable_x64(True):
        return np.asarray(jax.vmap(ts.to_vector)(changes))


def theory(problem: ts.Problem, state: ts.Overlaps, what: Any = _diffusion.diffusion) -> tuple[Any, Any]:
    """D and c, mean over scramblings and standard error."""
    with jax.enable_x64(True):
        inputs = internal.to_float((problem, state), jnp.float64)
        samples = ode.Sampled(2**12, 8, key=3).draw(problem)

        @build.compiled
        def each_scrambling(samples: Any) -> Any:
            return jax.lax.map(lambda each: what(inputs[0], each, 0.0, inputs[1]), samples)

        found = each_scrambling(samples)
        D, c = (
            (np.mean(x, axis=0), np.std(x, axis=0, ddof=1) / np.sqrt(8))
            for x in (np.asarray(found.covariance), np.asarray(found.beyond))
        )
        return D, c


def covariance_deviations(D: tuple[np.ndarray, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Deviations of the sampled covariance from D, in standard errors of both (those of constant entries left out)."""
    x = x - x.mean(axis=0)
    moving = x.std(axis=0) > 1e-9
    x, mean, error = x[:, moving], D[0][np.ix_(moving, moving)], D[1][np.ix_(moving, moving)]
    second = x.T @ x / len(x)
    squares = (x**2).T @ (x**2) / len(x)
    found: np.ndarray = (second - mean) / np.sqrt((squares - second**2) / len(x) + error**2)
    return found


@functools.cache
def stepped() -> dict[str, tuple[ts.Problem, ts.Overlaps, np.ndarray]]:
    """Each case, and "uneven", with the changes of single steps; all of them come from one program."""
    problems = {name: make() for name, make in CASES.items()} | {"uneven": uneven()}
    cases = [(problem, build.overlaps(problem, seed=2)) for problem in problems.values()]
    changes = map(vectors, steps(cases, 5, 2000, 20_000))
    return {name: (*case, x) for name, case, x in zip(problems, cases, changes, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_D_is_the_covariance_of_the_simulators_step(name: str) -> None:
    problem, state, x = stepped()[name]
    (D, D_error), _ = theory(problem, state)
    assert np.max(np.abs(covariance_deviations((D, D_error), x))) < 5
    np.testing.assert_allclose(D, D.T, atol=1e-12)
    assert np.linalg.eigvalsh(D)[0] > -1e-10


def without_eta_squared(problem: ts.Problem, *rest: Any) -> Any:
    """D of a step that has lost its eta^2 part: from rates so small that the linear part alone is left, scaled back."""
    small = eqx.tree_at(lambda p: (p.sgd.learning_rate, p.sgd.readout_learning_rate), problem,
                        replace_fn=lambda rate: rate * 1e-6)  # fmt: skip
    return jax.tree.map(lambda x: x * 1e12, _diffusion.diffusion(small, *rest))


def without_the_draw_of_levels(problem: ts.Problem, sample: FixedSample, alpha: Any, state: ts.Overlaps) -> Any:
    """The mean of the levels' own D, as if every sample's level were known in advance."""

    def fixed(level: str) -> Any:
        curriculum = ts.Curriculum.single(level, 10.0)
        chosen = ts.Problem(problem.task, problem.student, problem.sgd, curriculum)
        return _diffusion.diffusion(chosen, sample, alpha, state)

    return jax.tree.map(lambda a, b: 0.4 * a + 0.6 * b, fixed("easy"), fixed("hard"))


def uneven() -> ts.Problem:
    """Two levels whose mean steps differ by about as much as single steps vary."""
    task = ts.Committee(ts.Inputs({"all": 1.0}, {"easy": {"all": 0.1}, "hard": {"all": 6.0}}), 1, "linear")
    order = ts.Curriculum.mixed({"easy": 0.4, "hard": 0.6}, 10.0)
    return ts.Problem(task, ts.Student(2), ts.SGD(0.7, 0.4), order)


@pytest.mark.parametrize("slip", [without_eta_squared, without_the_draw_of_levels])
def test_a_wrong_D_is_caught(slip: Any) -> None:
    problem, state, x = stepped()["uneven"]
    assert np.max(np.abs(covariance_deviations(theory(problem, state)[0], x))) < 5
    assert np.max(np.abs(covariance_deviations(theory(problem, state, slip)[0], x))) > 5


@pytest.mark.parametrize("name", ["erf", "relu, a block of fraction 0", "mixture"])
def test_c_is_what_the_drift_leaves_out_at_small_N(name: str) -> None:
    """N (E[step] - drift / N) = c, and neither nothing nor c without the rank of the students' and latents' span."""
    problem = CASES[name]()
    state = build.overlaps(problem, seed=2)
    dim, samples = SMALL[problem.shape[0]], 400_000
    x = vectors(steps([(problem, state)], 8, dim, samples)[0])
    _, (c, c_error) = theory(problem, state)
    drift, drift_error = _drift(problem, state)
    error = np.sqrt(x.var(axis=0) / samples + drift_error**2 + (c_error / dim) ** 2)
    moving = error > 1e-9
    difference = (x.mean(axis=0) - drift)[moving]
    assert np.max(np.abs(difference - c[moving] / dim) / error[moving]) < 5
    assert np.max(np.abs(difference) / error[moving]) > 5  # c is not too small to be seen


def _drift(problem: ts.Problem, state: ts.Overlaps) -> tuple[np.ndarray, np.ndarray]:
    with jax.enable_x64(True):
        inputs = internal.to_float((problem, state), jnp.float64)
        if ode.missing_closed_form(problem) is None:
            exact = np.asarray(ts.to_vector(ode.drift(inputs[0], ode.ClosedForm(), 0.0, inputs[1])))
            return exact, np.zeros_like(exact)
        points = ode.Sampled(2**15, 8, key=5).draw(problem)
        one = jax.jit(lambda each: ts.to_vector(ode.drift(inputs[0], each, 0.0, inputs[1])))
        found = np.asarray(jax.lax.map(one, points))
        return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(8)
