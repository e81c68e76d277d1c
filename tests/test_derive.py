"""Derived averages and equations, by independent routes: Isserlis' pairings, quadrature, sampling, the drift itself."""

import itertools
import pickle
import re
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy

import ode
import simulations
import teacher_student as ts
from figures.command._main import main
from ode.averages import _general_step
from ode.derive._instances import minors_are_right
from teacher_student import internal

from . import build
from .build import STATES
from .gaussian_averages import UNITS, covariance, our_I3, our_I4, quadrature

pytestmark = [pytest.mark.usefixtures("x64"), pytest.mark.slow]  # most of its time is compilation

CUBIC = "x**3 - 3*x"
drift = eqx.filter_jit(ode.drift)


# Polynomials as text


@pytest.mark.parametrize(
    ("text", "normal", "odd"),
    [
        ("x**3-3*x", CUBIC, False),
        ("(x**3 + 3*x)/6", "x**3/6 + x/2", True),
        ("-x**2 + 0.1", "-x**2 + 1/10", False),
        ("-x**3", "-x**3", False),
        ("2*x*(x-1)", "2*x**2 - 2*x", False),
        ("x", "linear", True),
    ],
)
def test_polynomials_are_read_and_named(text: str, normal: str, odd: bool) -> None:
    activation: Any = ts.Student(1, text).activation
    points = np.linspace(-3, 3, 13)
    assert activation.name == normal
    assert ts.Student(1, normal).activation == activation == pickle.loads(pickle.dumps(activation))
    np.testing.assert_allclose(activation(points), eval(text, {"x": points}), atol=1e-12)
    slope = (activation(points + 1e-6) - activation(points - 1e-6)) / 2e-6
    np.testing.assert_allclose(activation.derivative(jnp.asarray(points)), slope, atol=1e-7)
    assert activation.odd == odd
    if odd:
        np.testing.assert_array_equal(np.sign(activation(points)), np.sign(points))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x^3", "powers are written **"),
        ("x**2 - y", "the variable is x, not y"),
        ("1/x", "division by a number only"),
        ("x/0", "division by zero"),
        ("x**-1", "whole numbers"),
        ("x**21", "powers from 0 to 20"),
        ("9**9**9", "at most 300 digits"),
        ("1e30*1e30*x", "in size"),
        ("3 - 1", "depends on x"),
        ("x**2 +", "write products and powers as"),
        ("__import__('os').system('true')", "only numbers"),
        ("tanh", 'polynomial such as "x**3 - 3*x"'),
    ],
)
def test_what_is_no_polynomial_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(ts.InputError) as error:
        ts.Student(1, text)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_files_keep_polynomials() -> None:
    problem = build.problem(student="x**2/3 - x", teacher=CUBIC)
    again = ts.problem_from_tables(ts.problem_to_tables(problem))
    assert build.structure(again) == build.structure(problem)
    assert build.given(again.student.activation.polynomial).coefficients == (Fraction(0), Fraction(-1), Fraction(1, 3))


def test_a_function_never_takes_the_name_of_a_closed_form() -> None:
    def erf(x: jax.Array) -> jax.Array:
        return jnp.tanh(x)

    erf.__qualname__ = "erf"
    assert ode.missing_closed_form(build.problem(student=erf)) is not None


# Averages


def isserlis(indices: tuple[int, ...], C: Any) -> Any:
    """E[z_i z_j ...] as the sum over all pairings."""
    if len(indices) % 2:
        return 0
    if not indices:
        return 1
    first, rest = indices[0], indices[1:]
    return sum(C[first, other] * isserlis(rest[:n] + rest[n + 1 :], C) for n, other in enumerate(rest))


def by_pairings(factors: list[dict[int, int]], C: Any) -> Any:
    """E[prod_i p_i(z_i)], p_i as {power: coefficient}."""
    total = 0
    for powers in itertools.product(*factors):
        coefficient = np.prod([factor[n] for factor, n in zip(factors, powers, strict=True)])
        total += int(coefficient) * isserlis(tuple(np.repeat(range(len(powers)), powers).tolist()), C)
    return total


POWERS = {"x**2": {2: 1}, CUBIC: {3: 1, 1: -3}, "x**2 + x + 1": {2: 1, 1: 1, 0: 1}}


