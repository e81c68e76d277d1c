"""Derivatives of sampled averages where units or labels jump: relu students, signs, accuracies."""

from collections.abc import Callable
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.integrate import solve_ivp

import ode
import teacher_student as ts
from ode.averages import FixedSample
from ode.averages._law_derivatives import is_smooth

from . import build
from .build import each_scrambling

pytestmark = pytest.mark.slow  # most of its time is compilation

FALSE_ALARM = 1e-3


def problem_of(
    student: str, teacher: str, *, labels: str = "value", noise: Any = 0.0, eta: Any = 0.5, K: int = 1
) -> ts.Problem:
    task = ts.Committee(ts.Inputs({"all": 1.0}), 1, teacher, 1.0, None, labels, noise)
    return ts.Problem(task, ts.Student(K, student), ts.SGD(eta), ts.Curriculum.single("all", 2.0))


def one_unit(q: Any, r: Any, t: Any = 1.0) -> ts.Overlaps:
    Q, R, T = (jnp.reshape(jnp.asarray(x, float), (1, 1, 1)) for x in (q, r, t))
    return ts.Overlaps(Q, R, T, np.ones(1))


def relu_moments(Q: Any, R: Any, T: Any) -> tuple[Any, Any, Any]:
    """E[relu(l) relu(n)], E[step(l) relu(n) n] and E[step(l) relu(n)^2] of two Gaussians, by arc-cosine kernels."""
    cosine = R / jnp.sqrt(Q * T)
    theta = jnp.arccos(cosine)
    both = jnp.sqrt(Q * T) / (2 * jnp.pi) * (jnp.sin(theta) + (jnp.pi - theta) * cosine)
    square = T / (2 * jnp.pi) * (jnp.sin(theta) * cosine + jnp.pi - theta)
    return both, square, square


def relu_drift(Q: Any, R: Any, T: Any, eta: Any) -> tuple[Any, Any]:
    """dQ/dalpha and dR/dalpha of one relu unit that learns from one."""
    both, with_latent, square = relu_moments(Q, R, T)
    return -2 * eta * (Q / 2 - both) + eta**2 * (Q / 2 - 2 * both + square), -eta * (R / 2 - with_latent)


def agree(found: Any, exact: Any) -> bool:
    """Whether means over scramblings (leading axis) are `exact`, by Student's t at the level FALSE_ALARM in all."""
    found, exact = np.asarray(found), np.asarray(exact)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    t = np.abs(found.mean(axis=0) - exact) / error
    return bool(np.all(t < stats.t.isf(FALSE_ALARM / 2 / max(exact.size, 1), len(found) - 1)))


