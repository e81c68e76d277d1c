r"""Averages of a step of students whose I2 and I4 are known: polynomials, by Wick's theorem, and units of one's own."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from teacher_student import Activation

from ..moments import Units, derivatives_average, look_up
from ._base import StepAverages


def general_step(
    student: Activation,
    teacher: Activation,
    block: Float[Array, "B J J"],
    v: Float[Array, "K"],
    s: Float[Array, "J"],
    noise: Float[Array, ""],
) -> StepAverages:
    """Return the three averages for students phi and a teacher's psi, with f_i = phi for students and psi for latents.

    With C = sum_b C^b the covariance of the fields and, by Stein's lemma, E[z^b_j F] = sum_i C^b_ji E[dF/dz_i]:
      E[g_k z^b_j]  = v_k sum_i s_i (C^b_ji E[phi'_k f'_i] + C^b_jk E[phi''_k f_i])
      E[g_k g_l]    = v_k v_l (sum_ij s_i s_j E[phi'_k phi'_l f_i f_j] + sigma^2 E[phi'_k phi'_l])
      E[dloss/dv_k] = sum_i s_i E[phi_k f_i]

    Arguments: student, teacher: phi and psi. block: C^b. v: readout. s: (v, -vt). noise: sigma^2.
    """
    K, C, units = v.size, block.sum(axis=0), (student, teacher)
    slopes, curves, values = (_with_all(units, orders, C, K) for orders in ((1, 1), (2, 0), (0, 0)))
    gz = jnp.einsum("bji,ki->bkj", block, slopes * s[None]) + jnp.einsum("bjk,k->bkj", block[:, :, :K], curves @ s)
    return StepAverages(v[None, :, None] * gz, jnp.outer(v, v) * _gg(units, C, s, noise, slopes), values @ s)


def _with_all(units: Units, orders: tuple[int, int], C: Float[Array, "J J"], K: int) -> Float[Array, "K J"]:
    """Return E[phi^(m)(lambda_k) f_i^(n)(z_i)] with all students and latents i."""
    variance = jnp.diagonal(C)
    parts = [
        derivatives_average((units[0], unit), orders, variance[:K, None], C[:K, i], variance[None, i])
        for unit, i in zip(units, (slice(None, K), slice(K, None)), strict=True)
    ]
    return jnp.concatenate(parts, axis=1)


def _gg(
    units: Units,
    C: Float[Array, "J J"],
    s: Float[Array, "J"],
    noise: Float[Array, ""],
    slopes: Float[Array, "K J"],
) -> Float[Array, "K K"]:
    """Return sum_ij s_i s_j E[phi'_k phi'_l f_i f_j] + sigma^2 E[phi'_k phi'_l], each pair k <= l once."""
    K, (student, teacher) = slopes.shape[0], units
    first, second = np.triu_indices(K)
    plain = slopes[first, second]  # E[phi'_k phi'_l]
    students, latents, all_fields = slice(None, K), slice(K, None), slice(None)

    def part(f: Activation, i: slice, g: Activation, j: slice) -> Float[Array, "P"]:
        average = _quads((student, f, g), C, first, second, i, j)
        return jnp.einsum("i,pij,j->p", s[i], average, s[j])

    if student == teacher:
        total = part(student, all_fields, student, all_fields)
    else:
        total = part(student, students, student, students) + 2 * part(student, students, teacher, latents)
        if look_up("I4", student, teacher, teacher) is not None:
            total += part(teacher, latents, teacher, latents)
        else:  # a single sign unit, whose square is 1
            total += s[-1] ** 2 * jnp.where(C[-1, -1] > 0, plain, 0.0)
    pairs = total + noise * plain
    return jnp.zeros((K, K)).at[first, second].set(pairs).at[second, first].set(pairs)


def _quads(
    units: tuple[Activation, Activation, Activation],
    C: Float[Array, "J J"],
    k: Int[np.ndarray, "P"],
    l: Int[np.ndarray, "P"],
    i: slice,
    j: slice,
) -> Float[Array, "P _ _"]:
    """Return E[phi'(lambda_k) phi'(lambda_l) f(z_i) g(z_j)] of pairs (k, l) and fields i, j."""
    variance = jnp.diagonal(C)
    row = look_up("I4", *units)
    assert row is not None  # `missing_closed_form` comes first
    average: jax.Array = row.function(
        *units,
        variance[k, None, None],
        C[k, l][:, None, None],
        C[k][:, i, None],
        C[k][:, None, j],
        variance[l, None, None],
        C[l][:, i, None],
        C[l][:, None, j],
        variance[i][None, :, None],
        C[i, j][None],
        variance[j][None, None, :],
    )
    return average
