r"""Averages of erf and sign units: Price's theorem leads to Gaussian integrals of bells, which are integrated back."""

from typing import Any

import sympy as sp

from ._units import bells

_c, _p, _q, _r = sp.symbols("c p q r", positive=True)


def sigmoid_pair(widths: tuple[int, int], orders: tuple[int, int], C: Any) -> sp.Expr:
    """Return E[phi_1^(m)(a) phi_2^(n)(b)], which is 0 for odd m + n.

    It follows from I2 (m = n = 0) or J2 = E[phi'_1 phi'_2] by Price's theorem: d/dC12 raises both orders by one, and
    2 d/dC11 raises that of the first by two.
    """
    m, n = orders
    if (m + n) % 2:
        return sp.Integer(0)
    G = sp.Matrix(2, 2, [_p, _c, _c, _q])
    common = min(m, n)
    average = sp.diff(bells(widths, G), _c, common - 1) if common else _I2(widths)
    for order, variance in ((m, _p), (n, _q)):
        times = (order - common) // 2
        average = 2**times * sp.diff(average, variance, times)
    return average.subs({_p: C[0, 0], _c: C[0, 1], _q: C[1, 1]}, simultaneous=True)


def _I2(widths: tuple[int, int]) -> sp.Expr:
    """Return E[phi_1(a) phi_2(b)].

    It is the integral over C12 of E[phi'_1 phi'_2], from C12 = 0, where it is 0 because phi is odd.
    """
    return _arcsine(bells(widths, sp.Matrix(2, 2, [_p, _c, _c, _q])), _c, sp.Integer(0))


def _arcsine(integrand: sp.Expr, variable: sp.Symbol, start: sp.Expr) -> sp.Expr:
    """int_start^c of h / sqrt(L (r^2 - (c - start)^2)), from sympy's integral of 1 / sqrt(r^2 - c^2)."""
    under = (1 / integrand**2).expand()  # h^-2 L (r^2 - (c - start)^2), a parabola in c
    bend = -sp.diff(under, variable, 2) / 2
    top = sp.factor(sp.expand(under.subs(variable, start)))
    primitive = sp.integrate(1 / sp.sqrt(_r**2 - _c**2), (_c, 0, _c), conds="none")
    assert primitive == sp.asin(_c / _r)
    sine = sp.factor(bend * (variable - start)) / sp.sqrt(sp.factor(bend * top))
    return sp.asin(sine) / sp.sqrt(bend)


def sigmoid_I3(widths: tuple[int, int], C: Any) -> sp.Expr:
    """Return E[phi'_1(a) b phi_2(c)] by Stein's lemma: C12 E[phi''_1(a) phi_2(c)] + C23 E[phi'_1(a) phi'_2(c)]."""
    G = sp.Matrix(2, 2, [C[0, 0], C[0, 2], C[0, 2], C[2, 2]])
    second, slopes = (sigmoid_pair(widths, orders, G) for orders in ((2, 0), (1, 1)))
    return sp.factor(C[0, 1] * second + C[1, 2] * slopes)


def sigmoid_I4(widths: tuple[int, int, int, int], C: Any) -> sp.Expr:
    """Return E[phi'_1(a) phi'_2(b) phi_3(c) phi_4(d)]: the integral over C34 of E[phi'_1 phi'_2 phi'_3 phi'_4].

    Under the density times the bells of a and b, itself Gaussian, c and d have a covariance linear in C34; where
    that is 0 the average is 0 (phi is odd). The determinant in the integrand is largest there: its vertex.
    """
    G = sp.Matrix(4, 4, lambda i, j: _r if {i, j} == {2, 3} else C[i, j])
    integrand = bells(widths, G)
    under = sp.expand(1 / integrand**2)
    start = sp.solve(sp.diff(under, _r), _r)[0]
    return _arcsine(integrand, _r, start).subs(_r, C[2, 3])
