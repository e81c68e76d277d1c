r"""E[g_k g_l] of erf students: I4 for every pair of units and every pair of fields, each once."""

import jax
import jax.numpy as jnp
import numpy as np

from ._arcsin import arcsin
from ._gaussian import I2, J2, root_D

CHUNK = 2**16  # numbers of one array, where the pairs of units are more than fit
PART = 2**14  # averages computed at a time: they stay in the first cache


def gradient_products(teacher: str, C: jax.Array, v: jax.Array, s: jax.Array, noise: jax.Array) -> jax.Array:
    r"""(K, K) E[g_k g_l] = v_k v_l (sum_ij s_i s_j I4(k, l, i, j) + sigma^2 J2(k, l)).

    Symmetric in k, l and in i, j, so that only k <= l and i <= j are computed. Memory: some 20 arrays of at most
    max(CHUNK, 16 J) numbers, J = K + M: pairs k <= l come in chunks where they are many.

    Arguments: teacher: kind of the teacher's units. C: (J, J) covariance of the fields. v: readout (K,). s: (v, -vt)
      (J,). noise: sigma^2. Source: Saad & Solla 1995, Eq. (9) and appendix A.
    """
    K = v.size
    first, second = np.triu_indices(K)
    at_once = max(16, CHUNK // s.size)
    if first.size <= at_once:
        error = _squared_errors(teacher, C, s, K, first, second)
    else:
        rows = -(-first.size // at_once)
        filled = tuple(jnp.asarray(np.resize(each, (rows, at_once))) for each in (first, second))
        error = jax.lax.map(lambda pair: _squared_errors(teacher, C, s, K, *pair), filled).ravel()[: first.size]
    weight = J2(C[first, first], C[first, second], C[second, second])
    return (v[first] * v[second] * weight * (error + noise))[_place(K)]


def _place(K: int) -> np.ndarray:
    """(K, K) at which place of the list of pairs k <= l each k, l is."""
    place = np.zeros((K, K), int)
    place[np.triu_indices(K)] = np.arange(K * (K + 1) // 2)
    return np.maximum(place, place.T)


def _squared_errors(
    teacher: str, C: jax.Array, s: jax.Array, K: int, first: np.ndarray | jax.Array, second: np.ndarray | jax.Array
) -> jax.Array:
    """(P,) sum_ij s_i s_j E~[phi_i phi_j] under the density times phi'(a) phi'(b), a and b each pair of students.

    The law of the fields is tilted twice: C~~_ij = C_ij - A_i A_j - B_i B_j with A_i = C_ia / sqrt(D_a) and
    B_i = C~_ib / sqrt(D~_b). Pairs are the last axis of every array, which is contiguous and as long as it gets.
    """
    variance, cross = jnp.diagonal(C), C[first, second]
    D = 1 + variance[first]
    A = C[:, first] * jax.lax.rsqrt(D)
    B = (C[:, second] - C[:, first] * (cross / D)) * jax.lax.rsqrt(1 + variance[second] - cross**2 / D)
    tilted = variance[:, None] - A**2 - B**2

    def part(units: tuple[str, str], i: np.ndarray, j: np.ndarray) -> jax.Array:
        covariance = C[i, j][:, None] - A[i] * A[j] - B[i] * B[j]
        average = I2(units, tilted[i], covariance, tilted[j])
        if units == ("sign", "sign"):  # sign^2 = 1, which the rounding of C11 C22 - C12^2 misses by 1e-9
            average = jnp.where((i == j)[:, None], 1.0 * (tilted[i] > 0), average)
        return (s[i] * s[j]) @ average

    mine, theirs = np.arange(K), np.arange(K, s.size)
    if teacher == "erf":
        return _sigmoids(C, s, A, B, root_D("erf", tilted), *np.triu_indices(s.size))
    if teacher == "sign":
        i, j = np.triu_indices(s.size)
        root = root_D("sign", tilted + (np.arange(s.size) < K)[:, None])  # D = C, and 1 + C for students
        total = _sigmoids(C, s, A, B, root, i[i < K], j[i < K])
    else:
        total = _sigmoids(C, s, A[:K], B[:K], root_D("erf", tilted[:K]), *np.triu_indices(K))
        total += 2 * part(("erf", teacher), *_all_pairs(mine, theirs))
    return total + part((teacher, teacher), *_all_pairs(theirs, theirs))


def _all_pairs(mine: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(each.ravel() for each in np.meshgrid(mine, theirs, indexing="ij"))


def _sigmoids(
    C: jax.Array, s: jax.Array, A: jax.Array, B: jax.Array, root: jax.Array, i: np.ndarray, j: np.ndarray
) -> jax.Array:
    """(P,) sum s_i s_j (2/pi) asin(C~~_ij / sqrt(D_i D_j)) over pairs i <= j and their mirror images.

    root: 1 / sqrt(D) (J, P). In at least two parts, one after the other: what a loop takes as constant is computed
    once, while XLA would compute A, B and root anew for every pair.
    """
    weight = np.where(i == j, 1.0, 2.0)
    parts = max(2, -(-i.size * A.shape[1] // PART))
    length = -(-i.size // parts)
    padding = (0, parts * length - i.size)
    i, j, weight = (np.pad(each, padding).reshape(parts, length) for each in (i, j, weight))
    A, B = A * root, B * root

    def add(total: jax.Array, pairs: tuple[jax.Array, ...]) -> tuple[jax.Array, None]:
        i, j, weight, C_ij = pairs
        correlation = C_ij[:, None] * root[i] * root[j] - A[i] * A[j] - B[i] * B[j]
        return total + weight @ arcsin(correlation), None

    total, _ = jax.lax.scan(add, jnp.zeros(A.shape[1]), (i, j, weight * s[i] * s[j], C[i, j]))
    return (2 / np.pi) * total
