"""The drift at frozen shares as a vector field on the entries that can move, with its exact Jacobian."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import InputError, Overlaps, Problem, check_at_least, from_vector, to_float, to_host, to_vector

from .._drift import drift
from .._observe import observe
from ..averages import ClosedForm, missing_closed_form


class Field(eqx.Module):
    """x' = f(x) for the entries x (n,) of a state that the drift moves; the others stay as in `like`.

    They are Q^b_kl (k <= l) of every block, R^b_km of the blocks that the latents have components in, and v_k if the
    readout is trained. The curriculum's shares are frozen at `alpha`.
    """

    problem: Problem
    like: Overlaps
    alpha: Any
    free: tuple[int, ...] = eqx.field(static=True)  # places in `to_vector`

    def overlaps(self, x: Any) -> Overlaps:
        """The state with entries x (float64 context or NumPy x in one)."""
        whole = to_vector(self.like).at[np.array(self.free)].set(x)
        return from_vector(whole, self.like)

    def __call__(self, x: jax.Array) -> jax.Array:
        slope = drift(self.problem, ClosedForm(), self.alpha, self.overlaps(x))
        return to_vector(slope)[np.array(self.free)]

    @property
    def rate(self) -> float:
        """The scale of the drift: the larger learning rate."""
        return float(np.maximum(self.problem.sgd.learning_rate, self.problem.sgd.readout_learning_rate))


def field_of(problem: Problem, like: Overlaps, alpha: float | None) -> Field:
    """The field of `problem` on states with the T and fixed readout of `like`. Raises InputError."""
    reason = missing_closed_form(problem)
    if reason:
        raise InputError("a problem with closed-form averages for fixed points (exact Jacobians)", reason)
    if np.ndim(problem.sgd.learning_rate) or np.ndim(like.readout) != 1:
        raise InputError("one problem and one state, not a batch", np.shape(like.readout)[:-1])
    check_at_least(np.maximum(*_rates(problem)), 0.0, "a learning rate (without one every state is fixed)", strict=True)
    alpha = float(problem.curriculum.end) if alpha is None else alpha
    check_at_least(alpha, 0.0, "alpha")
    with jax.enable_x64(True):
        known = to_float((problem, like, np.float64(alpha)), jnp.float64)
    return Field(known[0], known[1], known[2], _free(problem))


def _rates(problem: Problem) -> tuple[Any, Any]:
    return problem.sgd.learning_rate, problem.sgd.readout_learning_rate


def _free(problem: Problem) -> tuple[int, ...]:
    B, K, M = problem.shape
    pairs = np.ones(B * K * (K + 1) // 2, bool)
    seen = np.repeat(problem.task.seen_blocks, K * M)
    trained = np.full(K, float(problem.sgd.readout_learning_rate) > 0)
    return tuple(np.flatnonzero(np.concatenate([pairs, seen, trained])).tolist())


def entries(field: Field, overlaps: Overlaps) -> np.ndarray:
    """The entries x (n,) of a state."""
    first, second = np.triu_indices(field.problem.student.width)
    Q, R, readout = (np.asarray(x, float) for x in (overlaps.Q, overlaps.R, overlaps.readout))
    return np.concatenate([Q[:, first, second].ravel(), R.ravel(), readout])[list(field.free)]


def value(field: Field, x: np.ndarray) -> np.ndarray:
    """f(x) (n,)."""
    with jax.enable_x64(True):
        return np.asarray(_value(field, x))


def linearised(field: Field, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f(x) (n,) and its Jacobian df_i/dx_j (n, n)."""
    with jax.enable_x64(True):
        slope, jacobian = _linearised(field, x)
        return np.asarray(slope), np.asarray(jacobian)


def state(field: Field, x: np.ndarray) -> Overlaps:
    """The overlaps with entries x, on the host."""
    with jax.enable_x64(True):
        return to_host(_state(field, x))


def errors(field: Field, x: np.ndarray) -> np.ndarray:
    """(L,) generalisation error at every level."""
    with jax.enable_x64(True):
        return np.asarray(_errors(field, x))


@eqx.filter_jit
def _state(field: Field, x: Any) -> Overlaps:
    return field.overlaps(x)


@eqx.filter_jit
def _value(field: Field, x: Any) -> jax.Array:
    return field(x)


@eqx.filter_jit
def _linearised(field: Field, x: Any) -> tuple[jax.Array, jax.Array]:
    return field(x), jax.jacfwd(field)(x)


@eqx.filter_jit
def _errors(field: Field, x: Any) -> jax.Array:
    observed = observe(field.problem, field.overlaps(x), None, with_accuracy=False)
    return jnp.stack([observed.error[name] for name in field.problem.inputs.level_names])
