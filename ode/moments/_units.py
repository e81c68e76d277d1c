r"""Units whose Gaussian averages can be derived: polynomials, and the sigmoids erf and sign.

A sigmoid's slope is a Gaussian bell, phi'(x) = A exp(-x^2 / 2) for phi(x) = erf(x / sqrt 2). With a gain kappa,
erf(kappa x / sqrt 2), the bell has the squared width w = kappa^-2: w = 1 is erf, w = 0 the limit sign.
"""

import dataclasses
import functools
import re

import sympy as sp

from teacher_student import Activation, InputError
from teacher_student.internal import BUILT_IN, Polynomial, as_activation, is_polynomial

from ._registry import look_up

x = sp.Symbol("x", real=True)
WIDTHS = {"erf": 1, "sign": 0}
WITH_AVERAGES = 'erf, linear and polynomials such as "x**3 - 3*x"'


@dataclasses.dataclass(frozen=True)
class Power:
    """A polynomial unit p(x)."""

    polynomial: Polynomial

    def mean(self, order: int, variance: sp.Expr) -> sp.Expr:
        """Return E[p^(n)(z)], z ~ N(0, v): Wick's theorem, E[p(z)] = exp(v d^2/dx^2 / 2) p at x = 0."""
        return _wick_mean(self.polynomial, order).subs(_v, variance)


@dataclasses.dataclass(frozen=True)
class Sigmoid:
    """erf (squared width w = 1) or sign (w = 0)."""

    width: int

    def mean(self, order: int, variance: sp.Expr) -> sp.Expr:
        """Return E[phi^(n)(z)], z ~ N(0, v).

        It is 0 for even n, because phi is odd. For odd n it is (2 d/dv)^((n-1)/2) E[phi'] by Price's theorem.
        """
        if order % 2 == 0:
            return sp.Integer(0)
        slope = bells((self.width,), sp.Matrix([[_v]]))
        return (2 ** ((order - 1) // 2) * sp.diff(slope, _v, (order - 1) // 2)).subs(_v, variance)


@dataclasses.dataclass(frozen=True)
class Entered:
    """A unit of the user's own, whose averages `ode.add_closed_form` has entered as expressions."""

    activation: Activation

    def mean(self, order: int, variance: sp.Expr) -> sp.Expr:
        """Return E[f^(n)(z)], which follows from no entered average."""
        raise InputError(f"a polynomial, erf or sign for E[f^({order})]", repr(self.activation.name))


Unit = Power | Sigmoid | Entered
_v = sp.Symbol("v", positive=True)


@functools.lru_cache
def _wick_mean(polynomial: Polynomial, order: int) -> sp.Expr:
    rational = [sp.Rational(c.numerator, c.denominator) for c in polynomial.coefficients]
    derivative = sp.diff(sum(c * x**n for n, c in enumerate(rational)), x, order)
    terms = [
        (_v / 2) ** j / sp.factorial(j) * sp.diff(derivative, x, 2 * j).subs(x, 0)
        for j in range(polynomial.degree // 2 + 1)
    ]
    return sp.expand(sum(terms))


@functools.lru_cache
def bell_height() -> sp.Expr:
    """Return A in phi'(x) = A exp(-x^2 / 2), from phi itself."""
    slope = sp.diff(sp.erf(x / sp.sqrt(2)), x)
    height = slope.subs(x, 0)
    assert sp.simplify(slope - height * sp.exp(-(x**2) / 2)) == 0
    return height


def bells(widths: tuple[int, ...], C: sp.Matrix) -> sp.Expr:
    r"""Return E[prod_i phi'_i(z_i)], z ~ N(0, C), by the Gaussian integral.

    E exp(-z^T G z / 2) = det(1 + G C)^(-1/2), and with gains on the diagonal of G = kappa^2 and a factor A kappa_i each
    the product is A^n det(kappa^-2 + C)^(-1/2).
    """
    return bell_height() ** len(widths) / sp.sqrt(sp.expand((C + sp.diag(*widths)).det(method="berkowitz")))


def unit(given: str | Activation) -> Unit:
    """Return what the derived averages of an activation are made from, such as a polynomial's coefficients.

    Arguments: given: an activation, or its name: "erf", "linear", a polynomial, or a unit of your own with a formula.
    Raises InputError for one without derived averages.
    """
    name = given if isinstance(given, str) else given.name
    remedy = "averages=ode.Sampled() works for any"
    required = f"an activation with closed-form averages: {WITH_AVERAGES}"
    if isinstance(given, str) and not _is_spelt(given):
        raise InputError(required, repr(name), remedy)
    activation = as_activation(given)
    if activation.kind in WIDTHS:
        return Sigmoid(WIDTHS[str(activation.kind)])
    if activation.polynomial is not None:
        return Power(activation.polynomial)
    row = look_up("I2", activation, activation)
    if row is None or row.expression is None:
        raise InputError(required, repr(name), remedy)
    return Entered(activation)


def _is_spelt(name: str) -> bool:
    """Return whether a text is a name that we know, a polynomial or one with a mistake, or "module:name"."""
    return bool(name in BUILT_IN or is_polynomial(name) or re.search(r"[*/+^:-]", name)) and "<" not in name