def slope_of(factor: dict[int, int]) -> dict[int, int]:
    return {n - 1: n * c for n, c in factor.items() if n}


@pytest.mark.parametrize("name", POWERS)
def test_polynomial_averages_are_the_sum_over_pairings(name: str) -> None:
    """Exactly, in whole numbers."""
    found = ode.derive.averages(name)
    rows = np.array([[1, 2, 0, -1], [0, 1, 1, 2], [1, -1, 1, 0], [2, 0, 1, 1]])
    C = sympy.Matrix((rows @ rows.T).tolist())
    numbers = dict(zip(found.covariance, C, strict=True))
    p, dp = POWERS[name], slope_of(POWERS[name])
    assert found.I2.subs(numbers) == by_pairings([p, p], C)
    assert found.I3.subs(numbers) == by_pairings([dp, {1: 1}, p], C)
    assert found.I4.subs(numbers) == by_pairings([dp, dp, p, p], C)
    assert found.J2.subs(numbers) == by_pairings([dp, dp], C)


def test_hermite_polynomials_are_orthogonal() -> None:
    """E[He_n(a) He_m(b)] = n! C12^n for n = m, else 0, at unit variance."""
    hermite = {1: "linear", 2: "x**2 - 1", 3: CUBIC, 4: "x**4 - 6*x**2 + 3"}
    for (n, f), (m, g) in itertools.product(hermite.items(), repeat=2):
        expected = float(sympy.factorial(n)) * 0.3**n if n == m else 0.0
        assert ode.derive.pair_function(f, g)(1.0, 0.3, 1.0) == pytest.approx(expected, abs=1e-12)


def test_erf_averages_are_derived() -> None:
    """As printed in Saad & Solla 1995, as coded, and as quadrature has them."""
    found = ode.derive.averages("erf")
    assert minors_are_right()
    for seed in range(3):
        C = covariance(seed + 20)
        numbers = dict(zip(found.covariance, C.ravel(), strict=True))
        assert float(found.I3.subs(numbers)) == pytest.approx(float(our_I3(jnp.asarray(C))), rel=1e-12)
        assert float(found.I4.subs(numbers)) == pytest.approx(float(our_I4(jnp.asarray(C))), rel=1e-11)
    second = quadrature(lambda a, b: UNITS["erf"](a) * UNITS["erf"](b), C[:2, :2])
    slopes = quadrature(lambda a, b: 2 / np.pi * np.exp(-(a**2 + b**2) / 2), C[:2, :2])
    assert float(found.I2.subs(numbers)) == pytest.approx(second, abs=1e-9)
    assert float(found.J2.subs(numbers)) == pytest.approx(slopes, abs=1e-9)


@pytest.mark.parametrize("first", ["x**2", CUBIC, "erf"])
@pytest.mark.parametrize("second", ["x**2 + x", "erf"])
@pytest.mark.parametrize("orders", [(0, 0), (2, 0), (1, 1), (1, 3)])
def test_pairs_of_derivatives_equal_quadrature(first: str, second: str, orders: tuple[int, int]) -> None:
    C, x = covariance(31, 2), sympy.Symbol("x")

    def function(name: str, order: int) -> Any:
        phi = sympy.erf(x / sympy.sqrt(2)) if name == "erf" else sympy.sympify(name)
        return sympy.lambdify(x, sympy.diff(phi, x, order) + 0 * x, "scipy")

    f, g = function(first, orders[0]), function(second, orders[1])
    expected = quadrature(lambda a, b: f(a) * g(b), C)
    found = ode.derive.pair_function(first, second, orders)(C[0, 0], C[0, 1], C[1, 1])
    assert float(found) == pytest.approx(expected, abs=2e-8)


PAIRS = [("x**2", "x**2"), (CUBIC, CUBIC), ("x**2", "x**3 - x + 1"), (CUBIC, "erf"), ("erf", "x**2 - 1"),
         ("linear", CUBIC), ("x**2 + x", "linear")]  # fmt: skip


