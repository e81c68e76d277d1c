"""Derivatives of the final error with respect to every number of a problem and its start, both modes."""

import functools
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
from ode._compiled import at_shares, pack, unpack

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


def symmetric(state: ts.Overlaps) -> ts.Overlaps:
    """The state with symmetric Q and T: only these mean anything."""
    Q, T = ((x + x.swapaxes(-1, -2)) / 2 for x in (state.Q, state.T))
    return ts.Overlaps(Q, state.R, T, state.readout)


def finite_differences_of_the_law(at: np.ndarray, back: Any, directions: Any, alphas: Any, level: str) -> np.ndarray:
    """Slopes of the error (directions, alphas), not by `ode.solve` but by fixed steps of the drift.

    All changed problems advance side by side, phase by phase, by Runge and Kutta's fourth order. A number that is 0 is
    only increased. Beyond the last phase that phase goes on.
    """
    h, steps = 1e-4, 16  # steps from one switch or alpha to the next
    rows = np.concatenate([at[None], *(at + h * k * directions for k in (-1, 1, 2))])
    problems = [back(row)[0] for row in rows]
    durations = np.array([problem.curriculum.durations for problem in problems])
    begins, last = np.cumsum(durations, axis=1) - durations, durations.shape[1] - 1

    def slope(row: Any, phase: Any, progress: Any, y: Any) -> jax.Array:
        problem = back(row)[0]
        order = problem.curriculum
        shares = (1 - progress) * order.initial_shares[phase] + progress * order.final_shares[phase]
        change = ode.drift(at_shares(problem, shares), ode.ClosedForm(), 0.0, unpack(y, problem.shape))
        return jnp.concatenate([x.ravel() for x in (change.Q, change.R, change.T, change.readout)])

    def error(row: Any, y: Any) -> Any:
        problem = back(row)[0]
        return ode.observe(problem, unpack(y, problem.shape), None, with_accuracy=False).error[level]

    slopes = jax.jit(jax.vmap(slope, (0, None, 0, 0)), compiler_options=build.QUICKLY_COMPILED)
    errors = jax.jit(jax.vmap(error), compiler_options=build.QUICKLY_COMPILED)
    y, found = np.array([pack(symmetric(back(row)[1])) for row in rows]), []
    done = np.zeros_like(durations)  # of each phase, in alpha
    for alpha in alphas:
        for phase in range(last + 1):
            longest = durations[:, phase] if phase < last else np.inf
            until = np.clip(alpha - begins[:, phase], 0.0, longest)
            since = done[:, phase].copy()
            step, done[:, phase] = (until - since) / steps, until
            length = np.where(durations[:, phase] == 0, 1.0, durations[:, phase])
            for i in range(steps if np.any(step) else 0):
                now, dt = since + i * step, step[:, None]
                a = np.asarray(slopes(rows, phase, now / length, y))
                b = np.asarray(slopes(rows, phase, (now + step / 2) / length, y + dt / 2 * a))
                c = np.asarray(slopes(rows, phase, (now + step / 2) / length, y + dt / 2 * b))
                d = np.asarray(slopes(rows, phase, (now + step) / length, y + dt * c))
                y = y + dt / 6 * (a + 2 * b + 2 * c + d)
        found.append(np.asarray(errors(rows, y)))
    here, moved = np.array(found)[:, :1].T, np.array(found)[:, 1:].T
    below, above, twice = np.split(moved, 3)
    at_zero = np.any((at == 0) & (directions != 0), axis=1, keepdims=True)
    return np.asarray(np.where(at_zero, 4 * above - twice - 3 * here, above - below) / (2 * h))


