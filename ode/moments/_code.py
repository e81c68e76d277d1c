"""From derived averages to JAX functions, each derived once per process."""

import functools
from collections.abc import Callable
from typing import Any

from teacher_student import Activation, InputError
from teacher_student.internal import is_integer

from ._symbols import symbols, to_jax
from ._units import unit
from ._wick import pair, quad

Function = Callable[..., Any]
HIGHEST = 20  # order of a derivative: sympy takes minutes for hundreds, and all memory for more


def mean_function(name: str | Activation, order: int) -> Function:
    """Return the JAX function v -> E[f^(n)(z)] of a field z of mean 0 and variance v, elementwise.

    Arguments: name: of the unit f, or its activation. order: n, how often f is differentiated.
    Raises InputError for a unit without derived averages, and for an order that is not between 0 and 20.

    Example:
      >>> from ode import derive
      >>> float(derive.mean_function("x**2", 0)(3.0))
      3.0
    """
    return _mean_function(name, _as_orders((order,), 1)[0])


@functools.lru_cache
def _mean_function(name: str | Activation, order: int) -> Function:
    C = symbols(1)
    return to_jax(unit(name).mean(order, C[0, 0]), C)


def pair_function(first: str | Activation, second: str | Activation, orders: tuple[int, int] = (0, 0)) -> Function:
    """Return the JAX function (C11, C12, C22) -> E[f^(m)(a) g^(n)(b)] of two fields of mean 0, elementwise.

    Arguments: first, second: the units f and g, by name or as activations. orders: (m, n), how often each is
    differentiated.
    Raises InputError for a unit without derived averages, and for orders that are not two between 0 and 20.

    Example:
      >>> from ode import derive
      >>> float(derive.pair_function("x**2", "x**2")(1.0, 0.5, 1.0))  # C11 C22 + 2 C12^2
      1.5
    """
    return _pair_function(first, second, _as_orders(orders, 2))


@functools.lru_cache
def _pair_function(first: str | Activation, second: str | Activation, orders: tuple[int, ...]) -> Function:
    C = symbols(2)
    return to_jax(pair(unit(first), orders[0], unit(second), orders[1], C), C)


@functools.lru_cache
def quad_function(student: str | Activation, first: str | Activation, second: str | Activation) -> Function:
    """Return the JAX function (C11, C12, C13, C14, C22, ..., C44) -> E[s'(a) s'(b) f(c) g(d)], elementwise.

    The fields a, b, c, d are jointly Gaussian of mean 0. The arguments are the upper triangle of their covariance.

    Arguments: student: the unit s, which is differentiated. first, second: the units f and g.
    Raises InputError for a unit without derived averages.
    """
    C = symbols(4)
    return to_jax(quad(unit(student), unit(first), unit(second), C), C)


def _as_orders(orders: Any, count: int) -> tuple[int, ...]:
    """Return `count` orders of differentiation. Raises InputError for anything else."""
    given = tuple(orders) if isinstance(orders, (tuple, list)) else ()
    if len(given) != count or not all(is_integer(order) and 0 <= order <= HIGHEST for order in given):
        required = f"{count} orders" if count > 1 else "an order"
        raise InputError(f"{required} of differentiation between 0 and {HIGHEST}", repr(orders))
    return tuple(int(order) for order in given)
