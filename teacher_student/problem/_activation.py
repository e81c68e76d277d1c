"""Activations phi of hidden units: erf(x / sqrt 2), relu, linear, sign, a polynomial, or the user's own."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._address import address_in, address_of, imported
from .._built_in_units import UNITS
from .._errors import InputError, require_name
from .._polynomial import Polynomial, is_polynomial, polynomial
from .._public_module import PublicModule
from .._trust import Unopened, remember_unit
from ..tables import ACTIVATIONS, OTHERWISE, ActivationTable, read_table
from ._try_out import try_unit

BUILT_IN: "dict[str, Activation]" = {}  # filled below


def _polynomial(name: str) -> Polynomial | None:
    try:
        return polynomial(name)
    except InputError:
        return None


class Activation(PublicModule):
    """A hidden unit's activation phi, with its derivative by forward-mode differentiation.

    What the code of a function does not say of itself is declared. What is not declared is taken not to hold, which is
    always right: derivatives of sampled averages then go through the law of the fields, which is noisier.

    Arguments:
      name: what files and messages call it. Closed forms go by it, so that "erf" or "x**2" are for these functions
        alone.
      function: an elementwise JAX function.
      odd: whether phi(-x) = -phi(x) and phi is positive for positive x, so that sign(phi(x)) = sign(x). Of polynomials,
        x**3 is odd in this sense and x**3 - 3*x is not.
      smooth: whether neither phi nor phi' jumps anywhere. This holds for erf, tanh and polynomials. It does not hold
        for relu, whose phi' jumps at 0.
      continuous: whether phi does not jump anywhere. This holds for relu too, and not for sign. What is smooth is
        continuous.

    Raises InputError for a function that is not elementwise, or is not odd though declared so, and for a name that
    belongs to another function.
    """

    name: str = eqx.field(static=True)
    function: Callable[[jax.Array], jax.Array] = eqx.field(static=True)
    odd: bool = eqx.field(static=True)
    smooth: bool = eqx.field(static=True)
    continuous: bool = eqx.field(static=True)

    def __init__(
        self,
        name: str,
        function: Callable[[jax.Array], jax.Array],
        odd: bool = False,
        smooth: bool = False,
        continuous: bool = False,
    ):
        if not callable(function):
            raise InputError("an elementwise JAX function as activation", repr(function))
        for keyword, declared in (("odd", odd), ("smooth", smooth), ("continuous", continuous)):
            if not isinstance(declared, bool):
                raise InputError(f"{keyword}=True or False of an activation", repr(declared))
        if not isinstance(name, str) or not name:
            raise InputError("a text as an activation's name", repr(name))
        if name in BUILT_IN and function != BUILT_IN[name].function:
            raise InputError(f"another name than {name!r} for a function of your own", repr(function))
        if (named := _polynomial(name)) is not None and function != named:
            raise InputError(f"another name than that of a polynomial, {name!r}, for a function", repr(function))
        if name not in ACTIVATIONS and not isinstance(function, (Polynomial, Unopened)):  # ours are held by tests
            try_unit(name, function, odd=odd)
            remember_unit(function)
        self.name, self.function, self.odd = name, function, odd
        self.smooth, self.continuous = smooth, continuous or smooth

    def _words(self) -> str:
        declared = [name for name in ("odd", "smooth", "continuous") if getattr(self, name)]
        return f"Activation({', '.join([repr(self.name), *declared])})"

    def __call__(self, x: Float[Array, "*fields"]) -> Float[Array, "*fields"]:
        """Return phi(x), elementwise."""
        return self.function(x)

    def derivative(self, x: Float[Array, "*fields"]) -> Float[Array, "*fields"]:
        """Return phi'(x), elementwise, by JAX's forward derivative: at a kink it is what JAX takes it to be."""
        slope: jax.Array = jax.jvp(self.function, (x,), (jnp.ones_like(x),))[1]
        return slope

    @property
    def polynomial(self) -> Polynomial | None:
        """phi as a polynomial with exact coefficients, if it is one."""
        return self.function if isinstance(self.function, Polynomial) else None

    @property
    def kind(self) -> "Kind":
        """What closed forms go by: "erf", "relu", "linear", "sign", "polynomial", or a unit of one's own itself.

        Two units of one kind have their averages from the same formula, such as all polynomials from Wick's theorem.
        """
        if self == BUILT_IN.get(self.name):
            return self.name
        return self if self.polynomial is None else "polynomial"

    @property
    def text(self) -> "str | dict[str, Any]":
        """What a file says of this activation: a name, a polynomial, "module:function", or that with what is declared.

        `as_activation` reads it back. Raises InputError for a function that has no address, such as a lambda.
        """
        if self == BUILT_IN.get(self.name):
            return self.name
        if self.polynomial is not None:
            address: str | None = str(self.polynomial)
        elif isinstance(self.function, Unopened):
            address = self.function.address
        else:
            # A lambda may have no name of its own where the Activation that a module makes of it has one.
            module = getattr(self.function, "__module__", None)
            address = address_of(self.function) or address_in(module, self)
        if address is None:
            raise InputError(
                "an activation that can be imported again, to write or send it",
                f"{self.name!r}",
                "move its function to a module (a file.py of its own) and import it from there",
            )
        # What was left unopened must not be imported to be written again.
        unopened = isinstance(self.function, Unopened)
        if self == (Activation(address, self.function) if unopened else as_activation(address)):
            return address
        declared = {"name": self.name, "odd": self.odd, "smooth": self.smooth, "continuous": self.continuous}
        return {"function": address} | declared

    def __hash__(self) -> int:  # equinox's is that of the numbers alone, of which there are none
        return hash((self.name, self.function))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the activation as a file would have it, where it can be.

        JAX's own functions, such as relu, refuse to be pickled. What a result left unopened stays so in a pickle.
        """
        fields = (self.name, self.function, self.odd, self.smooth, self.continuous)
        if isinstance(self.function, Unopened):
            return Activation, fields
        try:
            return as_activation, (self.text,)
        except InputError:
            return Activation, fields


