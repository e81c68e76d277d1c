"""Averages over one set of points: any activation, label, loss and cluster means."""

import itertools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from teacher_student import Condition, Overlaps, Problem
from teacher_student.internal import Numbers, to_float

from ._base import Averages, MeanStep, StepAverages, check_normals, sum_of_conditions, unit_gradients
from ._chunked_mean import mean_over_points
from ._law_derivatives import error_and_accuracy_by_law, is_smooth, mean_step_by_law
from ._matrix_roots import pseudo_inverse_sqrt, symmetric_sqrt

FieldsOf = Callable[[jax.Array], jax.Array]


class FixedSample(Averages):
    """Averages over one fixed set of standard normal points; rows: the blocks' Gaussians, then label noise.

    Fields, units and matrix products have the normals' own precision, whatever is summed over pieces, or concerns
    overlaps alone, that of the overlaps. Cost: S (K + M)^2 a block; memory: PIECE (K + M) numbers, whatever S is.
    """

    normals: Float[Numbers, "*batch D S"]

    def check(self, problem: Problem) -> None:
        check_normals(self.normals, sum(dimensions(problem)) + 1)

    def spread(self, problem: Problem, overlaps: Overlaps) -> list["BlockSpread"]:
        """Return, per block, the points of its Gaussians and their factor.

        The factor makes fluctuations of unit variance of the block's fields of them.
        """
        blocks = _by_block(problem, jnp.asarray(self.normals))[:-1]
        return [BlockSpread(*part) for part in zip(blocks, factors(problem, overlaps), strict=True)]

    def fields_at(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> FieldsOf:
        """Return the function that makes fields z (J, S) of standard normal points (D, S), label noise among them."""
        roots, (scales, means) = factors(problem, overlaps), _scales_and_means(problem, overlaps, condition)
        return lambda normals: _fields(roots, _by_block(problem, normals)[:-1], scales, means)

    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        return self._step(problem, overlaps, condition, factors(problem, overlaps))

    def mean_step(
        self, problem: Problem, overlaps: Overlaps, conditions: Condition, weights: Float[Array, "conditions"]
    ) -> MeanStep:
        """Do as the base class does, one condition after the other. Those of weight 0 are not computed."""
        if is_smooth(problem):
            return self.mean_step_of_points(problem, overlaps, conditions, weights)
        return mean_step_by_law(self, problem, overlaps, conditions, weights)

    def mean_step_of_points(
        self, problem: Problem, overlaps: Overlaps, conditions: Condition, weights: Float[Array, "conditions"]
    ) -> MeanStep:
        """Return `mean_step`, with the derivative of the points."""
        roots = factors(problem, overlaps)
        return sum_of_conditions(lambda c: self._step(problem, overlaps, c, roots), conditions, weights)

    def _step(
        self, problem: Problem, overlaps: Overlaps, condition: Condition, factors: list[Float[Array, "J _"]]
    ) -> StepAverages:
        problem = problem.at_level(condition.level)
        scales, means = _scales_and_means(problem, overlaps, condition)

        def sums(normals: jax.Array) -> tuple[Any, ...]:
            *blocks, noise = _by_block(problem, normals)
            z = _fields(factors, blocks, scales, means)
            rounded, readout = to_float((problem, overlaps.readout), z.dtype)
            label = rounded.task.label(z[rounded.student.width :].T, condition.cluster, noise)
            hidden, loss_slope, g = unit_gradients(rounded, readout, z, label)
            return g.sum(axis=1), [g @ xi.T for xi in blocks], g @ g.T, hidden @ loss_slope

        mean_g, g_xi, gg, slope = mean_over_points(sums, jnp.asarray(self.normals))
        gz = [
            jnp.outer(mean_g, mean) + scale * product @ factor.T
            for product, factor, scale, mean in zip(g_xi, factors, scales, means, strict=True)
        ]
        return StepAverages(jnp.stack(gz), gg, slope)

    def error_and_accuracy(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Return E (yhat - y)^2 / 2 with the noiseless label, and P(sign yhat = sign y)."""
        return error_and_accuracy_by_law(self, problem, overlaps, condition)

    def error_and_accuracy_of_points(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Return `error_and_accuracy`, with the derivative of the points. That of an accuracy is 0."""
        problem = problem.at_level(condition.level)
        K, fields = problem.student.width, self.fields_at(problem, overlaps, condition)

        def sums(normals: jax.Array) -> tuple[jax.Array, jax.Array]:
            z = fields(normals)
            rounded, readout = to_float((problem, overlaps.readout), z.dtype)
            output = readout @ rounded.student.activation(z[:K])
            y = rounded.task.clean_label(z[K:].T, condition.cluster)
            right = (jnp.sign(output) == jnp.sign(y)).astype(z.dtype)
            return jnp.sum((output - y) ** 2) / 2, jnp.sum(right)

        return mean_over_points(sums, jnp.asarray(self.normals))

    def hidden_and_label(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[Float[Array, "K S"], Float[Array, "S"]]:
        """Return phi(lambda_k) and the noiseless label at every point."""
        problem = problem.at_level(condition.level)
        K, z = problem.student.width, self.fields_at(problem, overlaps, condition)(jnp.asarray(self.normals))
        return problem.student.activation(z[:K]), problem.task.clean_label(z[K:].T, condition.cluster)


class BlockSpread(eqx.Module):
    """A block's standard normals xi and the factor that makes its fields of them."""

    xi: Float[Array, "r S"]
    factor: Float[Array, "J r"]


def factors(problem: Problem, overlaps: Overlaps) -> list[Float[Array, "J _"]]:
    """Return, per block, the factor that makes fields of unit variance of standard normals.

    The latents come first and the students are drawn given them, so that the latent fields stay fixed as the student
    moves: nu^b = T^(1/2) xi,  lambda^b = R T^(-1/2) xi + (Q - R T^-1 R^T)^(1/2) xi'.
    """
    _, K, M = problem.shape
    per_block = []
    for b, (seen, spanned) in enumerate(zip(problem.task.seen_blocks, problem.task.spanned_blocks, strict=True)):
        Q, R, T = overlaps.Q[b], overlaps.R[b], overlaps.T[b]
        # Symmetric roots: Cholesky factors and eigenvectors jump where eigenvalues cross or vanish, and an adaptive
        # integrator then stalls.
        if not seen:
            factor = jnp.concatenate([symmetric_sqrt(Q), jnp.zeros((M, K))])
        else:
            aligned = R @ pseudo_inverse_sqrt(T)
            factor = jnp.concatenate([aligned, symmetric_sqrt(T)])
            if not spanned:
                rest = jnp.concatenate([symmetric_sqrt(Q - aligned @ aligned.T), jnp.zeros((M, K))])
                factor = jnp.concatenate([rest, factor], axis=1)
        per_block.append(factor)
    return per_block


def _by_block(problem: Problem, normals: Float[Array, "D S"]) -> list[Float[Array, "*_ S"]]:
    """Return the blocks' standard normals (r, S), and last the output noise (S,)."""
    edges = np.cumsum([0, *dimensions(problem)])
    return [*(normals[i:j] for i, j in itertools.pairwise(edges)), normals[-1]]


def _scales_and_means(
    problem: Problem, overlaps: Overlaps, condition: Condition
) -> tuple[Float[Array, "B"], Float[Array, "B J"]]:
    """Return, per block, sqrt(Delta_b) and the mean fields."""
    K = problem.student.width
    return jnp.sqrt(condition.variances), jnp.asarray(overlaps.gram)[:, :, K:] @ condition.mean


def _fields(
    factors: list[Float[Array, "J _"]],
    blocks: list[Float[Array, "_ S"]],
    scales: Float[Array, "B"],
    means: Float[Array, "B J"],
) -> Float[Array, "J S"]:
    """Return z_j: the sum over blocks of mean + sqrt(Delta_b) factor xi, in the precision of xi."""
    dtype = blocks[0].dtype
    parts = [(s * factor).astype(dtype) @ xi for factor, xi, s in zip(factors, blocks, scales, strict=True)]
    fields: jax.Array = sum(parts[1:], parts[0]) + means.sum(axis=0).astype(dtype)[:, None]
    return fields


def dimensions(problem: Problem) -> list[int]:
    """Return the number of Gaussians that each block's fields need, which is its largest possible rank."""
    _, K, M = problem.shape
    task = problem.task
    return [
        M if spanned else K + M if seen else K
        for seen, spanned in zip(task.seen_blocks, task.spanned_blocks, strict=True)
    ]
