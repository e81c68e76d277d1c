"""Activations phi of hidden units: erf(x / sqrt 2), relu, linear, sign, or the user's own."""

import importlib
import sys
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ._errors import InputError, require_name


class Activation(eqx.Module):
    """A hidden unit's activation phi, with its derivative by forward-mode differentiation.

    `name`: what files and messages call it. `function`: an elementwise JAX function.
    `odd`: phi(-x) = -phi(x) and phi strictly increasing at the origin, so that
    sign(phi(x)) = sign(x).
    """

    name: str = eqx.field(static=True)
    function: Callable[[jax.Array], jax.Array] = eqx.field(static=True)
    odd: bool = eqx.field(static=True, default=False)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.function(x)

    def derivative(self, x: jax.Array) -> jax.Array:
        """phi'(x), elementwise."""
        return jax.jvp(self.function, (x,), (jnp.ones_like(x),))[1]


def _erf(x: jax.Array) -> jax.Array:
    return jax.lax.erf(x * np.sqrt(0.5).astype(x.dtype))


def _linear(x: jax.Array) -> jax.Array:
    return x


ERF = Activation("erf", _erf, odd=True)
RELU = Activation("relu", jax.nn.relu)
LINEAR = Activation("linear", _linear, odd=True)
SIGN = Activation("sign", jnp.sign, odd=True)

BUILT_IN = {each.name: each for each in (ERF, RELU, LINEAR, SIGN)}


def as_activation(given: "str | Activation | Callable") -> Activation:
    """The activation that `given` names, or wraps: "erf", "relu", "linear", "sign" or a function.

    A function must be elementwise and made of JAX operations, such as `jnp.tanh`; in a file it is named
    by where it is imported from, "jax.numpy:tanh".
    Raises InputError for an unknown name or a function that changes shape.
    """
    if isinstance(given, Activation):
        return given
    if isinstance(given, str) and ":" in given:
        given = _imported(given)
    if isinstance(given, str):
        require_name(given, BUILT_IN, "activation (or a JAX function)")
        return BUILT_IN[given]
    if not callable(given):
        raise InputError("an activation's name or a JAX function", repr(given))
    probe = jax.ShapeDtypeStruct((3,), jnp.float32)
    try:
        shape = jax.eval_shape(given, probe).shape
    except Exception as error:  # whatever the user's function raises is the message
        reason = str(error).partition("\n")[0]
        raise InputError(
            "an elementwise JAX function as activation", f"{type(error).__name__}: {reason}", "use jnp, not np"
        ) from error
    if shape != (3,):
        raise InputError("an activation that keeps its argument's shape", f"(3,) -> {shape}")
    return Activation(_address(given), given)


def _address(function: Callable) -> str:
    """ "module:name" if that imports this very function, else its bare name, as in "<lambda>"."""
    name = getattr(function, "__qualname__", getattr(function, "__name__", "custom"))
    module = getattr(function, "__module__", "")
    if module != "__main__" and getattr(sys.modules.get(module), name, None) is function:
        return f"{module}:{name}"
    return name


def _imported(address: str) -> Callable:
    module, _, name = address.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError("an importable activation module:name", repr(address), str(error)) from error