def deviations(problem: ts.Problem, *states: ts.Overlaps) -> list[float]:
    """Per state, the largest of closed form - sampled in standard errors of 16 scramblings (t, 15 degrees)."""
    condition = jax.tree.map(lambda x: x[1], problem.task.conditions())
    step = eqx.filter_jit(lambda averages, state: averages.step(problem, state, condition))
    samples, found = ode.Sampled(2**12, 16, key=1).draw(problem), []
    for state in states:
        exact, sampled = step(ode.ClosedForm(), state), jax.vmap(step, (0, None))(samples, state)
        found.append(0.0)
        for mine, theirs in zip(jax.tree.leaves(exact), jax.tree.leaves(sampled), strict=True):
            error = theirs.std(axis=0, ddof=1) / 4 + 1e-7 * (1 + np.abs(mine))  # constants: nothing but rounding
            found[-1] = max(found[-1], float(np.max(np.abs(theirs.mean(axis=0) - mine) / error)))
    return found


@pytest.mark.parametrize(("student", "teacher"), PAIRS)
def test_closed_forms_equal_sampled_averages(student: str, teacher: str) -> None:
    """Within 6 standard errors (p < 1e-4 a number)."""
    problem = build.problem(student=student, teacher=teacher, K=3)
    assert ode.missing_closed_form(problem) is None
    states = [internal.to_float(STATES[name](problem), jnp.float64) for name in ("generic", "student equals teacher")]
    assert max(deviations(problem, *states)) < 6


