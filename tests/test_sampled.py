"""Sampled averages: a requested error that is met, pieces, single precision, products only, gradients."""

from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import ode
import teacher_student as ts
from ode._method import WIDE
from ode.averages import FixedSample, SampledProducts, _sampled_products
from ode.averages import _chunked_mean as _pieces
from ode.averages._matrix_roots import field_root, pseudo_inverse_sqrt, symmetric_sqrt
from ode.moments import J2
from teacher_student import internal

from . import build
from .as_users import HERE, files_warned_of

pytestmark = [pytest.mark.usefixtures("x64"), pytest.mark.slow]
ALPHAS = [0.5, 1.0, 2.0]
FALSE_ALARM = 1e-3  # of every stochastic comparison here, over all its numbers


def one(sample: Any) -> Any:
    return jax.tree.map(lambda x: jnp.asarray(x[0]), sample)


def worst_t(mine: Any, sampled: Any) -> float:
    """The largest deviation of a mean over scramblings, in units of what FALSE_ALARM allows for so many numbers."""
    found: list[float] = []
    for exact, values in zip(jax.tree.leaves(mine), jax.tree.leaves(sampled), strict=True):
        n = values.shape[0]
        error = np.asarray(values).std(axis=0, ddof=1) / np.sqrt(n)
        deviation = np.abs(np.asarray(values).mean(axis=0) - np.asarray(exact))
        moves = error > 1e-12
        assert np.all(deviation[~moves] < 1e-12)
        found.extend((deviation[moves] / error[moves]).ravel())
    return float(max(found, default=0.0) / stats.t.isf(FALSE_ALARM / 2 / max(1, len(found)), n - 1))


@pytest.mark.parametrize(("teacher", "labels", "M"), [("erf", "value", 2), ("sign", "value", 2), ("erf", "sign", 1)])
def test_sampled_products_are_those_of_the_closed_form(teacher: str, labels: str, M: int) -> None:
    """E[g g^T] over 32 scramblings; without the noise, or with half the squared difference, it would be another."""
    noise = 0.0 if labels == "sign" else 0.3
    problem = build.problem(K=5, M=M, teacher=teacher, labels=labels, noise=noise)
    state = internal.to_float(build.overlaps(problem, 2), jnp.float64)
    condition = jax.tree.map(lambda x: x[1], problem.task.conditions())
    exact = ode.ClosedForm().step(problem, state, condition)
    samples = ode.Sampled(2**8, 32, key=4, products_only=True).draw(problem)
    step = jax.jit(jax.vmap(lambda sample, problem: sample.step(problem, state, condition), in_axes=(0, None)))
    found = step(samples, problem)
    np.testing.assert_allclose(found.gz[0], exact.gz, atol=1e-14)
    np.testing.assert_allclose(found.loss_slope[0], exact.loss_slope, atol=1e-14)
    assert worst_t(exact.gg, found.gg) < 1
    plain = jax.vmap(lambda sample: sample.step(problem, state, condition))(ode.Sampled(2**8, 32, key=4).draw(problem))
    assert np.median(found.gg.std(axis=0) / plain.gg.std(axis=0)) < 1
    if noise:
        quiet = build.problem(K=5, M=M, teacher=teacher, labels=labels, noise=0.0)
        assert worst_t(exact.gg, step(samples, quiet).gg) > 1


def test_a_slip_in_the_control_of_the_products_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = build.problem(K=5)
    state = internal.to_float(build.overlaps(problem, 2), jnp.float64)
    condition = jax.tree.map(lambda x: x[1], problem.task.conditions())
    exact = ode.ClosedForm().step(problem, state, condition)
    samples = ode.Sampled(2**8, 32, key=4, products_only=True).draw(problem)
    right = J2
    for slip in (lambda *c: 1.02 * right(*c), lambda a, b, c: right(a, 0.9 * b, c)):
        monkeypatch.setattr(_sampled_products, "J2", slip)
        found = jax.vmap(lambda sample: sample.step(problem, state, condition))(samples)
        assert worst_t(exact.gg, found.gg) > 1


