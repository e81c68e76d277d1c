"""Fixed points, critical values and plateaus against closed forms, integrations, simulations and sabotage."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy

import figures
import ode
import simulations
import teacher_student as ts
from ode.stability import _escape, _field

from . import build

pytestmark = pytest.mark.slow  # most of its time is compilation

ROOT = Path(__file__).parents[1]
SADDLE = json.loads((ROOT / "tests" / "reference" / "saad_solla.json").read_text())["cases"]["K2_M2"]
ETA_C = np.pi * np.sqrt(5 / 3)  # of K = M = 1, T = 1


def problem(width: int = 1, eta: float = 1.0, block: str = "all", **sgd: Any) -> ts.Problem:
    """A noiseless erf committee of as many units as the student."""
    task = ts.Committee(ts.Inputs({block: 1.0}), width)
    return ts.Problem(task, ts.Student(width), ts.SGD(eta, **sgd), ts.Curriculum.single("all", 2000.0))


def reference_start() -> ts.Overlaps:
    return ts.Overlaps(*(np.array(SADDLE[name]) for name in ("Q0", "R0", "T")))


# -- the critical learning rate --------------------------------------------------------------------------------------


def drift_of_one_unit(T: Any) -> tuple[Any, Any, Any, Any, Any]:
    """(R, Q, eta, dR/dalpha, dQ/dalpha) of K = M = 1: equations.md, section 3, written out by hand."""
    R, Q, eta = sympy.symbols("R Q eta", positive=True)
    pi, sqrt, asin = sympy.pi, sympy.sqrt, sympy.asin

    def I3(other: Any, cross: Any, middle: Any) -> Any:  # E[phi'(lambda) z phi(other)], z with the named covariances
        with_lambda, with_other = middle
        root = sqrt((1 + Q) * (1 + other) - cross**2)
        return 2 / pi / root * (with_other * (1 + Q) - with_lambda * cross) / (1 + Q)

    def I4(C: Any, a: int, b: int) -> Any:  # E[phi'(lambda)^2 phi(a) phi(b)], fields (lambda, nu)
        D = 1 + Q
        L4 = D**2 - Q**2
        L0 = L4 * C[a, b] - 2 * C[0, a] * C[0, b] * D + 2 * Q * C[0, a] * C[0, b]
        L1, L2 = (L4 * (1 + C[i, i]) - 2 * C[0, i] ** 2 * D + 2 * Q * C[0, i] ** 2 for i in (a, b))
        return 4 / pi**2 / sqrt(L4) * asin(L0 / sqrt(L1 * L2))

    C = sympy.Matrix([[Q, R], [R, T]])
    dR = -eta * (I3(Q, Q, (R, R)) - I3(T, R, (R, T)))
    dQ = -2 * eta * (I3(Q, Q, (Q, Q)) - I3(T, R, (Q, R))) + eta**2 * (I4(C, 0, 0) - 2 * I4(C, 0, 1) + I4(C, 1, 1))
    return R, Q, eta, dR, dQ


def test_the_critical_rate_has_its_closed_form() -> None:
    """sympy linearises the drift at Q = R = T: det J = 0 at eta_c = pi sqrt((1 + 4T) / (1 + 2T)); ode.critical agrees.

    Source: the linearisation of Saad & Solla 1995 and Biehl & Schwarze 1995, derived anew; 4.06 for T = 1.
    """
    for T in (sympy.Integer(1), sympy.Rational(2, 5)):
        R, Q, eta, dR, dQ = drift_of_one_unit(T)
        J = sympy.Matrix([dR, dQ]).jacobian([R, Q]).subs({R: T, Q: T})
        (root,) = [each for each in sympy.solve(J.det(), eta) if each != 0]
        closed = sympy.pi * sympy.sqrt((1 + 4 * T) / (1 + 2 * T))
        assert sympy.simplify(root - closed) == 0
        x = sympy.symbols("x")
        law = sympy.exp(-(x**2) / (2 * T)) / sympy.sqrt(2 * sympy.pi * T)
        slope = sympy.sqrt(2 / sympy.pi) * sympy.exp(-(x**2) / 2)
        two, four = (sympy.integrate(slope**n * law, (x, -sympy.oo, sympy.oo)) for n in (2, 4))
        assert sympy.simplify(2 * two / four - closed) == 0  # the derivation in examples/critical_learning_rate.py
        perfect = ts.Overlaps([[float(T)]], [[float(T)]], [[float(T)]])
        found = ode.critical(problem(), "sgd.learning_rate", (1.0, 6.0), guess=perfect, tol=1e-8)
        assert found.change == "stability"
        assert abs(found.value - float(closed)) < 1e-8
        assert found.bracket[0] <= float(closed) <= found.bracket[1] <= found.bracket[0] + 1.001e-8
        assert abs(found.eigenvalue) < 1e-7


def test_the_critical_rate_of_two_units_solves_its_own_quadratic() -> None:
    """What K = M = 2 units have across the teacher, q_kk = q and q_12 = c, obeys two linear equations (T = 1).

    g_k = phi'_k sum_l phi'_l d_l with E[phi'_1^a phi'_2^b] = (2/pi)^((a + b)/2) / sqrt((1 + a)(1 + b)).
    """

    def E(a: int, b: int) -> Any:
        return (2 / sympy.pi) ** sympy.Rational(a + b, 2) / sympy.sqrt((1 + a) * (1 + b))

    eta = sympy.symbols("eta", positive=True)
    pull = sympy.Matrix([[E(2, 0), E(1, 1)], [E(1, 1), E(2, 0)]])
    noise = sympy.Matrix([[E(4, 0) + E(2, 2), 2 * E(3, 1)], [2 * E(3, 1), 2 * E(2, 2)]])
    first = min(float(root) for root in sympy.solve((-2 * pull + eta * noise).det(), eta))
    found = ode.critical(problem(2), "sgd.learning_rate", (1.0, 6.0))
    assert abs(found.value - first) < 1e-8
    assert found.fixed_point.name == "specialised"


def test_a_noisy_linear_student_diverges_at_its_critical_rate() -> None:
    """Q is proportional to 1 / (2 - eta): the norm on the branch passes the bound 10^6 at 2, less some 1e-7."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), 1, "linear", noise=0.2)
    of = ts.Problem(task, ts.Student(1, "linear"), ts.SGD(1.0), ts.Curriculum.single("all", 1.0))
    found = ode.critical(of, "sgd.learning_rate", (1.0, 3.0))
    assert found.change == "divergence"
    assert 0 < 2 - found.value < 1e-6
    assert found.bracket[1] - found.bracket[0] <= 1e-8
    assert "divergence of the specialised state" in found.describe()


