r"""E[g_k g_l] of erf students: I4 for every pair of units and every pair of fields, each once."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from teacher_student import Activation
from teacher_student.internal import Numbers

from ..moments import I2, J2, Units, arcsine_sums, columns, look_up, row_for, safe_rsqrt

CHUNK = 2**16  # numbers of one array, where the pairs of units are more than fit


def gradient_products(
    units: Units, C: Float[Array, "J J"], v: Float[Array, "K"], s: Float[Array, "J"], noise: Float[Array, ""]
) -> Float[Array, "K K"]:
    """Return E[g_k g_l] = v_k v_l (sum_ij s_i s_j I4(k, l, i, j) + sigma^2 J2(k, l)).

    It is symmetric in k, l and in i, j, so that only k <= l and i <= j are computed. The memory is some 20 arrays of at
    most max(CHUNK, 16 J) numbers, J = K + M: pairs k <= l come in chunks where they are many.

    Arguments: units: the student's, erf, and the teacher's. C: covariance of the fields. v: readout. s: (v, -vt).
      noise: sigma^2. Source: Saad & Solla 1995, Eq. (9) and appendix A.
    """
    K = v.size
    first, second = np.triu_indices(K)
    at_once = max(16, CHUNK // s.size)
    if first.size <= at_once:
        error = _squared_errors(units, C, s, K, first, second)
    else:
        rows = -(-first.size // at_once)
        filled = tuple(jnp.asarray(np.resize(pairs, (rows, at_once))) for pairs in (first, second))
        error = jax.lax.map(lambda pair: _squared_errors(units, C, s, K, *pair), filled).ravel()[: first.size]
    weight = J2(C[first, first], C[first, second], C[second, second])
    return (v[first] * v[second] * weight * (error + noise))[_pair_index(K)]


def _pair_index(K: int) -> Int[np.ndarray, "K K"]:
    """Return where in the list of pairs k <= l each pair k, l stands."""
    index = np.zeros((K, K), int)
    index[np.triu_indices(K)] = np.arange(K * (K + 1) // 2)
    return np.maximum(index, index.T)


def _squared_errors(
    units: Units,
    C: Float[Array, "J J"],
    s: Float[Array, "J"],
    K: int,
    first: Int[Numbers, "P"],
    second: Int[Numbers, "P"],
) -> Float[Array, "P"]:
    """Return sum_ij s_i s_j E~[phi_i phi_j] under the density times phi'(a) phi'(b).

    The fields a and b are those of each pair of students. Their law is tilted twice: C~~_ij = C_ij - A_i A_j - B_i B_j
    with A_i = C_ia / sqrt(D_a) and B_i = C~_ib / sqrt(D~_b). Pairs are the last axis of every array, which is
    contiguous and as long as it gets.
    """
    variance = jnp.diagonal(C)
    C_a, C_b = columns(C, first), columns(C, second)
    D_a, D_b, cross = 1 + variance[first], 1 + variance[second], C[first, second]
    A = C_a * jax.lax.rsqrt(D_a)[None]
    B = (C_b - C_a * (cross / D_a)[None]) * jax.lax.rsqrt(D_b - cross**2 / D_a)[None]
    tilted = variance[:, None] - A**2 - B**2

    row = look_up("tilted square", *units)
    square = _of_erf_and_others if row is None else row.function
    return square(*units, _TiltedLaw(C, s, A, B, tilted, K))


class _TiltedLaw(NamedTuple):
    """The fields' law under the density times phi'(a) phi'(b): C~~_ij = C_ij - A_i A_j - B_i B_j, of every pair a, b.

    variance: C~~_ii. K: number of students.
    """

    C: Float[Array, "J J"]
    s: Float[Array, "J"]
    A: Float[Array, "J P"]
    B: Float[Array, "J P"]
    variance: Float[Array, "J P"]
    K: int


@row_for("tilted square", "erf", "erf")
def _of_erf_units(student: Activation, teacher: Activation, law: _TiltedLaw) -> Float[Array, "P"]:
    return _arcsines(law.C, law.s, law.A, law.B, jax.lax.rsqrt(1 + law.variance))


@row_for("tilted square", "erf", "sign")
def _of_erf_and_sign_units(student: Activation, teacher: Activation, law: _TiltedLaw) -> Float[Array, "P"]:
    C, s, A, B, variance, K = law
    students = (np.arange(s.size) < K).astype(variance.dtype)
    root = safe_rsqrt(variance + students[:, None])  # D = C, and 1 + C for students
    latents = np.arange(K, s.size)
    return _arcsines(C, s, A, B, root, apart=latents.size) + _part((teacher, teacher), law, latents, latents)


def _of_erf_and_others(student: Activation, teacher: Activation, law: _TiltedLaw) -> Float[Array, "P"]:
    C, s, A, B, variance, K = law
    students, latents = np.arange(K), np.arange(K, s.size)
    total = _arcsines(C[:K, :K], s[:K], A[:K], B[:K], jax.lax.rsqrt(1 + variance[:K]))
    total += 2 * _part((student, teacher), law, students, latents)
    return total + _part((teacher, teacher), law, latents, latents)


def _part(
    units: Units, law: _TiltedLaw, rows: Int[np.ndarray, "_"], columns: Int[np.ndarray, "_"]
) -> Float[Array, "P"]:
    """Return sum_ij s_i s_j E~~[phi_i phi_j] over fields i of the first unit and j of the second."""
    C, s, A, B, variance, _ = law
    i, j = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    covariance = C[i, j][:, None] - A[i] * A[j] - B[i] * B[j]
    average = I2(units, variance[i], covariance, variance[j])
    if units[0] == units[1] and (square := look_up("square", units[0])) is not None:
        average = jnp.where((i == j)[:, None], square.function(units[0], variance[i]), average)
    return (s[i] * s[j]) @ average


def _arcsines(
    C: Float[Array, "J J"],
    s: Float[Array, "J"],
    A: Float[Array, "J P"],
    B: Float[Array, "J P"],
    root: Float[Array, "J P"],
    apart: int = 0,
) -> Float[Array, "P"]:
    """Return sum_ij s_i s_j (2/pi) asin(C~~_ij / sqrt(D_i D_j)), root = 1 / sqrt(D), of erf and sign units."""
    return (2 / np.pi) * arcsine_sums(C, s, A * root, B * root, root, apart)
