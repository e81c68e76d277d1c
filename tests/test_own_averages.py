"""Averages of the user's own: here by Gauss-Hermite quadrature, which knows nothing of the closed forms."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ode
import teacher_student as ts

from . import build


class Quadrature(ode.Averages):
    """Averages over the fields (lambda, nu) of one student unit and one teacher unit, by a product rule."""

    factor: Any = 1.0  # of the gradient; for sabotage

    def step(self, problem: ts.Problem, overlaps: ts.Overlaps, condition: Any) -> ode.StepAverages:
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        xi = np.stack(np.meshgrid(nodes, nodes, indexing="ij")).reshape(2, -1)
        weight = np.outer(weights, weights).ravel() / (2 * np.pi)
        block = condition.variances[:, None, None] * overlaps.gram  # (B, 2, 2)
        lower = jnp.linalg.cholesky(block.sum(axis=0))
        z = lower @ xi
        noise = jnp.zeros(xi.shape[1])  # of mean 0: in E[g z] it has no part
        y = problem.task.label(z[1:].T, condition.cluster, noise)
        hidden = problem.student.activation(z[0])
        delta = overlaps.readout[0] * hidden - y
        slope = overlaps.readout[0] * problem.student.activation.derivative(z[0])
        assert isinstance(problem.task, ts.Committee)
        sigma2 = jnp.asarray(problem.task.noise) ** 2
        # E[g z^b_j] = Cov(z^b_j, z) Cov(z)^-1 E[z g]
        gz = jnp.einsum("bji,i->bj", block, jnp.linalg.solve(lower @ lower.T, z @ (weight * delta * slope)))
        gg = jnp.sum(weight * (delta**2 + sigma2) * slope**2)
        return ode.StepAverages(
            self.factor * gz[:, None], self.factor**2 * gg[None, None], jnp.sum(weight * delta * hidden)[None]
        )


NODES = 60


def problem(student: str = "erf", rate: float = 0.7) -> ts.Problem:
    return build.problem(K=1, M=1, readout=(1.0,), student=student, learning_rate=rate)


ALPHAS = np.array([0.5, 1.0, 2.0])


def test_the_drift_takes_averages_of_the_users_own() -> None:
    of = problem()
    with jax.enable_x64(True):
        state = jax.tree.map(jnp.asarray, build.overlaps(of))
        own, closed = (ode.drift(of, averages, 0.5, state) for averages in (Quadrature(), ode.ClosedForm()))
    for a, b in zip(jax.tree.leaves(own), jax.tree.leaves(closed), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_a_solve_with_averages_of_the_users_own_is_that_of_the_closed_forms_and_says_so() -> None:
    of = problem()
    start = build.overlaps(of)
    closed = ode.solve(of, start, ALPHAS)
    for own in (ode.solve(of, start, ALPHAS, averages=Quadrature()), compiled(of, start), many(of, start)):
        assert own.source.method.endswith("test_own_averages:Quadrature")
        assert own.sampling_error is None
        for level in closed.error:
            np.testing.assert_allclose(own.error[level], closed.error[level], rtol=1e-6)
    wrong = ode.solve(of, start, ALPHAS, averages=Quadrature(factor=1.01))
    assert abs(wrong.error["hard"][-1] / closed.error["hard"][-1] - 1) > 1e-3


@pytest.mark.slow
def test_a_number_of_averages_of_the_users_own_is_differentiated_alone() -> None:
    of = problem()
    start = build.overlaps(of)

    def error(factor: Any) -> Any:
        return ode.solve(of, start, ALPHAS, averages=Quadrature(factor), with_accuracy=False).error["hard"][-1]

    with jax.enable_x64(True):
        slope = jax.jit(jax.grad(error), compiler_options=build.QUICKLY_COMPILED)(1.0)
    np.testing.assert_allclose(slope, (error(1.0 + 1e-4) - error(1.0 - 1e-4)) / 2e-4, rtol=1e-4)
    with pytest.raises(ts.InputError, match="required: problems of known numbers"):
        jax.grad(lambda x: ode.solve_many([of], start, ALPHAS, averages=Quadrature(x))[0].error["hard"][-1])(1.0)


def compiled(of: ts.Problem, start: ts.Overlaps) -> ts.Trajectory:
    return ode.solve(of, start, ALPHAS, averages=Quadrature(), compiled=True)


def many(of: ts.Problem, start: ts.Overlaps) -> ts.Trajectory:
    both = ode.solve_many([of, problem(rate=0.5)], start, ALPHAS, averages=Quadrature())
    assert both[1].error["hard"][-1] != both[0].error["hard"][-1]
    return both[0]


def test_where_the_error_has_no_closed_form_it_is_sampled_and_its_error_stated() -> None:
    of = problem("relu")
    start = build.overlaps(of)
    own = ode.solve(of, start, ALPHAS, averages=Quadrature())
    sampled = ode.solve(of, start, ALPHAS, averages=ode.Sampled(2**12, 8, 1))
    assert ode.missing_closed_form(of) is not None
    for level, error in sampled.error.items():
        allowed = 5 * np.hypot(
            build.given(sampled.sampling_error).error[level], 1e-3
        )  # a kink is hard for a product rule
        assert np.all(np.abs(own.error[level] - error) < allowed)


@pytest.mark.long
@pytest.mark.slow
def test_fluctuations_differentiate_averages_of_the_users_own() -> None:
    of = problem()
    start, points = build.overlaps(of), ode.Sampled(2**10, 2, 3)
    own = ode.fluctuations(of, start, ALPHAS, averages=Quadrature(), sample=points)
    closed = ode.fluctuations(of, start, ALPHAS, sample=points)
    mine, theirs = build.given(own.fluctuations), build.given(closed.fluctuations)
    assert own.source.method.endswith("Quadrature")
    np.testing.assert_allclose(mine.covariance, theirs.covariance, rtol=1e-3, atol=1e-5)
    for a, b in zip(jax.tree.leaves(mine.shift), jax.tree.leaves(theirs.shift), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-2, atol=1e-3)


def test_a_step_of_wrong_shapes_is_refused_in_one_line() -> None:
    class Flat(Quadrature):
        def step(self, problem: ts.Problem, overlaps: ts.Overlaps, condition: Any) -> ode.StepAverages:
            right = super().step(problem, overlaps, condition)
            return ode.StepAverages(right.gz, right.gg[0], right.loss_slope)

    of = problem()
    with pytest.raises(ts.InputError, match=r"'gg': \(1, 1\).* from the step of Flat; got: shapes .*'gg': \(1,\)"):
        ode.solve(of, build.overlaps(of), ALPHAS, averages=Flat())


def test_averages_that_refuse_a_problem_are_heard_before_anything_is_computed() -> None:
    class Choosy(Quadrature):
        def check(self, problem: ts.Problem) -> None:
            raise ts.InputError("one student unit", problem.student.width)

    of = build.problem()
    with pytest.raises(ts.InputError, match="required: one student unit; got: 3"):
        ode.solve(of, build.overlaps(of), ALPHAS, averages=Choosy())
    drawn = jax.tree.map(lambda x: x[0], ode.Sampled(2**6, 1).draw(of))
    for wrong in ("closed form", drawn):
        with pytest.raises(ts.InputError, match=r"ode.Averages of your own; got: (str|FixedSample)"):
            ode.solve(of, build.overlaps(of), ALPHAS, averages=build.unchecked(wrong))


class WithAnIf(ode.Averages):
    def step(self, problem: ts.Problem, overlaps: ts.Overlaps, condition: Any) -> ode.StepAverages:
        if overlaps.readout[0] > 0:
            raise ValueError
        return ode.ClosedForm().step(problem, overlaps, condition)


def test_averages_that_cannot_be_traced_are_refused_in_one_line() -> None:
    of = problem()
    with pytest.raises(ts.InputError, match=r"a step of WithAnIf.*TracerBoolConversionError") as error:
        ode.solve(of, build.overlaps(of), ALPHAS, averages=WithAnIf())
    assert "\n" not in str(error.value)
