"""Gaussian averages by independent routes: the papers' closed forms, quadrature, Price's theorem, sampled averages."""

import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy

import ode
import teacher_student as ts
from ode.averages import I2, J2
from ode.averages._matrix_roots import pseudo_inverse_sqrt, symmetric_sqrt
from teacher_student import internal

from . import build
from .build import STATES
from .gaussian_averages import UNITS, covariance, our_I3, our_I4, quadrature

pytestmark = pytest.mark.usefixtures("x64")


def paper_I3(C: np.ndarray) -> float:
    """I3 exactly as printed in equations.md, section 3 (Saad & Solla 1995)."""
    D1, D3 = 1 + C[0, 0], 1 + C[2, 2]
    L3 = D1 * D3 - C[0, 2] ** 2
    return float(2 / np.pi / np.sqrt(L3) * (C[1, 2] * D1 - C[0, 1] * C[0, 2]) / D1)


def paper_I4(C: np.ndarray) -> float:
    """I4 exactly as printed there."""
    D = 1 + np.diag(C)
    L4 = D[0] * D[1] - C[0, 1] ** 2
    L0 = (L4 * C[2, 3] - C[1, 2] * C[1, 3] * D[0] - C[0, 2] * C[0, 3] * D[1]
          + C[0, 1] * C[0, 2] * C[1, 3] + C[0, 1] * C[0, 3] * C[1, 2])  # fmt: skip
    L1 = L4 * D[2] - C[1, 2] ** 2 * D[0] - C[0, 2] ** 2 * D[1] + 2 * C[0, 1] * C[0, 2] * C[1, 2]
    L2 = L4 * D[3] - C[1, 3] ** 2 * D[0] - C[0, 3] ** 2 * D[1] + 2 * C[0, 1] * C[0, 3] * C[1, 3]
    return float(4 / np.pi**2 / np.sqrt(L4) * np.arcsin(L0 / np.sqrt(L1 * L2)))