@pytest.mark.parametrize("sabotaged", [False, True], ids=["", "derivative of the points"])
def test_the_drift_of_a_relu_student(sabotaged: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its derivatives in Q, R and T, against those of arc-cosine kernels."""
    if sabotaged:
        monkeypatch.setattr(FixedSample, "mean_step", FixedSample.mean_step_of_points)
    problem = problem_of("relu", "relu")
    with jax.enable_x64(True):
        at = jnp.array([0.5, 0.2, 0.9])

        def sampled(sample: FixedSample, x: jax.Array) -> jax.Array:
            change = ode.drift(problem, sample, 0.0, one_unit(*x))
            return jnp.stack([change.Q.sum(), change.R.sum()])

        found = each_scrambling(lambda sample: jax.jacrev(lambda x: sampled(sample, x))(at), problem)
        forward = each_scrambling(lambda sample: jax.jacfwd(lambda x: sampled(sample, x))(at), problem)
        exact = jax.jacrev(lambda x: jnp.stack(relu_drift(x[0], x[1], x[2], 0.5)))(at)
        if not sabotaged:
            np.testing.assert_allclose(found, forward, rtol=1e-9, atol=1e-12)
        assert agree(found, exact) == (not sabotaged)


@pytest.mark.long("squared")
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_noise_that_turns_labels(loss: str) -> None:
    """sign(nu + sigma xi) is the sign of a field of variance T + sigma^2: d/dsigma = 2 sigma d/dT' of that problem."""
    base = problem_of("erf", "linear", labels="sign", noise=0.0)

    def with_noise(noise: Any) -> ts.Problem:
        task = ts.Committee(base.inputs, 1, "linear", 1.0, None, "sign", noise)
        return ts.Problem(task, base.student, ts.SGD(0.5, loss=loss), base.curriculum)

    with jax.enable_x64(True):

        def of_noise(sample: FixedSample, noise: Any) -> Any:
            return ode.drift(with_noise(noise), sample, 0.0, one_unit(0.5, 0.3)).Q.sum()

        def of_teacher(averages: Any, noise: Any) -> Any:
            state = one_unit(0.5, 0.3, 1.0 + noise**2)
            return ode.drift(with_noise(np.zeros(())), averages, 0.0, state).Q.sum()

        found = each_scrambling(lambda sample: jax.grad(lambda s: of_noise(sample, s))(0.6), with_noise(0.6))
        if loss == "squared":
            exact = jax.grad(lambda s: of_teacher(ode.ClosedForm(), s))(0.6)
            assert abs(exact) > 0.01
            assert agree(found, exact)
        else:  # both are sampled
            other = each_scrambling(lambda sample: jax.grad(lambda s: of_teacher(sample, s))(0.6), base)
            assert agree(np.asarray(found) - np.asarray(other), 0.0)


@pytest.mark.parametrize("what", ["state", "readout"])
def test_accuracies_have_derivatives(what: str) -> None:
    """Of a linear student of two units, whose accuracy has a closed form; points alone would say 0."""
    problem = problem_of("linear", "linear", labels="sign", K=2)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3, 6))
    gram = (rows @ rows.T / 6)[None]
    readout = np.array([0.8, 0.5])
    with jax.enable_x64(True):

        def state(x: jax.Array) -> ts.Overlaps:
            if what == "readout":
                return ts.Overlaps(gram[:, :2, :2], gram[:, :2, 2:], gram[:, 2:, 2:], x)
            return ts.Overlaps(gram[:, :2, :2] * x[0], gram[:, :2, 2:] * x[1], gram[:, 2:, 2:], readout)

        at = jnp.asarray(readout if what == "readout" else np.ones(2))
        condition = jax.tree.map(lambda x: jnp.asarray(x)[0], problem.task.conditions())
        exact = jax.grad(lambda x: ode.observe(problem, state(x), None).accuracy["all"])(at)

        def sampled(sample: FixedSample) -> Any:
            return jax.grad(lambda x: sample.error_and_accuracy(problem, state(x), condition)[1])(at)

        found = np.asarray(each_scrambling(sampled, problem, 2**14))
        assert np.max(np.abs(exact)) > 0.01
        if what == "state":
            assert agree(found, exact)
        else:  # by a density at 0 of width S^(-1/5), so with a bias of the order of its square
            np.testing.assert_allclose(found.mean(axis=0), exact, atol=4 * (2**14) ** -0.4 * np.max(np.abs(exact)))


@pytest.mark.long
def test_the_derivative_of_a_solve_with_a_relu_student() -> None:
    """In the learning rate and the start, both modes, against arc-cosine kernels integrated by SciPy."""

    def exact(eta: float, q: float, r: float) -> float:
        rhs = jax.jit(lambda y: jnp.stack(relu_drift(y[0], y[1], 1.0, eta)))
        Q, R = solve_ivp(lambda _, y: np.asarray(rhs(y)), (0, 2), [q, r], rtol=1e-10, atol=1e-12).y[:, -1]
        return float(Q / 4 + 0.25 - relu_moments(Q, R, 1.0)[0])

    at = np.array([0.5, 0.5, 0.1])
    h = 1e-4
    with jax.enable_x64(True):
        slopes = [(exact(*(at + h * e)) - exact(*(at - h * e))) / (2 * h) for e in np.eye(3)]

        def error(x: jax.Array, key: int, adjoint: Any = None) -> Any:
            problem, start = problem_of("relu", "relu", eta=x[0]), one_unit(x[1], x[2])
            averages = ode.Sampled(2**11, 2, key)
            found = ode.solve(problem, start, [2.0], averages=averages, with_accuracy=False, rtol=1e-6, adjoint=adjoint)
            return found.error["all"][-1]

        found = [jax.grad(error)(jnp.asarray(at), key) for key in range(5)]
        forward = jax.jvp(lambda x: error(x, 0, diffrax.ForwardMode()), (jnp.asarray(at),), (jnp.eye(3)[2],))[1]
    np.testing.assert_allclose(forward, found[0][2], rtol=1e-8)
    assert agree(found, slopes)


