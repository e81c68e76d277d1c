r"""Sums of arcsines over all pairs of fields, and their derivatives at little more than their own cost."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ._arcsin import arcsin

PART = 2**14  # arcsines computed at a time: they stay in the cache


@partial(jax.custom_jvp, nondiff_argnums=(5,))
def arcsine_sums(
    C: Float[Array, "J J"],
    s: Float[Array, "J"],
    A: Float[Array, "J P"],
    B: Float[Array, "J P"],
    root: Float[Array, "J P"],
    apart: int,
) -> Float[Array, "P"]:
    """Return sum_ij s_i s_j asin(c_ij),  c_ij = C_ij root_i root_j - A_i A_j - B_i B_j, for each of P columns.

    Only pairs i <= j are computed. They come in at least two parts, one after the other: what a loop takes as constant
    is computed once, while XLA would compute A, B and root anew for every pair.

    Arguments: C: symmetric. apart: pairs among the last so many fields are left out.
    """
    i, j = np.triu_indices(s.size)
    taken = i < s.size - apart
    i, j = i[taken], j[taken]
    # Each pair i < j stands for (j, i) too.
    times = np.where(i == j, 1.0, 2.0)
    parts = max(2, -(-i.size * A.shape[1] // PART))
    length = -(-i.size // parts)
    filling = (0, parts * length - i.size)
    first, second, weights = (np.pad(numbers, filling).reshape(parts, length) for numbers in (i, j, times))

    def add(total: jax.Array, pairs: tuple[Any, ...]) -> tuple[jax.Array, None]:
        i, j, weight, C_ij = pairs
        correlation = C_ij[:, None] * root[i] * root[j] - A[i] * A[j] - B[i] * B[j]
        return total + weight @ arcsin(correlation), None

    weighted = weights * s[first] * s[second]
    return jax.lax.scan(add, jnp.zeros(A.shape[1]), (first, second, weighted, C[first, second]))[0]


@arcsine_sums.defjvp
def _arcsine_sums_jvp(apart: int, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[jax.Array, jax.Array]:
    """Return the sums and their change, row i after row i, of all j at once.

    Every partial derivative is then a sum over j, so that no transpose is a scatter.
    """
    C, s, A, B, root = primals
    dC, ds, dA, dB, droot = tangents
    last = np.arange(s.size) >= s.size - apart

    def row(_: None, at: tuple[Any, ...]) -> tuple[None, tuple[jax.Array, ...]]:
        C_i, s_i, A_i, B_i, root_i, dC_i, apart_i = at
        weight = jnp.where(apart_i & last, 0.0, s) if apart else s
        c = C_i[:, None] * root * root_i[None] - A * A_i[None] - B * B_i[None]
        if apart:
            # A pair that is left out may have c = 1 (a sign unit and itself), where the slope is infinite: times its
            # weight 0 it would be NaN.
            c = jnp.where((apart_i & last)[:, None], 0.0, c)
        slope = (s_i * weight)[:, None] * jax.lax.rsqrt((1 - c) * (1 + c))
        by_root, by_A, by_B = (2 * jnp.sum(slope * part, 0) for part in (C_i[:, None] * root, -A, -B))
        return None, (2 * weight @ arcsin(c), by_root, by_A, by_B, dC_i @ (slope * root) * root_i)

    _, (by_s, by_root, by_A, by_B, by_C) = jax.lax.scan(row, None, (C, s, A, B, root, dC, last))
    change = jnp.sum(by_root * droot + by_A * dA + by_B * dB + by_s * ds[:, None] + by_C, 0)
    return s @ by_s / 2, change


@jax.custom_jvp
def columns(C: Float[Array, "n m"], index: Int[Array | np.ndarray, "P"]) -> Float[Array, "n P"]:
    """Return C[:, index], whose derivative is a matrix product.

    The transpose of a gather is a scatter, which is slow on a CPU.
    """
    return C[:, index]


@columns.defjvp
def _columns_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[jax.Array, jax.Array]:
    (C, index), (dC, _) = primals, tangents
    return C[:, index], dC @ jnp.asarray(jnp.arange(C.shape[1])[:, None] == index[None], C.dtype)
