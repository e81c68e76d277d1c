"""What is compiled of a problem for its costates: derivatives of H = nu . f, and of what a cost sees of a state.

As the drift's programs (`_compiled.py`), they are for a structure alone: every number is an argument.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import PyTreeDef
from jaxtyping import Array, Float

from teacher_student import Observables, Overlaps, Problem
from teacher_student.internal import Numbers

from .._compiled import PROGRAMS, at_shares, unpack
from .._drift import drift
from .._observe import observe

NODES = 32  # times that one call looks at


def leaf_count(structure: PyTreeDef) -> int:
    """Return how many leaves the first of a structure's parts has, which is a problem."""
    return int(jax.tree_util.treedef_children(structure)[0].num_leaves)  # type: ignore[attr-defined]


def flat(tree: Any) -> Float[Array, "leaves"]:
    """Return all numbers of a tree as one vector."""
    return jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def velocity(problem: Problem, averages: Any, limit: Any, shares: Any, y: Any) -> Float[Array, "n"]:
    state = unpack(y, problem.shape)
    Q, R = (jnp.clip(x, -limit, limit) for x in (state.Q, state.R))
    velocity = drift(at_shares(problem, shares), averages, 0.0, Overlaps(Q, R, state.T, state.readout))
    return flat((velocity.Q, velocity.R, velocity.T, velocity.readout))


@functools.lru_cache(maxsize=PROGRAMS)
def costate_program(structure: PyTreeDef) -> Callable[..., jax.Array]:
    """Return the program of nu . df/dx: from the problem's leaves, shares (L,), state (n,) and costate (n,) to (n,)."""

    @jax.jit
    def product(leaves: list[jax.Array], shares: Any, y: Any, nu: Any) -> Float[Array, "n"]:
        problem, averages, limit = jax.tree.unflatten(structure, leaves)
        _, back = jax.vjp(lambda y: velocity(problem, averages, limit, shares, y), y)
        pulled: jax.Array = back(nu)[0]
        return pulled

    return product


@functools.lru_cache(maxsize=PROGRAMS)
def hamiltonian_program(structure: PyTreeDef, places: tuple[int, ...], at_once: bool) -> Callable[..., Any]:
    """Return the program of H = nu . f and of its derivatives in all numbers of the problem, at NODES times.

    It takes the problem's leaves, those at `places` with a leading axis (NODES,), the remaining operands (averages,
    limit), shares (NODES, L), states and costates (NODES, n); the first `wanted` count. It returns H (NODES,),
    dH/dshares (NODES, L) and dH/dleaves (NODES, leaves), which are 0 beyond `wanted`.

    at_once: all times side by side. One after the other is for averages over points, which fill the cache by
      themselves.
    """
    count = leaf_count(structure)

    def one(leaves: list[Any], rest: list[Any], shares: Any, y: Any, nu: Any) -> Any:
        def H(leaves: list[Any], shares: Any) -> Float[Array, ""]:
            problem, averages, limit = jax.tree.unflatten(structure, [*leaves, *rest])
            value: jax.Array = nu @ velocity(problem, averages, limit, shares, y)
            return value

        value, (of_leaves, of_shares) = jax.value_and_grad(H, argnums=(0, 1))(leaves, shares)
        return value, of_shares, flat(of_leaves)

    @jax.jit
    def derivatives(leaves: list[Any], rest: list[Any], shares: Any, y: Any, nu: Any, wanted: Any) -> Any:
        axes = [0 if place in places else None for place in range(count)]
        if at_once:
            return jax.vmap(one, in_axes=(axes, None, 0, 0, 0))(leaves, rest, shares, y, nu)

        def at(i: Any) -> Any:
            own = [leaf[i] if axis == 0 else leaf for leaf, axis in zip(leaves, axes, strict=True)]
            return one(own, rest, shares[i], y[i], nu[i])

        nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(at, jnp.asarray(0)))
        return jax.lax.map(lambda i: jax.lax.cond(i < wanted, at, lambda _: nothing, i), jnp.arange(NODES))

    return derivatives


@functools.lru_cache(maxsize=PROGRAMS)
def mixture_program(structure: PyTreeDef, of_accuracy: bool) -> Callable[..., Any]:
    """Return the program of sum_l q_l eps_l, or 1 - sum_l q_l acc_l, of single states, and of its derivative in them.

    It takes the leaves of the problem, each with a leading axis (m,) of times, those of the points of what has no
    closed form, packed states (m, n) and the weights q (L,). It returns values (m,) and derivatives (m, n).
    """
    problem_structure, points_structure = jax.tree_util.treedef_children(structure)

    @jax.jit
    def values_and_slopes(leaves: list[jax.Array], points: list[jax.Array], states: Any, weights: Any) -> Any:
        sample = jax.tree.unflatten(points_structure, points)

        def value(y: Any, leaves: list[jax.Array]) -> Any:
            problem: Problem = jax.tree.unflatten(problem_structure, leaves)
            observed = observe(problem, unpack(y, problem.shape), sample, with_accuracy=of_accuracy)
            values = observed.accuracy if of_accuracy else observed.error
            # Of levels of weight 0 not even a NaN counts.
            names = problem.inputs.level_names
            rows = [jnp.where(q > 0, q * values[name], 0.0) for q, name in zip(weights, names, strict=True)]
            return 1 - sum(rows) if of_accuracy else sum(rows)

        one = jax.value_and_grad(value)
        if sample is None:
            return jax.vmap(one)(states, leaves)
        return jax.lax.map(lambda timed: one(*timed), (states, leaves))

    return values_and_slopes


@functools.lru_cache(maxsize=PROGRAMS)
def own_program(
    structure: PyTreeDef, function: Callable[[Observables], Any], with_accuracy: bool, levels: tuple[str, ...]
) -> Callable[..., Any]:
    """Return the program of a user's function of what is observed at A times, and of its derivative in the states.

    It takes the same as `mixture_program`, without weights. It returns the value () and the derivative (A, n).
    """
    problem_structure, points_structure = jax.tree_util.treedef_children(structure)

    @jax.jit
    def value_and_slopes(leaves: list[jax.Array], points: list[jax.Array], states: Any) -> Any:
        sample = jax.tree.unflatten(points_structure, points)

        def one(timed: tuple[jax.Array, list[jax.Array]]) -> Observables:
            problem: Problem = jax.tree.unflatten(problem_structure, timed[1])
            observed = observe(problem, unpack(timed[0], problem.shape), sample, with_accuracy=with_accuracy)
            names = problem.inputs.level_names
            error, accuracy = (
                {level: values[name] for level, name in zip(levels, names, strict=True) if name in values}
                for values in (observed.error, observed.accuracy)
            )
            return Observables(observed.overlaps, error, accuracy)

        def value(states: Any) -> Any:
            timed = (states, leaves)
            seen = jax.vmap(one)(timed) if sample is None else jax.lax.map(one, timed)
            return jnp.asarray(function(seen)).reshape(())

        return jax.value_and_grad(value)(states)

    return value_and_slopes


def padded(x: Float[Numbers, "m *_"], size: int = NODES) -> np.ndarray:
    """Return the rows of x, followed by the last one again until there are `size`."""
    x = np.asarray(x)
    return np.concatenate([x, np.repeat(x[-1:], size - len(x), axis=0)])