DEGENERATE = {
    "generic": covariance(1),
    "student equals teacher": covariance(2, 4, 2)[np.ix_([0, 1, 0, 1], [0, 1, 0, 1])],
    "zero weights": np.diag([0.0, 0.0, 1.0, 1.0]),
    "rank one": covariance(3, 4, 1),
    "large norms": 50 * covariance(4),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_tilted_forms_are_the_printed_ones(case: str) -> None:
    C = jnp.asarray(DEGENERATE[case])
    np.testing.assert_allclose(our_I3(C), paper_I3(np.asarray(C)), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(our_I4(C), paper_I4(np.asarray(C)), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(("erf", "linear"), repeat=2)))
def test_smooth_averages_equal_quadrature(first: str, second: str) -> None:
    C = covariance(5)

    def gauss(x: np.ndarray) -> np.ndarray:  # phi' of erf
        return np.asarray(np.sqrt(2 / np.pi) * np.exp(-(x**2) / 2))

    f, g = UNITS[first], UNITS[second]
    two = C[2:, 2:]
    assert I2((first, second), C[2, 2], C[2, 3], C[3, 3]) == pytest.approx(
        quadrature(lambda c, d: f(c) * g(d), two), abs=1e-9
    )
    three = C[:3, :3]
    assert our_I3(jnp.asarray(three), first) == pytest.approx(
        quadrature(lambda a, b, c: gauss(a) * b * f(c), three), abs=1e-7
    )
    four = quadrature(lambda a, b, c, d: gauss(a) * gauss(b) * f(c) * g(d), C, nodes=32)
    assert our_I4(jnp.asarray(C), (first, second)) == pytest.approx(four, abs=1e-5)


@pytest.mark.parametrize("smooth", ["erf", "linear", "relu", "sign"])
@pytest.mark.parametrize("kink", ["relu", "sign"])
def test_averages_of_kinked_units_equal_quadrature(kink: str, smooth: str) -> None:
    """Polar coordinates put the kinks of two homogeneous units on grid lines; the rest by fine quadrature."""
    C = covariance(7, 2)
    root = np.linalg.cholesky(C)
    angles = (np.arange(100_000) + 0.5) / 100_000 * 2 * np.pi
    nodes, weights = np.polynomial.legendre.leggauss(60)
    radii = 6 * (nodes + 1)  # 0 to 12
    weights = 6 * weights * radii * np.exp(-(radii**2) / 2)
    directions = root @ np.stack([np.cos(angles), np.sin(angles)])
    value = sum(
        float(w) * float(np.mean(UNITS[kink](each * directions[0]) * UNITS[smooth](each * directions[1])))
        for each, w in zip(radii, weights, strict=True)
    )
    assert I2((kink, smooth), C[0, 0], C[0, 1], C[1, 1]) == pytest.approx(value, abs=3e-5)
    assert I2((smooth, kink), C[1, 1], C[0, 1], C[0, 0]) == pytest.approx(value, abs=3e-5)


def test_price_theorem() -> None:
    """d I2 / d C12 = E[phi' phi'] = J2."""
    C = covariance(8, 2)
    derivative = jax.grad(lambda c: I2(("erf", "erf"), C[0, 0], c, C[1, 1]))(C[0, 1])
    assert derivative == pytest.approx(float(J2(C[0, 0], C[0, 1], C[1, 1])), rel=1e-12)


def test_sign_is_the_limit_of_infinite_gain() -> None:
    """phi(kappa x) -> sign(x), with an error that falls as 1/kappa^2."""
    C = covariance(9)
    errors = []
    for kappa in (1e2, 1e3):
        gain = np.diag([1, 1, 1, kappa])
        errors.append(abs(our_I4(jnp.asarray(gain @ C @ gain)) - our_I4(jnp.asarray(C), ("erf", "sign"))))
    assert errors[1] < errors[0] / 50
    assert errors[1] < 1e-5


@pytest.mark.parametrize("units", list(itertools.product(UNITS, repeat=2)))
def test_no_nan_at_degenerate_covariances(units: tuple[str, str]) -> None:
    """Values and gradients are finite for equal, opposite and vanishing fields."""
    for entries in ((1.0, 1.0, 1.0), (1.0, -1.0, 1.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)):
        value, gradient = jax.value_and_grad(lambda x: I2(units, x[0], x[1], x[2]))(jnp.array(entries))
        assert np.isfinite(value)
        assert np.all(np.isfinite(gradient))


def test_equal_units_give_second_moments() -> None:
    """E[sign^2] = 1, E[relu^2] = C/2, also at rank one."""
    assert I2(("sign", "sign"), 2.0, 2.0, 2.0) == pytest.approx(1.0)
    assert I2(("relu", "relu"), 2.0, 2.0, 2.0) == pytest.approx(1.0)
    assert I2(("sign", "sign"), 2.0, -2.0, 2.0) == pytest.approx(-1.0)
    assert I2(("relu", "relu"), 2.0, -2.0, 2.0) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("teacher", ["erf", "sign", "linear"])
@pytest.mark.parametrize("student", ["erf", "linear"])
def test_closed_form_and_sampled_suppliers_agree(student: str, teacher: str, state: str) -> None:
    """Every average within 6 standard errors of 16 scramblings (t with 15 degrees of freedom, p < 1e-4 a number)."""
    problem = build.problem(student=student, teacher=teacher, K=4)
    overlaps = internal.to_float(STATES[state](problem), jnp.float64)
    condition = jax.tree.map(lambda x: x[1], problem.task.conditions())
    step = eqx.filter_jit(lambda averages: averages.step(problem, overlaps, condition))
    samples = ode.Sampled(2**12, 16, key=1).draw(problem)
    exact, sampled = step(ode.ClosedForm()), jax.vmap(step)(samples)
    for mine, theirs in zip(jax.tree.leaves(exact), jax.tree.leaves(sampled), strict=True):
        error = theirs.std(axis=0, ddof=1) / 4 + 1e-7  # constant averages have no spread but rounding
        assert np.max(np.abs(theirs.mean(axis=0) - mine) / error) < 6


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("student", "teacher"), [("erf", "erf"), ("erf", "sign"), ("linear", "sign"), ("relu", "relu"), ("relu", "sign")]
)
def test_drift_and_its_gradient_are_finite_at_degenerate_states(student: str, teacher: str, state: str) -> None:
    problem = build.problem(student=student, teacher=teacher, K=4)
    overlaps = internal.to_float(STATES[state](problem), jnp.float64)
    averages = ode.ClosedForm() if ode.missing_closed_form(problem) is None else None
    averages = averages or jax.tree.map(lambda x: x[0], ode.Sampled(2**6, 2).draw(problem))

    def size(state: ts.Overlaps) -> Any:
        return sum(jnp.sum(x) for x in jax.tree.leaves(ode.drift(problem, averages, 0.0, state)))

    value, gradient = jax.jit(jax.value_and_grad(size))(overlaps)
    assert np.isfinite(value)
    assert all(np.all(np.isfinite(x)) for x in jax.tree.leaves(gradient))


