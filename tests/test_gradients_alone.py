"""Every number of a problem and its start differentiated alone: what is not differentiated has no tangent then."""

from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ode
import teacher_student as ts

from . import build
from .test_law_derivatives import agree, each_scrambling

ORDER = ts.Curriculum.phases(("easy", 0.5), ({"easy": 0.6, "hard": 0.4}, {"easy": 0.3, "hard": 0.7}, 1.0))
AT = 0.9  # within the ramp, so that shares at both of its ends and both durations count
STEP = 1e-5
JUMPS = ["relu", "sign labels"]


def small(**given: Any) -> ts.Problem:
    return build.problem(blocks=1, K=1, M=1, readout=(1.0,), curriculum=ORDER, **given)


def parts_of(problem: ts.Problem) -> tuple[list[str], list[np.ndarray], Callable[[Any], Any]]:
    """The arrays of a problem and a start of it, what each is called, and the way back."""
    paths, structure = jax.tree.flatten_with_path((problem, build.overlaps(problem, 1)))
    return [jax.tree_util.keystr(path) for path, _ in paths], [np.asarray(x) for _, x in paths], structure.unflatten


def drift_of(parts: Any, back: Callable[[Any], Any], averages: Any) -> jax.Array:
    """Some number that every entry of the drift enters."""
    problem, start = back(parts)
    change = ode.drift(problem, averages, AT, start)
    return change.Q.sum() + 2 * change.R.sum() + 3 * change.readout.sum()


def with_part(parts: list[Any], index: int, part: Any) -> list[Any]:
    return [part if i == index else x for i, x in enumerate(parts)]


def each_alone(derivative: Any, function: Callable[[Any], jax.Array], parts: list[Any], which: list[int]) -> list[Any]:
    """`derivative` (jax.grad or jax.jacfwd) of `function` in one part after the other, the others held."""
    return [derivative(lambda x, i=i: function(with_part(parts, i, x)))(parts[i]) for i in which]


def finite_differences(function: Callable[[Any], jax.Array], parts: list[np.ndarray]) -> list[np.ndarray]:
    """Central differences in every entry of every part; of shares of 0 one-sided ones, to second order."""
    slopes = []
    for i, part in enumerate(parts):
        slope = np.zeros_like(part)
        for entry in np.ndindex(part.shape):
            h = np.zeros_like(part)
            h[entry] = STEP

            def value(times: float, i: int = i, part: Any = part, h: Any = h) -> float:
                return float(function(with_part(parts, i, part + times * h)))

            if part[entry] == 0:
                slope[entry] = (4 * value(1) - value(2) - 3 * value(0)) / (2 * STEP)
            else:
                slope[entry] = (value(1) - value(-1)) / (2 * STEP)
        slopes.append(slope)
    return slopes


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["closed form", "sampled"])
def test_the_drift_in_every_number_alone_is_that_of_finite_differences(kind: str) -> None:
    problem = small()
    names, parts, back = parts_of(problem)
    averages: Any = ode.ClosedForm()
    if kind == "sampled":
        averages = jax.tree.map(lambda x: x[0], ode.Sampled(2**6, 1).draw(problem))
    every = list(range(len(parts)))
    with jax.enable_x64(True):

        def value(parts: Any) -> jax.Array:
            return drift_of(parts, back, averages)

        finite = finite_differences(jax.jit(value), parts)
        reverse = jax.jit(lambda parts: each_alone(jax.grad, value, parts, every))(parts)
        forward = jax.jit(lambda parts: each_alone(jax.jacfwd, value, parts, every))(parts)
    for name, *slopes in zip(names, finite, reverse, forward, strict=True):
        np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-6, atol=1e-8, err_msg=name)
        np.testing.assert_allclose(slopes[2], slopes[1], rtol=1e-9, atol=1e-12, err_msg=name)
    by_name = dict(zip(names, finite, strict=True))
    assert len(by_name) == 14
    for name in ("initial_shares", "final_shares", "durations"):
        assert np.max(np.abs(by_name[f"[0].curriculum.{name}"])) > 1e-3


