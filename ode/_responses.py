"""How the drift, and what is observed, answer to a small change of each number of a problem."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Directions, Overlaps, Problem, to_vector
from teacher_student.internal import at_times, to_float64, without_curriculum

from ._compiled import at_shares
from ._drift import drift
from .averages import Averages, FixedSample, Reweighted


class Moves(eqx.Module):
    """The directions that move a drift at given overlaps and shares of levels, C = P + L of them.

    Fields, each with the leading axis C: numbers, of the problem without its curriculum, leaf by leaf; T; and shares
    (C, L). The first P are numbers of the problem, the last L are the shares themselves.
    """

    numbers: list[Any]
    T: Any
    shares: Any

    @staticmethod
    def of(directions: Directions, levels: int) -> "Moves":
        """Return the moves of those directions that move the drift itself."""
        chosen = directions.of_drift()
        numbers = [np.asarray(x)[chosen] for x in _float_leaves(directions.problem)]
        count = int(np.sum(chosen))
        none = [np.zeros((levels, *x.shape[1:])) for x in numbers]
        return Moves(
            [np.concatenate(pair) for pair in zip(numbers, none, strict=True)],
            np.concatenate([directions.start.T[chosen], np.zeros((levels, *directions.start.T.shape[1:]))]),
            np.concatenate([np.zeros((count, levels)), np.eye(levels)]),
        )


def responses_of_drift(
    problem: Problem,
    sample: FixedSample,
    formula: Averages | None,
    moves: Moves,
    times: jax.Array,
    shares: jax.Array,
    progress: jax.Array,
    overlaps: Overlaps,
) -> jax.Array:
    """Return df/d(number) (n, P + 2 L) at one state: of P numbers, of L shares, and of these times `progress`.

    The last L are for phases in which the shares change with the time that has passed in them.
    """
    if formula is None:
        averages: Averages = Reweighted.of(at_times(problem, times), sample.normals, overlaps, moving_labels=True)
    else:
        averages = formula

    def f(problem: Problem, T: jax.Array, shares: jax.Array) -> jax.Array:
        state = Overlaps(overlaps.Q, overlaps.R, T, overlaps.readout)
        return to_vector(drift(at_times(at_shares(problem, shares), times), averages, 0.0, state))

    columns = _derivatives(f, problem, jnp.asarray(overlaps.T), shares, moves, one_by_one=formula is None)
    of_shares = columns[:, columns.shape[1] - shares.size :]
    return jnp.concatenate([columns, progress * of_shares], axis=1)


def responses_of_observables(
    h: Callable[[Problem, jax.Array], jax.Array], problem: Problem, T: jax.Array, moves: Moves
) -> jax.Array:
    """Return dh/d(number) (q, P + 2 L) of what is observed at fixed Q, R and readout; shares are not observed."""
    shares = jnp.zeros(moves.shares.shape[-1])
    columns = _derivatives(lambda problem, T, _: h(problem, T), problem, T, shares, moves, one_by_one=True)
    return jnp.concatenate([columns, jnp.zeros((len(columns), shares.size))], axis=1)


def entries_of_directions(directions: Directions) -> np.ndarray:
    """Return the derivative (P, n) of the entries at alpha = 0."""
    Q, R, readout = (np.asarray(x) for x in (directions.start.Q, directions.start.R, directions.start.readout))
    first, second = np.triu_indices(Q.shape[-1])
    return np.concatenate([Q[..., first, second].reshape(len(Q), -1), R.reshape(len(R), -1), readout], axis=1)


def observed_responses(moved: np.ndarray, directions: Directions) -> np.ndarray:
    """Return the derivative (A, q, P) of errors and accuracies at given overlaps, 0 for what does not move it."""
    of_drift = directions.of_drift()
    whole = np.zeros((*moved.shape[:2], len(of_drift)))
    whole[:, :, of_drift] = moved[:, :, : int(of_drift.sum())]
    return whole


def _derivatives(
    f: Callable[[Problem, jax.Array, jax.Array], jax.Array],
    problem: Problem,
    T: jax.Array,
    shares: jax.Array,
    moves: Moves,
    *,
    one_by_one: bool,
) -> jax.Array:
    """Return the derivative (n, C) of f(problem, T, shares) in each direction."""
    numbers, rebuilt = _float_leaves(problem), _rebuilt(problem)

    def along(move: Moves) -> jax.Array:
        tangent: jax.Array = jax.jvp(
            lambda numbers, T, shares: f(rebuilt(numbers), T, shares),
            (numbers, T, shares),
            (move.numbers, move.T, move.shares),
        )[1]
        return tangent

    rows: jax.Array = (jax.lax.map if one_by_one else lambda g, x: jax.vmap(g)(x))(along, moves)
    return rows.T


def _float_leaves(problem: Problem) -> list[Any]:
    """Return the real numbers of a problem without those of its curriculum."""
    return [x for x in jax.tree.leaves(to_float64(without_curriculum(problem))) if _is_float(x)]


def _rebuilt(problem: Problem) -> Callable[[list[Any]], Problem]:
    """Return the function that puts other real numbers into `problem`."""
    leaves, structure = jax.tree.flatten(problem)
    own, _ = jax.tree.flatten(without_curriculum(problem))
    places = [i for i, x in enumerate(own) if _is_float(x)]

    def rebuilt(numbers: list[Any]) -> Problem:
        # A curriculum comes last among a problem's fields, so that the places are the same with it and without it.
        changed = list(leaves)
        for place, number in zip(places, numbers, strict=True):
            changed[place] = number
        whole: Problem = jax.tree.unflatten(structure, changed)
        return whole

    return rebuilt


def _is_float(x: Any) -> bool:
    return bool(jnp.issubdtype(jnp.result_type(x), jnp.floating))
