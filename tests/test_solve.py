"""The integrator: published trajectories, an independent integrator, its own error statements, transformations."""

import json
import operator
from pathlib import Path
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.integrate import solve_ivp

import ode
import teacher_student as ts
from teacher_student import internal

from . import build

REFERENCE = Path(__file__).parent / "reference"


def reference_case(file: str, name: str) -> tuple[ts.Problem, ts.Overlaps, dict[str, np.ndarray]]:
    """Problem, start and reference arrays (alpha, Q, R and error per level) of one reference trajectory."""
    case = json.loads((REFERENCE / file).read_text())["cases"][name]
    rows = [row for row in case["trajectory"] if row["alpha"] > 0]
    if file == "saad_solla.json":
        inputs, first = ts.Inputs({"all": 1.0}), case["trajectory"][0]
        start = ts.Overlaps(first["Q"], first["R"], case["T"], case["v"])
        task = ts.Committee(inputs, case["M"], "erf", case["A"])
        problem = ts.Problem(task, ts.Student(case["K"]), ts.SGD(case["eta"]), ts.Curriculum.single("all", 1000.0))
        error = {"all": np.array([row["eps_g"] for row in rows])}
        Q, R = (np.array([row[name] for row in rows])[:, None] for name in ("Q", "R"))
    else:
        blocks = ("relevant", "irrelevant")
        levels = {level: dict(zip(blocks, row, strict=True)) for level, row in case["levels"].items()}
        inputs = ts.Inputs(dict(zip(blocks, case["fractions"], strict=True)), levels)
        M = len(case["teacher_readout"])
        T = np.zeros((2, M, M))
        T[:] = np.asarray(case["start"]["T"]) if np.ndim(case["start"]["T"]) == 3 else T
        T[0] = T[0] if np.ndim(case["start"]["T"]) == 3 else case["start"]["T"]
        start = ts.Overlaps(case["start"]["Q"], case["start"]["R"], T, case["start"]["readout"])
        activation = "sign" if case["teacher"].startswith("sign") else "erf"
        task = ts.Committee(inputs, M, activation, case["teacher_readout"], "relevant")
        order = ts.Curriculum.phases(*((phase["weights"], phase["duration"]) for phase in case["phases"]))
        problem = ts.Problem(task, ts.Student(len(case["start"]["readout"])), ts.SGD(case["learning_rate"]), order)
        error = {level: np.array([row["error"][level] for row in rows]) for level in levels}
        Q, R = (np.array([row[name] for row in rows]) for name in ("Q", "R"))
    return problem, start, {"alpha": np.array([row["alpha"] for row in rows]), "Q": Q, "R": R} | error


CASES = [
    ("saad_solla.json", "K2_M2"),
    ("saad_solla.json", "K8_M4"),
    ("blocks.json", "relevant_irrelevant_switch"),
    ("blocks.json", "sign_teacher_mixed"),
]


@pytest.mark.parametrize(("file", "name"), CASES)
def test_closed_form_reproduces_the_reference_trajectories(file: str, name: str) -> None:
    """Largest deviation of any overlap and error below 1e-6 at every alpha, plateau escape included."""
    problem, start, reference = reference_case(file, name)
    theory = ode.solve(problem, start, reference["alpha"])
    assert theory.status == ts.Status.OK
    assert np.max(np.abs(theory.overlaps.Q - reference["Q"])) < 1e-6
    assert np.max(np.abs(theory.overlaps.R - reference["R"])) < 1e-6
    for level, error in theory.error.items():
        assert np.max(np.abs(error - reference[level])) < 1e-6


@pytest.mark.long("saad_solla.json-K8_M4")
@pytest.mark.slow
@pytest.mark.parametrize(("file", "name"), CASES)
def test_sampled_reproduces_the_reference_within_its_own_error(file: str, name: str) -> None:
    """Student t of every overlap over 8 scramblings, family-wise level 1 % (Bonferroni)."""
    problem, start, reference = reference_case(file, name)
    alphas = reference["alpha"]
    theory = ode.solve(problem, start, alphas, averages=ode.Sampled(2**12, 8, key=2))
    assert theory.status == ts.Status.OK
    assert theory.sampling_error is not None
    deviations, errors = [], []
    for entry in ("Q", "R"):
        deviations.append(np.ravel(getattr(theory.overlaps, entry) - reference[entry]))
        errors.append(np.ravel(getattr(theory.sampling_error.overlaps, entry)))
    deviation, error = np.concatenate(deviations), np.concatenate(errors)
    moving = error > 0
    assert np.all(np.abs(deviation[~moving]) < 1e-9)
    limit = stats.t.isf(0.01 / 2 / moving.sum(), 7)
    assert np.max(np.abs(deviation[moving] / error[moving])) < limit
    assert np.median(error[moving]) < 1e-2


