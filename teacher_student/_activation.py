"""Activations phi of hidden units: erf(x / sqrt 2), relu, linear, sign, a polynomial, or the user's own."""

import importlib
import sys
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ._errors import InputError, require_name
from ._polynomial import EXAMPLE, Polynomial, polynomial


class Activation(eqx.Module):
    """A hidden unit's activation phi, with its derivative by forward-mode differentiation.

    `name`: what files and messages call it. `function`: an elementwise JAX function.
    `odd`: phi(-x) = -phi(x) and phi is positive for positive x, so that sign(phi(x)) = sign(x); of
    polynomials, x**3 is and x**3 - 3*x is not.
    `continuous`: phi does not jump, as relu does not. `smooth`: phi does not jump and neither does its derivative.
    A smooth activation is continuous without saying so. Nothing is declared unless you do: derivatives of sampled
    averages then go through the law of the fields, which is right for every activation, but noisier. (Of a teacher's
    unit they need to know whether it is continuous, of a student's unit, whose derivative learning sees, whether it
    is smooth.) A function that is declared smooth and is not has biased derivatives.
    """

    name: str = eqx.field(static=True)
    function: Callable[[jax.Array], jax.Array] = eqx.field(static=True)
    odd: bool = eqx.field(static=True, default=False)
    continuous: bool = eqx.field(static=True, default=False)
    smooth: bool = eqx.field(static=True, default=False)

    def __post_init__(self) -> None:
        for name in ("odd", "continuous", "smooth"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name}=True or False of an activation", repr(getattr(self, name)))
        self.continuous = self.continuous or self.smooth

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.function(x)

    def derivative(self, x: jax.Array) -> jax.Array:
        """phi'(x), elementwise."""
        return jax.jvp(self.function, (x,), (jnp.ones_like(x),))[1]

    @property
    def polynomial(self) -> Polynomial | None:
        """phi as a polynomial with exact coefficients, if it is one."""
        return self.function if isinstance(self.function, Polynomial) else None


def _erf(x: jax.Array) -> jax.Array:
    return jax.lax.erf(x * np.sqrt(0.5).astype(x.dtype))


ERF = Activation("erf", _erf, odd=True, smooth=True)
RELU = Activation("relu", jax.nn.relu, continuous=True)
LINEAR = Activation("linear", polynomial("x"), odd=True, smooth=True)
SIGN = Activation("sign", jnp.sign, odd=True)

BUILT_IN = {each.name: each for each in (ERF, RELU, LINEAR, SIGN)}


def as_activation(given: "str | Activation | Callable") -> Activation:
    """The activation that `given` names, spells or wraps: "erf", "relu", "linear", "sign", a polynomial or a function.

    A polynomial in x is spelt as in Python, "x**3 - 3*x", and named by its normal form ("x" is "linear").
    A function must be elementwise and made of JAX operations, such as `jnp.tanh`; in a file it is named
    by where it is imported from, "jax.numpy:tanh". What is known of it, an `Activation` declares:
    ts.Activation("tanh", jnp.tanh, odd=True, smooth=True).
    Raises InputError for an unknown name, a text that is no polynomial, or a function that changes shape.
    """
    if isinstance(given, Activation):
        return given
    if isinstance(given, str) and ":" in given:
        given = _imported(given)
    if isinstance(given, str):
        if given in BUILT_IN:
            return BUILT_IN[given]
        if given.isidentifier() and given != "x":
            require_name(given, BUILT_IN, f"activation (or a polynomial such as {EXAMPLE}, or a JAX function)")
        found = polynomial(given)
        return LINEAR if found == LINEAR.function else Activation(str(found), found, odd=found.keeps_sign, smooth=True)
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


def polynomial_named(name: str) -> Polynomial | None:
    """The polynomial that an activation of this name is, if it is one."""
    if name in BUILT_IN:
        return BUILT_IN[name].polynomial
    try:
        return polynomial(name)
    except InputError:
        return None


def _address(function: Callable) -> str:
    """ "module:name" if that imports this very function, else its bare name, as in "<lambda>"; never a name of ours."""
    name = getattr(function, "__qualname__", getattr(function, "__name__", "custom"))
    module = getattr(function, "__module__", "")
    if module != "__main__" and getattr(sys.modules.get(module), name, None) is function:
        return f"{module}:{name}"
    return f"<{name}>" if name in BUILT_IN or polynomial_named(name) else name


def _imported(address: str) -> Callable:
    module, _, name = address.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError("an importable activation module:name", repr(address), str(error)) from error
