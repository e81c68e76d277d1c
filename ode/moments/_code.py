"""From derived averages to JAX functions, each derived once per process."""

import functools
from collections.abc import Callable
from typing import Any

from teacher_student import Activation

from ._symbols import symbols, to_jax
from ._units import unit
from ._wick import pair, quad

Function = Callable[..., Any]


@functools.lru_cache
def mean_function(name: str | Activation, order: int) -> Function:
    """Return the JAX function v -> E[f^(n)(z)], z ~ N(0, v). Raises InputError for a unit without derived averages."""
    C = symbols(1)
    return to_jax(unit(name).mean(order, C[0, 0]), C)


@functools.lru_cache
def pair_function(first: str | Activation, second: str | Activation, orders: tuple[int, int] = (0, 0)) -> Function:
    """Return the JAX function (C11, C12, C22) -> E[f^(m)(a) g^(n)(b)]. Raises InputError."""
    C = symbols(2)
    return to_jax(pair(unit(first), orders[0], unit(second), orders[1], C), C)


@functools.lru_cache
def quad_function(student: str | Activation, first: str | Activation, second: str | Activation) -> Function:
    """Return the JAX function (C11, C12, C13, C14, C22, ..., C44) -> E[s'(a) s'(b) f(c) g(d)]. Raises InputError."""
    C = symbols(4)
    return to_jax(quad(unit(student), unit(first), unit(second), C), C)
