"""Derivatives of the final error with respect to every number of a problem and its start, both modes."""

import itertools
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

pytestmark = pytest.mark.slow  # most of its time is compilation


def numbers_of(tree: Any) -> tuple[np.ndarray, list[str], Any]:
    """All floating-point numbers of a tree in a row, what each is called, and the way back."""
    paths, structure = jax.tree.flatten_with_path(tree)
    leaves = [np.asarray(x) for _, x in paths]
    places = [i for i, x in enumerate(leaves) if x.dtype.kind == "f"]
    edges = np.cumsum([0, *(leaves[i].size for i in places)])
    names = [f"{jax.tree_util.keystr(paths[i][0])}[{j}]" for i in places for j in range(leaves[i].size)]

    def back(row: Any) -> Any:
        new = list(leaves)
        for i, (a, b) in zip(places, itertools.pairwise(edges), strict=True):
            new[i] = row[a:b].reshape(leaves[i].shape)
        return jax.tree.unflatten(structure, new)

    return np.concatenate([leaves[i].ravel() for i in places]), names, back


def test_the_derivative_with_respect_to_every_number() -> None:
    """Two phases: rates, decay, noise, variances, readouts, overlaps, lengths of phases, shares (also those of 0)."""
    order = ts.Curriculum.phases(("easy", 0.5), ("hard", 1.0))
    problem = build.problem(K=2, M=1, readout=(1.0,), curriculum=order)
    with jax.enable_x64(True):
        at, names, back = numbers_of((problem, build.overlaps(problem, 1)))

        def error(numbers: Any, adjoint: Any = None, rate: Any = None) -> jax.Array:
            changed, given = back(numbers)
            if rate is not None:
                changed = eqx.tree_at(lambda p: p.sgd.learning_rate, changed, rate)
            Q, T = ((x + x.swapaxes(-1, -2)) / 2 for x in (given.Q, given.T))  # only symmetric ones mean anything
            start = ts.Overlaps(Q, given.R, T, given.readout)
            found = ode.solve(changed, start, [0.3, 1.5], with_accuracy=False, rtol=1e-10, atol=1e-12, adjoint=adjoint)
            return found.error["hard"][-1]

        reverse = jax.jit(jax.grad(error))(at)
        forward = jax.jit(jax.jacfwd(lambda x: error(x, diffrax.ForwardMode())))(at)
        rate = names.index("[0].sgd.learning_rate[0]")
        alone = jax.jit(jax.grad(lambda x: error(at, rate=x)))(at[rate])  # levels of share 0 are skipped
        value, h = jax.jit(error), 1e-4
        finite = []
        for name, step in zip(names, h * np.eye(at.size), strict=True):
            up, twice = value(at + step), value(at + 2 * step)
            if "shares" in name:  # at the border of what a share can be: one-sided, to second order
                finite.append((4 * up - twice - 3 * value(at)) / (2 * h))
            else:
                finite.append((up - value(at - step)) / (2 * h))
    np.testing.assert_allclose(reverse, finite, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(forward, reverse, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(alone, reverse[rate], rtol=1e-8)
    known = dict(zip(names, np.abs(finite), strict=True))
    assert len(known) > 30
    assert min(known[name] for name in known if "initial_shares" in name) > 1e-3  # also of levels that are not shown
    assert known["[0].curriculum.durations[0]"] > 1e-4


# With jumps there is one block: in a block that the teacher does not see, R is 0, and points do not look at it.
ALONE: dict[str, dict[str, Any]] = {
    "closed form": {},
    "sampled": {},
    "sampled, relu student": {"blocks": 1, "student": "relu", "teacher": "relu"},
    "sampled, sign labels": {"blocks": 1, "labels": "sign"},
}
# Nearly all of the time is compiling, which does not need to make these programs fast.
QUICKLY_COMPILED = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


@pytest.mark.parametrize("case", ALONE)
def test_every_number_is_differentiated_alone(case: str) -> None:
    """Nothing but one array of a problem, state or curriculum is an argument, of the drift, in each mode.

    Where units or labels jump, derivatives of averages are those of the law: with a sampling error of some per cent of
    the largest one, as finite differences of points have, which need a longer step there.
    """
    order = ts.Curriculum.phases(("easy", 0.5), ("hard", 1.0)) + ts.Curriculum.ramp("easy", "hard", 1.0)
    problem = build.problem(K=2, M=1, readout=(1.0,), curriculum=order, **ALONE[case])
    jumps = "," in case
    averages = ode.ClosedForm() if case == "closed form" else ode.Sampled(2**14 if jumps else 2**8, 1).draw(problem)
    with jax.enable_x64(True):
        averages = jax.tree.map(lambda x: jnp.asarray(x[0]), averages)
        start = build.overlaps(problem, 1)
        start = eqx.tree_at(lambda s: s.Q, start, start.Q + 0.5 * np.eye(2))  # far from the border of what Q can be
        paths, structure = jax.tree.flatten_with_path((problem, start))
        names, arrays = [jax.tree_util.keystr(path) for path, _ in paths], [np.asarray(x) for _, x in paths]

        def size(*arrays: Any) -> jax.Array:
            changed, state = jax.tree.unflatten(structure, arrays)
            Q, T = ((x + x.swapaxes(-1, -2)) / 2 for x in (state.Q, state.T))  # only symmetric ones mean anything
            state = ts.Overlaps(Q, state.R, T, state.readout)
            change = ode.drift(changed, averages, 1.7, state)
            return change.Q.sum() + 2 * change.R.sum() + 3 * change.readout.sum()

        def alone(i: int) -> Callable[[Any], jax.Array]:
            return lambda x: size(*arrays[:i], x, *arrays[i + 1 :])

        def derivatives(directions: list[Any]) -> tuple[list[Any], list[Any]]:
            each = range(len(arrays))
            reverse = [jax.grad(alone(i))(jnp.asarray(arrays[i])) for i in each]
            forward = [jax.jvp(alone(i), (jnp.asarray(arrays[i]),), (directions[i],))[1] for i in each]
            return reverse, forward

        rng = np.random.default_rng(0)
        directions = [rng.normal(size=array.shape) for array in arrays]
        reverse, forward = jax.jit(derivatives, compiler_options=QUICKLY_COMPILED)(directions)
        value = jax.jit(size)
        by_law = [jumps and ".sgd." not in name for name in names]
        finite = [
            finite_differences(lambda x, i=i: value(*arrays[:i], x, *arrays[i + 1 :]), arrays[i], 0.05 if law else 1e-5)
            for i, law in enumerate(by_law)
        ]
        largest = max(np.max(np.abs(slope)) for slope in finite)
        for i, name in enumerate(names):
            np.testing.assert_allclose(forward[i], np.vdot(reverse[i], directions[i]), rtol=1e-8, atol=1e-10)
            tolerance = {"rtol": 0.1, "atol": 0.1 * largest} if by_law[i] else {"rtol": 1e-5, "atol": 1e-7}
            np.testing.assert_allclose(reverse[i], finite[i], **tolerance, err_msg=name)
            assert np.any(finite[i])
        if case == "sampled":
            i = next(i for i, name in enumerate(names) if "initial_shares" in name)
            np.testing.assert_allclose(jax.grad(alone(i))(arrays[i]), reverse[i], rtol=1e-8, atol=1e-10)
            np.testing.assert_allclose(jax.jacfwd(alone(i))(arrays[i]), reverse[i], rtol=1e-8, atol=1e-10)


def finite_differences(function: Callable[[Any], Any], at: np.ndarray, h: float) -> np.ndarray:
    """The central differences of `function` in every number of the array `at`."""
    steps = h * np.eye(at.size).reshape(-1, *at.shape)
    return np.reshape([(function(at + step) - function(at - step)) / (2 * h) for step in steps], at.shape)


def test_the_derivative_of_a_solve_in_the_curriculum_alone() -> None:
    """In its shares alone and in its lengths alone: reverse, compiled or not, and forward."""
    order = ts.Curriculum.mixed({"easy": 0.3, "hard": 0.7}, 0.3)
    order += ts.Curriculum.ramp({"easy": 0.8, "hard": 0.2}, "hard", 0.7)  # no share begins at its border, 0
    problem = build.problem(K=2, M=1, readout=(1.0,), curriculum=order)
    start, at = build.overlaps(problem, 1), {name: getattr(order, name) for name in ("initial_shares", "durations")}

    def error(name: str, x: Any, adjoint: Any = None) -> jax.Array:
        changed = eqx.tree_at(lambda p: getattr(p.curriculum, name), problem, x)
        tight = {"rtol": 1e-9, "atol": 1e-11, "with_accuracy": False, "adjoint": adjoint}
        return ode.solve(changed, start, [0.2, 0.9], **tight).error["hard"][-1]

    with jax.enable_x64(True):
        for name, x in at.items():
            reverse = jax.jit(jax.grad(lambda x, n=name: error(n, x)), compiler_options=QUICKLY_COMPILED)(x)
            forward = jax.jacfwd(lambda x, n=name: error(n, x, diffrax.ForwardMode()))
            value = jax.jit(lambda x, n=name: error(n, x), compiler_options=QUICKLY_COMPILED)
            slopes = finite_differences(value, np.asarray(x), 1e-4)
            np.testing.assert_allclose(reverse, slopes, rtol=1e-4, atol=1e-7, err_msg=name)
            forward_slopes = jax.jit(forward, compiler_options=QUICKLY_COMPILED)(x)
            np.testing.assert_allclose(forward_slopes, reverse, rtol=1e-7, atol=1e-10, err_msg=name)
            assert np.any(slopes)
            if name == "initial_shares":
                not_compiled = jax.grad(lambda x, n=name: error(n, x))(jnp.asarray(x))
                np.testing.assert_allclose(not_compiled, reverse, rtol=1e-8, atol=1e-10)


def test_the_derivative_in_the_length_of_an_empty_phase() -> None:
    """Phases without samples at the beginning, between others and at the end, that grow at the cost of another."""
    problem = build.problem(K=2, M=1, readout=(1.0,))
    start, lengths = build.overlaps(problem, 1), np.array([0.0, 0.5, 0.0, 0.6, 0.0])

    def errors(lengths: Any, adjoint: Any = None) -> jax.Array:
        phases = zip(("easy", "hard", "easy", "hard", "easy"), lengths, strict=True)
        at = eqx.tree_at(lambda p: p.curriculum, problem, ts.Curriculum.phases(*phases))
        recorded = [0.0, 0.3, 0.9, 1.1]
        found = ode.solve(at, start, recorded, with_accuracy=False, rtol=1e-10, atol=1e-12, adjoint=adjoint)
        return found.error["hard"]

    directions, h = np.eye(5)[[0, 2, 4]] - np.eye(5)[3], 1e-4
    with jax.enable_x64(True):
        value = jax.jit(errors)
        finite = [
            (4 * value(lengths + h * e) - value(lengths + 2 * h * e) - 3 * value(lengths)) / (2 * h) for e in directions
        ]
        reverse = jax.jit(jax.jacrev(errors))(lengths) @ directions.T
        forward = jax.jit(jax.jacfwd(lambda x: errors(x, diffrax.ForwardMode())))(lengths) @ directions.T
    np.testing.assert_allclose(reverse.T, finite, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(forward, reverse, rtol=1e-8, atol=1e-12)
    assert np.all(np.abs(finite)[:, 3] > 1e-4)


def test_lengths_and_alphas_that_are_traced_give_the_same_trajectory() -> None:
    """Time is then counted in phases; also for a ramp."""
    order = ts.Curriculum.single("easy", 0.4) + ts.Curriculum.ramp("easy", "hard", 0.8)
    problem = build.problem(K=2, M=1, readout=(1.0,), curriculum=order)
    start, alphas = build.overlaps(problem, 1), np.array([0.0, 0.2, 0.4, 0.7, 1.2])
    with jax.enable_x64(True):
        found = jax.jit(lambda p, a: ode.solve(p, start, a, rtol=1e-10, atol=1e-12))(problem, alphas)
    plain = ode.solve(problem, start, alphas, rtol=1e-10, atol=1e-12)
    for a, b in zip(jax.tree.leaves(found.observables), jax.tree.leaves(plain.observables), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    assert float(found.reached) == float(plain.reached) == 1.2
