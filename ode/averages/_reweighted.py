r"""Sampled averages that can be differentiated with respect to the law of the fields, whatever the activation.

A derivative of the points themselves misses what happens where g_k jumps (relu: at lambda_k = 0). Here the points
stay where they are and carry the weights p(z; C, m) / p(z; C_0, m_0), which are 1 at the state they were drawn at, and
whose derivatives are the score functions of the Gaussian law: dE[h]/dC = E[h (C^-1 (z-m)(z-m)^T C^-1 - C^-1)] / 2.
Weights are divided by their sum, which takes away the noise that does not depend on h.

A sign of the outputs, as label or as what accuracies compare, jumps also where the noise or a readout moves; its
derivative in these is that of Phi(output / width), with the noise as the width where there is enough of it.

Only the total fields z = sum_b z^b are drawn; the block fields are Gaussian given them,
  E[g_k z^b_j] = m^b_j E[g_k] + sum_i E[g_k (z - m)_i] (C^-1 Delta_b Omega^b)_ij.
"""

from collections.abc import Callable
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from teacher_student import Condition, Overlaps, Problem
from teacher_student.internal import Numbers

from ._base import Averages, MeanStep, StepAverages, sum_of_conditions, unit_gradients
from ._matrix_roots import field_root, inverse_field_root

Average = TypeVar("Average")