def wrong_drift(factor: float) -> Any:
    """The drift with `factor` times its eta^2 term."""

    def drift(of: ts.Problem, averages: Any, alpha: Any, overlaps: ts.Overlaps) -> ts.Overlaps:
        right = ode.drift(of, averages, alpha, overlaps)
        mean = averages.mean_step(of, overlaps, of.task.conditions(), of.condition_weights(alpha))
        fractions = jnp.asarray(of.inputs.fractions)[:, None, None]
        extra = (factor - 1) * of.sgd.learning_rate**2 * fractions * mean.gg
        return ts.Overlaps(right.Q + extra, right.R, right.T, right.readout)

    return drift


@pytest.mark.usefixtures("traced_anew")
def test_a_wrong_noise_term_moves_the_critical_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the eta^2 term halves eta_c; without it nothing is critical."""
    monkeypatch.setattr(_field, "drift", wrong_drift(2.0))
    found = ode.critical(problem(block="doubled"), "sgd.learning_rate", (1.0, 6.0))
    assert abs(found.value - ETA_C / 2) < 1e-8
    monkeypatch.setattr(_field, "drift", wrong_drift(0.0))
    jax.clear_caches()  # type: ignore[no-untyped-call]  # JAX has no annotations there
    with pytest.raises(ts.InputError, match="stable throughout"):
        ode.critical(problem(block="dropped"), "sgd.learning_rate", (1.0, 6.0))


@pytest.mark.long
def test_simulations_below_and_above_behave_accordingly() -> None:
    """Near the teacher SGD learns perfectly at 0.85 eta_c and not at 1.15 eta_c; where it stays is the fixed point."""
    start = ts.Overlaps([[0.83]], [[0.9]], [[1.0]])
    last = {}
    for factor, alphas in ((0.85, [40.0, 60.0]), (1.15, [40.0, 60.0])):
        runs = simulations.run(
            problem(1, factor * ETA_C), dim=500, runs=16, alphas=alphas, key=3, start=start, progress=False
        )
        last[factor] = np.asarray(runs.error["all"])[:, -1]
    below, above = (ode.fixed_points(problem(1, factor * ETA_C)) for factor in (0.85, 1.15))
    assert [(point.stability, point.error["all"] < 1e-12) for point in below] == [("stable", True)]
    assert [(point.stability, point.error["all"] < 1e-12) for point in above] == [("unstable", True), ("stable", False)]
    z = (last[1.15].mean() - above[1].error["all"]) / (last[1.15].std(ddof=1) / 4)
    assert last[0.85].max() < 1e-6
    assert abs(z) < 4  # false alarm: 0.1 % (t with 15 degrees of freedom)
    assert last[1.15].min() > above[1].error["all"] / 3


@pytest.mark.long
def test_the_line_lies_on_the_swept_boundary_within_a_cell() -> None:
    """Three rows of each panel of the example (which checks them all), and a rate 10 % off that does not."""
    namespace: dict[str, Any] = {
        "__name__": "example",
        "__file__": str(ROOT / "examples" / "critical_learning_rate.py"),
    }
    exec((ROOT / "examples" / "critical_learning_rate.py").read_text(), namespace)
    data = figures.open_sweep(namespace["STORE"]).load()
    inside, wrong = [], []
    for width, units in ((1, "K = M = 1"), (2, "K = M = 2")):
        chosen = figures.select(data, "error", at={"units": units})
        line = figures.boundary(chosen, "learning_rate", "irrelevant_variance", namespace["SMALL"])
        for row in (2, 7, 14):
            at = line.isel(irrelevant_variance=row)
            variance = float(at["irrelevant_variance"])
            eta = namespace["critical_rate"](width, variance).value
            if width == 1:
                assert eta == pytest.approx(namespace["closed_form"](variance), abs=1e-8)
            inside.append(float(at["cell_low"]) <= eta <= float(at["cell_high"]))
            wrong.append(float(at["cell_low"]) <= 1.1 * eta <= float(at["cell_high"]))
    assert all(inside)
    assert not any(wrong)


# -- fixed points ----------------------------------------------------------------------------------------------------


def test_known_points_are_found_once_named_and_at_rest() -> None:
    of = problem(2, 0.2)
    start = reference_start()
    guesses = ode.known_guesses(of)
    swapped = ts.Overlaps(guesses["specialised"].Q, guesses["specialised"].R[:, ::-1], start.T)
    points = ode.fixed_points(of, [*guesses.values(), swapped])
    assert [point.name for point in points] == ["specialised", "symmetric"]
    assert [point.stability for point in points] == ["stable", "unstable"]
    perfect, symmetric = points
    assert perfect.residual < 1e-12
    np.testing.assert_allclose(perfect.overlaps.R[0], np.eye(2), atol=1e-9)
    stays = ode.solve(of, symmetric.overlaps, [5.0], with_accuracy=False)
    np.testing.assert_allclose(stays.overlaps.Q[-1], symmetric.overlaps.Q, atol=1e-9)
    assert "symmetric: unstable" in symmetric.describe()


def test_eigenvalues_are_those_of_finite_differences() -> None:
    """The symmetric point's spectrum from differences of ode.drift, in coordinates written here."""
    of = problem(2, 0.2)
    symmetric = ode.fixed_points(of)[1]
    flat = np.concatenate([symmetric.overlaps.Q[0][np.triu_indices(2)], symmetric.overlaps.R.ravel()])

    @jax.jit
    def slope(x: Any) -> Any:
        Q = jnp.array([[x[0], x[1]], [x[1], x[2]]])
        d = ode.drift(of, ode.ClosedForm(), 0.0, ts.Overlaps(Q, x[3:].reshape(2, 2), jnp.eye(2)))
        return jnp.concatenate([d.Q[0][np.triu_indices(2)], d.R.ravel()])

    h = 1e-5
    with jax.enable_x64(True):
        J = np.column_stack([np.asarray(slope(flat + h * e) - slope(flat - h * e)) / (2 * h) for e in np.eye(7)])
    expected = np.sort(np.linalg.eigvals(J).real)[::-1]
    np.testing.assert_allclose(symmetric.eigenvalues.real, expected, atol=1e-8)


