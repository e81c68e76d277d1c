"""The expansion in 1/N around the ODE: what its state is, how it moves, and what it says of every quantity."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from teacher_student import Observables, Overlaps, Problem, from_vector, to_vector

from ._derivatives import half_hessian, jacobian
from ._diffusion import diffusion
from ._drift import drift
from ._observe import observe
from .averages import Averages, FixedSample, Reweighted

POINTS = 2**11  # of a scrambling, for the derivatives of an error or accuracy without closed form, at every alpha


class Expansion(eqx.Module):
    """Overlaps of the ODE, covariance Sigma (n, n) and mean shift m1 (n,) of their entries (ordered by `to_vector`)."""

    overlaps: Overlaps
    covariance: jax.Array
    shift: jax.Array

    @staticmethod
    def at(start: Overlaps) -> "Expansion":
        """Return the expansion of runs that all start from the overlaps `start`."""
        n = to_vector(start).size
        return Expansion(start, jnp.zeros((n, n)), jnp.zeros(n))


def expansion_field(
    problem: Problem, sample: FixedSample, formula: Averages | None, alpha: Any, state: Expansion
) -> Expansion:
    r"""d(state)/dalpha, with f the drift, A its Jacobian and D, c the step's covariance and remainder (`diffusion`).

      dSigma/dalpha = A Sigma + Sigma A^T + D
      dm1/dalpha    = A m1 + (1/2) Hessian(f) : Sigma + c - (1/2) A f
    -(1/2) A f: SGD takes steps of 1/N, not a flow. (A drift that changes with alpha adds nothing, since the
    simulation draws each sample's level with the shares in the middle of its step.)

    Arguments: formula: of f and its derivatives; None: they are sampled, like D and c.
    Source: van Kampen's expansion in the system size; Barber, Saad & Sollich 1996.
    """
    sampled = formula is None
    averages = Reweighted.of(problem, sample.normals, state.overlaps) if formula is None else formula

    @jax.jit  # traced once; its value, Jacobian and Hessian are made of what was traced
    def f(x: jax.Array) -> jax.Array:
        return to_vector(drift(problem, averages, alpha, from_vector(x, state.overlaps)))

    x, Sigma = to_vector(state.overlaps), state.covariance
    velocity, A = f(x), jacobian(f, x, one_by_one=sampled)
    step = diffusion(problem, sample, alpha, state.overlaps)
    return Expansion(
        from_vector(velocity, jax.tree.map(jnp.zeros_like, state.overlaps)),
        A @ Sigma + Sigma @ A.T + step.covariance,
        A @ (state.shift - velocity / 2) + half_hessian(f, x, Sigma, one_by_one=sampled) + step.beyond,
    )


def propagate(
    problem: Problem, sample: FixedSample, state: Expansion, with_accuracy: bool
) -> tuple[Observables, Observables]:
    r"""Return N times the variance of every quantity over runs, and N times the deviation of its mean from the ODE.

    A function h of the overlaps has variance grad h . Sigma grad h and shift grad h . m1 + (1/2) Hessian(h) : Sigma.
    """
    x, Sigma = to_vector(state.overlaps), state.covariance
    points = Reweighted.of(problem, sample.normals[:, :POINTS], state.overlaps)

    def observed(x: jax.Array) -> Observables:
        return observe(problem, from_vector(x, state.overlaps), points, with_accuracy=with_accuracy)

    def h(x: jax.Array) -> jax.Array:
        seen = observed(x)
        return jnp.stack([*seen.error.values(), *seen.accuracy.values()])

    slope, levels = jacobian(h, x, one_by_one=True), problem.inputs.level_names
    zero = jax.tree.map(jnp.zeros_like, state.overlaps)

    def filled(entries: jax.Array, values: jax.Array) -> Observables:
        error = dict(zip(levels, values, strict=False))
        accuracy = dict(zip(levels, values[len(levels) :], strict=False))  # empty where it was not asked for
        return Observables(from_vector(entries, zero), error, accuracy)

    variance = jnp.einsum("ij,jk,ik->i", slope, Sigma, slope)
    shift = slope @ state.shift + half_hessian(h, x, Sigma, one_by_one=True)
    return (
        # A variance that is 0 comes out slightly negative from an integration, and the spread is its square root.
        filled(jnp.maximum(jnp.diagonal(Sigma), 0.0), jnp.maximum(variance, 0.0)),
        filled(state.shift, shift),
    )
