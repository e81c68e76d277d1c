"""Derivatives of the final error with respect to every number of a problem and its start, both modes."""

import itertools
from typing import Any

import diffrax
import equinox as eqx
import jax
import numpy as np

import ode
import teacher_student as ts

from . import build


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