def test_integrations_end_at_a_stable_point() -> None:
    """alpha -> infinity is the fixed point, with blocks, levels, noise, weight decay and a trained readout."""
    of = build.problem(K=2, weight_decay=0.3, curriculum=ts.Curriculum.mixed({"easy": 0.4, "hard": 0.6}, 2500.0))
    end = ode.solve(of, build.overlaps(of), [2500.0], with_accuracy=False)
    last = ts.Overlaps(*(getattr(end.overlaps, name)[-1] for name in ("Q", "R", "T", "readout")))
    (point,) = ode.fixed_points(of, last)
    assert point.stability == "stable"
    for name in ("Q", "R", "readout"):
        np.testing.assert_allclose(getattr(point.overlaps, name), getattr(last, name), atol=1e-7)
    assert point.error["hard"] == pytest.approx(end.error["hard"][-1], abs=1e-7)


def test_shares_are_frozen_at_alpha() -> None:
    """On a ramp from easy to hard, alpha = 0 has the points of easy samples alone, the end those of hard ones."""

    def points(easy: float, alpha: float | None, final: float | None = None) -> list[ode.FixedPoint]:
        shares = [{"easy": share, "hard": 1 - share} for share in (easy, easy if final is None else final)]
        of = build.problem(K=2, weight_decay=0.3, curriculum=ts.Curriculum.ramp(shares[0], shares[1], 1.0))
        return ode.fixed_points(of, ode.known_guesses(of)["zero"], alpha=alpha)

    for share, alpha in ((1.0, 0.0), (0.0, None)):
        ramp, alone = points(1.0, alpha, 0.0), points(share, None)
        np.testing.assert_allclose(ramp[0].eigenvalues, alone[0].eigenvalues, rtol=1e-9)
    assert abs(points(1.0, 0.0)[0].growth - points(0.0, 0.0)[0].growth) > 1e-3