@pytest.mark.parametrize("kind", ["closed form", *(pytest.param(x, marks=pytest.mark.slow) for x in JUMPS)])
def test_shares_alone_have_derivatives_outside_of_jit_too(kind: str) -> None:
    """The drift is linear in them, so that one step of any length is a derivative, also of points that jump."""
    given = {"closed form": {}, "relu": {"student": "relu"}, "sign labels": {"labels": "sign"}}[kind]
    problem = small(**given)
    names, parts, back = parts_of(problem)
    averages: Any = ode.ClosedForm()
    if kind != "closed form":
        averages = jax.tree.map(lambda x: x[0], ode.Sampled(2**6, 1).draw(problem))
    which = names.index("[0].curriculum.final_shares")
    with jax.enable_x64(True):
        value = jax.jit(lambda x: drift_of(with_part(parts, which, x), back, averages))
        one_by_one = jax.grad(lambda x: drift_of(with_part(parts, which, x), back, averages))(parts[which])
        steps = 0.1 * np.eye(4).reshape(4, 2, 2)
        finite = [(value(parts[which] + step) - value(parts[which])) / 0.1 for step in steps]
        np.testing.assert_allclose(one_by_one.ravel(), finite, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(jax.jacfwd(value)(parts[which]), one_by_one, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(jax.jit(jax.grad(value))(parts[which]), one_by_one, rtol=1e-9, atol=1e-12)
    assert np.max(np.abs(finite)) > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("kind", JUMPS)
def test_with_jumps_a_number_alone_moves_as_it_does_among_all(kind: str) -> None:
    """All at once they are held against closed forms elsewhere; alone they take another way through the code."""
    problem = small(student="relu") if kind == "relu" else small(labels="sign")
    names, parts, back = parts_of(problem)
    sample = jax.tree.map(lambda x: x[0], ode.Sampled(2**6, 1).draw(problem))
    every = list(range(len(parts)))
    with jax.enable_x64(True):

        def value(parts: Any) -> jax.Array:
            return drift_of(parts, back, sample)

        together = jax.jit(jax.grad(value))(parts)
        alone = jax.jit(lambda parts: each_alone(jax.grad, value, parts, every))(parts)
        forward = jax.jit(lambda parts: each_alone(jax.jacfwd, value, parts, every))(parts)
    for name, *slopes in zip(names, together, alone, forward, strict=True):
        np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-9, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(slopes[2], slopes[0], rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.slow
def test_with_sign_labels_every_number_alone_moves_as_in_the_closed_form() -> None:
    """Against finite differences of the closed form, but for noise, with which there is none."""
    problem = small(labels="sign", noise=0.0)
    names, parts, back = parts_of(problem)
    smoothed = (".task.noise", ".task.readout")  # derivatives in these are smoothed by a density, with a bias
    which = [i for i, name in enumerate(names) if not name.endswith(smoothed)]
    with jax.enable_x64(True):
        finite = finite_differences(jax.jit(lambda parts: drift_of(parts, back, ode.ClosedForm())), parts)

        def sampled(sample: Any) -> Any:
            return each_alone(jax.grad, lambda parts: drift_of(parts, back, sample), parts, which)

        alone = each_scrambling(sampled, problem, 2**10)
    rows = [np.concatenate([np.ravel(x[s]) for x in alone]) for s in range(len(alone[0]))]
    exact = np.concatenate([np.ravel(finite[i]) for i in which])
    moves = np.std(rows, axis=0) > 1e-9  # numbers that enter linearly with an exact average have no sampling error
    np.testing.assert_allclose(np.mean(rows, axis=0)[~moves], exact[~moves], atol=1e-6)
    assert agree(np.array(rows)[:, moves], exact[moves])


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["reverse", "forward", "jit(grad)"])
def test_a_solve_in_each_number_of_its_curriculum_alone(mode: str) -> None:
    problem = small()
    start = build.overlaps(problem, 1)

    def error(name: str, numbers: Any, adjoint: Any = None) -> Any:
        order = eqx.tree_at(lambda order: getattr(order, name), ORDER, numbers)
        changed = eqx.tree_at(lambda p: p.curriculum, problem, order)
        solved = ode.solve(changed, start, [1.2], with_accuracy=False, rtol=1e-10, atol=1e-12, adjoint=adjoint)
        return solved.error["hard"][-1]

    names = {"reverse": ["final_shares"], "forward": ["initial_shares", "durations"], "jit(grad)": ["durations"]}[mode]
    for name in names:
        at = np.asarray(getattr(ORDER, name))
        finite = finite_differences(lambda parts, name=name: error(name, parts[0]), [at])[0]
        with jax.enable_x64(True):
            if mode == "forward":
                slope = jax.jit(jax.jacfwd(lambda x, name=name: error(name, x, diffrax.ForwardMode())))(at)
            else:
                gradient = jax.grad(lambda x, name=name: error(name, x))
                slope = (jax.jit(gradient) if mode == "jit(grad)" else gradient)(jnp.asarray(at))
        np.testing.assert_allclose(slope, finite, rtol=1e-4, atol=1e-6)
        assert np.max(np.abs(finite)) > 1e-3
