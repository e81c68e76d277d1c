"""Symbols of a covariance, and expressions in them as JAX functions."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import sympy as sp

from teacher_student.internal import as_count

Function = Callable[..., Any]
LARGEST = 2**53  # of an integer in a function
MOST_ROWS = 99  # beyond it two entries would have one name: C1112 of rows 11 and 12, and of rows 1 and 112


def symbols(size: int) -> sp.Matrix:
    """Return a symmetric matrix of sympy symbols C11, C12, ..., with positive variances.

    Arguments: size: its number of rows, which is that of the fields whose covariance it is.
    Raises InputError for no number of rows, and for more than 99.

    Example:
      >>> from ode import derive
      >>> derive.symbols(2)
      Matrix([
      [C11, C12],
      [C12, C22]])
    """
    size = as_count(size, "number of rows", most=MOST_ROWS)
    names = [[f"C{min(i, j) + 1}{max(i, j) + 1}" for j in range(size)] for i in range(size)]
    return sp.Matrix(size, size, lambda i, j: sp.Symbol(names[i][j], positive=i == j or None, real=True))


def to_jax(expression: sp.Expr, C: sp.Matrix) -> Function:
    """Return the expression as a function of C's upper triangle, row by row.

    Its arguments are arrays, which broadcast.
    """
    arguments = [C[i, j] for i in range(C.rows) for j in range(i, C.rows)]
    # JAX takes no integer beyond 64 bits; beyond 53 a double has no more digits anyway.
    expression = expression.replace(
        lambda part: part.is_Integer and abs(part) > LARGEST, lambda part: sp.Float(part, 17)
    )
    evaluate = sp.lambdify(arguments, expression, modules="jax", cse=True)

    def function(*covariances: Any) -> Any:
        arrays = jnp.broadcast_arrays(*covariances)  # also where the expression is a constant
        return jnp.broadcast_to(jnp.asarray(evaluate(*covariances), arrays[0].dtype), arrays[0].shape)

    return function