def test_small_rates_lead_to_the_papers_plateau() -> None:
    """R = 1/sqrt(K(2K-1)), Q = C = 1/(2K-1) as eta -> 0, deviation of order eta. Saad & Solla 1995."""
    deviations = []
    for eta in (0.04, 0.02):
        (point,) = [each for each in ode.fixed_points(problem(2, eta)) if each.name == "symmetric"]
        found = [point.overlaps.R[0, 0, 0], point.overlaps.Q[0, 0, 0], point.overlaps.Q[0, 0, 1]]
        deviations.append(np.array(found) - [1 / np.sqrt(6), 1 / 3, 1 / 3])
    assert np.abs(deviations[1]).max() < 2e-3
    np.testing.assert_allclose(deviations[0] / deviations[1], 2.0, rtol=0.05)


def test_the_specialisation_transition_is_one_for_both_phases() -> None:
    """Weight decay: the symmetric state becomes stable where the specialised one merges with it; integrations agree."""
    of, bracket = problem(2, 1.0), (1e-3, 0.2)
    stable = ode.critical(of, "sgd.weight_decay", bracket, guess="symmetric")
    merged = ode.critical(of, lambda p, value: problem(2, 1.0, weight_decay=value), bracket, guess="specialised")
    assert (stable.change, merged.change) == ("stability", "existence")
    assert abs(stable.value - merged.value) < 2e-8
    R = np.array([[0.4, 0.3], [0.3, 0.4]])
    start = ts.Overlaps(R @ R.T + 0.1 * np.eye(2), R, np.eye(2))
    for factor, specialises in ((0.8, True), (1.25, False)):
        decayed = problem(2, 1.0, weight_decay=factor * stable.value)
        R = np.asarray(ode.solve(decayed, start, [2000.0], with_accuracy=False).overlaps.R[-1, 0])
        assert (abs(R[0, 0] - R[0, 1]) > 0.05) == specialises
        assert (abs(R[0, 0] - R[0, 1]) < 1e-6) != specialises