def of_two(task: ts.Task) -> ts.Problem:
    return ts.Problem(task, ts.Student(1), ts.SGD(0.5), ts.Curriculum.single("all", 2.0))


@pytest.mark.long("")
@pytest.mark.parametrize("task", [build.SignOfTwo, build.DeclaredSmooth], ids=["", "wrongly declared smooth"])
def test_a_task_of_the_users_own_has_jumps_unless_it_declares_none(task: type[build.SignOfTwo]) -> None:
    """d/dT_12 of sign(erf nu_1 + erf nu_2) = sign(nu_1 + nu_2), a sign of one field, which has closed forms."""
    own, one_field = of_two(task(ts.Inputs({"all": 1.0}))), problem_of("erf", "sign")

    def quantities(problem: ts.Problem, sample: FixedSample | None, state: ts.Overlaps) -> jax.Array:
        change = ode.drift(problem, sample or ode.ClosedForm(), 0.0, state)
        error = ode.observe(problem, state, sample, with_accuracy=False).error["all"]
        return jnp.stack([error, change.Q.sum(), change.R.sum()])

    def of_points(sample: FixedSample, t: Any) -> jax.Array:
        T = jnp.array([[[1.0, t], [t, 0.8]]])
        return quantities(own, sample, ts.Overlaps(np.array([[[0.6]]]), np.array([[[0.3, 0.2]]]), T, np.ones(1)))

    def of_closed_forms(t: Any) -> jax.Array:
        return quantities(one_field, None, one_unit(0.6, 0.5, 1.8 + 2 * t))

    with jax.enable_x64(True):
        exact = np.asarray(jax.jacfwd(of_closed_forms)(0.1))
        known = each_scrambling(lambda sample: jax.jacrev(lambda t: of_points(sample, t))(jnp.array(0.1)), own, 2**13)
    assert np.all(np.abs(exact) > 0.005)
    assert agree(known, exact) == (task is build.SignOfTwo)


def test_a_task_of_the_users_own_can_declare_the_output_that_labels_are_signs_of() -> None:
    """Its derivatives in the noise and the state are then those of the same labels written as a committee."""
    inputs = ts.Inputs({"all": 1.0})
    state = ts.Overlaps(np.array([[[0.6]]]), np.array([[[0.3, 0.2]]]), np.array([[[1.0, 0.1], [0.1, 0.8]]]), np.ones(1))
    with jax.enable_x64(True):
        sample = jax.tree.map(lambda x: x[0], ode.Sampled(2**10, 1).draw(of_two(build.SignOfTwo(inputs))))

        def slopes(task_of: Callable[[Any], ts.Task]) -> Any:
            def size(noise: Any, state: ts.Overlaps) -> Any:
                return ode.drift(of_two(task_of(noise)), sample, 0.0, state).Q.sum()

            return jax.jit(jax.grad(size, argnums=(0, 1)))(0.6, state)

        own = slopes(lambda noise: build.DeclaredSigns(inputs, noise))
        committee = slopes(lambda noise: ts.Committee(inputs, 2, "erf", labels="sign", noise=noise))
    assert abs(committee[0]) > 0.01
    for a, b in zip(jax.tree.leaves(own), jax.tree.leaves(committee), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("student", "task", "smooth"),
    [
        (ts.Activation("tanh", jnp.tanh, smooth=True), "erf", True),
        (jnp.tanh, "erf", False),
        ("x**2", "relu", True),
        ("relu", "erf", False),  # continuous, but the derivative of a student's unit jumps
        (ts.Activation("soft", jnp.tanh, continuous=True), "erf", False),
        ("erf", ts.Activation("soft", jnp.tanh, continuous=True), True),
        ("erf", jnp.tanh, False),
        ("erf", "sign", False),
        ("erf", "mixture", True),
    ],
)
def test_activations_and_tasks_declare_where_nothing_jumps(student: Any, task: Any, smooth: bool) -> None:
    problem = build.mixture(student=student) if task == "mixture" else problem_of(student, task)
    assert is_smooth(problem) == smooth
