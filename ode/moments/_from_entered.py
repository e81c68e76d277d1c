"""Averages that follow from closed forms that the user has entered as expressions."""

from typing import Any

import sympy as sp

from teacher_student import InputError

from ._registry import look_up
from ._symbols import symbols
from ._units import Entered, Unit


def entered_pair(f: Unit, m: int, g: Unit, n: int, C: Any) -> sp.Expr:
    """Return E[f^(m)(a) g^(n)(b)] of orders (m, n) = (0, 0), (1, 1) and (2, 0).

    It follows from an entered I2 by Price's theorem.
    """
    G = symbols(2)
    expression = entered_expression("I2", f, g)
    for _ in range(min(m, n)):
        expression = sp.diff(expression, G[0, 1])
    for order, variance in ((m, G[0, 0]), (n, G[1, 1])):
        for _ in range((order - min(m, n)) // 2):
            expression = 2 * sp.diff(expression, variance)
    return expression.subs({G[0, 0]: C[0, 0], G[0, 1]: C[0, 1], G[1, 1]: C[1, 1]}, simultaneous=True)


def entered_quad(student: Unit, f: Unit, g: Unit, C: Any) -> sp.Expr:
    """Return E[s'(a) s'(b) f(c) g(d)] from an entered I4."""
    G = symbols(4)
    expression = entered_expression("I4", student, f, g)
    return expression.subs(dict(zip(G, C, strict=True)), simultaneous=True)


def entered_expression(average: str, *units: Unit) -> sp.Expr:
    """Return the expression of an average that was entered. Raises InputError where it was entered as a function."""
    known = tuple(unit.activation for unit in units if isinstance(unit, Entered))
    row = look_up(average, *known) if len(known) == len(units) else None
    if row is None or row.expression is None:
        names = ", ".join(unit.name for unit in known)
        raise InputError(f"an expression of sympy for {average} of {names}", "none", "enter it by ode.add_closed_form")
    return row.expression