def test_a_symmetric_point_of_identical_units_has_a_name_of_its_own() -> None:
    """At eta = 0.1 there are two symmetric points. The flow of symmetric states leads to that of distinct units."""
    perfect, distinct, identical = ode.fixed_points(problem(2, 0.1))
    assert [perfect.name, distinct.name, identical.name] == ["specialised", "symmetric", "symmetric, identical units"]
    assert identical.overlaps.Q[0, 0, 1] == pytest.approx(identical.overlaps.Q[0, 0, 0], rel=1e-9)
    assert distinct.overlaps.Q[0, 0, 1] < 0.99 * distinct.overlaps.Q[0, 0, 0]
    start = ts.Overlaps([[0.4, 0.35], [0.35, 0.4]], np.full((2, 2), 0.4), np.eye(2))
    assert ode.plateau(problem(2, 0.1), start).fixed_point.name == "symmetric"


# -- the plateau -----------------------------------------------------------------------------------------------------


def observed(of: ts.Problem, start: ts.Overlaps, until: float) -> dict[str, float]:
    """Height and rate where the error is flattest before it has halved, and when it has halved from there."""
    alphas = np.linspace(until / 4000, until, 4000)
    theory = ode.solve(of, start, alphas, with_accuracy=False)
    error, R = theory.error["all"], theory.overlaps.R[:, 0]
    fall = np.abs(np.gradient(np.log(error), alphas))
    settled = alphas > 0.05 * until
    flattest = int(np.argmin(np.where(settled & (error > 0.7 * np.median(error[settled][:400])), fall, np.inf)))
    apart = np.linalg.norm(R - R.mean(axis=1, keepdims=True), axis=(1, 2))
    rate = np.gradient(np.log(apart), alphas)[flattest]
    escape = alphas[flattest + int(np.argmax(error[flattest:] < error[flattest] / 2))]
    return {"height": error[flattest], "rate": rate, "escape": escape}


def test_the_plateau_of_saad_and_solla_within_5_percent() -> None:
    """Height, escape rate, escape time against the integration; a growth rate 10 % off would miss the escape."""
    of, start = problem(2, SADDLE["eta"]), reference_start()
    found, seen = ode.plateau(of, start), observed(of, start, 1000.0)
    assert found.height["all"] == pytest.approx(seen["height"], rel=0.05)
    assert found.rate == pytest.approx(seen["rate"], rel=0.05)
    assert found.escape_time == pytest.approx(seen["escape"], rel=0.05)
    reference = {row["alpha"]: row["eps_g"] for row in SADDLE["trajectory"]}
    assert found.height["all"] == pytest.approx(reference[200], rel=0.05)
    assert reference[300] > found.height["all"] / 2 > reference[500]
    assert 300 < found.escape_time < 500
    for factor in (0.9, 1.1):
        grown = found.log_amplitude[20:] - found.log_amplitude[20]  # past the transient
        wrong = found.log_amplitude[20] + factor * grown
        escape = np.interp(found.saturation, wrong, found.alphas[20:], right=np.inf)
        assert abs(escape / seen["escape"] - 1) > 0.05
    assert abs(found.fixed_point.growth / seen["rate"] - 1) > 0.05  # S has not come to rest: see ode.plateau


def test_the_escape_time_grows_by_the_logarithm_of_the_start() -> None:
    """A tenth of the asymmetry costs log(10) / lambda; no asymmetry, for ever."""
    of = problem(2, 1.0)

    def start(asymmetry: float) -> ts.Overlaps:
        R = 0.4 + asymmetry * np.array([[1.0, -1.0], [-1.0, 1.0]])
        return ts.Overlaps([[0.5, 0.3], [0.3, 0.5]], R, np.eye(2))

    early, late = ode.plateau(of, start(1e-4)), ode.plateau(of, start(1e-5))
    waited = (late.escape_time - early.escape_time) * early.fixed_point.growth
    assert waited == pytest.approx(np.log(10), rel=0.05)
    assert ode.plateau(of, start(0.0)).escape_time == np.inf
    assert ode.plateau(of, start(1e-4), share=0.25).escape_time > early.escape_time