@pytest.mark.long
def test_wide_erf_students_sample_their_products_and_say_so() -> None:
    problem = build.problem(K=WIDE, M=2, learning_rate=0.02, readout_learning_rate=0.0)
    start = ts.random_overlaps(problem, 10**4, 0)
    found = ode.solve(problem, start, [0.3], with_accuracy=False)
    assert found.source.method == "closed form, E[g g] sampled, 4 x 4096 points"
    sampling_error = build.given(found.sampling_error)
    exact = ode.solve(problem, start, [0.3], averages=ode.ClosedForm(), with_accuracy=False)
    assert exact.source.method == "closed form"
    for level in ("easy", "hard"):
        assert sampling_error.error[level] < 2e-3 * exact.error[level]
        z = (found.error[level] - exact.error[level]) / sampling_error.error[level]
        assert abs(z) < stats.t.isf(FALSE_ALARM / 4, 3)
    assert isinstance(ode.fastest_averages(build.problem(K=WIDE - 1)), ode.ClosedForm)
    assert isinstance(ode.fastest_averages(build.problem(K=WIDE, student="linear")), ode.ClosedForm)


def test_the_stated_error_of_wide_students_has_its_bias() -> None:
    """At a large rate the averages' error acts to second order, on all scramblings alike, which no scatter shows."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), width=2)
    problem = ts.Problem(task, ts.Student(16), ts.SGD(1.5), ts.Curriculum.single("all", 2.0))
    start = ts.random_overlaps(problem, 1000, 0)
    exact = ode.solve(problem, start, ALPHAS, averages=ode.ClosedForm(), with_accuracy=False).error["all"]
    averages = ode.Sampled(2**6, 16, products_only=True)
    found = ode.solve(problem, start, ALPHAS, averages=averages, with_accuracy=False)
    z = np.abs(found.error["all"] - exact) / build.given(found.sampling_error).error["all"]
    assert np.max(z) < stats.t.isf(FALSE_ALARM / 6, 15)


def test_the_requested_error_is_met() -> None:
    """erf students, whose closed form says what the error is: points grow until it is what was asked for."""
    problem = build.problem(K=3)
    start = build.overlaps(problem, 1)
    exact = ode.solve(problem, start, ALPHAS, with_accuracy=False)
    points = []
    for error in (3e-2, 3e-3):
        averages = ode.Sampled(2**4, 8, error=error)
        found = ode.solve(problem, start, ALPHAS, averages=averages, with_accuracy=False)
        sampling_error = build.given(found.sampling_error)
        points.append(int(found.source.method.split(" x ")[1].split()[0]))
        for level, values in exact.error.items():
            scale = np.max(values)
            assert np.max(sampling_error.error[level]) <= error * np.max(found.error[level])
            allowed = stats.t.isf(FALSE_ALARM / 2 / 12, 7) * sampling_error.error[level]
            assert np.all(np.abs(found.error[level] - values) < allowed)
            assert np.max(np.abs(found.error[level] - values)) < stats.t.isf(FALSE_ALARM / 2 / 12, 7) * error * scale
    assert 2**4 < points[0] < points[1]


def test_an_error_that_is_out_of_reach_is_said() -> None:
    problem = build.problem(student="relu", teacher="relu")
    start = build.overlaps(problem, 1)
    with pytest.warns(UserWarning, match="averages over 64 points leave an error of .* more than the 0.0001 asked for"):
        found = ode.solve(problem, start, [1.0], averages=ode.Sampled(2**5, error=1e-4, most_points=2**6))
    assert found.source.method == "sampled, 4 x 64 points, for an error of 0.0001"


def test_the_warning_names_the_line_of_the_call() -> None:
    code = """
        problem = build.problem(student="relu", teacher="relu")
        averages = ode.Sampled(2**5, error=1e-4, most_points=2**6)
        ode.solve(problem, build.overlaps(problem, 1), [1.0], averages=averages)
    """
    assert files_warned_of(code) == [HERE]


@pytest.mark.long
def test_in_a_batch_each_gets_the_points_that_it_needs() -> None:
    """Those that meet the error are done; the others get as many points as if they were alone."""
    problems = [build.problem(student="relu", teacher="relu", learning_rate=rate) for rate in (0.02, 0.9, 1.2)]
    start = build.overlaps(problems[0], 1)
    easy = ode.Sampled(2**6, error=0.99)  # states the error as the one below does
    first = [ode.solve(each, start, ALPHAS, averages=easy, with_accuracy=False) for each in problems]
    left = [
        max(np.max(build.given(each.sampling_error).error[x]) / np.max(each.error[x]) for x in each.error)
        for each in first
    ]
    averages = ode.Sampled(2**6, error=float(1.05 * np.min(left)))
    found = ode.solve_many(problems, start, ALPHAS, averages=averages, with_accuracy=False)
    points = {each.source.method for each in found}
    assert " 64 points" in found[int(np.argmin(left))].source.method
    assert len(points) == 3, points
    for problem, each in zip(problems, found, strict=True):
        alone = ode.solve(problem, start, ALPHAS, averages=averages, with_accuracy=False)
        assert alone.source.method == each.source.method
        np.testing.assert_allclose(each.error["hard"], alone.error["hard"], rtol=1e-3)  # another integrator


@pytest.mark.long("False")
@pytest.mark.parametrize("products_only", [False, True])
def test_pieces_are_the_whole(products_only: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In four pieces, to 1e-13, with the derivative; and in single precision to 1e-5."""
    problem = internal.to_float(build.problem(), jnp.float64)
    state = internal.to_float(build.overlaps(problem, 1), jnp.float64)
    sample = one(ode.Sampled(2**8, 1, products_only=products_only).draw(problem))

    def all_of_it() -> list[Any]:
        def everything(problem: ts.Problem, sample: Any, state: ts.Overlaps) -> list[Any]:  # traced at every call
            def value(state: ts.Overlaps) -> Any:
                return sum(jnp.sum(x**2) for x in jax.tree.leaves(ode.drift(problem, sample, 0.0, state)))

            condition = jax.tree.map(lambda x: x[0], problem.task.conditions())
            observed = sample.error_and_accuracy(problem, state, condition)
            return [ode.drift(problem, sample, 0.0, state), jax.grad(value)(state), *observed]

        program = jax.jit(everything, compiler_options=build.QUICKLY_COMPILED)
        values: list[Any] = program(problem, sample, state)
        return values

    whole = all_of_it()
    monkeypatch.setattr(_pieces, "PIECE", 2**6)
    for mine, theirs in zip(jax.tree.leaves(all_of_it()), jax.tree.leaves(whole), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-13)
    rounded = one(ode.Sampled(2**8, 1, precision="float32", products_only=products_only).draw(problem))
    assert rounded.normals.dtype == jnp.float32
    found = ode.drift(problem, rounded, 0.0, state)
    assert found.Q.dtype == jnp.float64
    for mine, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(whole[0]), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5 * np.max(np.abs(theirs)) + 1e-12)