@pytest.mark.long
def test_the_derivative_with_respect_to_every_number() -> None:
    """Rates, decay, noise, variances, readouts, overlaps, shares (also those of 0), and the lengths of five phases.

    Phases without samples are at the beginning, between others and at the end; each grows at the cost of the fourth,
    as what is recorded at the end has no other derivatives. One program has both modes, for the
    errors at all recorded alphas weighed by weights: forward in a random direction of all numbers at once.
    """
    order = ts.Curriculum.phases(*((level, 1.0) for level in ("easy", "hard", "easy", "hard", "easy")))
    order = eqx.tree_at(lambda each: each.durations, order, np.array([0.0, 0.5, 0.0, 0.6, 0.0]))
    problem, alphas = build.problem(K=2, M=1, readout=(1.0,), curriculum=order), [0.0, 0.3, 0.9, 1.1]
    with jax.enable_x64(True):
        at, names, back = numbers_of((problem, build.overlaps(problem, 1)))

        def error(numbers: Any, weights: Any, adjoint: Any = None) -> Any:
            changed, given = back(numbers)
            tight: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12, "with_accuracy": False, "adjoint": adjoint}
            return weights @ ode.solve(changed, symmetric(given), alphas, **tight).error["hard"]

        def both(numbers: Any, weights: Any, direction: Any) -> tuple[jax.Array, jax.Array]:
            forward = jax.jvp(lambda x: error(x, weights, diffrax.ForwardMode()), (numbers,), (direction,))[1]
            return jax.grad(error)(numbers, weights), forward

        both = jax.jit(both, compiler_options=build.QUICKLY_COMPILED)
        direction = np.random.default_rng(0).normal(size=at.size)
        found = [both(at, weights, direction) for weights in np.eye(len(alphas))]
        directions = np.eye(at.size)
        lengths = [names.index(f"[0].curriculum.durations[{phase}]") for phase in range(5)]
        directions[lengths] -= directions[lengths[3]]
        finite = finite_differences_of_the_law(at, back, directions, alphas, "hard")
    reverse, forward = (np.array(each) for each in zip(*found, strict=True))
    for i, name in enumerate(names):
        np.testing.assert_allclose(reverse @ directions[i], finite[i], rtol=1e-4, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(forward, reverse @ direction, rtol=1e-8, atol=1e-12)
    known = dict(zip(names, np.abs(finite[:, 3]), strict=True))
    assert len(known) > 30
    shares = [name for name in known if "initial_shares" in name]
    assert min(known[name] for name in (*shares[2:4], *shares[6:8])) > 1e-4  # also of levels that are not shown
    assert min(known[names[lengths[phase]]] for phase in (0, 2, 4)) > 1e-4


# With jumps there is one block: in a block that the teacher does not see, R is 0, and points do not look at it.
ALONE: dict[str, dict[str, Any]] = {
    "closed form": {},
    "sampled": {},
    "sampled, relu student": {"blocks": 1, "student": "relu", "teacher": "relu"},
    "sampled, sign labels": {"blocks": 1, "labels": "sign"},
}


@pytest.mark.long("sampled, relu student", "sampled, sign labels")
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

        def size(*arrays: Any) -> Any:
            changed, state = jax.tree.unflatten(structure, arrays)
            Q, T = ((x + x.swapaxes(-1, -2)) / 2 for x in (state.Q, state.T))  # only symmetric ones mean anything
            state = ts.Overlaps(Q, state.R, T, state.readout)
            change = ode.drift(changed, averages, 1.7, state)
            return change.Q.sum() + 2 * change.R.sum() + 3 * change.readout.sum()

        def alone(i: int) -> Callable[[Any], jax.Array]:
            return lambda x: size(*arrays[:i], x, *arrays[i + 1 :])

        def derivatives(directions: list[Any]) -> tuple[list[Any], list[Any]]:
            each = range(len(arrays))
            linear = [jax.linearize(alone(i), jnp.asarray(arrays[i]))[1] for i in each]
            reverse = [jax.linear_transpose(linear[i], arrays[i])(1.0)[0] for i in each]
            return reverse, [linear[i](directions[i]) for i in each]

        rng = np.random.default_rng(0)
        directions = [rng.normal(size=array.shape) for array in arrays]
        reverse, forward = jax.jit(derivatives, compiler_options=build.QUICKLY_COMPILED)(directions)
        value = jax.jit(size)
        by_law = [jumps and ".sgd." not in name for name in names]

        def moved(x: Any, i: int) -> Any:
            return value(*arrays[:i], x, *arrays[i + 1 :])

        finite = [
            finite_differences(functools.partial(moved, i=i), arrays[i], 0.05 if law else 1e-5)
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
    """In its shares alone, reverse (not compiled by the user) and forward; in its lengths alone, reverse (compiled)."""
    order = ts.Curriculum.mixed({"easy": 0.3, "hard": 0.7}, 0.3)
    order += ts.Curriculum.ramp({"easy": 0.8, "hard": 0.2}, "hard", 0.7)  # no share begins at its border, 0
    problem = build.problem(blocks=1, K=1, M=1, readout=(1.0,), curriculum=order)
    start, alphas = build.overlaps(problem, 1), [0.2, 0.9]

    def error(name: str, x: Any, adjoint: Any = None) -> Any:
        changed = eqx.tree_at(lambda p: getattr(p.curriculum, name), problem, x)
        tight: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-11, "with_accuracy": False, "adjoint": adjoint}
        return ode.solve(changed, start, alphas, **tight).error["hard"][-1]

    with jax.enable_x64(True):
        at, names, back = numbers_of((problem, start))
        shares, lengths = jnp.asarray(order.initial_shares), jnp.asarray(order.durations)
        known = {"initial_shares": jax.grad(lambda x: error("initial_shares", x))(shares)}
        in_lengths = jax.jit(jax.grad(lambda x: error("durations", x)), compiler_options=build.QUICKLY_COMPILED)
        known["durations"] = in_lengths(lengths)
        finite = finite_differences_of_the_law(at, back, np.eye(at.size), alphas, "hard")[:, -1]
        for name, reverse in known.items():
            slopes = finite[[f".{name}[" in each for each in names]]
            np.testing.assert_allclose(np.ravel(reverse), slopes, rtol=1e-4, atol=1e-7, err_msg=name)
            assert np.any(slopes)
        forward = jax.jit(
            jax.jacfwd(lambda x: error("initial_shares", x, diffrax.ForwardMode())),
            compiler_options=build.QUICKLY_COMPILED,
        )
        np.testing.assert_allclose(forward(shares), known["initial_shares"], rtol=1e-7, atol=1e-10)


def test_lengths_and_alphas_that_are_traced_give_the_same_trajectory() -> None:
    """Time is then counted in phases; also for a ramp."""
    order = ts.Curriculum.single("easy", 0.4) + ts.Curriculum.ramp("easy", "hard", 0.8)
    problem = build.problem(K=2, M=1, readout=(1.0,), curriculum=order)
    start, alphas = build.overlaps(problem, 1), np.array([0.0, 0.2, 0.4, 0.7, 1.2])
    with jax.enable_x64(True):
        options: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12}
        traced = jax.jit(lambda p, a: ode.solve(p, start, a, **options), compiler_options=build.QUICKLY_COMPILED)
        found = traced(problem, alphas)
    plain = ode.solve(problem, start, alphas, **options)
    for a, b in zip(jax.tree.leaves(found.observables), jax.tree.leaves(plain.observables), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    assert float(found.reached) == float(plain.reached) == 1.2
