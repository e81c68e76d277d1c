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
What a polynomial takes part in is derived (`_derived.py`), and so is all of a polynomial student.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from teacher_student import Activation, InputError
from teacher_student.internal import as_activation

from . import _derived  # noqa: F401  # enters what polynomials take part in
from ._arcsin import arcsin
from ._registry import look_up, row_for

ROOT_2_PI = float(np.sqrt(2 / np.pi))
Units = tuple[Activation, Activation]


def safe_sqrt(x: jax.Array) -> jax.Array:
    """Return sqrt(max(x, 0)), with derivative 0 where x <= 0."""
    positive = x > 0
    # The argument is replaced too, not only the value: JAX differentiates both branches of a `where`, and the infinite
    # slope of the root at 0, times the 0 of the branch that is not taken, would be NaN.
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)


def safe_arctan2(y: jax.Array, x: jax.Array) -> jax.Array:
    """Return arctan2(y, x), with value and derivative 0 at the origin."""
    origin = (y == 0) & (x == 0)
    # As in `safe_sqrt`: at the origin the derivative of the arctangent is 0 / 0.
    return jnp.arctan2(jnp.where(origin, 0.0, y), jnp.where(origin, 1.0, x))


def safe_rsqrt(x: jax.Array) -> jax.Array:
    """Return 1 / sqrt(x), and 0 with derivative 0 where x <= 0."""
    positive = x > 0
    return jnp.where(positive, jax.lax.rsqrt(jnp.where(positive, x, 1.0)), 0.0)


def slope(unit: Activation | str, variance: jax.Array) -> jax.Array:
    """Return E[phi'(a)] for a of given variance. By Stein's lemma E[b phi(a)] = C_ab E[phi'(a)].

    Raises InputError where it is not known.
    """
    return _known("slope", as_activation(unit))(variance)


@row_for("slope", "erf")
def _slope_of_erf(unit: Activation, variance: jax.Array) -> jax.Array:
    return ROOT_2_PI * jax.lax.rsqrt(1 + variance)


@row_for("slope", "sign")
def _slope_of_sign(unit: Activation, variance: jax.Array) -> jax.Array:
    return ROOT_2_PI * safe_rsqrt(variance)


@row_for("slope", "relu")
def _slope_of_relu(unit: Activation, variance: jax.Array) -> jax.Array:
    return jnp.full_like(variance, 0.5)


@row_for("slope", "linear")
def _slope_of_linear(unit: Activation, variance: jax.Array) -> jax.Array:
    return jnp.ones_like(variance)


@row_for("square", "sign")
def _square_of_sign(unit: Activation, variance: jax.Array) -> jax.Array:
    return (variance > 0).astype(variance.dtype)  # the rounding of C11 C22 - C12^2 misses it by 1e-9


def I2(units: "tuple[Activation | str, Activation | str]", C11: Any, C12: Any, C22: Any) -> jax.Array:
    """Return E[phi_1(a) phi_2(b)], for erf units (2/pi) asin(C12 / sqrt(D1 D2)).

    For sign it is the limit of infinite gain, D -> C. For relu it is the arc-cosine kernel (Cho & Saul 2009).
    Raises InputError where it is not known.
    """
    first, second = (as_activation(unit) for unit in units)
    if look_up("I2", first, second) is None and look_up("I2", second, first) is not None:
        return _known("I2", second, first)(C22, C12, C11)
    return _known("I2", first, second)(C11, C12, C22)


def pair_is_known(first: Activation, second: Activation) -> bool:
    """Return whether E[phi_1(a) phi_2(b)] has a closed form."""
    return look_up("I2", first, second) is not None or look_up("I2", second, first) is not None


def _known(average: str, *units: Activation) -> Callable[..., jax.Array]:
    row = look_up(average, *units)
    if row is None:
        names = ", ".join(repr(unit.name) for unit in units)
        raise InputError(f"units whose {average} has a closed form", names, "see ode.add_closed_form")
    return lambda *covariances: row.function(*units, *covariances)


@row_for("I2", "relu", "relu")
def _arc_cosine(first: Activation, second: Activation, C11: Any, C12: Any, C22: Any) -> jax.Array:
    root = safe_sqrt(C11 * C22 - C12**2)
    average: jax.Array = (root + C12 * (np.pi - safe_arctan2(root, C12))) / (2 * np.pi)
    return average


@row_for("I2", "relu", "linear")
@row_for("I2", "relu", "erf")
@row_for("I2", "relu", "sign")
def _half_of_linear(first: Activation, second: Activation, C11: Any, C12: Any, C22: Any) -> jax.Array:
    return 0.5 * I2(("linear", second), C11, C12, C22)  # relu(a) = (|a| + a)/2; |a| is even, so half of a remains


@row_for("I2", "linear", "linear")
@row_for("I2", "linear", "erf")
@row_for("I2", "linear", "sign")
def _with_linear(first: Activation, second: Activation, C11: Any, C12: Any, C22: Any) -> jax.Array:
    average: jax.Array = C12 * slope(second, C22)
    return average


@row_for("I2", "sign", "sign")
def _arctangent(first: Activation, second: Activation, C11: Any, C12: Any, C22: Any) -> jax.Array:
    # Not the arcsine: the arctangent keeps value and gradient finite at a = b.
    return (2 / np.pi) * safe_arctan2(C12, safe_sqrt(C11 * C22 - C12**2))


@row_for("I2", "erf", "erf")
def _arcsine(first: Activation, second: Activation, C11: Any, C12: Any, C22: Any) -> jax.Array:
    return (2 / np.pi) * arcsin(C12 * jax.lax.rsqrt(1 + C11) * jax.lax.rsqrt(1 + C22))


@row_for("I2", "erf", "sign")
def _arcsine_with_sign(first: Activation, second: Activation, C11: Any, C12: Any, C22: Any) -> jax.Array:
    return (2 / np.pi) * arcsin(C12 * jax.lax.rsqrt(1 + C11) * safe_rsqrt(C22))


def tilt(
    C: Float[Array, "*batch n n"], cross: Float[Array, "*batch n"], D: Float[Array, "*batch"]
) -> Float[Array, "*batch n n"]:
    """Return C - cross cross^T / D, cross = C[:, a], D = 1 + C_aa: the covariance under the density times phi'(a)."""
    return C - cross[..., :, None] * cross[..., None, :] / D[..., None, None]


def J2(C11: jax.Array, C12: jax.Array, C22: jax.Array) -> jax.Array:
    """Return E[phi'(a) phi'(b)] = (2/pi) / sqrt(L4), L4 = D1 D2 - C12^2, for erf units."""
    return (2 / np.pi) * jax.lax.rsqrt((1 + C11) * (1 + C22) - C12**2)