DEGENERATE = {"equal": jnp.ones(4), "pairs": jnp.array([2.0, 2.0, 0.5, 0.5]), "one null": jnp.array([1.0, 1.0, 1.0, 0])}


@pytest.mark.parametrize("spectrum", DEGENERATE)
@pytest.mark.parametrize("root", [symmetric_sqrt, lambda A: pseudo_inverse_sqrt(A + 0), lambda A: field_root(A, 2)])
def test_roots_have_the_derivative_of_finite_differences_where_eigenvalues_meet(root: Any, spectrum: str) -> None:
    """Forward and reverse; a null direction is left alone, where a root has none."""
    values = DEGENERATE[spectrum]
    vectors = jnp.asarray(stats.ortho_group.rvs(4, random_state=1))
    A = (vectors * values) @ vectors.T
    inside = vectors[:, values > 0]
    rng = np.random.default_rng(0)
    change = rng.normal(size=(int(np.sum(np.asarray(values) > 0)),) * 2)
    dA = inside @ (change + change.T) @ inside.T
    weights = rng.normal(size=(4, 4))

    def number(size: Any) -> jax.Array:
        return jnp.sum(weights * root(A + size * dA))

    h, atol = 1e-3, 1e-8 if np.all(values > 0) else 1e-4  # a null eigenvalue is known to 1e-16, its root to 1e-8
    finite = (8 * (number(h) - number(-h)) - (number(2 * h) - number(-2 * h))) / (12 * h)
    np.testing.assert_allclose(jax.jvp(number, (0.0,), (1.0,))[1], finite, atol=atol)
    np.testing.assert_allclose(jax.grad(number)(0.0), finite, atol=atol)


