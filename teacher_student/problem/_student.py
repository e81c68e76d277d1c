"""The two-layer student. Its weights and readout are state, not part of the model."""

from collections.abc import Callable

import equinox as eqx
import jax

from .._errors import InputError
from .._numbers import check_width
from ._activation import Activation, as_activation


class Student(eqx.Module):
    """A two-layer network yhat = sum_k v_k phi(lambda_k), lambda_k = w_k . x / sqrt(N).

    Arguments:
      width: number K of hidden units.
      activation: "erf", "relu", "linear", a polynomial such as "x**2" or an elementwise, differentiable JAX function.
    Raises InputError. Source: Saad & Solla 1995, Eq. (1); Goldt et al. 2019.
    """

    width: int = eqx.field(static=True)
    activation: Activation

    def __init__(self, width: int, activation: "str | Activation | Callable[[jax.Array], jax.Array]" = "erf"):
        self.width = check_width(width, "width K of the student")
        self.activation = as_activation(activation)
        if self.activation.name == "sign":
            raise InputError(
                "a differentiable activation of the student", "'sign'", "use 'erf'; sign is for teachers only"
            )

    def output(self, fields: jax.Array, readout: jax.Array) -> jax.Array:
        """yhat of fields lambda (..., K) with readout v (K,)."""
        return self.activation(fields) @ readout
