r"""Gaussian averages I2, I3, I4 and J2 of Saad & Solla 1995 (appendix A), for units of several kinds.

Notation: a, b, c, d are jointly Gaussian with mean 0 and covariance C; D_i = 1 + C_ii;
phi(x) = erf(x / sqrt 2), so phi'(x) = sqrt(2/pi) exp(-x^2 / 2).

A factor phi'(a) is itself Gaussian: multiplying the density by it tilts the covariance,
  E[phi'(a) f] = E[phi'(a)] E~[f],   C~_ij = C_ij - C_ia C_ja / D_a.
So every average follows from E[phi'] and I2:
  I3(a, b, c)    = E[phi'(a) b phi(c)]           = E[phi'(a)] C~_bc E~[phi'(c)]        (Stein's lemma)
  I4(a, b, c, d) = E[phi'(a) phi'(b) phi(c) phi(d)] = J2(a, b) I2~~(c, d)              (tilted twice)
which is the papers' closed form: for erf units 1 + C~_cc = L3 / D_1 and so on. `tests/test_gaussian.py` holds
the two together. c and d may be erf, sign, linear or polynomial units; a linear student has phi' = 1 and no tilt.
What a polynomial takes part in is derived (`ode.derive`), I2 and E[phi'] here, and all of a polynomial student's
averages in `_polynomial_step.py`.
"""

import jax
import jax.numpy as jnp
import numpy as np

from .. import derive
from ._arcsin import arcsin

CODED = ("erf", "sign", "linear", "relu")
ROOT_2_PI = float(np.sqrt(2 / np.pi))


def safe_sqrt(x: jax.Array) -> jax.Array:
    """sqrt(max(x, 0)), with derivative 0 where x <= 0."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)


def safe_arctan2(y: jax.Array, x: jax.Array) -> jax.Array:
    """arctan2(y, x), with value and derivative 0 at the origin."""
    origin = (y == 0) & (x == 0)
    return jnp.arctan2(jnp.where(origin, 0.0, y), jnp.where(origin, 1.0, x))


def _safe_rsqrt(x: jax.Array) -> jax.Array:
    positive = x > 0
    return jnp.where(positive, jax.lax.rsqrt(jnp.where(positive, x, 1.0)), 0.0)


def slope(unit: str, variance: jax.Array) -> jax.Array:
    """E[phi'(a)] for a of given variance; by Stein's lemma E[b phi(a)] = C_ab E[phi'(a)]."""
    if unit == "erf":
        return ROOT_2_PI * jax.lax.rsqrt(1 + variance)
    if unit == "sign":
        return ROOT_2_PI * _safe_rsqrt(variance)
    if unit == "relu":
        return jnp.full_like(variance, 0.5)
    return jnp.ones_like(variance) if unit == "linear" else derive.mean_function(unit, 1)(variance)


def I2(units: tuple[str, str], C11: jax.Array, C12: jax.Array, C22: jax.Array) -> jax.Array:
    r"""E[phi_1(a) phi_2(b)]; for erf units (2/pi) asin(C12 / sqrt(D1 D2)).

    sign is the limit of infinite gain, D -> C. relu: the arc-cosine kernel (Cho & Saul 2009).
    """
    first, second = units
    if first not in CODED or second not in CODED:
        return derived_pair(units, (0, 0), C11, C12, C22)
    if first == second == "relu":
        root = safe_sqrt(C11 * C22 - C12**2)
        return (root + C12 * (np.pi - safe_arctan2(root, C12))) / (2 * np.pi)
    if first == "relu":  # relu(a) = (|a| + a)/2, and |a| is even, so against an odd unit half of a remains
        return 0.5 * I2(("linear", second), C11, C12, C22)
    if second == "relu":
        return 0.5 * I2((first, "linear"), C11, C12, C22)
    if first == "linear":
        return C12 * slope(second, C22)
    if second == "linear":
        return C12 * slope(first, C11)
    if first == second == "sign":  # the arctangent keeps value and gradient finite at a = b
        return (2 / np.pi) * safe_arctan2(C12, safe_sqrt(C11 * C22 - C12**2))
    return (2 / np.pi) * arcsin(C12 * root_D(first, C11) * root_D(second, C22))


def derived_pair(
    units: tuple[str, str], orders: tuple[int, int], C11: jax.Array, C12: jax.Array, C22: jax.Array
) -> jax.Array:
    """E[phi_1^(m)(a) phi_2^(n)(b)], one of the units a polynomial; finite also for a sign unit of variance 0."""
    variances = [
        jnp.where(v > 0, v, 1.0) if unit == "sign" else v for unit, v in zip(units, (C11, C22), strict=True)
    ]  # such a field is 0 and has no covariances, which is all that multiplies its average
    return derive.pair_function(*units, orders)(variances[0], C12, variances[1])


def root_D(unit: str, variance: jax.Array) -> jax.Array:
    """1 / sqrt(D): D = 1 + C_ii for erf, C_ii for sign."""
    return jax.lax.rsqrt(1 + variance) if unit == "erf" else _safe_rsqrt(variance)


def tilt(C: jax.Array, cross: jax.Array, D: jax.Array) -> jax.Array:
    """Covariance under the density times phi'(a): C - cross cross^T / D, cross = C[:, a], D = 1 + C_aa."""
    return C - cross[..., :, None] * cross[..., None, :] / D[..., None, None]


def J2(C11: jax.Array, C12: jax.Array, C22: jax.Array) -> jax.Array:
    """E[phi'(a) phi'(b)] = (2/pi) / sqrt(L4), L4 = D1 D2 - C12^2, for erf units."""
    return (2 / np.pi) * jax.lax.rsqrt((1 + C11) * (1 + C22) - C12**2)