@pytest.mark.long("products only")
@pytest.mark.parametrize("options", [{}, {"products_only": True}], ids=["whole", "products only"])
def test_gradients_through_a_sampled_solve_from_a_degenerate_start(options: Any) -> None:
    """d(final error)/d(learning rate, start's norm) at Q = c 1, forward, reverse and by finite differences."""
    problem = build.problem(K=3, noise=0.1)
    B, K, M = problem.shape
    teacher = ts.random_overlaps(problem, 1000, 0).T

    def error(numbers: Any, adjoint: Any) -> jax.Array:
        Q = numbers[1] * jnp.broadcast_to(jnp.eye(K), (B, K, K))
        changed = eqx.tree_at(lambda p: p.sgd.learning_rate, internal.to_float(problem, jnp.float64), numbers[0])
        start = ts.Overlaps(Q, jnp.full((B, K, M), 0.0), teacher)
        averages = ode.Sampled(2**7, 2, key=3, **options)
        found = ode.solve(
            changed, start, [0.5], averages=averages, with_accuracy=False, rtol=1e-9, atol=1e-11, adjoint=adjoint
        )
        final: jax.Array = found.error["hard"][-1]
        return final

    def both(x: Any, direction: Any) -> Any:
        value, forward = jax.jvp(lambda x: error(x, diffrax.ForwardMode()), (x,), (direction,))
        return value, forward, jax.grad(lambda x: error(x, None))(x)

    both = jax.jit(both, compiler_options=build.QUICKLY_COMPILED)
    at, axes, h = jnp.array([0.6, 0.4]), jnp.eye(2), 1e-5
    forward, reverse = [both(at, axis)[1] for axis in axes], both(at, axes[0])[2]
    finite = [(both(at + h * axis, axis)[0] - both(at - h * axis, axis)[0]) / (2 * h) for axis in axes]
    np.testing.assert_allclose(reverse, finite, rtol=1e-5)
    np.testing.assert_allclose(forward, finite, rtol=1e-5)


def test_what_cannot_be_sampled_so_is_refused() -> None:
    problem, relu = build.problem(), build.problem(student="relu")
    start = build.overlaps(problem, 1)
    asking, products = ode.Sampled(error=1e-2), ode.Sampled(products_only=True)

    def traced(state: ts.Overlaps) -> Any:
        return ode.solve(problem, state, [1.0], averages=asking).error["hard"]

    for wrong, message in (
        (lambda: ode.Sampled(error=2.0), "an error between 0 and 1"),
        (lambda: ode.Sampled(error=1e-3, replicates=1), "replicates >= 2"),
        (lambda: ode.Sampled(2**10, error=1e-3, most_points=2**9), "most_points >= points = 1024"),
        (lambda: ode.Sampled(most_points=1000), "a power of two as most_points"),
        (lambda: ode.Sampled(precision="float16"), "precision"),
        (lambda: ode.Sampled(products_only=build.unchecked("yes")), "products_only=True or False"),
        (lambda: ode.solve(relu, start, [1.0], averages=products), "a problem with closed-form averages"),
        (lambda: ode.solve(build.problem(student="linear"), start, [1.0], averages=products), "an erf student"),
        (lambda: jax.jit(traced)(internal.to_float(start, jnp.float64)), "given points in a traced solve"),
        (lambda: ode.fluctuations(relu, start, [1.0], averages=asking), "given points in ode.fluctuations"),
        (lambda: ode.fluctuations(problem, start, [1.0], sample=products), "sampled as a whole in ode.fluctuations"),
        (lambda: ode.rank_by_loss(problem, start, products, "easy"), "sampled as a whole in ode.rank_by_loss"),
    ):
        with pytest.raises(ts.InputError, match=message) as caught:
            wrong()
        assert "\n" not in str(caught.value)
    assert isinstance(asking.draw(problem), FixedSample)
    assert isinstance(products.draw(problem), SampledProducts)
