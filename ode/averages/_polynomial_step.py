r"""Averages of a step of polynomial students, by Wick's theorem; teacher units polynomial, erf, or one sign unit."""

import jax
import jax.numpy as jnp
import numpy as np

from .. import derive
from ._base import StepAverages
from ._gaussian import derived_pair


def polynomial_step(
    units: tuple[str, str], block: jax.Array, v: jax.Array, s: jax.Array, noise: jax.Array
) -> StepAverages:
    r"""The three averages for phi = p, a polynomial, with f_i = p for students and the teacher's unit for latents.

    With C = sum_b C^b the covariance of the fields and, by Stein's lemma, E[z^b_j F] = sum_i C^b_ji E[dF/dz_i]:
      E[g_k z^b_j]  = v_k sum_i s_i (C^b_ji E[p'_k f'_i] + C^b_jk E[p''_k f_i])
      E[g_k g_l]    = v_k v_l (sum_ij s_i s_j E[p'_k p'_l f_i f_j] + sigma^2 E[p'_k p'_l])
      E[dloss/dv_k] = sum_i s_i E[p_k f_i]

    Arguments: units: names of the student's and the teacher's; block: C^b (B, J, J); v: readout (K,);
      s: (v, -vt) (J,); noise: sigma^2.
    """
    K, C = v.size, block.sum(axis=0)
    slopes, curves, values = (_with_all(units, orders, C, K) for orders in ((1, 1), (2, 0), (0, 0)))
    gz = jnp.einsum("bji,ki->bkj", block, slopes * s) + jnp.einsum("bjk,k->bkj", block[:, :, :K], curves @ s)
    return StepAverages(v[:, None] * gz, jnp.outer(v, v) * _gg(units, C, s, noise, slopes), values @ s)


def _with_all(units: tuple[str, str], orders: tuple[int, int], C: jax.Array, K: int) -> jax.Array:
    """(K, J) E[p^(m)(lambda_k) f_i^(n)(z_i)] with all students and latents i."""
    variance = jnp.diagonal(C)
    parts = [
        derived_pair((units[0], unit), orders, variance[:K, None], C[:K, i], variance[None, i])
        for unit, i in zip(units, (slice(None, K), slice(K, None)), strict=True)
    ]
    return jnp.concatenate(parts, axis=1)


def _gg(units: tuple[str, str], C: jax.Array, s: jax.Array, noise: jax.Array, slopes: jax.Array) -> jax.Array:
    """(K, K) sum_ij s_i s_j E[p'_k p'_l f_i f_j] + sigma^2 E[p'_k p'_l], each pair k <= l once."""
    K, (student, teacher) = slopes.shape[0], units
    first, second = np.triu_indices(K)
    plain = slopes[first, second]  # E[p'_k p'_l]
    mine, theirs, every = slice(None, K), slice(K, None), slice(None)

    def part(f: str, i: slice, g: str, j: slice) -> jax.Array:
        average = _quads((student, f, g), C, first, second, i, j)
        return jnp.einsum("i,pij,j->p", s[i], average, s[j])

    if student == teacher:
        total = part(student, every, student, every)
    else:
        total = part(student, mine, student, mine) + 2 * part(student, mine, teacher, theirs)
        if teacher == "sign":  # a single unit, whose square is 1
            total += s[-1] ** 2 * jnp.where(C[-1, -1] > 0, plain, 0.0)
        else:
            total += part(teacher, theirs, teacher, theirs)
    pairs = total + noise * plain
    return jnp.zeros((K, K)).at[first, second].set(pairs).at[second, first].set(pairs)


def _quads(units: tuple[str, str, str], C: jax.Array, k: np.ndarray, l: np.ndarray, i: slice, j: slice) -> jax.Array:
    """(P, I, J) E[p'(lambda_k) p'(lambda_l) f(z_i) g(z_j)] of pairs (k, l) and fields i, j."""
    variance = jnp.diagonal(C)
    last = jnp.where(variance > 0, variance, 1.0) if units[2] == "sign" else variance  # as in `derived_pair`
    return derive.quad_function(*units)(
        variance[k, None, None],
        C[k, l][:, None, None],
        C[k][:, i, None],
        C[k][:, None, j],
        variance[l, None, None],
        C[l][:, i, None],
        C[l][:, None, j],
        variance[i][None, :, None],
        C[i, j][None],
        last[j][None, None, :],
    )