def start_of_saad_and_solla(scale: float) -> ts.Overlaps:
    """Q_kk in [0, 0.5], and R and Q_12 uniform in [0, scale]."""
    R11, R12, R21, R22, Q12 = scale * np.random.default_rng(0).random(5)
    return ts.Overlaps([[0.256, Q12], [Q12, 0.475]], [[R11, R12], [R21, R22]], np.eye(2))


def halved(of: ts.Problem, start: ts.Overlaps, error: float, near: float) -> float:
    """When the integrated error falls to half of `error`, to 1e-3 of `near`."""
    alphas = near * np.linspace(0.9, 1.1, 201)
    long = dataclasses.replace(of, curriculum=ts.Curriculum.single("all", float(alphas[-1])))
    fallen = ode.solve(long, start, alphas, with_accuracy=False).error["all"] < error / 2
    assert fallen.any()
    assert not fallen[0]
    return float(alphas[np.argmax(fallen)])


@pytest.mark.long
@pytest.mark.parametrize("eta", [1.5, 0.1])
def test_the_start_of_saad_and_solla_escapes(eta: float) -> None:
    """R of 1e-12 beside Q_11 - Q_22 of 0.2, against ode.solve.

    The escape is where the error falls to half of the symmetric point's. Linearising in delta neglects r = |delta| /
    |S| in J, and so a is known up to a factor 1 - r, and the escape time up to -log(1 - r) / lambda.
    """
    of = problem(2, eta)
    for scale in (1e-12, 1e-9, 1e-6):
        start = start_of_saad_and_solla(scale)
        found = ode.plateau(of, start)
        Q = np.diag(start.Q[0])
        assert np.isfinite(found.escape_time)
        r = np.linalg.norm(Q - Q.mean()) / np.linalg.norm(Q)
        tolerance = -np.log(1 - r) / found.fixed_point.growth
        assert tolerance < 0.025 * found.escape_time
        seen = halved(of, start, found.fixed_point.error["all"], found.escape_time)
        assert abs(found.escape_time - seen) < tolerance + 1e-3 * found.escape_time
        assert found.log_amplitude[-1] == pytest.approx(found.saturation, abs=1e-6)
        assert found.log_amplitude[0] < np.log(2 * scale)


@pytest.mark.long
def test_the_escape_at_the_sizes_that_a_double_can_hold() -> None:
    """An asymmetry that is smaller by a factor costs its log / lambda, whatever the size of what dies out."""
    of = problem(2, 1.5)
    first, second = (ode.plateau(of, start_of_saad_and_solla(scale)) for scale in (1e-12, 1e-100))
    waited = (second.escape_time - first.escape_time) * first.fixed_point.growth
    assert waited == pytest.approx(88 * np.log(10), rel=1e-3)


@pytest.mark.parametrize("R", [[[0.0, 0.0], [0.0, 0.0]], [[0.2, 0.2], [0.2, 0.2]], [[0.3, 0.3], [0.2, 0.2]]])
def test_a_start_whose_asymmetry_dies_out_never_escapes(R: list[list[float]]) -> None:
    """Q_11 - Q_22, and units that differ alike in their overlaps with both teachers, tell no teacher from the other."""
    found = ode.plateau(problem(2, 1.5), ts.Overlaps(np.diag([0.256, 0.475]), R, np.eye(2)))
    assert found.escape_time == np.inf
    assert np.all(found.log_amplitude == -np.inf)
    assert "no asymmetry that grows" in found.describe()


def test_units_that_differ_in_norm_alone_escape_where_teachers_do() -> None:
    """At R = 0 Pi delta is zero at first, and unequal teachers turn Q_11 - Q_22 into what grows."""
    of, start = problem(2, 1.5), ts.Overlaps(np.diag([0.256, 0.475]), np.zeros((2, 2)), np.diag([1.0, 0.6]))
    found = ode.plateau(of, start)
    seen = halved(of, start, found.fixed_point.error["all"], found.escape_time)
    r = np.linalg.norm([0.256 - 0.3655, 0.475 - 0.3655]) / np.linalg.norm([0.256, 0.475])
    assert abs(found.escape_time - seen) < -np.log(1 - r) / found.fixed_point.growth + 1e-3 * found.escape_time


