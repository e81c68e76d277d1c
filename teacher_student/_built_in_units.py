"""The built-in units: one entry for each, which is all that a further one needs.

Without closed forms, that is: these are entered in `ode/moments`. JAX is imported by the functions, which are called
when something is computed: files are checked against these names before JAX is loaded.
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ._polynomial import polynomial

if TYPE_CHECKING:
    import jax


def erf(x: "jax.Array") -> "jax.Array":
    """erf(x / sqrt 2)."""
    from jax.lax import erf

    return erf(x * np.sqrt(0.5).astype(x.dtype))


def relu(x: "jax.Array") -> "jax.Array":
    """max(x, 0), with derivative 0 at 0."""
    from jax.nn import relu

    return relu(x)


def sign(x: "jax.Array") -> "jax.Array":
    """+1, 0 or -1."""
    from jax.numpy import sign

    return sign(x)


@dataclasses.dataclass(frozen=True)
class BuiltIn:
    """A unit's function, and what it declares (see `ts.Activation`)."""

    function: Callable[[Any], Any]
    odd: bool = False
    smooth: bool = False
    continuous: bool = False


UNITS = {
    "erf": BuiltIn(erf, odd=True, smooth=True),
    "relu": BuiltIn(relu, continuous=True),
    "linear": BuiltIn(polynomial("x"), odd=True, smooth=True),
    "sign": BuiltIn(sign, odd=True),
}
