"""Derivatives of sampled averages, through the law of the fields where those of the points would miss jumps.

Moved points see a relu's slope and a label's sign as constants: the derivative of E[g_k g_l] would lack what comes from
lambda_k = 0, and that of an accuracy would be 0. There values are those of the points, and derivatives those of
`Reweighted` averages over the same normals: noisier by the score functions of the law, but not wrong.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from teacher_student import Condition, Overlaps, Problem

from ._base import MeanStep, value_and_change
from ._reweighted import Reweighted


def is_smooth(problem: Problem) -> bool:
    """Return whether task and student declare that g_k and yhat - y do not jump.

    They are to have no jumps in the fields, the noise and the readouts.
    """
    return problem.task.smooth and problem.student.activation.smooth


def mean_step_by_law(
    sample: Any, problem: Problem, overlaps: Overlaps, conditions: Condition, weights: Float[Array, "conditions"]
) -> MeanStep:
    """Return the sample's averages, whose derivative is that of the law's."""
    averages: MeanStep = _mean_step(*_as_operands((sample, problem, overlaps, conditions, weights)))
    return averages


def _as_operands(arguments: Any) -> Any:
    """Return NumPy's numbers as JAX's, also those that a vmap holds.

    JAX's custom derivatives take no others.
    """

    def operand(x: Any) -> Any:
        held = isinstance(x, jax.core.Tracer) and jnp.issubdtype(x.dtype, jnp.inexact)
        return x + 0 if held else jnp.asarray(x) if isinstance(x, (np.ndarray, np.generic)) else x

    return jax.tree.map(operand, arguments)


@eqx.filter_custom_jvp
def _mean_step(
    sample: Any, problem: Problem, overlaps: Overlaps, conditions: Condition, weights: Float[Array, "conditions"]
) -> MeanStep:
    averages: MeanStep = sample.mean_step_of_points(problem, overlaps, conditions, weights)
    return averages


@_mean_step.def_jvp  # type: ignore[untyped-decorator]  # equinox gives it no types
def _mean_step_jvp(primals: Any, tangents: Any) -> tuple[MeanStep, MeanStep]:
    (sample, *operands), (_, *moved) = primals, tangents
    points = Reweighted.of(operands[0], sample.normals, operands[1], moving_labels=True)
    _, change = value_and_change(points.mean_step, operands, moved)
    return _mean_step(*primals), change


def error_and_accuracy_by_law(
    sample: Any, problem: Problem, overlaps: Overlaps, condition: Condition
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the sample's error and accuracy.

    Their derivatives are those of the law's, but for an error without jumps, which has that of the points.
    """
    values: tuple[jax.Array, jax.Array] = _error_and_accuracy(*_as_operands((sample, problem, overlaps, condition)))
    return values


@eqx.filter_custom_jvp
def _error_and_accuracy(
    sample: Any, problem: Problem, overlaps: Overlaps, condition: Condition
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    values: tuple[jax.Array, jax.Array] = sample.error_and_accuracy_of_points(problem, overlaps, condition)
    return values


@_error_and_accuracy.def_jvp  # type: ignore[untyped-decorator]  # equinox gives it no types
def _error_and_accuracy_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    (sample, *operands), (_, *moved) = primals, tangents
    points = Reweighted.of(operands[0], sample.normals, operands[1], moving_labels=True)

    def both(*operands: Any) -> tuple[jax.Array, jax.Array]:
        error, accuracy = points.error_and_accuracy(*operands)
        return (sample.error_and_accuracy_of_points(*operands)[0] if is_smooth(operands[0]) else error), accuracy

    _, change = value_and_change(both, operands, moved)
    return _error_and_accuracy(*primals), change