def test_a_threshold_relative_to_the_whole_asymmetry_misses_the_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: 1e-8 of |delta|, which Q_11 - Q_22 dominates. The start of 1e-12 would never escape."""
    of, start = problem(2, 1.5), start_of_saad_and_solla(1e-12)
    whole = np.linalg.norm(np.diff(np.diag(start.Q[0]))) / np.sqrt(2)
    relative = lambda weights, delta: 1e-8 * np.linalg.norm(weights) * whole * np.ones_like(delta)  # noqa: E731
    assert np.isfinite(ode.plateau(of, start).escape_time)
    monkeypatch.setattr(_escape, "round_off", relative)
    assert ode.plateau(of, start).escape_time == np.inf


def test_a_start_with_an_asymmetry_of_the_size_of_the_escape_is_predicted_or_refused() -> None:
    """It crosses no threshold that lies below it, which is not the same as never growing."""
    of = problem(2, 1.5)

    def start(asymmetry: float) -> ts.Overlaps:
        R = 0.25 + asymmetry * np.array([[1.0, -1.0], [-1.0, 1.0]])
        return ts.Overlaps([[0.6, 0.1], [0.1, 0.6]], R, np.eye(2))

    assert 0 < ode.plateau(of, start(0.08)).escape_time < ode.plateau(of, start(0.04)).escape_time
    with pytest.raises(ts.InputError, match=r"a start below log a = \S+; got: \S+; integrate"):
        ode.plateau(of, start(0.2), share=0.95)


def test_an_amplitude_that_does_not_get_there_is_told_in_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: an amplitude believed to be larger by e^60 is given up long before it saturates."""
    right = _escape.asymmetry
    wrong = lambda *start: _escape.Asymmetry(right(*start).delta, right(*start).log_size + 60)  # noqa: E731
    monkeypatch.setattr("ode.stability._plateau.asymmetry", wrong)
    with pytest.raises(ts.InputError, match=r"grows to log a = \S+; got: log a = \S+ at alpha = \d"):
        ode.plateau(problem(2, 1.5), start_of_saad_and_solla(1e-12))


# -- bad input -------------------------------------------------------------------------------------------------------


def test_bad_input_is_one_clear_line() -> None:
    relu = ts.Problem(problem().task, ts.Student(1, "relu"), ts.SGD(1.0), ts.Curriculum.single("all", 1.0))
    linear = ts.Committee(ts.Inputs({"all": 1.0}), 1, "linear", noise=0.2)
    above = ts.Problem(linear, ts.Student(1, "linear"), ts.SGD(2.5), ts.Curriculum.single("all", 1.0))
    two, rate = problem(2, 0.2), "sgd.learning_rate"
    unequal = ts.Overlaps(np.eye(2), np.zeros((2, 2)), np.eye(2), [1.0, 2.0])
    cases: dict[str, Callable[[], Any]] = {
        r"best residual \S+ from guess '\w+' \(a root": lambda: ode.fixed_points(above),
        r"best residual \S+ from guess 0 \(": lambda: ode.fixed_points(above, ts.Overlaps([[1.0]], [[0.5]], [[1.0]])),
        "closed-form averages": lambda: ode.fixed_points(relu),
        "every state is fixed": lambda: ode.fixed_points(problem(1, 0.0)),
        "stable throughout": lambda: ode.critical(problem(), rate, (1.0, 2.0)),
        "two finite values": lambda: ode.critical(problem(), rate, (1.0, 1.0)),
        "did you mean": lambda: ode.critical(problem(), "sgd.learning_rat", (1.0, 2.0)),
        "at an end of the bracket": lambda: ode.critical(above, rate, (2.5, 3.0)),
        "guess \\(or overlaps\\)": lambda: ode.critical(problem(), rate, (1.0, 2.0), guess="symetric"),
        "equal readout": lambda: ode.plateau(two, unequal),
        "share of the plateau": lambda: ode.plateau(two, reference_start(), share=1.0),
    }
    for message, call in cases.items():
        with pytest.raises(ts.InputError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)
