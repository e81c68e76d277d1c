r"""The averages that the ODE needs, for given fields: derived once per kind of unit, then filled with covariances.

Between sigmoids, with W + C the covariance plus 1 (erf) or 0 (sign) on the diagonal, every average is one of minors
of W + C; these get symbols of their own, D_i, L_ab, L_abc, N_ab;cd:
  I2 = (2/pi) asin(C_ab / sqrt(D_a D_b)),   I3 = (2/pi) (C_bc D_a - C_ab C_ac) / (D_a sqrt(L_ac)),
  I4 = (4/pi^2) asin(N_ab;cd / sqrt(L_abc L_abd)) / sqrt(L_ab),   J2 = (2/pi) / sqrt(L_ab),
which `minors_are_right` holds against the derived expressions. Under the density times phi'_a phi'_b, c and d
have the covariance N_ab;cd / L_ab: so J2 E~[f_c f_d] is I4 for every other unit of the teacher.
"""

import functools
from typing import Any

import sympy as sp

from ..moments import Power, Sigmoid, Unit, pair, quad, sigmoid_I3, sigmoid_I4, symbols
from ._fields import Fields


class Instances:
    """Averages over the fields of one problem, with the definitions that they introduce on the way."""

    def __init__(self, fields: Fields, student: Unit, teacher: Unit):
        self.fields, self.C = fields, fields.covariance
        _, K, M = fields.shape
        self.units: list[Unit] = [student] * K + [teacher] * M
        self.definitions: dict[sp.Symbol, sp.Expr] = {}

    @property
    def in_order(self) -> dict[sp.Symbol, sp.Expr]:
        """The definitions, D before the minors that are made of it."""
        return dict(sorted(self.definitions.items(), key=lambda definition: definition[0].name[0]))

    def I2(self, k: int, i: int) -> sp.Expr:
        """Return E[phi_k f_i]."""
        f, g = self.units[k], self.units[i]
        if isinstance(f, Sigmoid) and isinstance(g, Sigmoid):
            return 2 / sp.pi * sp.asin(self.C[k, i] / sp.sqrt(self._D(k) * self._D(i)))
        return _tidy(pair(f, 0, g, 0, self._matrix(k, i)), f, g)

    def J2(self, k: int, l: int) -> sp.Expr:
        """Return E[phi'_k phi'_l] of students."""
        f = self.units[k]
        if isinstance(f, Sigmoid):
            return 2 / sp.pi / sp.sqrt(self._L(k, l))
        return _tidy(pair(f, 1, f, 1, self._matrix(k, l)), f)

    def I3(self, k: int, with_k: sp.Expr, i: int, with_i: sp.Expr) -> sp.Expr:
        """Return E[phi'_k z f_i], by Stein's lemma.

        Arguments: with_k = Cov(z, z_k) and with_i = Cov(z, z_i), the covariances of the field z.
        """
        f, g = self.units[k], self.units[i]
        if isinstance(f, Sigmoid) and isinstance(g, Sigmoid):
            D = self._D(k)
            return 2 / sp.pi * (with_i * D - with_k * self.C[k, i]) / (D * sp.sqrt(self._L(k, i)))
        C = self._matrix(k, i)
        return _tidy(with_k * pair(f, 2, g, 0, C) + with_i * pair(f, 1, g, 1, C), f, g)

    def I4(self, k: int, l: int, i: int, j: int) -> sp.Expr:
        """Return E[phi'_k phi'_l f_i f_j], k and l students."""
        f, g, h = self.units[k], self.units[i], self.units[j]
        if i == j and isinstance(g, Sigmoid) and g.width == 0:
            return self.J2(k, l)  # sign^2 = 1
        if not isinstance(f, Sigmoid):
            return _tidy(_quad_template(f, g, h).xreplace(self._filling(k, l, i, j)), f, g, h)
        if isinstance(g, Sigmoid) and isinstance(h, Sigmoid):
            bottom = sp.sqrt(self._L(k, l, i) * self._L(k, l, j))
            return 4 / sp.pi**2 * sp.asin(self._N(k, l, i, j) / bottom) / sp.sqrt(self._L(k, l))
        tilted = sp.Matrix(2, 2, lambda a, b: self._N(k, l, (i, j)[a], (i, j)[b]) / self._L(k, l))
        return self.J2(k, l) * pair(g, 0, h, 0, tilted)

    def _matrix(self, *indices: int) -> sp.Matrix:
        return sp.Matrix(len(indices), len(indices), lambda a, b: self.C[indices[a], indices[b]])

    def _filling(self, *indices: int) -> dict[Any, Any]:
        return dict(zip(symbols(len(indices)), self._matrix(*indices), strict=True))

    def _D(self, i: int) -> sp.Expr:
        """Return W + C on the diagonal."""
        unit = self.units[i]
        if not isinstance(unit, Sigmoid) or unit.width == 0:
            return self.C[i, i]
        return self._define(f"D_{{{self.fields.names[i]}}}", unit.width + self.C[i, i])

    def _L(self, *indices: int) -> sp.Symbol:
        """Return the principal minor of W + C on these fields.

        A field that is named twice stands for two copies of it.
        """
        return self._define(f"L_{{{self._list(indices)}}}", self._minor(indices, indices, principal=True))

    def _N(self, k: int, l: int, i: int, j: int) -> sp.Symbol:
        """Return the minor of rows k, l, i and columns k, l, j, with C_ij in its corner also for i = j."""
        i, j = min(i, j), max(i, j)
        name = f"N_{{{self._list((k, l))};{self._list((i, j))}}}"
        return self._define(name, self._minor((k, l, i), (k, l, j)), positive=False)

    def _minor(self, rows: tuple[int, ...], columns: tuple[int, ...], *, principal: bool = False) -> sp.Expr:
        count = len(rows)

        def entry(a: int, b: int) -> sp.Expr:
            shared = a == b and (principal or a < 2)  # the same copy of a field
            return self._D(rows[a]) if shared else self.C[rows[a], columns[b]]

        return sp.expand(sp.Matrix(count, count, entry).det(method="berkowitz"))

    def _list(self, indices: tuple[int, ...]) -> str:
        return " ".join(self.fields.names[i] for i in indices)

    def _define(self, name: str, value: sp.Expr, *, positive: bool = True) -> sp.Symbol:
        symbol = sp.Symbol(name, positive=True) if positive else sp.Symbol(name, real=True)
        self.definitions.setdefault(symbol, value)
        return symbol


