"""The drift at frozen shares as a vector field on the entries that can move, with its exact Jacobian."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import PyTreeDef

from teacher_student import InputError, Overlaps, Problem, from_vector, to_vector
from teacher_student.internal import ALWAYS_THERE, check_at_least, number_of_entries, require_memory, to_host

from .._compiled import PROGRAMS, at_shares, bare, operands
from .._drift import drift
from .._observe import observe
from ..averages import ClosedForm, missing_closed_form


@dataclasses.dataclass(frozen=True)
class Field:
    """x' = f(x) for the entries x (n,) of a state that the drift moves. The others stay as in `like`.

    The entries are Q^b_kl (k <= l) of every block, R^b_km of the blocks that the latents have components in, and v_k if
    the readout is trained. The curriculum's shares are frozen.

    Fields:
      problem: with its names.
      like: the state that gives T and what is fixed.
      free: the indices of x among all entries, in the order of `to_vector`.
      leaves, structure: what is compiled for, which is all entries and no names.
    """

    problem: Problem
    like: Overlaps
    free: np.ndarray
    leaves: list[jax.Array]
    structure: PyTreeDef

    @property
    def rate(self) -> float:
        """The scale of the drift: the larger learning rate."""
        return float(np.maximum(self.problem.sgd.learning_rate, self.problem.sgd.readout_learning_rate))

    def whole(self, x: Any) -> np.ndarray:
        """Return all entries of the state with entries x."""
        entries = _all_entries(self.like)
        entries[self.free] = x
        return entries


def field_of(problem: Problem, like: Overlaps, alpha: float | None) -> Field:
    """Return the field of `problem` on states with the T and fixed readout of `like`. Raises InputError."""
    reason = missing_closed_form(problem)
    if reason:
        raise InputError("a problem with closed-form averages for fixed points (exact Jacobians)", reason)
    alpha = time_of(problem, alpha)
    problem = problem.at(alpha)  # schedules are read there, as the levels' shares are
    if np.ndim(problem.sgd.learning_rate) or np.ndim(like.readout) != 1:
        raise InputError("one problem and one state, not a batch", np.shape(like.readout)[:-1])
    check_at_least(np.maximum(*_rates(problem)), 0.0, "a learning rate (without one every state is fixed)", strict=True)
    _require_room(problem)
    with jax.enable_x64(True):
        leaves, structure = operands((at_shares(bare(problem), _shares_at(problem, alpha)), to_host(like)))
    return Field(problem, to_host(like), _free(problem), leaves, structure)


def time_of(problem: Problem, alpha: float | None) -> float:
    """Return the time at which the field is meant: the curriculum's end if none is given. Raises InputError."""
    alpha = float(problem.curriculum.end) if alpha is None else alpha
    check_at_least(alpha, 0.0, "alpha")
    return alpha


def _require_room(problem: Problem) -> None:
    """Raise InputError if the Jacobian, what is cut out of it, and its eigenvectors do not fit into memory."""
    n = number_of_entries(problem)
    need = 3 * 8 * n**2
    if need > ALWAYS_THERE:
        require_memory(need, f"the Jacobian of {n:,} entries", "take fewer units")


def _shares_at(problem: Problem, alpha: float) -> np.ndarray:
    """Return the shares (L,) of the task's levels at alpha.

    At a switch they are those of the later phase, and beyond the end they are the last ones.
    """
    curriculum = problem.curriculum_of_all_levels()
    switches = np.asarray(curriculum.switches)
    phase = min(int(np.sum(switches <= alpha)), switches.size - 1)
    duration = curriculum.durations[phase]
    progress = np.clip((alpha - (switches[phase] - duration)) / duration, 0.0, 1.0)
    initial, final = curriculum.initial_shares[phase], curriculum.final_shares[phase]
    shares: np.ndarray = initial + progress * (final - initial)
    return shares


