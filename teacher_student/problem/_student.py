"""The two-layer student. Its weights and readout are state, not part of the model."""

from collections.abc import Callable

import equinox as eqx
import jax
from jaxtyping import Array, Float

from .._counts import as_width
from .._errors import InputError
from .._public_module import PublicModule
from .._usual import Usual
from ._activation import Activation, as_activation


class Student(PublicModule):
    """A two-layer student, whose weights w_k and readout v_k are part of the state and not of this object:

      yhat = sum_k v_k phi(lambda_k),      lambda_k = w_k . x / sqrt(N).

    Arguments:
      width: the number K of hidden units.
      activation: "erf", "relu", "linear", a polynomial such as "x**2", or an elementwise, differentiable JAX function.

    Raises InputError for a width below 1, and for an activation that is unknown or cannot be differentiated ("sign").
    Source: Saad & Solla 1995, Eq. (1); Goldt et al. 2019.

    Example:
      >>> import teacher_student as ts
      >>> student = ts.Student(3, "x**3 - 3*x")
      >>> student.width, student.activation.name
      (3, 'x**3 - 3*x')
    """

    width: int = eqx.field(static=True)
    activation: Activation

    def __init__(
        self, width: int, activation: "str | Activation | Callable[[jax.Array], jax.Array]" = Usual.activation
    ):
        self.width = as_width(width, "width K of the student")
        self.activation = as_activation(activation)
        if self.activation.name == "sign":
            raise InputError(
                "a differentiable activation of the student", "'sign'", "use 'erf'; sign is for teachers only"
            )

    def output(self, fields: Float[Array, "*samples K"], readout: Float[Array, "K"]) -> Float[Array, "*samples"]:
        """Return the student's outputs yhat = sum_k v_k phi(lambda_k).

        Arguments: fields: (..., K) local fields lambda. readout: (K,) weights v. Returns outputs (...).
        """
        return self.activation(fields) @ readout
