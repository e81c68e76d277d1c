"""`ode.fluctuations`: how runs of finite N spread around the ODE, and where their mean lies."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import (
    DIVERGENCE_BOUND,
    Fluctuations,
    InputError,
    Observables,
    Overlaps,
    Problem,
    Status,
    Trajectory,
    from_vector,
    to_float,
    to_host,
    to_vector,
)

from ._derivatives import half_hessian, jacobian
from ._diffusion import diffusion, one_test
from ._drift import drift
from ._integrate import Settings, integrate_field
from ._observe import observe
from ._solve import mean_and_error, method_for, solve
from .averages import ClosedForm, FixedSample, Reweighted, Sampled


class Expansion(eqx.Module):
    """State of the expansion in 1/N: overlaps of the ODE, covariance Sigma (n, n) and mean shift m1 (n,) of the entries."""

    overlaps: Overlaps
    covariance: jax.Array
    shift: jax.Array


def expansion_field(problem: Problem, sample: FixedSample, exact: bool, alpha: Any, state: Expansion) -> Expansion:
    r"""d(state)/dalpha, with f the drift, A its Jacobian and D, c the step's covariance and remainder (`diffusion`).

      dSigma/dalpha = A Sigma + Sigma A^T + D
      dm1/dalpha    = A m1 + (1/2) Hessian(f) : Sigma + c - (1/2) A f
    -(1/2) A f: SGD takes steps of 1/N, not a flow. (A drift that changes with alpha adds nothing, since the
    simulation draws each sample's level with the shares in the middle of its step.)
    Source: van Kampen's expansion; Barber, Saad & Sollich 1996.
    """

    averages = differentiable_averages(problem, sample, exact, state.overlaps)

    def f(x: jax.Array) -> jax.Array:
        return to_vector(drift(problem, averages, alpha, from_vector(x, state.overlaps)))

    x, Sigma = to_vector(state.overlaps), state.covariance
    A, step = jacobian(f, x), diffusion(problem, sample, alpha, state.overlaps)
    velocity = f(x)
    return Expansion(
        from_vector(velocity, jax.tree.map(jnp.zeros_like, state.overlaps)),
        A @ Sigma + Sigma @ A.T + step.covariance,
        A @ (state.shift - velocity / 2) + half_hessian(f, x, Sigma) + step.beyond,
    )


def differentiable_averages(problem: Problem, sample: FixedSample, exact: bool, at: Overlaps) -> ClosedForm | Reweighted:
    """Averages whose derivatives at the state `at` are those of the law of the fields: closed forms, or reweighted."""
    return ClosedForm() if exact else reweighted(problem, sample, at)


def reweighted(problem: Problem, sample: FixedSample, at: Overlaps) -> Reweighted:
    """The points of `sample` as points of the total fields at the state `at`."""
    _, K, M = problem.shape
    normals = jnp.asarray(sample.normals)
    return Reweighted(jnp.concatenate([normals[: K + M], normals[-1:]]), jax.lax.stop_gradient(at))


def fluctuations(
    problem: Problem,
    start: Overlaps,
    alphas: Any,
    *,
    averages: ClosedForm | Sampled | None = None,
    sample: Sampled | None = None,
    with_accuracy: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    max_steps: int = 100_000,
    bound: float = DIVERGENCE_BOUND,
) -> Trajectory:
    r"""`solve`, with its integrator error and the fluctuations and mean shift of runs of finite N.

      Omega = Omega_ODE + N^(-1/2) xi + m1 / N,   dSigma/dalpha = A Sigma + Sigma A^T + D,   Sigma = Cov(xi), 0 at the start
    for runs that all start from the overlaps `start`. `Trajectory.fluctuations` has Sigma, and the variance and shift of
    every quantity; `Trajectory.integrator_error` twice the change when both tolerances are halved.

    Arguments: as in `solve`. averages: those of the drift and its derivatives. sample: points for what has no closed form,
      the covariance D of a step (averages of four units) above all; None: `averages` if sampled, else Sampled().
      Its scramblings' spread is `Fluctuations.variance_error` and `shift_error`.
    Raises InputError, also where the solve stops before its last alpha, and where averages are sampled and two
    student units are linearly dependent at the start (derivatives in the law of the fields then do not exist).
    Source: van Kampen's expansion in the system size; Barber, Saad & Sollich 1996.
    """
    method = method_for(problem, averages, with_accuracy, rtol, atol, max_steps, bound)
    options: dict[str, Any] = {
        "averages": averages, "with_accuracy": with_accuracy, "max_steps": max_steps, "bound": bound
    }  # fmt: skip
    tolerances = float(method.settings.rtol), float(method.settings.atol)
    theory, finer = (
        solve(problem, start, alphas, rtol=tolerances[0] / by, atol=tolerances[1] / by, **options) for by in (1, 2)
    )
    if theory.status != Status.OK:
        raise InputError(
            "a solve that reaches its last alpha, to expand around", theory.describe(), "end the alphas before that"
        )
    _require_independent(problem, start, method.exact)
    points = sample or (averages if isinstance(averages, Sampled) else Sampled())
    loose = Settings(*((1e-6, 1e-8) if method.exact else (1e-4, 1e-6)), bound, max_steps, method.settings.adjoint)
    with jax.enable_x64(True):
        inputs = to_float((problem, start, theory.alphas), jnp.float64)
        found = to_host(_expand(*inputs, points.draw(problem), method.exact, with_accuracy, loose))
    return dataclasses.replace(
        theory,
        fluctuations=found,
        integrator_error=jax.tree.map(lambda a, b: 2 * abs(a - b), theory.observables, finer.observables),
    )


def _require_independent(problem: Problem, start: Overlaps, exact: bool) -> None:
    """Raise InputError if sampled averages would have to be differentiated at a singular law of the fields."""
    if exact:
        return
    lowest = []
    for variances in problem.inputs.variances:
        C = np.einsum("b,bij->ij", variances, np.asarray(start.gram))
        values = np.linalg.eigvalsh(C)
        lowest.append(values[0] / values[-1])
    if min(lowest) < 1e-10:
        raise InputError(
            "linearly independent fields of students and latents at the start (to differentiate sampled averages)",
            f"a smallest eigenvalue of {min(lowest):.1g} times the largest",
            "start from units that differ",
        )


@eqx.filter_jit
def _expand(
    problem: Problem,
    start: Overlaps,
    alphas: jax.Array,
    samples: FixedSample,
    exact: bool,
    with_accuracy: bool,
    settings: Settings,
) -> Fluctuations:
    """Fluctuations at `alphas`: mean over scramblings (leading axis of `samples`) and standard errors."""
    n = to_vector(start).size
    origin = Expansion(start, jnp.zeros((n, n)), jnp.zeros(n))

    def one(sample: FixedSample) -> tuple[jax.Array, Observables, Observables, Observables]:
        path = integrate_field(
            lambda alpha, state: expansion_field(problem, sample, exact, alpha, state),
            problem,
            origin,
            alphas,
            settings,
            lambda state: state.overlaps,
        )
        observed = jax.lax.map(
            lambda state: (*_propagate(problem, sample, state, with_accuracy), one_test(problem, sample, state.overlaps)),
            path.states,
        )
        return path.states.covariance, *observed

    covariance, variance, shift, test = jax.lax.map(one, samples)
    (variance, variance_error), (shift, shift_error) = mean_and_error(variance), mean_and_error(shift)
    test = dataclasses.replace(test, accuracy=test.accuracy if with_accuracy else {})
    average = jax.tree.map(lambda x: x.mean(axis=0), (covariance, test))
    return Fluctuations(average[0], variance, shift, average[1], variance_error, shift_error)


def _propagate(
    problem: Problem, sample: FixedSample, state: Expansion, with_accuracy: bool
) -> tuple[Observables, Observables]:
    """N Var and N (mean - ODE) of every quantity: of a function h, grad h . Sigma grad h, and h's second-order mean."""
    x, Sigma = to_vector(state.overlaps), state.covariance
    points = reweighted(problem, sample, state.overlaps)

    def observed(x: jax.Array) -> Observables:
        return observe(problem, from_vector(x, state.overlaps), points, with_accuracy=with_accuracy)

    def h(x: jax.Array) -> jax.Array:
        found = observed(x)
        return jnp.stack([*found.error.values(), *found.accuracy.values()])

    slope, like = jacobian(h, x), observed(x)
    zero = jax.tree.map(jnp.zeros_like, state.overlaps)

    def filled(entries: jax.Array, values: jax.Array) -> Observables:
        error = dict(zip(like.error, values, strict=False))
        accuracy = dict(zip(like.accuracy, values[len(error) :], strict=True))
        return Observables(from_vector(entries, zero), error, accuracy)

    variance = jnp.einsum("ij,jk,ik->i", slope, Sigma, slope)
    return (
        filled(jnp.maximum(jnp.diagonal(Sigma), 0.0), jnp.maximum(variance, 0.0)),
        filled(state.shift, slope @ state.shift + half_hessian(h, x, Sigma)),
    )
