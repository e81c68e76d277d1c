"""A solve that is compiled whole: the way of batches, of `jax.vmap`, and of gradients."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from teacher_student import Observables, Overlaps, Problem

from ._integrate import integrate
from ._method import Method, Points
from ._observe import observe
from ._outcome import Outcome, Path, fine_and_change, mean_and_error, with_halves, worst

INTEGRATOR = "Tsit5, compiled whole"


def solve_one(problem: Problem, start: Overlaps, alphas: Float[Array, "A"], method: Method) -> Outcome:
    """Return path, observables and their sampling error. It is called inside jit, in float64."""
    sample, accuracy = method.sample, method.with_accuracy
    # A list of times may be filled up with its last one, whose sampled averages are then not computed again.
    is_new = jnp.concatenate([jnp.ones(1, bool), alphas[1:] > alphas[:-1]])

    def observed(path: Path, points: Points) -> Observables:
        return _observe_path(problem, alphas, path, points, accuracy, is_new)

    if method.formula is None:
        assert sample is not None

        def one(points: Points) -> tuple[Path, Observables]:
            path = integrate(problem, points, start, alphas, method.tolerances)
            return path, observed(path, points)

        replicates = jnp.shape(sample.normals)[0]
        paths, observables = jax.lax.map(one, with_halves(sample, jnp) if method.halved else sample)
        if not method.halved:
            return worst(paths), *mean_and_error(observables)
        whole = worst(jax.tree.map(lambda x: x[:replicates], paths))
        return whole, *fine_and_change(observables, replicates, jnp.hypot)
    path = integrate(problem, method.formula, start, alphas, method.tolerances)
    if sample is None:
        seen = jax.vmap(lambda alpha, state: observe(problem.at(alpha), state, None, with_accuracy=accuracy))(
            alphas, path.states
        )
        return path, seen, None
    return path, *mean_and_error(jax.lax.map(lambda points: observed(path, points), sample))


jitted_solve = eqx.filter_jit(solve_one)


def _observe_path(
    problem: Problem,
    alphas: Float[Array, "A"],
    path: Path,
    points: Points,
    accuracy: bool,
    is_new: Bool[Array, "A"],
) -> Observables:
    """Return the observables of the states that are new, and zeros for the others."""

    def one(timed: tuple[Float[Array, ""], Overlaps]) -> Observables:
        alpha, state = timed
        return observe(problem.at(alpha), state, points, with_accuracy=accuracy)

    shapes = jax.eval_shape(one, (alphas[0], jax.tree.map(lambda x: x[0], path.states)))
    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)

    def if_new(marked: Any) -> Observables:
        observables: Observables = jax.lax.cond(marked[0], one, lambda _: nothing, marked[1])
        return observables

    observables: Observables = jax.lax.map(if_new, (is_new, (alphas, path.states)))
    return observables
