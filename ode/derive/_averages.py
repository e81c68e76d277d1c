"""The four averages of Saad & Solla 1995 for one activation, derived."""

import dataclasses

import sympy as sp

from teacher_student import InputError
from teacher_student.internal import PublicRecord

from ..moments import WITH_AVERAGES, Sigmoid, pair, quad, sigmoid_I3, sigmoid_I4, sigmoid_pair, symbols, unit


@dataclasses.dataclass(frozen=True)
class DerivedAverages(PublicRecord):
    r"""Averages of phi over jointly Gaussian fields a, b, c, d of mean 0 and covariance C (symbols C11, C12, ...).

      I2 = E[phi(a) phi(b)],  I3 = E[phi'(a) b phi(c)],  I4 = E[phi'(a) phi'(b) phi(c) phi(d)],  J2 = E[phi'(a) phi'(b)]

    Fields:
      activation: the name of phi.
      covariance: C, 4 x 4, of the symbols that the expressions are made of.
      I2, I3, I4, J2: the averages, as sympy expressions.
    """

    activation: str
    covariance: sp.Matrix
    I2: sp.Expr
    I3: sp.Expr
    I4: sp.Expr
    J2: sp.Expr

    @property
    def latex(self) -> str:
        """The averages in LaTeX, one line each."""
        letters = {"I2": "I_2", "I3": "I_3", "I4": "I_4", "J2": "J_2"}
        names = {C: f"C_{{{C.name[1:]}}}" for C in set(self.covariance)}
        return "\n".join(
            f"{letter} = {sp.latex(getattr(self, name), symbol_names=names)}" for name, letter in letters.items()
        )


def averages(activation: str) -> DerivedAverages:
    """Return I2, I3, I4 and J2 of "erf", "linear" or a polynomial such as "x**3 - 3*x", as sympy expressions.

    For erf they are Gaussian integrals of phi'(x) = sqrt(2/pi) exp(-x^2/2), integrated by Price's theorem. For
    polynomials they follow from Wick's theorem.

    Raises InputError for an activation without closed form.
    Source: Price 1958; Saad & Solla 1995, appendix A (what the result is compared with).
    """
    phi, C = unit(activation), symbols(4)
    if not isinstance(phi, Sigmoid):
        second, slopes, triple = sp.Matrix(C[:2, :2]), pair(phi, 1, phi, 1, C), C[[0, 2], [0, 2]]
        third = C[0, 1] * pair(phi, 2, phi, 0, triple) + C[1, 2] * pair(phi, 1, phi, 1, triple)  # Stein's lemma
        expressions = (pair(phi, 0, phi, 0, second), third, quad(phi, phi, phi, C), slopes)
        return DerivedAverages(activation, C, *(sp.expand(expression) for expression in expressions))
    if phi.width == 0:
        raise InputError(f"a differentiable activation: {WITH_AVERAGES}", repr(activation), "sign is for teachers only")
    w = phi.width
    return DerivedAverages(
        activation,
        C,
        I2=sigmoid_pair((w, w), (0, 0), C),
        I3=sigmoid_I3((w, w), C),
        I4=sigmoid_I4((w,) * 4, C),
        J2=sigmoid_pair((w, w), (1, 1), C),
    )