def test_symmetric_root_and_its_derivative() -> None:
    A = jnp.asarray(covariance(11, 3))
    dA = jnp.asarray(covariance(12, 3))
    root = symmetric_sqrt(A)
    np.testing.assert_allclose(root @ root, A, atol=1e-12)
    np.testing.assert_allclose(pseudo_inverse_sqrt(A) @ root, np.eye(3), atol=1e-10)
    for function in (symmetric_sqrt, pseudo_inverse_sqrt):
        _, tangent = jax.jvp(function, (A,), (dA,))
        finite = (function(A + 1e-6 * dA) - function(A - 1e-6 * dA)) / 2e-6
        np.testing.assert_allclose(tangent, finite, rtol=1e-5, atol=1e-6)
    degenerate = jnp.diag(jnp.array([1.0, 1.0, 0.0]))
    _, tangent = jax.jvp(symmetric_sqrt, (degenerate,), (dA,))
    assert np.all(np.isfinite(tangent))


def test_tilted_and_printed_forms_are_the_same_symbolically() -> None:
    """With sympy: L3 = D_a D~_c, L4 = D_a D~_b, L0 = L4 C~~_cd, L1 = L4 D~~_c; and dI2/dC12 = J2 (Price)."""
    names = [[f"C{min(i, j)}{max(i, j)}" for j in range(4)] for i in range(4)]
    C = sympy.Matrix(4, 4, lambda i, j: sympy.Symbol(names[i][j], positive=True))
    D = [1 + C[i, i] for i in range(4)]
    once = C - C[:, 0] * C[0, :] / D[0]
    twice = once - once[:, 1] * once[1, :] / (1 + once[1, 1])
    L4 = D[0] * D[1] - C[0, 1] ** 2
    L0 = (L4 * C[2, 3] - C[1, 2] * C[1, 3] * D[0] - C[0, 2] * C[0, 3] * D[1]
          + C[0, 1] * C[0, 2] * C[1, 3] + C[0, 1] * C[0, 3] * C[1, 2])  # fmt: skip
    L1 = L4 * D[2] - C[1, 2] ** 2 * D[0] - C[0, 2] ** 2 * D[1] + 2 * C[0, 1] * C[0, 2] * C[1, 2]
    identities = [
        D[0] * D[2] - C[0, 2] ** 2 - D[0] * (1 + once[2, 2]),
        L4 - D[0] * (1 + once[1, 1]),
        L0 - L4 * twice[2, 3],
        L1 - L4 * (1 + twice[2, 2]),
    ]
    assert all(sympy.simplify(each) == 0 for each in identities)
    second = 2 / sympy.pi * sympy.asin(C[0, 1] / sympy.sqrt(D[0] * D[1]))
    price = sympy.diff(second, C[0, 1]) - 2 / sympy.pi / sympy.sqrt(L4)
    numbers = {C[0, 0]: sympy.Rational(1, 3), C[1, 1]: sympy.Rational(5, 7), C[0, 1]: sympy.Rational(1, 5)}
    assert abs(price.subs(numbers).evalf(40)) < 1e-35
