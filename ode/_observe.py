"""Generalisation error and accuracy per level: closed form where there is one, otherwise sampled."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from teacher_student import Activation, Condition, InputError, Observables, Overlaps, Problem
from teacher_student.internal import check_state, refuse_fork

from .averages import FixedSample, Reweighted, SampledProducts
from .moments import linear_labels, pair_is_known, safe_arctan2, safe_sqrt, second_moments, signed_readouts, units_of

Points = FixedSample | SampledProducts | Reweighted


def error_is_closed(problem: Problem) -> bool:
    """Return whether E (yhat - y)^2 / 2 has a closed form."""
    labels, student = linear_labels(problem), problem.student.activation
    if labels is None:
        return False
    teacher = labels.activation
    return all(pair_is_known(*units) for units in ((student, student), (student, teacher), (teacher, teacher)))


def accuracy_is_closed(problem: Problem) -> bool:
    """Return whether sign(yhat) and sign(y) are signs of one Gaussian field each."""
    labels = linear_labels(problem)
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
    s = signed_readouts(problem, overlaps.readout)
    moments = second_moments(units_of(problem), covariance(overlaps, condition), problem.student.width)
    return s @ moments @ s / 2


def sign_accuracy(problem: Problem, overlaps: Overlaps, condition: Condition) -> Float[Array, ""]:
    """Return 1 - acos(r)/pi, where r is the correlation of the student's and the teacher's Gaussian field.

    For K = M = 1 it is r = R / sqrt(T C_lambda). Source: Saglietti, Sarao Mannelli, Saxe 2022.
    """
    K = problem.student.width
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
    sample: Points | None,
    *,
    with_accuracy: bool = True,
) -> Observables:
    """Return the generalisation error and the accuracy of one state at every level.

    Arguments:
      overlaps: of one state, without leading axes (jax.vmap does them).
      sample: points for what has no closed form, as one scrambling of `ode.Sampled().draw(problem)`, that is
        `jax.tree.map(lambda x: x[0], sample)`. None is for problems in which everything has one.
      with_accuracy: False leaves the accuracy out (an empty dict). Without a closed form it is the costly part.

    Raises InputError if a sample is needed and missing.
    """
    refuse_fork()
    check_state(problem, overlaps)
    if sample is not None:
        sample.check(problem)
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