class Reweighted(Averages):
    """Averages over points drawn at the state `at`, as differentiable functions of the state.

    normals: standard normals, a row for each of the J fields and the last one for label noise.
    at: the state at which the value is exact for these points; elsewhere only first and second derivatives at it are
      meant to be used.
    moving_labels: whether derivatives in what labels are made of are wanted too: noise and the teacher's readout, as
      far as the task says what its labels are the sign of (`Task.before_sign`).
    """

    normals: Float[Numbers, "rows S"]
    at: Overlaps
    moving_labels: bool = eqx.field(static=True, default=False)

    @staticmethod
    def of(
        problem: Problem, normals: Float[Numbers, "D S"], at: Overlaps, *, moving_labels: bool = False
    ) -> "Reweighted":
        """Return points of a sample as points of the total fields at the state `at`.

        The last row is for noise.
        """
        _, K, M = problem.shape
        normals = jnp.asarray(normals, jnp.result_type(float))
        rows = jnp.concatenate([normals[: K + M], normals[-1:]])
        return Reweighted(rows, jax.lax.stop_gradient(at), moving_labels)

    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        K, problem = problem.student.width, problem.at_level(condition.level)
        law = _Law.of(overlaps, condition, K)
        z, weights = self._points(overlaps, condition, K)
        noise = jnp.asarray(self.normals)[-1]
        change, _, W = self._change(overlaps, condition, K)
        inverse = W.T @ (jnp.eye(len(W)) - change + change @ change) @ W  # C^-1, to second order in the change
        regression = inverse @ law.block_covariance  # C^-1 Delta_b Omega^b, per block

        def averages(y: Float[Array, "S"], weights: Float[Array, "S"]) -> StepAverages:
            hidden, loss_slope, g = unit_gradients(problem, overlaps.readout, z, y)
            weighted = weights[None] * g
            g_centred = weighted @ (z - law.mean[:, None]).T
            gz = weighted.sum(axis=1)[None, :, None] * law.block_mean[:, None, :] + g_centred @ regression
            return StepAverages(gz, weighted @ g.T, hidden @ (weights * loss_slope))

        result = averages(problem.task.label(z[K:].T, condition.cluster, noise), weights)
        return self._with_moving_labels(problem, condition.cluster, z, weights, averages, result, noisy=True)

    def _with_moving_labels(
        self,
        problem: Problem,
        cluster: jax.Array,
        z: Float[Array, "J S"],
        weights: Float[Array, "S"],
        averages: Callable[[jax.Array, jax.Array], Average],
        result: Average,
        *,
        noisy: bool,
    ) -> Average:
        """Add to `result` the derivative of `averages(label, weights)` in what the labels' signs are made of."""
        outputs = problem.task.before_sign(z[problem.student.width :].T, cluster) if self.moving_labels else None
        if outputs is None:
            return result
        output, noise = outputs
        width = jnp.maximum(jnp.asarray(noise) if noisy else 0.0, _width(output))
        plus = jax.scipy.stats.norm.cdf(output / width)
        change = plus - jax.lax.stop_gradient(plus)
        parts = averages(jnp.ones_like(output), weights * change), averages(-jnp.ones_like(output), -weights * change)
        moved: Average = jax.tree.map(lambda *x: sum(x), result, *parts)
        return moved

    def mean_step(
        self, problem: Problem, overlaps: Overlaps, conditions: Condition, weights: Float[Array, "conditions"]
    ) -> MeanStep:
        """Do as the base class does, one condition after the other. Those of weight 0 are not computed."""
        return sum_of_conditions(lambda c: self.step(problem, overlaps, c), conditions, weights)

    def error_and_accuracy(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Return E (yhat - y)^2 / 2 with the noiseless label, and P(sign yhat = sign y), as functions of the law."""
        K, problem = problem.student.width, problem.at_level(condition.level)
        z, weights = self._points(overlaps, condition, K)
        output = jnp.asarray(overlaps.readout) @ problem.student.activation(z[:K])

        def averages(y: Float[Array, "S"], weights: Float[Array, "S"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
            return weights @ (output - y) ** 2 / 2, weights @ _right(output, y)

        result = averages(problem.task.clean_label(z[K:].T, condition.cluster), weights)
        return self._with_moving_labels(problem, condition.cluster, z, weights, averages, result, noisy=False)

    def _points(
        self, overlaps: Overlaps, condition: Condition, K: int
    ) -> tuple[Float[Array, "J S"], Float[Array, "S"]]:
        """Return total fields z that are drawn at the state `at`, and the weights of the points.

        The weights, of sum 1, turn the law at that state into ours.
        """
        normals = jnp.asarray(self.normals)[:-1]
        drawn_at = _Law.of(self.at, condition, K)
        root, origin = jax.lax.stop_gradient((field_root(drawn_at.covariance, K), drawn_at.mean))
        change, shift, _ = self._change(overlaps, condition, K)
        # The exponent of the ratio of densities to second order in (change, shift), which is all that is asked for.
        quadratic, linear = change - change @ change, shift - change @ shift
        exponent = jnp.einsum("ij,is,js->s", quadratic / 2, normals, normals) + linear @ normals
        return root @ normals + origin[:, None], jax.nn.softmax(exponent)

    def _change(
        self, overlaps: Overlaps, condition: Condition, K: int
    ) -> tuple[Float[Array, "J J"], Float[Array, "J"], Float[Array, "J J"]]:
        """Return W C W^T - W C_0 W^T and W (m - m_0), which are 0 at the state `at`, and W, the inverse of C_0's root.

        In directions in which the fields of that state do not spread W is 0: a change that makes them is missed.
        """
        law, drawn_at = _Law.of(overlaps, condition, K), _Law.of(self.at, condition, K)
        covariance, mean = jax.lax.stop_gradient((drawn_at.covariance, drawn_at.mean))
        W = jax.lax.stop_gradient(inverse_field_root(covariance, K))
        return W @ (law.covariance - covariance) @ W.T, W @ (law.mean - mean), W


class _Law(eqx.Module):
    """Mean and covariance of the total fields, and of each block's."""

    mean: Float[Array, "J"]
    covariance: Float[Array, "J J"]
    block_mean: Float[Array, "B J"]
    block_covariance: Float[Array, "B J J"]

    @staticmethod
    def of(overlaps: Overlaps, condition: Condition, K: int) -> "_Law":
        gram = jnp.asarray(overlaps.gram)
        block_mean = gram[:, :, K:] @ condition.mean
        block_covariance = condition.variances[:, None, None] * gram
        return _Law(block_mean.sum(axis=0), block_covariance.sum(axis=0), block_mean, block_covariance)


def _right(output: Float[Array, "S"], y: Float[Array, "S"]) -> Float[Array, "S"]:
    """Return whether sign(yhat) = sign(y), with derivatives (in the readout) as if the sign had the width `width`.

    The law's weights do not move with the readout, so the jump at yhat = 0 is smoothed: Phi(y yhat / width), with a
    bias of the order of width^2.
    """
    right = (jnp.sign(output) == jnp.sign(y)).astype(output.dtype)
    smooth = jax.scipy.stats.norm.cdf(jnp.sign(y) * output / _width(output))
    return right + smooth - jax.lax.stop_gradient(smooth)


def _width(output: Float[Array, "S"]) -> Float[Array, ""]:
    """Return the usual width of an estimate of the density at 0."""
    # The floor is for outputs that are all the same, as of a student whose readout is 0: dividing by 0 gives NaN.
    return jax.lax.stop_gradient(jnp.maximum(jnp.std(output) * output.size**-0.2, 1e-150))
