"""Second moments E[phi_i phi_j] of all units of a problem, and averages of their derivatives."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._gaussian import I2, Units
from ._registry import Row, look_up


def moments_with_students(units: Units, C: Float[Array, "*batch J J"], K: int) -> Float[Array, "*batch K J"]:
    """Return E[phi_k phi_i] = I2(k, i) of K student units with student and teacher units."""
    student, teacher = units
    variance = jnp.diagonal(C, axis1=-2, axis2=-1)
    row, column = variance[..., :K, None], variance[..., None, :]
    if student == teacher:
        return I2((student, student), row, C[..., :K, :], column)
    among_students = I2((student, student), row, C[..., :K, :K], column[..., :K])
    return jnp.concatenate([among_students, I2((student, teacher), row, C[..., :K, K:], column[..., K:])], -1)


def second_moments(units: Units, C: Float[Array, "*batch J J"], K: int) -> Float[Array, "*batch J J"]:
    """Return E[phi_i phi_j] = I2(i, j) for K student units followed by teacher units."""
    teacher = units[1]
    variance = jnp.diagonal(C, axis1=-2, axis2=-1)[..., K:]
    among = I2((teacher, teacher), variance[..., :, None], C[..., K:, K:], variance[..., None, :])
    if (square := look_up("square", teacher)) is not None:
        same = jnp.eye(among.shape[-1], dtype=bool)
        among = jnp.where(same, square.function(teacher, variance[..., :, None]), among)
    top = moments_with_students(units, C, K)
    return jnp.concatenate([top, jnp.concatenate([top[..., K:].swapaxes(-1, -2), among], -1)], -2)


def derivatives_average(
    units: Units, orders: tuple[int, int], C11: jax.Array, C12: jax.Array, C22: jax.Array
) -> jax.Array:
    """Return E[phi_1^(m)(a) phi_2^(n)(b)] for orders (m, n) of (0, 0), (1, 1) and (2, 0), where I2 has a closed form.

    By Price's theorem: E[phi_1' phi_2'] = dI2/dC12, and E[phi_1'' phi_2] = 2 dI2/dC11.
    """
    average: jax.Array
    row = look_up("I2", *units) or Row(I2)
    if row.derivatives is not None:
        average = row.derivatives(*units, C11, C12, C22, orders)
        return average
    C = tuple(jnp.broadcast_arrays(C11, C12, C22))
    if orders == (0, 0):
        return I2(units, *C)
    along = {(1, 1): (0.0, 1.0, 0.0), (2, 0): (2.0, 0.0, 0.0)}[orders]
    tangents = tuple(jnp.full_like(c, step) for c, step in zip(C, along, strict=True))
    average = jax.jvp(lambda *C: I2(units, *C), C, tangents)[1]
    return average
