r"""Averages of products of two and of four units of jointly Gaussian fields, mean 0 and covariance C.

Price's theorem, dE[F]/dC_ij = E[d_i d_j F] for i != j and E[d_i^2 F] / 2 for i = j, makes the dependence on the
covariances *between* fields a Taylor series that ends if one of the units is a polynomial (Wick's theorem):

  E[prod_i f_i(z_i)] = sum_n prod_{i<j} C_ij^n_ij / n_ij!  prod_i E[f_i^(N_i)(z_i)],    N_i = sum_j n_ij.

Between two sigmoids it does not end; there Price's theorem is integrated (`_sigmoids.py`).
"""

import itertools
from typing import Any

import sympy as sp

from ._from_entered import entered_pair, entered_quad
from ._sigmoids import sigmoid_pair
from ._units import Entered, Power, Sigmoid, Unit


def pair(f: Unit, m: int, g: Unit, n: int, C: Any) -> sp.Expr:
    """Return E[f^(m)(a) g^(n)(b)] for a 2 x 2 covariance C."""
    if isinstance(f, Entered) or isinstance(g, Entered):
        return entered_pair(f, m, g, n, C)
    if isinstance(f, Sigmoid) and isinstance(g, Sigmoid):
        return sigmoid_pair((f.width, g.width), (m, n), C)
    last = min(unit.polynomial.degree - order for unit, order in ((f, m), (g, n)) if isinstance(unit, Power))
    terms = [C[0, 1] ** r / sp.factorial(r) * f.mean(m + r, C[0, 0]) * g.mean(n + r, C[1, 1]) for r in range(last + 1)]
    return sum(terms, sp.Integer(0))


def quad(student: Unit, f: Unit, g: Unit, C: Any) -> sp.Expr:
    """Return E[s'(a) s'(b) f(c) g(d)] for a 4 x 4 covariance C.

    Either s is a polynomial, or the average has been entered as it is.
    """
    if not isinstance(student, Power):
        return entered_quad(student, f, g, C)
    most = student.polynomial.degree - 1
    terms = []
    for ab, ac, ad, bc, bd in itertools.product(range(most + 1), repeat=5):
        if max(ab + ac + ad, ab + bc + bd) > most:
            continue
        powers = C[0, 1] ** ab * C[0, 2] ** ac * C[0, 3] ** ad * C[1, 2] ** bc * C[1, 3] ** bd
        count = sp.prod([sp.factorial(n) for n in (ab, ac, ad, bc, bd)])
        rest = student.mean(1 + ab + ac + ad, C[0, 0]) * student.mean(1 + ab + bc + bd, C[1, 1])
        if rest != 0:
            terms.append(powers / count * rest * pair(f, ac + bc, g, ad + bd, C[2:, 2:]))
    return sp.Add(*terms)