@pytest.mark.parametrize("slip", ["second term of Stein's lemma", "pairings of a and b", "pairings of c and d"])
def test_a_forgotten_term_is_caught(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if slip.startswith("second"):
        honest = _general_step._with_all

        def without(units: Any, orders: Any, C: Any, K: int) -> Any:
            return honest(units, orders, C, K) * (orders != (2, 0))

        monkeypatch.setattr(_general_step, "_with_all", without)
    else:
        honest_quad, left_out = ode.derive.quad_function, 1 if slip.endswith("b") else 8

        def quad(*units: str) -> Any:
            return lambda *C: honest_quad(*units)(*(0 * c if n == left_out else c for n, c in enumerate(C)))

        monkeypatch.setattr("ode.moments._code.quad_function", quad)
    problem = build.problem(student="x**2", teacher="x**2", K=3)
    assert max(deviations(problem, internal.to_float(STATES["generic"](problem), jnp.float64))) > 6


@pytest.mark.parametrize(("student", "teacher"), [(CUBIC, "x**2"), ("erf", "x**2 + x")])
def test_generalisation_error_equals_sampled(student: str, teacher: str) -> None:
    problem = build.problem(student=student, teacher=teacher)
    state = internal.to_float(build.overlaps(problem, 4), jnp.float64)
    condition = jax.tree.map(lambda x: x[1], problem.task.conditions())
    samples = ode.Sampled(2**12, 16, key=2).draw(problem)
    exact = eqx.filter_jit(ode.observe)(problem, state, jax.tree.map(lambda x: x[0], samples)).error["hard"]
    found = jax.jit(jax.vmap(lambda each: each.error_and_accuracy(problem, state, condition)[0]))(samples)
    assert abs(found.mean() - exact) < 6 * found.std(ddof=1) / 4


def test_twice_the_identity_is_a_linear_student_with_twice_the_readout() -> None:
    """phi(x) = 2 x: the polynomial route and the linear one, exactly."""
    problem, linear = (build.problem(student=each, teacher="erf") for each in ("2*x", "linear"))
    state = internal.to_float(build.overlaps(problem, 6), jnp.float64)
    double = eqx.tree_at(lambda each: each.readout, state, 2 * state.readout)
    mine, theirs = (drift(p, ode.ClosedForm(), 0.0, s) for p, s in ((problem, state), (linear, double)))
    np.testing.assert_allclose(mine.Q, theirs.Q, rtol=1e-12)
    np.testing.assert_allclose(mine.R, theirs.R, rtol=1e-12)


@pytest.mark.long("x**2 + x-x**2")
@pytest.mark.parametrize(("student", "teacher"), [("x**2 + x", "x**2"), ("x**2", "sign")])
def test_derivatives_of_the_drift(student: str, teacher: str) -> None:
    """First and second ones against differences, and finite where students vanish, beneath vmap."""
    problem = build.problem(student=student, teacher=teacher, K=2, M=1)
    state = internal.to_float(build.overlaps(problem, 7), jnp.float64)

    def size(scale: Any) -> Any:
        moved = ts.Overlaps(state.Q * scale**2, state.R * scale, state.T, state.readout)
        return sum(jnp.sum(x) for x in jax.tree.leaves(ode.drift(problem, ode.ClosedForm(), 0.0, moved)))

    step = 1e-5
    points = jnp.array([0.0, 1.0 - step, 1.0, 1.0 + step])
    value, first, second = jax.jit(jax.vmap(lambda s: (size(s), jax.grad(size)(s), jax.grad(jax.grad(size))(s))))(
        points
    )
    assert first[2] == pytest.approx(float(value[3] - value[1]) / (2 * step), rel=1e-6)
    assert second[2] == pytest.approx(float(first[3] - first[1]) / (2 * step), rel=1e-6)
    assert np.all(np.isfinite([first[0], second[0]]))


def test_a_sign_unit_of_variance_zero_is_zero() -> None:
    """Its drift is that of a teacher of readout 0, and finite."""
    inputs = ts.Inputs({"a": 0.5, "b": 0.5}, {"l": {"a": 0.0, "b": 1.0}})
    order = ts.Curriculum.single("l", 1.0)
    problem, silent = (
        ts.Problem(ts.Committee(inputs, 1, "sign", v, "a"), ts.Student(2, "x**2 + x"), ts.SGD(0.1, 0.1), order)
        for v in (1.0, 0.0)
    )
    state = internal.to_float(ts.random_overlaps(problem, dim=50, key=0), jnp.float64)
    mine, theirs = (drift(each, ode.ClosedForm(), 0.0, state) for each in (problem, silent))
    for x, y in zip(jax.tree.leaves(mine), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-14)


# Equations

CASES = [
    ("erf", "erf", {}),
    ("erf", "sign", {}),
    ("erf", "x**2", {}),
    ("x**2", "x**2", {}),
    (CUBIC, "erf", {}),
    ("x**2 + x", "erf", {"M": 1, "labels": "sign", "noise": 0.0}),
]


def test_equations_are_evaluated_in_float64_whatever_the_settings() -> None:
    problem = build.problem(student="x", teacher="x", K=1, M=1, blocks=1, readout=(0.7,))
    state, equations = build.overlaps(problem, 5), ode.derive.equations(problem)
    with jax.enable_x64(True):
        rates = equations.evaluate(state, "easy")
    with jax.enable_x64(False):
        assert equations.evaluate(state, "easy") == rates


@pytest.mark.parametrize(("student", "teacher", "given"), CASES)
def test_symbolic_equations_are_the_drift(student: str, teacher: str, given: dict[str, Any]) -> None:
    """Two blocks, two levels, noise, weight decay, trained readout: to 1e-12 of the drift's size."""
    problem = build.problem(student=student, teacher=teacher, **({"K": 2, "M": 2} | given))
    state = build.overlaps(problem, 5)
    found = ode.derive.equations(problem)
    rates = {level: found.evaluate(state, level) for level in ("easy", "hard")}
    change = drift(problem, ode.ClosedForm(), 0.0, internal.to_float(state, jnp.float64))
    expected = {each.name: float(each.values) for each in ts.quantities(ts.Observables(change, {}, {}), problem)}
    for name, value in expected.items():
        if name in found:
            mixed = 0.4 * rates["easy"][name] + 0.6 * rates["hard"][name]
            assert mixed == pytest.approx(value, rel=1e-12, abs=1e-12), name
        else:
            assert value == 0  # overlaps with what the teacher does not see
    wrong = 0.6 * rates["easy"]["Q[relevant][1,1]"] + 0.4 * rates["hard"]["Q[relevant][1,1]"]
    assert wrong != pytest.approx(expected["Q[relevant][1,1]"], rel=1e-3)


def read_latex(latex: str, symbols: dict[str, float]) -> dict[str, float]:
    """Left-hand sides and values of the lines of an align* environment of polynomials, read as a reader would."""
    body = latex.removeprefix(r"\begin{align*}").removesuffix(r"\end{align*}").replace("\\\\\n& \\quad", " ")
    known, found = dict(symbols), {}
    for line in body.split("\\\\"):
        left, _, right = line.strip().partition(" &= ")
        for name in sorted(known, key=len, reverse=True):
            right = right.replace(name, f" ({known[name]!r}) ")
        for theirs, ours in ((r"\Bigl[", "("), (r"\Bigr]", ")"), (r"\left(", "("), (r"\right)", ")")):
            right = right.replace(theirs, ours)
        right = re.sub(r"\s*\^\{(\d+)\}", r"**\1 ", right).strip()
        right = re.sub(r"(?<=[\d)])\s*(?=\()|(?<=\))\s*(?=\d)|(?<=\d) +(?=\d)", "*", right)
        found[left] = known[left] = eval(right)
    return found


def test_printed_latex_is_the_drift() -> None:
    problem = build.problem(student="x**2", teacher="x**2", K=2, M=1)
    state = build.overlaps(problem, 8)
    found = ode.derive.equations(problem)
    assert isinstance(problem.task, ts.Committee)
    numbers = found.fields.values(problem, state, 1, problem.task.readout)
    printed = read_latex(found.latex, {sympy.latex(symbol): value for symbol, value in numbers.items()})
    for name, value in found.evaluate(state, "hard").items():
        side = sympy.latex(found.rates[name][0])
        assert printed[rf"\frac{{d {side}}}{{d\alpha}}"] == pytest.approx(value, rel=1e-12), name


def test_equations_leave_out_what_is_zero() -> None:
    """Saad & Solla's setting in their symbols: Q, R, T alone, no blocks, levels, noise, decay or trained readout."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), 1)
    found = ode.derive.equations(ts.Problem(task, ts.Student(1), ts.SGD(0.7), ts.Curriculum.single("all", 1.0)))
    assert list(found) == ["Q[1,1]", "R[1,1]"]
    assert all(symbol.name[0] in "DLN" for symbol in found.definitions)
    names = {symbol.name for each in found.values() for symbol in each.rhs.free_symbols} - {
        symbol.name for symbol in found.definitions
    }
    assert names == {r"\eta", "v_1", r"\tilde{v}_1", "Q_{11}", "R_{11}", "T_{11}"}


def test_phase_retrieval_is_the_known_ode() -> None:
    """K = M = 1, phi = x^2, v = 1, by hand from Gaussian moments."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), 1, "x**2")
    found = ode.derive.equations(ts.Problem(task, ts.Student(1, "x**2"), ts.SGD(0.1), ts.Curriculum.single("all", 1.0)))
    symbols = {symbol.name: symbol for symbol in found["R[1,1]"].rhs.free_symbols}
    eta, Q, R, T = (symbols[name] for name in (r"\eta", "Q_{11}", "R_{11}", "T_{11}"))
    units = {symbols["v_1"]: 1, symbols[r"\tilde{v}_1"]: 1}
    # E[(l^2 - n^2) 2 l n] = 2 (3 Q R - 3 R T); E[(l^2 - n^2) 2 l l] = 2 (3 Q^2 - Q T - 2 R^2)
    assert sympy.expand(found["R[1,1]"].rhs.subs(units) + eta * 6 * R * (Q - T)) == 0
    # E[4 l^2 (l^2 - n^2)^2] = 4 (15 Q^3 - 2 (3 Q^2 T + 12 Q R^2) + 3 Q T^2 + 12 R^2 T)
    second = 4 * (15 * Q**3 - 6 * Q**2 * T - 24 * Q * R**2 + 3 * Q * T**2 + 12 * R**2 * T)
    expected = -4 * eta * (3 * Q**2 - Q * T - 2 * R**2) + eta**2 * second
    assert sympy.expand(found["Q[1,1]"].rhs.subs(units) - expected) == 0


def test_deriving_for_two_units_takes_seconds() -> None:
    started = time.monotonic()
    problem = build.problem(student=CUBIC, teacher=CUBIC, K=2)
    assert len(ode.derive.equations(problem).latex) > 10_000
    state = internal.to_float(build.overlaps(problem, 1), jnp.float64)
    drift(problem, ode.ClosedForm(), 0.0, state)
    assert time.monotonic() - started < 30
    quad = ode.derive.quad_function
    assert quad(CUBIC, CUBIC, CUBIC) is quad(CUBIC, CUBIC, CUBIC)


# The whole way


@pytest.mark.long
def test_a_quadratic_student_agrees_with_sgd() -> None:
    """Both layers trained, noise, two levels; wrong with probability 1 % where theory is right."""
    levels = {"easy": {"relevant": 1.0, "irrelevant": 0.2}, "hard": {"relevant": 1.0, "irrelevant": 1.0}}
    inputs = ts.Inputs({"relevant": 0.4, "irrelevant": 0.6}, levels)
    task = ts.Committee(inputs, 1, "x**2/2 + x", support="relevant", noise=0.1)
    order = ts.Curriculum.phases(("easy", 3.0), ("hard", 3.0))
    problem = ts.Problem(task, ts.Student(2, "x**2/2 + x"), ts.SGD(0.1, 0.05), order)
    start = ts.random_overlaps(problem, dim=400, key=3, scale=0.5)
    alphas = np.array([2.0, 4.0, 6.0])
    theory = ode.solve(problem, start, alphas, with_accuracy=False)
    assert theory.source.method == "closed form"
    assert theory.error["hard"][-1] < theory.error["hard"][0]
    runs = simulations.run(problem, dim=400, runs=16, alphas=alphas, key=4, start=start)
    assert simulations.agreement(theory, runs).agrees
    faster = ts.Problem(task, problem.student, ts.SGD(0.13, 0.05), order)
    wrong = ode.solve(faster, start, alphas, with_accuracy=False)
    wrong = eqx.tree_at(lambda each: each.problem.sgd.learning_rate, wrong, problem.sgd.learning_rate)
    assert not simulations.agreement(wrong, runs).agrees


def test_a_rate_too_large_diverges_as_data() -> None:
    task = ts.Committee(ts.Inputs({"all": 1.0}), 1, CUBIC)
    problem = ts.Problem(task, ts.Student(1, CUBIC), ts.SGD(2.0), ts.Curriculum.single("all", 5.0))
    found = ode.solve(problem, ts.Overlaps([[1.0]], [[0.3]], [[1.0]]), [1.0, 5.0], with_accuracy=False)
    assert found.status == ts.Status.DIVERGED
    assert found.reached < 1e-4


# What has none, and the command line


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"student": jnp.tanh}, "erf, linear and polynomials have one"),
        ({"student": "x**7"}, "degree 7 (up to 6 it has one)"),
        ({"student": "x**2", "teacher": "relu"}, "erf, linear, polynomials and sign have one"),
        ({"student": "x**2", "teacher": "sign"}, "several sign units"),
        ({"student": "x**2", "teacher": CUBIC, "labels": "sign", "M": 1, "noise": 0.0}, "one odd unit has one"),
    ],
)
def test_what_has_no_closed_form_says_so(given: dict[str, Any], reason: str) -> None:
    problem = build.problem(**given)
    assert reason in str(ode.missing_closed_form(problem))
    with pytest.raises(ts.InputError, match="Sampled"):
        ode.derive.equations(problem)


