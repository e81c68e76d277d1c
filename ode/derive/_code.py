"""From derived averages to JAX functions, each derived once per process."""

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import sympy as sp

from ._units import Power, unit
from ._wick import pair, quad

Function = Callable[..., Any]
LARGEST = 2**53  # of an integer in a function


def symbols(size: int) -> sp.Matrix:
    """A symmetric matrix of symbols C11, C12, ..., with positive variances."""
    names = [[f"C{min(i, j) + 1}{max(i, j) + 1}" for j in range(size)] for i in range(size)]
    return sp.Matrix(size, size, lambda i, j: sp.Symbol(names[i][j], positive=i == j or None, real=True))


@functools.lru_cache
def mean_function(name: str, order: int) -> Function:
    """The JAX function v -> E[f^(n)(z)], z ~ N(0, v). Raises InputError for a unit without derived averages."""
    C = symbols(1)
    return _jax(unit(name).mean(order, C[0, 0]), C)


@functools.lru_cache
def pair_function(first: str, second: str, orders: tuple[int, int] = (0, 0)) -> Function:
    """The JAX function (C11, C12, C22) -> E[f^(m)(a) g^(n)(b)]. Raises InputError."""
    C = symbols(2)
    return _jax(pair(unit(first), orders[0], unit(second), orders[1], C), C)


@functools.lru_cache
def quad_function(student: str, first: str, second: str) -> Function:
    """The JAX function (C11, C12, C13, C14, C22, ..., C44) -> E[p'(a) p'(b) f(c) g(d)] for a polynomial p."""
    C, own = symbols(4), unit(student)
    assert isinstance(own, Power)
    return _jax(quad(own, unit(first), unit(second), C), C)


def _jax(expression: sp.Expr, C: sp.Matrix) -> Function:
    """The function of C's upper triangle, row by row; its arguments, arrays, broadcast."""
    arguments = [C[i, j] for i in range(C.rows) for j in range(i, C.rows)]
    # JAX takes no integer beyond 64 bits; beyond 53 a double has no more digits anyway.
    expression = expression.replace(
        lambda part: part.is_Integer and abs(part) > LARGEST, lambda part: sp.Float(part, 17)
    )
    found = sp.lambdify(arguments, expression, modules="jax", cse=True)

    def function(*covariances: Any) -> Any:
        arrays = jnp.broadcast_arrays(*covariances)  # also where the expression is a constant
        return jnp.broadcast_to(jnp.asarray(found(*covariances), arrays[0].dtype), arrays[0].shape)

    return function
