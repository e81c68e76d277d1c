"""What is compiled of a problem, for its structure alone: the drift of a state, and what is observed of states.

A structure is K, M, B, L, the units, the loss and the kind of averages. Every number is an argument: rates, variances,
the shares of the levels at the time in question, the points of sampled averages. So are the names, which stay outside.
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
from teacher_student.internal import Numbers, is_schedule, reader_of, to_float64, unnamed, with_fields

from ._drift import drift
from ._host_steps import Slope
from ._observe import observe
from .averages import Averages

PROGRAMS = 64  # structures whose programs are kept
STATES = 32  # observed by one call
# Programs that are called tens of times gain nothing from LLVM's optimisations, which take half of their compilation.
QUICK = {"xla_backend_optimization_level": 0}


def bare(problem: Problem) -> Problem:
    """Return `problem` without names and without its order of levels: all that programs for one state depend on."""
    nameless = unnamed(problem)
    return at_shares(nameless, np.zeros(len(nameless.inputs.level_names)))


def at_shares(problem: Problem, shares: Float[Numbers, "L"]) -> Problem:
    """Return `problem` with the shares of the task's levels at all times."""
    xp = np if isinstance(shares, np.ndarray) else jnp
    constant = with_fields(
        problem.curriculum,
        level_names=problem.inputs.level_names,
        durations=xp.ones(1),
        initial_shares=shares[None],
        final_shares=shares[None],
    )
    return with_fields(problem, curriculum=constant)


def pack(overlaps: Overlaps) -> Float[np.ndarray, "*batch n"]:
    """Return Q, R, T and the readout of one state, or of several with leading axes, as one vector."""
    parts = (np.asarray(x, np.float64) for x in (overlaps.Q, overlaps.R, overlaps.T))
    leading = np.shape(overlaps.readout)[:-1]
    return np.concatenate([*(x.reshape(*leading, -1) for x in parts), np.asarray(overlaps.readout)], axis=-1)


def unpack(y: Float[Numbers, "*batch n"], shape: tuple[int, int, int]) -> Overlaps:
    """Return the overlaps of vectors that `pack` made; (B, K, M) is `Problem.shape`."""
    B, K, M = shape
    leading, edges = y.shape[:-1], np.cumsum([B * K * K, B * K * M, B * M * M])
    Q, R, T, readout = (y[..., a:b] for a, b in zip((0, *edges), (*edges, None), strict=True))
    Q, R, T = (x.reshape(*leading, B, *sides) for x, sides in ((Q, (K, K)), (R, (K, M)), (T, (M, M))))
    return Overlaps(Q, R, T, readout)


def largest_norm(problem: Problem) -> Callable[[np.ndarray], float]:
    """Return the function that reads the largest Q_kk off a packed state."""
    B, K, _ = problem.shape
    diagonal = (np.arange(B)[:, None] * K * K + np.arange(K) * (K + 1)).ravel()
    return lambda y: float(np.max(y[diagonal]))


def compiled_drift(problem: Problem, averages: Averages, limit: float) -> Slope:
    """Return the drift as a function of alpha, shares and a packed state, in float64 (call it at 64 bits).

    Q and R are clipped to +-limit first: a trial step far beyond the bound must stay finite to be rejected.
    Schedules are read here, on the host: the program sees their values at alpha, and any of them runs through it.
    """
    readers, nameless = [reader_of(schedule) for schedule in problem.schedules.values()], bare(problem)
    leaves, structure = operands((nameless.at(0.0), averages, np.float64(limit)))
    program, places = _drift_program(structure), places_of_schedules(nameless)

    def slope(alpha: float, shares: np.ndarray, y: np.ndarray) -> np.ndarray:
        if not places:
            return np.asarray(program(leaves, shares, y))
        numbers: list[Any] = list(leaves)
        for place, read in zip(places, readers, strict=True):
            numbers[place] = read(alpha)
        return np.asarray(program(numbers, shares, y))

    return slope


def places_of_schedules(problem: Problem) -> list[int]:
    """Return where the values of its schedules stand among the leaves of a problem with values in their place."""
    leaves = jax.tree.leaves(problem, is_leaf=is_schedule)
    return [place for place, leaf in enumerate(leaves) if is_schedule(leaf)]


