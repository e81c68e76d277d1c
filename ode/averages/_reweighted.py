r"""Sampled averages that can be differentiated with respect to the law of the fields, whatever the activation.

A derivative of the points themselves misses what happens where g_k jumps (relu: at lambda_k = 0). Here the points
stay where they are and carry the weights p(z; C, m) / p(z; C_0, m_0), which are 1 at the state they were drawn at, and
whose derivatives are the score functions of the Gaussian law: dE[h]/dC = E[h (C^-1 (z-m)(z-m)^T C^-1 - C^-1)] / 2.
Weights are divided by their sum, which takes away the noise that does not depend on h.

Only the total fields z = sum_b z^b are drawn; the block fields are Gaussian given them,
  E[g_k z^b_j] = m^b_j E[g_k] + sum_i E[g_k (z - m)_i] (C^-1 Delta_b Omega^b)_ij.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from teacher_student import Condition, Overlaps, Problem

from ._base import Averages, MeanStep, StepAverages, sum_of_conditions, unit_gradients
from ._roots import field_root


class Reweighted(Averages):
    """Averages over points drawn at the state `at`, as differentiable functions of the state.

    normals: (J + 1, S) standard normals, J = K + M; the last row is label noise. at: the state at which the value is
    exact for these points; elsewhere only first and second derivatives at it are meant to be used.
    """

    normals: Any
    at: Overlaps

    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        K = problem.student.width
        law = _Law.of(overlaps, condition, K)
        z, weights = self._points(overlaps, condition, K)
        noise = jnp.asarray(self.normals)[-1]
        hidden, loss_slope, g = unit_gradients(problem, overlaps.readout, z, condition.cluster, noise)
        weighted = weights * g
        g_centred = weighted @ (z - law.mean[:, None]).T
        given = jnp.linalg.solve(law.covariance, law.block_covariance)  # (B, J, J): C^-1 Delta_b Omega^b
        gz = weighted.sum(axis=1)[:, None] * law.block_mean[:, None, :] + g_centred @ given
        return StepAverages(gz, weighted @ g.T, hidden @ (weights * loss_slope))

    def mean_step(self, problem: Problem, overlaps: Overlaps, conditions: Condition, weights: Any) -> MeanStep:
        """As in the base class, one condition after the other; those of weight 0 are not computed."""
        return sum_of_conditions(lambda c: self.step(problem, overlaps, c), conditions, weights)

    def error_and_accuracy(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[jax.Array, jax.Array]:
        """E (yhat - y)^2 / 2 with the noiseless label, and P(sign yhat = sign y), as functions of the law."""
        K = problem.student.width
        z, weights = self._points(overlaps, condition, K)
        output = overlaps.readout @ problem.student.activation(z[:K])
        y = problem.task.clean_label(z[K:].T, condition.cluster)
        return weights @ (output - y) ** 2 / 2, weights @ _right(output, y)

    def _points(self, overlaps: Overlaps, condition: Condition, K: int) -> tuple[jax.Array, jax.Array]:
        """Total fields z (J, S) drawn at the state `at`, and weights (S,) of sum 1 that turn their law into ours."""
        law, drawn_at = _Law.of(overlaps, condition, K), _Law.of(self.at, condition, K)
        normals = jnp.asarray(self.normals)[:-1]
        root = jax.lax.stop_gradient(field_root(drawn_at.covariance, K))
        origin = jax.lax.stop_gradient(drawn_at.mean)
        change = jnp.linalg.solve(root, jnp.linalg.solve(root, law.covariance).T) - jnp.eye(origin.size)
        shift = jnp.linalg.solve(root, law.mean - origin)
        # the exponent of the ratio of densities to second order in (change, shift), which is all that is asked for
        quadratic, linear = change - change @ change, shift - change @ shift
        exponent = jnp.einsum("ij,is,js->s", quadratic / 2, normals, normals) + linear @ normals
        return root @ normals + origin[:, None], jax.nn.softmax(exponent)


class _Law(eqx.Module):
    """Mean and covariance of the total fields, (J,) and (J, J), and of each block's, with leading axis B."""

    mean: jax.Array
    covariance: jax.Array
    block_mean: jax.Array
    block_covariance: jax.Array

    @staticmethod
    def of(overlaps: Overlaps, condition: Condition, K: int) -> "_Law":
        block_mean = overlaps.gram[:, :, K:] @ condition.mean
        block_covariance = condition.variances[:, None, None] * overlaps.gram
        return _Law(block_mean.sum(axis=0), block_covariance.sum(axis=0), block_mean, block_covariance)


def _right(output: jax.Array, y: jax.Array) -> jax.Array:
    """Whether sign(yhat) = sign(y) (S,), with derivatives (in the readout) as if the sign had the width `width`.

    The law's weights do not move with the readout, so the jump at yhat = 0 is smoothed: Phi(y yhat / width) with the
    usual width of a density estimate, whose bias is of the order of width^2.
    """
    right = (jnp.sign(output) == jnp.sign(y)).astype(output.dtype)
    width = jax.lax.stop_gradient(jnp.std(output) * output.size**-0.2)
    smooth = jax.scipy.stats.norm.cdf(jnp.sign(y) * output / jnp.maximum(width, 1e-150))
    return right + smooth - jax.lax.stop_gradient(smooth)
