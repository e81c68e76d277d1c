"""The expansion in 1/N around the ODE: what its state is, how it moves, and what it says of every quantity.

Beside the law of one time the state carries what ties one recorded alpha to the next. All of that begins anew there, so
that no propagator has to be inverted and no covariance comes from the difference of two.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from teacher_student import Observables, Overlaps, Problem, from_vector, to_vector
from teacher_student.internal import at_times

from ._compiled import at_shares
from ._derivatives import half_hessian, jacobian
from ._diffusion import diffusion, test_covariance
from ._drift import drift
from ._observe import observe
from ._responses import Moves, responses_of_drift, responses_of_observables
from .averages import Averages, FixedSample, Reweighted

POINTS = 2**11  # of a scrambling, for the derivatives of an error or accuracy without closed form, at every alpha


class Expansion(eqx.Module):
    """The expansion's state at one alpha, with entries ordered by `to_vector`.

    Fields:
      overlaps: of the ODE.
      covariance: (n, n) Sigma. shift: (n,) m1.
      propagator: (n, n) Phi, the derivative of the entries in those at the last recorded alpha.
      innovation: (n, n) G, the part of Sigma that has come since then.
      responses: (n, C) the derivatives that have come since then, in what the drift is made of (`_responses.py`).
    """

    overlaps: Overlaps
    covariance: jax.Array
    shift: jax.Array
    propagator: jax.Array
    innovation: jax.Array
    responses: jax.Array


def expansion_field(
    problem: Problem,
    sample: FixedSample,
    formula: Averages | None,
    moves: Moves,
    times: jax.Array,
    shares: jax.Array,
    progress: jax.Array,
    state: Expansion,
) -> Expansion:
    r"""d(state)/dalpha, with f the drift, A its Jacobian and D, c the step's covariance and remainder (`diffusion`).

      dSigma/dalpha = A Sigma + Sigma A^T + D
      dm1/dalpha    = A m1 + (1/2) Hessian(f) : Sigma + c - (1/2) A f
      dPhi/dalpha   = A Phi,      dG/dalpha = A G + G A^T + D,      dU/dalpha = A U + df/d(numbers)
    -(1/2) A f: SGD takes steps of 1/N, not a flow. (A drift that changes with alpha adds nothing, since the
    simulation takes shares and schedules in the middle of each step.)

    Arguments:
      formula: of f and its derivatives. None: they are sampled, like D and c.
      moves: the numbers of which the responses U are wanted.
      times: (S,) those at which each of the schedules is read: alpha, but for what a jump does.
      shares, progress: (L,) shares of the levels, and the share of the phase that is done.
    Source: van Kampen's expansion in the system size; Barber, Saad & Sollich 1996.
    """
    whole, problem = problem, at_times(at_shares(problem, shares), times)
    sampled = formula is None
    averages = Reweighted.of(problem, sample.normals, state.overlaps) if formula is None else formula

    @jax.jit  # traced once; its value, Jacobian and Hessian are made of what was traced
    def f(x: jax.Array) -> jax.Array:
        return to_vector(drift(problem, averages, 0.0, from_vector(x, state.overlaps)))

    x, Sigma, G = to_vector(state.overlaps), state.covariance, state.innovation
    velocity, A = f(x), jacobian(f, x, one_by_one=sampled)
    step = diffusion(problem, sample, 0.0, state.overlaps)
    direct = responses_of_drift(whole, sample, formula, moves, times, shares, progress, state.overlaps)
    return Expansion(
        from_vector(velocity, jax.tree.map(jnp.zeros_like, state.overlaps)),
        A @ Sigma + Sigma @ A.T + step.covariance,
        A @ (state.shift - velocity / 2) + half_hessian(f, x, Sigma, one_by_one=sampled) + step.beyond,
        A @ state.propagator,
        A @ G + G @ A.T + step.covariance,
        A @ state.responses + direct,
    )


class ReadOut(NamedTuple):
    """What is read off an expansion at a recorded alpha, of n entries and q errors and accuracies.

    Fields:
      variance, shift: N times the variance of every quantity, and the deviation of its mean from the ODE.
      test, test_covariance: the variance, and the covariance (q, q), of what one test sample adds to a measured one.
      entries, observed: (n,) and (q,) values of the ODE under the sample's points.
      slope: (q, n) derivatives of errors and accuracies in the entries.
      moved: (q, C) their derivatives in the numbers of the problem, at given overlaps.
    """

    variance: Observables
    shift: Observables
    test: Observables
    test_covariance: jax.Array
    entries: jax.Array
    observed: jax.Array
    slope: jax.Array
    moved: jax.Array


def read_out(
    problem: Problem, sample: FixedSample, moves: Moves, alpha: jax.Array, state: Expansion, with_accuracy: bool
) -> ReadOut:
    r"""Return what an expansion says of every quantity.

    A function h of the overlaps has variance grad h . Sigma grad h and shift grad h . m1 + (1/2) Hessian(h) : Sigma.
    """
    x, Sigma = to_vector(state.overlaps), state.covariance
    whole, problem = problem, problem.at(alpha)
    points = Reweighted.of(problem, sample.normals[:, :POINTS], state.overlaps)
    levels, zero = problem.inputs.level_names, jax.tree.map(jnp.zeros_like, state.overlaps)

    def observed(problem: Problem, overlaps: Overlaps, points: FixedSample | Reweighted) -> jax.Array:
        seen = observe(problem, overlaps, points, with_accuracy=with_accuracy)
        return jnp.stack([*seen.error.values(), *seen.accuracy.values()])

    def h(x: jax.Array) -> jax.Array:
        return observed(problem, from_vector(x, state.overlaps), points)

    def of_numbers(whole: Problem, T: jax.Array) -> jax.Array:
        problem = whole.at(alpha)
        moving = Reweighted.of(problem, sample.normals[:, :POINTS], state.overlaps, moving_labels=True)
        return observed(problem, Overlaps(state.overlaps.Q, state.overlaps.R, T, state.overlaps.readout), moving)

    def filled(entries: jax.Array, values: jax.Array) -> Observables:
        error = dict(zip(levels, values, strict=False))
        accuracy = dict(zip(levels, values[len(levels) :], strict=False))  # empty where it was not asked for
        return Observables(from_vector(entries, zero), error, accuracy)

    slope = jacobian(h, x, one_by_one=True)
    variance = jnp.einsum("ij,jk,ik->i", slope, Sigma, slope)
    shift = slope @ state.shift + half_hessian(h, x, Sigma, one_by_one=True)
    test = test_covariance(problem, sample, state.overlaps, with_accuracy)
    return ReadOut(
        # A variance that is 0 comes out slightly negative from an integration, and the spread is its square root.
        filled(jnp.maximum(jnp.diagonal(Sigma), 0.0), jnp.maximum(variance, 0.0)),
        filled(state.shift, shift),
        filled(jnp.zeros_like(x), jnp.diagonal(test)),
        test,
        x,
        observed(problem, state.overlaps, sample),
        slope,
        responses_of_observables(of_numbers, whole, jnp.asarray(state.overlaps.T), moves),
    )