def observe_states(
    problem: Problem,
    alphas: Float[np.ndarray, "A"],
    states: Float[np.ndarray, "A n"],
    sample: Averages | None,
    with_accuracy: bool,
) -> Observables:
    """Return what `observe` says of packed states at their alphas, with the problem's own names (at 64 bits)."""
    if problem.task_schedules and len(alphas) > 1:  # the levels change with time: state by state
        seen = [
            observe_states(problem, alphas[i : i + 1], states[i : i + 1], sample, with_accuracy)
            for i in range(len(alphas))
        ]
        whole: Observables = jax.tree.map(lambda *x: np.concatenate(x), *seen)
        return whole
    leaves, structure = operands((bare(problem.at(alphas[0])), sample))
    program = _observe_program(structure, with_accuracy)
    parts = []
    for first in range(0, len(states), STATES):
        some = states[first : first + STATES]
        # Filled up, so that any number of states goes through one program; what fills it is not computed.
        filled = np.concatenate([some, np.broadcast_to(some[:1], (STATES - len(some), some.shape[1]))])
        observed = jax.tree.map(np.asarray, program(leaves, filled, np.int32(len(some))))
        parts.append([x[: len(some)] for x in observed])
    error, accuracy = (np.concatenate(rows) for rows in zip(*parts, strict=True))
    names = problem.inputs.level_names

    def by_name(rows: np.ndarray) -> dict[str, np.ndarray]:
        return {name: rows[:, i] for i, name in enumerate(names[: rows.shape[1]])}

    return Observables(unpack(states, problem.shape), by_name(error), by_name(accuracy))


def operands(tree: Any) -> tuple[list[jax.Array], PyTreeDef]:
    """Return the numbers of `tree` as JAX arrays, which compiled calls take quicker than NumPy's, and its structure."""
    leaves, structure = jax.tree.flatten(to_float64(tree))
    return [jnp.asarray(leaf) for leaf in leaves], structure


@functools.lru_cache(maxsize=PROGRAMS)
def _drift_program(structure: PyTreeDef) -> Callable[..., jax.Array]:
    """Return the compiled drift of one structure.

    It is kept here, so that looking it up does not take longer than calling it.
    """

    @jax.jit
    def slope(leaves: list[jax.Array], shares: Float[Array, "L"], y: Float[Array, "n"]) -> Float[Array, "n"]:
        problem, averages, limit = jax.tree.unflatten(structure, leaves)
        state = unpack(y, problem.shape)
        Q, R = (jnp.clip(x, -limit, limit) for x in (state.Q, state.R))
        velocity = drift(at_shares(problem, shares), averages, 0.0, Overlaps(Q, R, state.T, state.readout))
        return jnp.concatenate([x.ravel() for x in (velocity.Q, velocity.R, velocity.T, velocity.readout)])

    return slope


@functools.lru_cache(maxsize=PROGRAMS)
def _observe_program(structure: PyTreeDef, with_accuracy: bool) -> Callable[..., tuple[jax.Array, jax.Array]]:
    """Return the compiled error (STATES, L) and accuracy (STATES, L or 0) of one structure.

    They are computed for the first `count` states.
    """

    @functools.partial(jax.jit, compiler_options=QUICK)
    def observed(leaves: list[jax.Array], states: jax.Array, count: jax.Array) -> tuple[jax.Array, jax.Array]:
        problem, sample = jax.tree.unflatten(structure, leaves)
        levels = problem.inputs.level_names

        def one(y: Float[Array, "n"]) -> tuple[Float[Array, "_"], Float[Array, "_"]]:
            seen = observe(problem, unpack(y, problem.shape), sample, with_accuracy=with_accuracy)
            rows = ([values[name] for name in levels if name in values] for values in (seen.error, seen.accuracy))
            error, accuracy = (jnp.stack(row) if row else jnp.zeros(0) for row in rows)
            return error, accuracy

        if sample is None:
            return jax.vmap(one)(states)
        nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(one, states[0]))
        # Points of all states at once would not fit into the cache, and states that fill up would cost as much.
        rows: tuple[jax.Array, jax.Array] = jax.lax.map(
            lambda numbered: jax.lax.cond(numbered[0] < count, one, lambda _: nothing, numbered[1]),
            (jnp.arange(STATES, dtype=count.dtype), states),
        )
        return rows

    return observed
