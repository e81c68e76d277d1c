"""Permutation symmetry of the hidden units: the part of a state that all units share."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Overlaps, from_vector, to_vector

from ._field import Field


def projector(field: Field) -> np.ndarray:
    """Return P (n, n), which replaces Q^b_kk, Q^b_kl, R^b_km over k and v_k each by their mean."""
    P: np.ndarray = _projector(np.shape(field.like.R))[np.ix_(field.free, field.free)]
    return P


@functools.lru_cache(maxsize=16)
def _projector(shape: tuple[int, ...]) -> np.ndarray:
    """Return the projector for all entries."""
    B, K, M = shape
    like = Overlaps(np.zeros((B, K, K)), np.zeros((B, K, M)), np.zeros((B, M, M)), np.zeros(K))

    def average(x: jax.Array) -> jax.Array:
        overlaps = from_vector(x, like)
        diagonal = jnp.mean(overlaps.Q.diagonal(axis1=-2, axis2=-1), axis=-1)[:, None, None]
        other = (jnp.sum(overlaps.Q, axis=(-2, -1))[:, None, None] - K * diagonal) / max(K * (K - 1), 1)
        Q = jnp.where(jnp.eye(K, dtype=bool), diagonal, other)
        R = jnp.broadcast_to(jnp.mean(overlaps.R, axis=-2, keepdims=True), overlaps.R.shape)
        readout = jnp.broadcast_to(jnp.mean(overlaps.readout), (K,))
        return to_vector(Overlaps(Q, R, like.T, readout))

    with jax.enable_x64(True):
        size = B * K * (K + 1) // 2 + B * K * M + K
        return np.asarray(jax.vmap(average)(jnp.eye(size))).T
