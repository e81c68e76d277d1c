"""What a supplier of Gaussian averages gives to the drift."""

import abc
from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from teacher_student import Condition, InputError, Overlaps, Problem
from teacher_student.internal import Numbers, PublicModule, first_line

Average = TypeVar("Average")


class StepAverages(PublicModule):
    """The three averages under one condition (level, cluster) that the drift needs, with g_k = dloss/dlambda_k.

    Fields:
      gz: E[g_k z^b_j], where z^b are the block fields of students, then latents, J = K + M.
      gg: E[g_k g_l].
      loss_slope: E[dloss/dv_k].
    """

    gz: Float[Numbers, "B K J"]
    gg: Float[Numbers, "K K"]
    loss_slope: Float[Numbers, "K"]


class Averages(PublicModule):
    """Base of what supplies the drift with its Gaussian averages. It serves for averages of your own too.

    Averages of your own are a subclass with a method `step`, made of JAX operations in the precision of its arguments.
    The example has K units phi(x) = x, M units of a teacher of value labels without noise, and the squared loss:

        class Linear(ode.Averages):
            def step(self, problem, overlaps, condition):
                v, vt = overlaps.readout, problem.task.readout
                w = jnp.concatenate([v, -vt])                                # yhat - y = w . (lambda, nu)
                gram = overlaps.gram                                         # (B, K + M, K + M)
                C = jnp.tensordot(condition.variances, gram, 1)              # covariance of the total fields
                error = w @ C @ w                                            # E[(yhat - y)^2]
                wz = condition.variances[:, None] * (gram @ w)               # (B, K + M) E[(yhat - y) z^b_j]
                return ode.StepAverages(v[:, None] * wz[:, None, :], jnp.outer(v, v) * error, (C @ w)[: v.size])

    The numbers that the class holds are fields. What it says is taken to be exact: `ode.solve`, `solve_many` and
    `fluctuations` integrate it like closed forms, differentiate it, and state no sampling error of it. Errors and
    accuracies are computed as without it, in closed form or with points, and so is the covariance of one step in
    `fluctuations`. Both are those of the problem's own labels, for which the averages must be exact. Problems come
    without names: their levels are numbered. What `step` reads from elsewhere, from its class or module, is compiled in
    as it was at the first solve.
    """

    @property
    def name(self) -> str:
        """What `Source.method` says of trajectories that come from these averages.

        Here it is the class, module:Class.
        """
        return f"{type(self).__module__}:{type(self).__qualname__}"

    def check(self, problem: Problem) -> None:
        """Raise InputError unless these averages are for `problem`, as far as can be seen while it is being traced.

        Here nothing is checked. Averages of your own that are for some problems only may say so.
        """

    @abc.abstractmethod
    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        """Return the averages of one SGD step's ingredients under one `condition` (level, cluster).

        Arguments:
          problem: what is learned. Its numbers may be traced, and its levels are numbered.
          overlaps: of one state, without leading axes.
          condition: one of them, without leading axes. The block fields z^b of students, then latents, have the
            covariance Delta_b times `overlaps.gram` (B, K + M, K + M).
        """

    def mean_step(
        self, problem: Problem, overlaps: Overlaps, conditions: Condition, weights: Float[Array, "conditions"]
    ) -> "MeanStep":
        """Return the averages over all conditions, weighted with their probabilities.

        Arguments:
          problem, overlaps: as in `step`.
          conditions: all of the task, `problem.task.conditions()`, with a leading axis (L * C,).
          weights: (L * C,) their probabilities, `problem.condition_weights(alpha)`.

        Raises InputError where `step` fails, and where it returns averages of other shapes.
        """

        def step(condition: Condition) -> StepAverages:
            try:
                averages = self.step(problem.at_level(condition.level), overlaps, condition)
            except InputError:
                raise
            except Exception as error:  # the user's method may raise anything
                required = f"a step of {type(self).__name__} as JAX operations on traced numbers"
                raise InputError(required, f"{type(error).__name__}: {first_line(error)}") from error
            _require_step(averages, problem, self)
            return averages

        return sum_of_conditions(step, conditions, weights)


def _require_step(result: Any, problem: Problem, averages: Averages) -> None:
    """Raise InputError unless `result`, which a method `step` returned, is what the drift needs."""
    B, K, M = problem.shape
    wanted = {"gz": (B, K, K + M), "gg": (K, K), "loss_slope": (K,)}
    required = f"ode.StepAverages of shapes {wanted} from the step of {type(averages).__name__}"
    if not isinstance(result, StepAverages):
        raise InputError(required, type(result).__name__)
    shapes = {name: np.shape(getattr(result, name)) for name in wanted}
    if shapes != wanted:
        raise InputError(required, f"shapes {shapes}")


class MeanStep(eqx.Module):
    """What the drift is made of: E[g_k z^b_j], E[Delta_b g_k g_l] and E[dloss/dv_k]."""

    gz: Float[Numbers, "B K J"]
    gg: Float[Numbers, "B K K"]
    loss_slope: Float[Numbers, "K"]


