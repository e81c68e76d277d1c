"""Generalisation error and accuracy per level: closed form where there is one, otherwise sampled."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from teacher_student import Activation, Condition, InputError, Observables, Overlaps, Problem
from teacher_student.internal import check_state, is_known, refuse_fork, to_float64, to_host

from .averages import (
    FixedSample,
    Reweighted,
    SampledProducts,
    affine_accuracy,
    affine_error,
    has_constant_labels,
    is_affine,
)
from .moments import linear_labels, pair_is_known, safe_arctan2, safe_sqrt, second_moments, signed_readouts, units_of

Points = FixedSample | SampledProducts | Reweighted


def error_is_closed(problem: Problem) -> bool:
    """Return whether E (yhat - y)^2 / 2 has a closed form."""
    labels, student = linear_labels(problem), problem.student.activation
    if labels is None:
        return is_affine(problem)
    teacher = labels.activation
    return all(pair_is_known(*units) for units in ((student, student), (student, teacher), (teacher, teacher)))


def accuracy_is_closed(problem: Problem) -> bool:
    """Return whether sign(yhat) and sign(y) are signs of one Gaussian field each."""
    labels = linear_labels(problem)
    if labels is None and is_affine(problem):
        return has_constant_labels(problem)
    of_student = _has_sign_of_a_field(problem.student.activation, problem.student.width)
    return of_student and labels is not None and _has_sign_of_a_field(labels.activation, problem.task.latents)


def _has_sign_of_a_field(unit: Activation, width: int) -> bool:
    """Return whether the sign of a sum of such units is that of a field: sign(phi(x)) = sign(x), or phi(x) = c x."""
    linear = unit.polynomial is not None and unit.polynomial.degree == 1 and unit.odd
    return linear or (width == 1 and unit.odd)


def covariance(overlaps: Overlaps, condition: Condition) -> Float[Array, "J J"]:
    """Return C = sum_b Delta_{l,b} Omega^b."""
    return jnp.einsum("b,bij->ij", condition.variances, overlaps.gram)


def generalisation_error(problem: Problem, overlaps: Overlaps, condition: Condition) -> Float[Array, ""]:
    """Return eps_g = (1/2) sum_ij s_i s_j I2(i, j), s = (v, -vt). Source: Saad & Solla 1995, Eq. (5)."""
    if is_affine(problem):
        return affine_error(problem, overlaps, condition)
    problem = problem.at_level(condition.level)
    s = signed_readouts(problem, overlaps.readout)
    moments = second_moments(units_of(problem), covariance(overlaps, condition), problem.student.width)
    return s @ moments @ s / 2


def sign_accuracy(problem: Problem, overlaps: Overlaps, condition: Condition) -> Float[Array, ""]:
    """Return 1 - acos(r)/pi, where r is the correlation of the student's and the teacher's Gaussian field.

    For K = M = 1 it is r = R / sqrt(T C_lambda). Source: Saglietti, Sarao Mannelli, Saxe 2022.
    """
    if is_affine(problem):
        return affine_accuracy(problem, overlaps, condition)
    K, problem = problem.student.width, problem.at_level(condition.level)
    C = covariance(overlaps, condition)
    v, vt = jnp.asarray(overlaps.readout), -signed_readouts(problem, overlaps.readout)[K:]
    cross = v @ C[:K, K:] @ vt
    product = (v @ C[:K, :K] @ v) * (vt @ C[K:, K:] @ vt)
    # Not the arc cosine of r: rounding takes r beyond 1 for a perfect student, and the derivative is infinite there.
    angle = safe_arctan2(safe_sqrt(product - cross**2), cross)
    return jnp.where(product > 0, 1 - angle / jnp.pi, 0.0)  # sign(0) is never right


def observe(
    problem: Problem,
    overlaps: Overlaps,
    sample: Points | None = None,
    *,
    with_accuracy: bool | None = None,
) -> Observables:
    """Return the generalisation error and the accuracy of a state at every level, or of several states.

    Of runs it gives the errors that their overlaps imply, without the noise of test inputs. It computes in float64,
    unless JAX traces the numbers:

      exact = ode.observe(problem, runs.overlaps).error["all"]  # (runs, A)

    Arguments:
      overlaps: of one state, or with leading axes, such as (runs, A) of a simulation.
      sample: points for what has no closed form, as one scrambling of `ode.Sampled().draw(problem)`, that is
        `jax.tree.map(lambda x: x[0], sample)`. None is for what has one.
      with_accuracy: False leaves the accuracy out (an empty dict). Without a closed form it is the costly part. None
        leaves it out where it has no closed form and there is no sample.

    Returns Observables with the leading axes of `overlaps`, NaN where these are.
    Raises InputError if a sample is needed and missing, for overlaps that do not fit the problem, and for a task whose
    numbers are schedules: `problem.at(alpha)` is the problem at one time.
    """
    refuse_fork()
    for name in problem.task_schedules:
        raise InputError("a problem at one time to observe", f"a schedule of {name}", "take problem.at(alpha)")
    states, axes = _aligned(overlaps)
    check_state(problem, states if not axes else jax.tree.map(lambda x: x[(0,) * axes], states))
    if sample is not None:
        sample.check(problem)
    if with_accuracy is None:
        with_accuracy = sample is not None or accuracy_is_closed(problem)
    if not is_known((problem, overlaps, sample)):
        return _observe_all(problem, states, sample, axes, with_accuracy)
    # An error of 1e-5 is a difference of moments near 1: in float32 it would be lost.
    with jax.enable_x64(True):
        numbers, states = to_float64((problem, states))
        # One state is an answer at once, operation by operation; many are worth compiling.
        compute = _observe_compiled if axes else _observe_all
        observed: Observables = to_host(compute(numbers, states, sample, axes, with_accuracy))
    return observed


def _aligned(overlaps: Overlaps) -> tuple[Overlaps, int]:
    """Return overlaps whose parts have the same leading axes, and how many. What is no Overlaps stays what it is."""
    axes = np.ndim(overlaps.Q) - 3 if isinstance(overlaps, Overlaps) else 0
    if axes <= 0:
        return overlaps, 0
    leading = np.shape(overlaps.Q)[:-3]
    if not np.prod(leading):
        raise InputError("at least one state to observe", f"leading axes {leading}")
    xp: Any = np if is_known(overlaps) else jnp  # JAX would round to float32 here
    readout = xp.broadcast_to(overlaps.readout, (*leading, np.shape(overlaps.readout)[-1]))
    return dataclasses.replace(overlaps, readout=readout), axes


def _observe_all(
    problem: Problem, states: Overlaps, sample: Points | None, axes: int, with_accuracy: bool
) -> Observables:
    """Return what `observe` does of states with so many leading axes. States with points go one by one, for memory."""

    def several(states: Overlaps) -> Observables:
        return _observe_all(problem, states, sample, axes - 1, with_accuracy)

    if not axes:
        return _observe_one(problem, states, sample, with_accuracy=with_accuracy)
    return jax.vmap(several)(states) if sample is None else jax.lax.map(several, states)


_observe_compiled = eqx.filter_jit(_observe_all)


def _observe_one(problem: Problem, overlaps: Overlaps, sample: Points | None, *, with_accuracy: bool) -> Observables:
    conditions = problem.task.conditions()
    probabilities = jnp.asarray(problem.task.cluster_probabilities)

    def per_level(values: Float[Array, "_"]) -> dict[str, Float[Array, ""]]:
        levels = values.reshape(-1, probabilities.size) @ probabilities
        return {name: levels[index] for index, name in enumerate(problem.inputs.level_names)}

    error = accuracy = None
    if sample is not None:
        error, accuracy = jax.vmap(lambda c: sample.error_and_accuracy(problem, overlaps, c))(conditions)
    if error_is_closed(problem):
        error = jax.vmap(lambda c: generalisation_error(problem, overlaps, c))(conditions)
    if accuracy_is_closed(problem):
        accuracy = jax.vmap(lambda c: sign_accuracy(problem, overlaps, c))(conditions)
    if error is None or (accuracy is None and with_accuracy):
        raise InputError(
            "a sample for an error or accuracy without closed form", None, "pass ode.Sampled().draw(problem)"
        )
    known = jnp.all(jnp.isfinite(overlaps.Q))  # the sign of NaN is not wrong, it is unknown
    rows = [{} if values is None else per_level(jnp.where(known, values, jnp.nan)) for values in (error, accuracy)]
    return Observables(overlaps, rows[0], rows[1] if with_accuracy else {})
