"""Closed forms of polynomials, by Wick's theorem: sympy derives them when they are first used.

With polynomials, and with erf and sign units. sympy takes half a second to import, so that it is loaded by the first
of these averages that is computed.
"""

from typing import Any

import jax
import jax.numpy as jnp

from teacher_student import Activation

from ._registry import Row, enter_row, row_for


@row_for("slope", "polynomial")
def _slope(unit: Activation, variance: jax.Array) -> jax.Array:
    from ._code import mean_function

    average: jax.Array = mean_function(unit, 1)(variance)
    return average


def derived_pair(
    first: Activation, second: Activation, C11: Any, C12: Any, C22: Any, orders: tuple[int, int] = (0, 0)
) -> jax.Array:
    """Return E[phi_1^(m)(a) phi_2^(n)(b)], where one of the units is a polynomial.

    It is finite also for a sign unit of variance 0.
    """
    from ._code import pair_function

    variances = [_of_a_jump(unit, v) for unit, v in zip((first, second), (C11, C22), strict=True)]
    average: jax.Array = pair_function(first, second, orders)(variances[0], C12, variances[1])
    return average


def _of_a_jump(unit: Activation, variance: Any) -> Any:
    # A field of variance 0 is 0 and has no covariances, which are all that multiplies its average.
    return variance if unit.continuous else jnp.where(variance > 0, variance, 1.0)


def derived_quad(student: Activation, first: Activation, second: Activation, *C: Any) -> jax.Array:
    """Return E[p'(a) p'(b) f(c) g(d)] for a polynomial p, of the upper triangle of C.

    It is finite also for a sign unit of variance 0.
    """
    from ._code import quad_function

    average: jax.Array = quad_function(student, first, second)(*C[:-1], _of_a_jump(second, C[-1]))
    return average


enter_row("I2", ("polynomial", "polynomial"), Row(derived_pair, derived_pair))
enter_row("I4", ("polynomial", "polynomial", "polynomial"), Row(derived_quad))
for kind in ("linear", "erf", "sign"):
    enter_row("I2", ("polynomial", kind), Row(derived_pair, derived_pair))
    enter_row("I2", (kind, "polynomial"), Row(derived_pair, derived_pair))
    enter_row("I4", ("polynomial", "polynomial", kind), Row(derived_quad))
for kind in ("linear", "erf"):  # of two different sign units the average is not known
    enter_row("I4", ("polynomial", kind, kind), Row(derived_quad))