Kind = str | Activation


BUILT_IN |= {name: Activation(name, **vars(unit)) for name, unit in UNITS.items()}


def as_activation(source: "str | Activation | Callable[[jax.Array], jax.Array] | Mapping[str, Any]") -> Activation:
    """Return the activation that `source` names, spells or wraps: one of "erf", "relu", "linear", "sign", or another.

    A polynomial in x is spelt as in Python, "x**3 - 3*x", and named by its normal form ("x" is "linear").
    A function must be elementwise and made of JAX operations, such as `jnp.tanh`. A file names it by where it is
    imported from, "jax.numpy:tanh", or by a table {function = "jax.numpy:tanh", odd = true, smooth = true} with the
    arguments of `Activation`. What is imported may be an Activation too.
    Raises InputError for an unknown name, a text that is no polynomial, or a function that changes shape.
    """
    if isinstance(source, Mapping):
        return activation_from_table(read_table(ActivationTable, source, "activation"))
    if isinstance(source, str) and ":" in source:
        source = imported(source, "activation", lambda thing: issubclass(type(thing), Activation))
    if isinstance(source, Unopened):
        return Activation(source.address, source)
    if isinstance(source, Activation):
        return source
    if isinstance(source, str):
        return _of_text(source)
    if not callable(source):
        raise InputError("an activation's name or a JAX function", repr(source))
    return Activation(_name_of(source), source)


def _of_text(text: str) -> Activation:
    if text in BUILT_IN:
        return BUILT_IN[text]
    if text.isidentifier() and text != "x" and not is_polynomial(text):
        require_name(text, BUILT_IN, OTHERWISE)
    parsed = polynomial(text)
    if parsed == UNITS["linear"].function:
        return BUILT_IN["linear"]
    return Activation(str(parsed), parsed, odd=parsed.keeps_sign, smooth=True)


def activation_from_table(read: str | ActivationTable) -> Activation:
    """Return the activation that a table of a file has, once it is read and checked."""
    if isinstance(read, str):
        return as_activation(read)
    read.check()
    plain = as_activation(read.function)
    name = plain.name if read.name is None else read.name
    return Activation(name, plain.function, read.odd, read.smooth, read.continuous)


def _name_of(function: Callable[..., Any]) -> str:
    """Return the function's address, else its bare name, as in "<lambda>". It is never a name of ours."""
    address = address_of(function)
    if address is not None:
        return address
    name = getattr(function, "__qualname__", getattr(function, "__name__", "custom"))
    return f"<{name}>" if name in BUILT_IN or _polynomial(name) else name