def test_scipy_integrates_the_same_drift_to_the_same_trajectory() -> None:
    """Trained readout, weight decay, noise and a ramp: DOP853 at rtol 1e-11 against our default tolerances."""
    order = ts.Curriculum.ramp("easy", "hard", 3.0) + ts.Curriculum.single("hard", 2.0)
    problem = build.problem(curriculum=order)
    start = build.overlaps(problem, 4)
    theory = ode.solve(problem, start, [1.0, 3.0, 5.0])
    with jax.enable_x64(True):
        inputs = internal.to_float(problem, jnp.float64)
        flat, unravel = jax.flatten_util.ravel_pytree(internal.to_float(start, jnp.float64))
        field = jax.jit(
            lambda t, y: jax.flatten_util.ravel_pytree(ode.drift(inputs, ode.ClosedForm(), t, unravel(y)))[0]
        )
        state, now = np.asarray(flat), 0.0
        for index, end in enumerate((1.0, 3.0, 5.0)):
            state = solve_ivp(field, (now, end - 1e-13), state, "DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
            now = end
            mine, _ = jax.flatten_util.ravel_pytree(jax.tree.map(operator.itemgetter(index), theory.overlaps))
            np.testing.assert_allclose(mine, state, rtol=0, atol=2e-7)


def test_error_falls_with_the_tolerance() -> None:
    problem, start, reference = reference_case(*CASES[2])
    errors = [
        np.max(np.abs(ode.solve(problem, start, reference["alpha"], rtol=r, atol=r / 100).overlaps.Q - reference["Q"]))
        for r in (1e-4, 1e-6, 1e-8)
    ]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


def test_recorded_alphas_do_not_change_the_trajectory() -> None:
    problem, start, _ = reference_case(*CASES[2])
    many = ode.solve(problem, start, np.linspace(0, 20, 41))
    few = ode.solve(problem, start, [1.0, 2.5, 5.0, 10.0, 15.0, 20.0])
    np.testing.assert_array_equal(many.overlaps.Q[0], start.Q)
    np.testing.assert_allclose(many.overlaps.Q[[2, 5, 10, 20, 30, 40]], few.overlaps.Q, atol=1e-8)


def test_permuted_units_and_blocks_give_the_permuted_trajectory() -> None:
    problem = build.problem()
    start = build.overlaps(problem, 6)
    theory = ode.solve(problem, start, [2.0]).overlaps
    order = np.array([2, 0, 1])
    shuffled = ts.Overlaps(start.Q[:, order][:, :, order], start.R[:, order], start.T, start.readout[order])
    permuted = ode.solve(problem, shuffled, [2.0]).overlaps
    np.testing.assert_allclose(permuted.Q, theory.Q[:, :, order][:, :, :, order], atol=1e-8)
    np.testing.assert_allclose(permuted.readout, theory.readout[:, order], atol=1e-8)


def test_equal_blocks_are_one_block() -> None:
    """Two blocks of equal variance that the teacher sees alike add up to one block of isotropic inputs."""
    two = ts.Inputs({"a": 0.4, "b": 0.6})
    order = ts.Curriculum.single("all", 5.0)
    parts = [
        ts.Problem(ts.Committee(each, 2), ts.Student(2), ts.SGD(0.8), order) for each in (two, ts.Inputs({"c": 1}))
    ]
    start = ts.random_overlaps(parts[0], 200, 3)
    Q, R, T = (x.sum(axis=0)[None] for x in (start.Q, start.R, start.T))
    whole = ts.Overlaps(Q, R, T, start.readout)
    split, joined = (ode.solve(part, state, [1.0, 5.0]) for part, state in zip(parts, (start, whole), strict=True))
    np.testing.assert_allclose(split.overlaps.Q.sum(axis=1), joined.overlaps.Q[:, 0], atol=1e-7)
    np.testing.assert_allclose(split.error["all"], joined.error["all"], atol=1e-7)


def test_overlaps_stay_positive_semidefinite_and_errors_positive() -> None:
    problem, start, _ = reference_case(*CASES[2])
    theory = ode.solve(problem, start, np.linspace(0, 20, 41))
    assert ts.psd_violation(theory.overlaps) < 1e-9
    assert all(np.all(error > 0) for error in theory.error.values())


def test_perceptron_accuracy() -> None:
    """K = M = 1: accuracy = 1 - acos(R / sqrt(T C_lambda)) / pi (Saglietti, Sarao Mannelli, Saxe 2022)."""
    problem = build.problem(K=1, M=1, teacher="sign", labels="sign", noise=0.0)
    start = build.overlaps(problem, 8)
    theory = ode.solve(problem, start, [1.0, 4.0])
    hard = problem.inputs.variances[1]
    R, T = (np.einsum("b,ab->a", hard, getattr(theory.overlaps, name)[..., 0, 0]) for name in ("R", "T"))
    C = np.einsum("b,ab->a", hard, theory.overlaps.Q[..., 0, 0])
    assert isinstance(problem.task, ts.Committee)
    sign = np.sign(theory.overlaps.readout[:, 0] * problem.task.readout[0])
    np.testing.assert_allclose(theory.accuracy["hard"], 1 - np.arccos(sign * R / np.sqrt(T * C)) / np.pi, atol=1e-12)
    assert theory.sampling_error is None


@pytest.mark.parametrize("student", ["linear", "relu"])
def test_too_large_a_rate_diverges_with_a_status(student: str) -> None:
    problem = build.problem(student=student, learning_rate=8.0, readout_learning_rate=0.0, weight_decay=0.0)
    averages = ode.Sampled(2**8, 2) if student == "relu" else None
    theory = ode.solve(problem, build.overlaps(problem), np.linspace(0.5, 10, 20), averages=averages)
    assert theory.status == ts.Status.DIVERGED
    assert 0 < theory.reached < 10
    assert "diverged" in theory.describe()
    later = theory.alphas > theory.reached
    for found in (theory.overlaps.Q[:, 0, 0, 0], *theory.error.values(), *theory.accuracy.values()):
        assert np.array_equal(np.isnan(found), later)


def test_an_erf_student_diverges_linearly() -> None:
    """Above the critical rate Q_kk of an erf student grows about linearly in alpha, below it stays of order T."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), 2)
    start, status = None, {}
    for rate in (1.0, 30.0):
        problem = ts.Problem(task, ts.Student(2), ts.SGD(rate), ts.Curriculum.single("all", 500.0))
        start = start or ts.random_overlaps(problem, 1000, 0)
        theory = ode.solve(problem, start, np.linspace(50, 500, 10))
        status[rate] = (theory.status, float(theory.reached))
    assert status[1.0] == (ts.Status.OK, 500.0)
    assert status[30.0][0] == ts.Status.DIVERGED
    assert 0 < status[30.0][1] < 500


@pytest.mark.slow
def test_too_few_steps_are_a_status() -> None:
    problem = build.problem()
    for compiled, steps in ((False, 4), (True, 16)):
        theory = ode.solve(problem, build.overlaps(problem), [5.0, 10.0], max_steps=steps, compiled=compiled)
        assert theory.status == ts.Status.TOO_STIFF
        assert np.isnan(theory.error["hard"][-1])


def test_precision_and_configuration_are_the_users() -> None:
    before = {name: getattr(jax.config, name) for name in ("jax_enable_x64", "jax_default_matmul_precision")}
    problem, start, reference = reference_case(*CASES[2])
    theory = ode.solve(problem, start, reference["alpha"])
    assert not build.unchecked(jax.config).jax_enable_x64
    assert theory.overlaps.Q.dtype == np.float64
    assert {name: getattr(jax.config, name) for name in before} == before


def final_error(rate: Any, **options: Any) -> Any:
    """Of one unit, with two phases: in each, a level has share 0 and is skipped."""
    order = ts.Curriculum.phases(("easy", 0.5), ("hard", 1.5))
    problem = build.problem(K=1, M=1, learning_rate=rate, curriculum=order)
    return ode.solve(problem, build.overlaps(problem), [1.0, 2.0], **options).error["hard"][-1]


@pytest.mark.slow
def test_vmap_over_a_rate_equals_one_by_one_without_64_bits() -> None:
    rates = np.array([0.3, 0.6, 0.9], np.float32)
    batched = jax.vmap(final_error)(rates)
    np.testing.assert_allclose(batched, [final_error(np.float64(rate)) for rate in rates], rtol=1e-6)


@pytest.mark.slow
def test_vmap_over_starts() -> None:
    problem = build.problem()
    starts = ts.random_overlaps(problem, 300, jax.random.split(jax.random.key(0), 3))
    batched = jax.vmap(lambda start: ode.solve(problem, start, [1.0]).overlaps.Q)(starts)
    single = ode.solve(problem, jax.tree.map(lambda x: x[1], starts), [1.0]).overlaps.Q
    np.testing.assert_allclose(batched[1], single, atol=1e-6)


@pytest.mark.slow
def test_gradients_equal_finite_differences() -> None:
    with jax.enable_x64(True):

        def both(rate: Any) -> tuple[Any, Any]:
            _, tangent = jax.jvp(lambda rate: final_error(rate, adjoint=diffrax.ForwardMode()), (rate,), (1.0,))
            return jax.grad(final_error)(rate), tangent

        gradient, tangent = jax.jit(both, compiler_options=build.QUICKLY_COMPILED)(0.7)
        finite = (final_error(0.7 + 1e-4) - final_error(0.7 - 1e-4)) / 2e-4  # stepped from the host
        assert gradient == pytest.approx(finite, rel=1e-5)
        assert tangent == pytest.approx(finite, rel=1e-5)


@pytest.mark.long
@pytest.mark.slow
def test_gradient_through_a_sampled_solve() -> None:
    def loss(rate: Any) -> Any:
        problem = build.problem(K=1, M=1, blocks=1, student="relu", teacher="relu", learning_rate=rate)
        averages = ode.Sampled(2**8, 2)
        return ode.solve(problem, build.overlaps(problem), [0.5], averages=averages, rtol=1e-7).error["hard"][-1]

    with jax.enable_x64(True):
        finite = (loss(0.5 + 1e-3) - loss(0.5 - 1e-3)) / 2e-3
        assert jax.grad(loss)(0.5) == pytest.approx(finite, rel=5e-2)  # relu' jumps at points that cross 0


def test_grad_without_64_bits_says_what_to_do() -> None:
    with pytest.raises(ts.InputError, match=r"jax\.enable_x64\(True\)"):
        jax.grad(final_error)(0.7)


def test_one_compilation_for_all_numbers_of_a_structure() -> None:
    traces = 0

    def counted(x: jax.Array) -> jax.Array:
        nonlocal traces
        traces += 1
        return jnp.tanh(x)

    student = ts.Activation("counted", counted)
    averages = ode.Sampled(2**4, 2)
    for rate in (0.1, 0.2):
        problem = build.problem(student=student, learning_rate=rate)
        ode.solve(problem, build.overlaps(problem), [0.5], averages=averages)
        if rate == 0.1:
            first = traces
    assert traces == first


def test_user_activation_equals_the_built_in() -> None:
    """erf given as the user's function goes through sampled averages and agrees within their error."""
    own = build.problem(student=lambda x: jax.lax.erf(x / np.sqrt(2).astype(x.dtype)))
    start = build.overlaps(own, 5)
    sampled = ode.solve(own, start, [1.0, 3.0])
    exact = ode.solve(build.problem(), start, [1.0, 3.0])
    assert sampled.source.method.startswith("sampled")
    error = build.given(sampled.sampling_error).overlaps.Q
    t = np.abs(sampled.overlaps.Q - exact.overlaps.Q) / error
    assert np.max(t) < stats.t.isf(0.01 / 2 / t.size, 3)


def test_structure_errors() -> None:
    problem = build.problem()
    start = build.overlaps(problem)
    bad = eqx.tree_at(lambda s: s.Q, start, start.Q - 10)
    with pytest.raises(ts.InputError, match="positive semidefinite"):
        ode.solve(problem, bad, [1.0])
    with pytest.raises(ts.InputError, match="increasing alphas"):
        ode.solve(problem, start, [1.0, 0.5])
    with pytest.raises(ts.InputError, match="curriculum's end"):
        ode.solve(problem, start, [11.0])
    with pytest.raises(ts.InputError, match="shape"):
        ode.solve(problem, ts.Overlaps(start.Q[:, :2, :2], start.R[:, :2], start.T, 1.0), [1.0])
    starts = ts.random_overlaps(problem, 100, jax.random.split(jax.random.key(0), 3))
    with pytest.raises(ts.InputError, match=r"use jax\.vmap"):
        ode.solve(problem, starts, [1.0])
    with pytest.raises(ts.InputError, match="closed-form"):
        ode.solve(build.problem(student="relu"), start, [1.0], averages=ode.ClosedForm())
    with pytest.raises(ts.InputError, match="power of two"):
        ode.Sampled(points=1000)