@pytest.mark.parametrize("name", ["tanh", "relu", "jax.numpy:tanh", "sign", "x^2", "x**7"])
def test_derive_refuses_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "--activation", name]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    if name in ("tanh", "relu", "jax.numpy:tanh"):
        assert "erf, linear and polynomials" in message
        assert "Sampled" in message


def test_derive_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "equations.pdf"
    command = ["derive", "--activation", "erf", "--student", "1", "--teacher", "1"]
    command += ["--blocks", "relevant,irrelevant", "--support", "relevant", "--pdf", str(path)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    for wanted in (r"\begin{align*}", r"\frac{d R^{\mathrm{relevant}}_{11}}{d\alpha}", r"\rho_{\mathrm{irrelevant}}"):
        assert wanted in printed
    assert r"R^{\mathrm{irrelevant}}" not in printed
    assert printed.count("{") == printed.count("}")
    assert printed.count(r"\Bigl[") == printed.count(r"\Bigr]")
    assert path.read_bytes().startswith(b"%PDF")
    assert [each.name for each in tmp_path.iterdir()] == ["equations.pdf"]
    assert main(command) == 0, "a picture may be written over"
    assert path.read_bytes().startswith(b"%PDF")


def test_facade_and_laziness() -> None:
    assert all(callable(getattr(ode.derive, name)) for name in ode.derive.__all__)
    code = "import sys, ode; assert 'sympy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
