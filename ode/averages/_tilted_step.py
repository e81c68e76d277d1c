"""Averages of a step of erf and linear students, by tilting the law of the fields (`moments/_gaussian.py`)."""

import jax
import jax.numpy as jnp

from teacher_student import Activation

from ..moments import Units, moments_with_students, row_for, second_moments, slope
from ._base import StepAverages
from ._gradient_products import gradient_products

SMALL = 2**8  # entries of a matrix: up to here fused loops on a CPU beat products of matrices


@row_for("step", "erf", "erf")
@row_for("step", "erf", "sign")
@row_for("step", "erf", "linear")
@row_for("step", "erf", "polynomial")
def erf_step(
    student: Activation,
    teacher: Activation,
    block: jax.Array,
    v: jax.Array,
    s: jax.Array,
    noise: jax.Array,
) -> StepAverages:
    """Return the averages of an erf student's step.

    Arguments: block: C^b (B, J, J). v: readout (K,). s: (v, -vt) (J,). noise: sigma^2.
    """
    products = gradient_products((student, teacher), block.sum(axis=0), v, s, noise)
    return tilted_step((student, teacher), block, v, s, products)


def tilted_step(units: Units, block: jax.Array, v: jax.Array, s: jax.Array, products: jax.Array) -> StepAverages:
    """Return the averages of an erf student's step, with E[g_k g_l] (K, K) as it is given."""
    K, C = v.size, block.sum(axis=0)
    pull = C[:K] / (1 + jnp.diagonal(C)[:K, None])  # C_ka / D_k
    return _step(units, block, v, s, pull, products)


@row_for("step", "linear", "erf")
@row_for("step", "linear", "sign")
@row_for("step", "linear", "linear")
@row_for("step", "linear", "polynomial")
def linear_step(
    student: Activation,
    teacher: Activation,
    block: jax.Array,
    v: jax.Array,
    s: jax.Array,
    noise: jax.Array,
) -> StepAverages:
    """Return the averages of a linear student's step, whose phi' = 1 tilts nothing.

    The arguments are those of `erf_step`.
    """
    K, C, units = v.size, block.sum(axis=0), (student, teacher)
    products = jnp.outer(v, v) * (s @ second_moments(units, C, K) @ s + noise)
    return _step(units, block, v, s, jnp.zeros((K, 1)), products)


def _step(
    units: Units, block: jax.Array, v: jax.Array, s: jax.Array, pull: jax.Array, products: jax.Array
) -> StepAverages:
    """Return the averages of a step. Arguments: pull: (K, J) C_ki / D_k, or zeros."""
    K, C = v.size, block.sum(axis=0)
    variance = jnp.diagonal(C)
    own_slope = slope(units[0], variance[:K])
    tilted = variance - pull * C[:K]  # (K, J) C~_ii under the density times phi'(k)
    slopes = s * _slopes(units, tilted, K)
    weighed = _small_product(slopes, block)
    along = weighed - block[:, :K] * jnp.sum(pull * slopes, 1)[:, None]
    gz = (v * own_slope)[:, None] * along  # sum_i s_i C~^b_ji E[phi'_i], C~^b_ji = C^b_ji - C^b_jk C_ki / D_k
    return StepAverages(gz, products, jnp.sum(moments_with_students(units, C, K) * s, -1))


def _slopes(units: Units, variance: jax.Array, K: int) -> jax.Array:
    """Return E[phi'_i] of K student units followed by teacher units, along the last axis."""
    student, teacher = units
    if student == teacher:
        return slope(student, variance)
    return jnp.concatenate([slope(student, variance[..., :K]), slope(teacher, variance[..., K:])], -1)


def _small_product(slopes: jax.Array, block: jax.Array) -> jax.Array:
    """Return slopes (K, J) times block (B, J, J).

    For few units one fused loop is faster than a product of matrices.
    """
    if slopes.size > SMALL:
        return slopes @ block
    return jnp.sum(slopes[None, :, :, None] * block[:, None], 2)