def _tidy(expression: sp.Expr, *units: Unit) -> sp.Expr:
    return sp.expand(expression) if all(isinstance(unit, Power) for unit in units) else expression


@functools.lru_cache
def _quad_template(f: Unit, g: Unit, h: Unit) -> sp.Expr:
    return _tidy(quad(f, g, h, symbols(4)), f, g, h)


def minors_are_right() -> bool:
    """Return whether I3 and I4 in minors, as above, are the derived ones (erf units)."""
    C = symbols(4)
    G = C + sp.eye(4)
    N = sp.Matrix(3, 3, lambda a, b: C[2, 3] if a == b == 2 else G[(0, 1, 2)[a], (0, 1, 3)[b]])
    L = {key: G.extract(list(key), list(key)).det() for key in ((0, 1), (0, 2), (0, 1, 2), (0, 1, 3))}
    fourth = 4 / sp.pi**2 * sp.asin(N.det() / sp.sqrt(L[0, 1, 2] * L[0, 1, 3])) / sp.sqrt(L[0, 1])
    third = 2 / sp.pi * (C[1, 2] * G[0, 0] - C[0, 1] * C[0, 2]) / (G[0, 0] * sp.sqrt(L[0, 2]))
    pairs = ((third, sigmoid_I3((1, 1), C)), (fourth, sigmoid_I4((1,) * 4, C)))
    return all(_same(in_minors, derived) for in_minors, derived in pairs)


def _same(first: sp.Expr, second: sp.Expr) -> bool:
    """Return whether h asin(s) / sqrt(L) or h / sqrt(L) are equal, by their squares and sines."""
    sines = [sorted(expression.atoms(sp.asin), key=str) for expression in (first, second)]
    if any(sines):
        inner = [expression[0].args[0] ** 2 for expression in sines]
        one = [
            expression.xreplace({sine[0]: sp.Integer(1)})
            for expression, sine in zip((first, second), sines, strict=True)
        ]
        return bool(sp.simplify(inner[0] - inner[1]) == 0 and sp.simplify(one[0] ** 2 - one[1] ** 2) == 0)
    return bool(sp.simplify(first**2 - second**2) == 0)