def _rates(problem: Problem) -> tuple[Any, Any]:
    return problem.sgd.learning_rate, problem.sgd.readout_learning_rate


def _free(problem: Problem) -> np.ndarray:
    B, K, M = problem.shape
    pairs = np.ones(B * K * (K + 1) // 2, bool)
    seen = np.repeat(problem.task.seen_blocks, K * M)
    trained = np.full(K, float(problem.sgd.readout_learning_rate) > 0)
    return np.flatnonzero(np.concatenate([pairs, seen, trained]))


def _all_entries(overlaps: Overlaps) -> np.ndarray:
    """Return all entries of a state on the host, as `to_vector` orders them."""
    first, second = np.triu_indices(np.shape(overlaps.Q)[-1])
    Q, R, readout = (np.asarray(x, float) for x in (overlaps.Q, overlaps.R, overlaps.readout))
    return np.concatenate([Q[:, first, second].ravel(), R.ravel(), readout])


def entries(field: Field, overlaps: Overlaps) -> np.ndarray:
    """Return the entries x (n,) of a state."""
    x: np.ndarray = _all_entries(overlaps)[field.free]
    return x


def state(field: Field, x: np.ndarray) -> Overlaps:
    """Return the overlaps with entries x, on the host."""
    B, K, M = field.problem.shape
    first, second = np.triu_indices(K)
    upper, R, readout = np.split(field.whole(x), [B * first.size, B * first.size + B * K * M])
    Q = np.zeros((B, K, K))
    Q[:, first, second] = Q[:, second, first] = upper.reshape(B, -1)
    return Overlaps(Q, R.reshape(B, K, M), field.like.T, readout)


def value(field: Field, x: np.ndarray) -> np.ndarray:
    """Return f(x) (n,)."""
    with jax.enable_x64(True):
        slope: np.ndarray = np.asarray(_value_program(field.structure)(field.leaves, field.whole(x)))[field.free]
        return slope


def linearised(field: Field, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return f(x) (n,) and its Jacobian df_i/dx_j (n, n)."""
    with jax.enable_x64(True):
        slope, jacobian = _linearised_program(field.structure)(field.leaves, field.whole(x))
    return np.asarray(slope)[field.free], np.asarray(jacobian)[np.ix_(field.free, field.free)]


def errors(field: Field, x: np.ndarray) -> np.ndarray:
    """Return the generalisation error (L,) at every level."""
    with jax.enable_x64(True):
        return np.asarray(_errors_program(field.structure)(field.leaves, field.whole(x)))


def _slope(structure: PyTreeDef, leaves: list[jax.Array], x: jax.Array) -> jax.Array:
    """Return the drift of all entries."""
    problem, like = jax.tree.unflatten(structure, leaves)
    return to_vector(drift(problem, ClosedForm(), 0.0, from_vector(x, like)))


# All entries go in and come out: which of them are free depends on numbers, and would be compiled for.
@functools.lru_cache(maxsize=PROGRAMS)
def _value_program(structure: PyTreeDef) -> Callable[..., jax.Array]:
    return jax.jit(functools.partial(_slope, structure))


@functools.lru_cache(maxsize=PROGRAMS)
def _linearised_program(structure: PyTreeDef) -> Callable[..., tuple[jax.Array, jax.Array]]:
    @jax.jit
    def linearised(leaves: list[jax.Array], x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _slope(structure, leaves, x), jax.jacfwd(lambda x: _slope(structure, leaves, x))(x)

    return linearised


@functools.lru_cache(maxsize=PROGRAMS)
def _errors_program(structure: PyTreeDef) -> Callable[..., jax.Array]:
    @jax.jit
    def errors(leaves: list[jax.Array], x: jax.Array) -> jax.Array:
        problem, like = jax.tree.unflatten(structure, leaves)
        observed = observe(problem, from_vector(x, like), None, with_accuracy=False)
        return jnp.stack([observed.error[name] for name in problem.inputs.level_names])

    return errors
