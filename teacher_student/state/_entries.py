"""The independent entries of a state as one vector: Q by its upper triangle, R, and the readout (T is constant)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._usable_memory import ALWAYS_THERE, require_memory
from ..problem import Problem
from ._overlaps import Overlaps

BYTES_OF_A_NAME = 100  # a string of Python and its places in the tuples


def number_of_entries(problem: Problem) -> int:
    """Return how many entries `to_vector` has, n = B (K (K + 1) / 2 + K M) + K."""
    B, K, M = problem.shape
    return B * (K * (K + 1) // 2 + K * M) + K


def entry_name(kind: str, block: str | None, *indices: object) -> str:
    """Return the name of one scalar, such as "Q[relevant][1,2]" or "error[hard]".

    Arguments: kind: of the quantity. block: None where there is only one. indices: numbers of units, or the level.
    """
    tags = ([] if block is None else [block]) + ([",".join(map(str, indices))] if indices else [])
    return kind + "".join(f"[{tag}]" for tag in tags)


def entry_names(problem: Problem) -> tuple[str, ...]:
    """Return the names of the entries of `to_vector`, in its order.

    They are "Q[block][k,l]" with k <= l, "R[block][k,m]" and "readout[k]", counted from 1. The block is left out where
    there is only one.

    Arguments: problem: gives the numbers of units and latent directions, and the names of the blocks.
    Returns n = B (K (K + 1) / 2 + K M) + K names. Raises InputError for more of them than fit into memory.

    Example:
      >>> import teacher_student as ts
      >>> teacher = ts.Committee(ts.Inputs({"all": 1.0}), width=1)
      >>> ts.entry_names(ts.Problem(teacher, ts.Student(2), ts.SGD(0.5), ts.Curriculum.single("all", 20.0)))
      ('Q[1,1]', 'Q[1,2]', 'Q[2,2]', 'R[1,1]', 'R[2,1]', 'readout[1]', 'readout[2]')
    """
    B, K, M = problem.shape
    n = number_of_entries(problem)
    if BYTES_OF_A_NAME * n > ALWAYS_THERE:
        require_memory(BYTES_OF_A_NAME * n, f"the names of {n:,} entries", "take fewer units")
    blocks = [name if B > 1 else None for name in problem.inputs.block_names]
    Q = [entry_name("Q", block, k + 1, l + 1) for block in blocks for k in range(K) for l in range(k, K)]
    R = [entry_name("R", block, k + 1, m + 1) for block in blocks for k in range(K) for m in range(M)]
    return (*Q, *R, *(entry_name("readout", None, k + 1) for k in range(K)))


def to_vector(overlaps: Overlaps) -> Float[Array, "n"]:
    """Return the independent entries of a state as one vector (n,): Q^b_kl with k <= l, R^b_km and v_k.

    `entry_names` has their names in the same order, and `from_vector` is the way back. T is constant and left out.

    Arguments: overlaps: one state, without leading axes.

    Example:
      >>> import teacher_student as ts
      >>> state = ts.Overlaps([[1.0, 0.5], [0.5, 2.0]], [[0.25], [0.0]], [[1.0]])
      >>> ts.to_vector(state).tolist()
      [1.0, 0.5, 2.0, 0.25, 0.0, 1.0, 1.0]
    """
    first, second = np.triu_indices(jnp.shape(overlaps.Q)[-1])
    Q = jnp.asarray(overlaps.Q)[:, first, second]
    return jnp.concatenate([Q.ravel(), jnp.ravel(overlaps.R), jnp.asarray(overlaps.readout)])


def from_vector(vector: Float[Array, "n"], like: Overlaps) -> Overlaps:
    """Return the state that has the entries `vector` of `to_vector`, with both triangles of Q filled.

    Arguments:
      vector: (n,) entries, in the order of `entry_names`.
      like: a state without leading axes, which has the shapes and the T.
    """
    B, K, M = jnp.shape(like.R)
    first, second = np.triu_indices(K)
    pairs = B * first.size
    upper = vector[:pairs].reshape(B, first.size)
    Q = jnp.zeros((B, K, K), vector.dtype).at[:, first, second].set(upper).at[:, second, first].set(upper)
    return Overlaps(Q, vector[pairs : pairs + B * K * M].reshape(B, K, M), like.T, vector[pairs + B * K * M :])
