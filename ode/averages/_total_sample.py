r"""Averages over points of the total fields: for inputs of many blocks, whose number the points need not know.

Given level and cluster, the total fields z = sum_b z^b are Gaussian, N(m, C) with C = sum_b Delta_b Omega^b. Each
block's fields are independent of the others', so that E[z^b - m^b | z] = Delta_b Omega^b C^-1 (z - m), and
  E[g_k z^b] = E[g_k] m^b + Delta_b Omega^b C^-1 E[g_k (z - m)].
With z = m + F xi and F F^T = C this is Delta_b Omega^b F^-T E[g_k xi]: K + M Gaussians do, for any number of blocks.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from teacher_student import Condition, InputError, Overlaps, Problem
from teacher_student.internal import to_float

from ._base import MeanStep, StepAverages, check_normals, sum_of_conditions, unit_gradients
from ._chunked_mean import mean_over_points
from ._fixed_sample import BlockSpread, FieldsOf, FixedSample
from ._law_derivatives import mean_step_by_law
from ._matrix_roots import field_root, inverse_field_root

TOO_MANY = "a problem of few blocks"
FEWER = "lump its blocks together"


class TotalSample(FixedSample):
    """Averages over one fixed set of standard normal points of the total fields; the last row is label noise.

    Cost: S (K + M)^2 whatever the number of blocks, and B K (K + M)^2 for theirs.
    """

    def check(self, problem: Problem) -> None:
        check_normals(self.normals, sum(problem.shape[1:]) + 1)

    def spread(self, problem: Problem, overlaps: Overlaps) -> list[BlockSpread]:
        raise InputError(f"{TOO_MANY} for fluctuations", f"{problem.shape[0]} blocks", FEWER)

    def fields_at(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> FieldsOf:
        root, mean = _law(overlaps, condition, problem.student.width)
        return lambda normals: _fields(root, mean, normals[:-1])

    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        problem = problem.at_level(condition.level)
        K = problem.student.width
        root, mean = _law(overlaps, condition, K)

        def sums(normals: jax.Array) -> tuple[Any, ...]:
            xi, noise = normals[:-1], normals[-1]
            z = _fields(root, mean, xi)
            rounded, readout = to_float((problem, overlaps.readout), z.dtype)
            label = rounded.task.label(z[K:].T, condition.cluster, noise)
            hidden, loss_slope, g = unit_gradients(rounded, readout, z, label)
            return g.sum(axis=1), g @ xi.T, g @ g.T, hidden @ loss_slope

        mean_g, g_xi, gg, slope = mean_over_points(sums, jnp.asarray(self.normals))
        along = g_xi @ inverse_field_root(_covariance(overlaps, condition), K)  # E[g (z - m)^T] C^-1, (K, J)
        gram = jnp.asarray(overlaps.gram)
        of_blocks = condition.variances[:, None, None] * (along[None] @ gram)
        block_means = gram[:, :, K:] @ condition.mean
        return StepAverages(of_blocks + mean_g[None, :, None] * block_means[:, None, :], gg, slope)

    def mean_step(
        self, problem: Problem, overlaps: Overlaps, conditions: Condition, weights: Float[Array, "conditions"]
    ) -> MeanStep:
        """Do as the base class does. The derivative is always that of the law: the root's inverse has none."""
        return mean_step_by_law(self, problem, overlaps, conditions, weights)

    def mean_step_of_points(
        self, problem: Problem, overlaps: Overlaps, conditions: Condition, weights: Float[Array, "conditions"]
    ) -> MeanStep:
        return sum_of_conditions(lambda c: self.step(problem, overlaps, c), conditions, weights)


def _covariance(overlaps: Overlaps, condition: Condition) -> Float[Array, "J J"]:
    return jnp.einsum("b,bij->ij", condition.variances, overlaps.gram)


def _law(overlaps: Overlaps, condition: Condition, K: int) -> tuple[Float[Array, "J J"], Float[Array, "J"]]:
    """Return a root of the total fields' covariance, and their mean."""
    mean = jnp.sum(jnp.asarray(overlaps.gram)[:, :, K:], axis=0) @ condition.mean
    return field_root(_covariance(overlaps, condition), K), mean


def _fields(root: Float[Array, "J J"], mean: Float[Array, "J"], xi: Float[Array, "J S"]) -> Float[Array, "J S"]:
    return root.astype(xi.dtype) @ xi + mean.astype(xi.dtype)[:, None]
