"""The independent entries of a state as one vector: Q by its upper triangle, R, and the readout (T is constant)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..problem import Problem
from ._overlaps import Overlaps


def entry_names(problem: Problem) -> tuple[str, ...]:
    """Return the names of the entries of `to_vector`, in its order.

    They are "Q[block][k,l]" with k <= l, "R[block][k,m]" and "readout[k]", counted from 1. The block is left out where
    there is only one.
    """
    B, K, M = problem.shape
    tags = [f"[{name}]" if B > 1 else "" for name in problem.inputs.block_names]
    Q = [f"Q{tag}[{k + 1},{l + 1}]" for tag in tags for k in range(K) for l in range(k, K)]
    R = [f"R{tag}[{k + 1},{m + 1}]" for tag in tags for k in range(K) for m in range(M)]
    return (*Q, *R, *(f"readout[{k + 1}]" for k in range(K)))


def to_vector(overlaps: Overlaps) -> Float[Array, "n"]:
    """Return the entries of a state without leading axes: Q^b_kl (k <= l), R^b_km and v_k."""
    first, second = np.triu_indices(jnp.shape(overlaps.Q)[-1])
    Q = jnp.asarray(overlaps.Q)[:, first, second]
    return jnp.concatenate([Q.ravel(), jnp.ravel(overlaps.R), jnp.asarray(overlaps.readout)])


def from_vector(vector: Float[Array, "n"], like: Overlaps) -> Overlaps:
    """Return the state that has the entries `vector`, and the T and the shapes of `like`."""
    B, K, M = jnp.shape(like.R)
    first, second = np.triu_indices(K)
    pairs = B * first.size
    upper = vector[:pairs].reshape(B, first.size)
    Q = jnp.zeros((B, K, K), vector.dtype).at[:, first, second].set(upper).at[:, second, first].set(upper)
    return Overlaps(Q, vector[pairs : pairs + B * K * M].reshape(B, K, M), like.T, vector[pairs + B * K * M :])