def sum_of_conditions(
    step: Callable[[Condition], StepAverages], conditions: Condition, weights: Float[Array, "conditions"]
) -> MeanStep:
    """Return the sum of `step` over conditions, each with its weight."""

    # Every condition has all points. Sobol points that are dealt out to four clusters by their index modulo 4 have a
    # quarter of the first coordinate each, and turn an accuracy of 0.975 into 1.
    def part(condition: Condition) -> MeanStep:
        averages = step(condition)
        return MeanStep(averages.gz, condition.variances[:, None, None] * averages.gg[None], averages.loss_slope)

    return weighted_sum(part, conditions, weights)


def check_normals(normals: Any, rows: int) -> None:
    """Raise InputError unless `normals` are points of `rows` Gaussians, of one scrambling."""
    shape = np.shape(normals)
    if len(shape) != 2 or shape[0] != rows:
        remedy = "draw it for this problem, and take one scrambling: jax.tree.map(lambda x: x[0], sample)"
        raise InputError(f"one scrambling of a sample for this problem, ({rows}, points)", f"shape {shape}", remedy)


def weighted_sum(
    part: Callable[[Condition], Average], conditions: Condition, weights: Float[Array, "conditions"]
) -> Average:
    """Return the weighted sum of `part` over conditions, one after the other. Those of weight 0 are not computed.

    They are computed where derivatives with respect to the weights are asked for, because a share of 0 can grow.
    """
    if np.shape(weights) == (1,):  # the only condition there is
        only: Average = jax.tree.map(lambda x: weights[0] * x, part(jax.tree.map(lambda x: x[0], conditions)))
        return only
    shapes = eqx.filter_eval_shape(part, jax.tree.map(lambda x: x[0], conditions))
    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)

    def add(total: Any, weighted: Any) -> tuple[Any, None]:
        condition, weight = weighted
        alone = eqx.filter_closure_convert(part, condition)  # what it closes over are its leaves: all of it is seen
        return jax.tree.map(jnp.add, total, _weighted(alone, weight, condition)), None

    total: Average = jax.lax.scan(add, nothing, (conditions, weights))[0]
    return total


@eqx.filter_custom_jvp
def _weighted(part: Callable[[Condition], Any], weight: Float[Array, ""], condition: Condition) -> Any:
    """Return weight * part(condition), or 0 without computing the part."""
    return _unless_zero(lambda: jax.tree.map(lambda x: weight * x, part(condition)), weight)


@_weighted.def_jvp  # type: ignore[untyped-decorator]  # equinox gives it no types
def _weighted_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Return the value and its derivative dw part + w dpart.

    The first term counts at w = 0 too, unless the weight is not differentiated (a tangent of None).
    """
    (part, weight, condition), (d_part, d_weight, d_condition) = primals, tangents

    def both() -> tuple[Any, Any]:
        return value_and_change(lambda part, at: part(at), (part, condition), (d_part, d_condition))

    if d_weight is None:
        scaled: tuple[Any, Any] = _unless_zero(lambda: jax.tree.map(lambda x: weight * x, both()), weight)
        return scaled
    value, change = both()
    moved = jax.tree.map(lambda x, dx: d_weight * x + weight * dx, value, change)
    return jax.tree.map(lambda x: weight * x, value), moved


def value_and_change(function: Callable[..., Average], primals: Any, tangents: Any) -> tuple[Average, Average]:
    """Return function(*primals) and its derivative along `tangents`, with a number for every number of the value.

    A tangent of None says that its primal is not differentiated. JAX takes no derivative in nothing, and equinox has
    None for what does not depend on anything that is differentiated. Here both are zeros, which can be calculated with.
    """
    if not jax.tree.leaves(tangents):
        value = function(*primals)
        return value, jax.tree.map(jnp.zeros_like, value)
    value, change = eqx.filter_jvp(function, primals, tangents)

    def number(dx: Any, x: jax.Array) -> jax.Array:
        return jnp.zeros_like(x) if dx is None else dx

    return value, jax.tree.map(number, change, value, is_leaf=lambda dx: dx is None)


def _unless_zero(compute: Callable[[], Average], weight: Float[Array, ""]) -> Average:
    shapes = jax.eval_shape(compute)
    result: Average = jax.lax.cond(
        weight > 0, compute, lambda: jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    )
    return result


def unit_gradients(
    problem: Problem, readout: Float[Numbers, "K"], z: Float[Array, "J S"], label: Float[Array, "S"]
) -> tuple[Float[Array, "K S"], Float[Array, "S"], Float[Array, "K S"]]:
    """Return phi(lambda_k), dloss/dyhat and g_k = dloss/dlambda_k at the points of a sample.

    Arguments: z: total fields.
    """
    K = problem.student.width
    hidden = problem.student.activation(z[:K])
    loss_slope = problem.sgd.loss_slope(jnp.asarray(readout) @ hidden, label)
    return hidden, loss_slope, loss_slope[None] * readout[:, None] * problem.student.activation.derivative(z[:K])
