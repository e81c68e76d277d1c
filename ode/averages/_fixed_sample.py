"""Averages over one set of points: any activation, label, loss and cluster means."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Condition, Overlaps, Problem, to_float

from ._base import Averages, MeanStep, StepAverages, sum_of_conditions, unit_gradients
from ._roots import pseudo_inverse_sqrt, symmetric_sqrt

PIECE = 2**12  # points whose fields are in memory at a time; more of them are averaged piece by piece


class FixedSample(Averages):
    """Averages over one fixed set of standard normal points; rows: the blocks' Gaussians, then label noise.

    Fields, units and matrix products have the normals' own precision, whatever is summed over pieces, or concerns
    overlaps alone, that of the overlaps. Cost: S (K + M)^2 a block; memory: PIECE (K + M) numbers, whatever S is.
    """

    normals: Any  # (D, S)

    def spread(self, problem: Problem, overlaps: Overlaps) -> list["BlockSpread"]:
        """Per block, the points of its Gaussians and their factor: fluctuations of unit variance of its fields.

        Latents first, students given them, so that the latent fields stay fixed as the student moves:
        nu^b = T^(1/2) xi,  lambda^b = R T^(-1/2) xi + (Q - R T^-1 R^T)^(1/2) xi'.
        """
        _, K, M = problem.shape
        edges = np.cumsum([0, *dimensions(problem)])
        found = []
        for b, (seen, spanned) in enumerate(zip(problem.task.seen_blocks, problem.task.spanned_blocks, strict=True)):
            Q, R, T = overlaps.Q[b], overlaps.R[b], overlaps.T[b]
            if not seen:
                factor = jnp.concatenate([symmetric_sqrt(Q), jnp.zeros((M, K))])
            else:
                aligned = R @ pseudo_inverse_sqrt(T)
                factor = jnp.concatenate([aligned, symmetric_sqrt(T)])
                if not spanned:
                    rest = jnp.concatenate([symmetric_sqrt(Q - aligned @ aligned.T), jnp.zeros((M, K))])
                    factor = jnp.concatenate([rest, factor], axis=1)
            found.append(BlockSpread(jnp.asarray(self.normals)[edges[b] : edges[b + 1]], factor))
        return found

    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        return self._step(problem, overlaps, condition, self.spread(problem, overlaps))

    def mean_step(self, problem: Problem, overlaps: Overlaps, conditions: Condition, weights: Any) -> MeanStep:
        """As in the base class, one condition after the other; those of weight 0 are not computed."""
        spread = self.spread(problem, overlaps)
        return sum_of_conditions(lambda c: self._step(problem, overlaps, c, spread), conditions, weights)

    def _step(
        self, problem: Problem, overlaps: Overlaps, condition: Condition, spread: "list[BlockSpread]"
    ) -> StepAverages:
        scales, means = _scales_and_means(problem, overlaps, condition)

        def sums(spread: list[BlockSpread], noise: jax.Array) -> tuple[Any, ...]:
            z = _fields(spread, scales, means)
            own, readout = to_float((problem, overlaps.readout), z.dtype)
            hidden, loss_slope, g = unit_gradients(own, readout, z, condition.cluster, noise)
            return g.sum(axis=1), [g @ each.xi.T for each in spread], g @ g.T, hidden @ loss_slope

        mean_g, g_xi, gg, slope = self._mean(sums, spread)
        gz = [
            jnp.outer(mean_g, mean) + scale * each_g_xi @ each.factor.T
            for each, each_g_xi, scale, mean in zip(spread, g_xi, scales, means, strict=True)
        ]
        return StepAverages(jnp.stack(gz), gg, slope)

    def error_and_accuracy(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[jax.Array, jax.Array]:
        """E (yhat - y)^2 / 2 with the noiseless label, and P(sign yhat = sign y)."""
        K, (scales, means) = problem.student.width, _scales_and_means(problem, overlaps, condition)

        def sums(spread: list[BlockSpread], noise: jax.Array) -> tuple[jax.Array, jax.Array]:
            z = _fields(spread, scales, means)
            own, readout = to_float((problem, overlaps.readout), z.dtype)
            output, y = readout @ own.student.activation(z[:K]), own.task.clean_label(z[K:].T, condition.cluster)
            right = (jnp.sign(output) == jnp.sign(y)).astype(z.dtype)
            return jnp.sum((output - y) ** 2) / 2, jnp.sum(right)

        return self._mean(sums, self.spread(problem, overlaps))

    def _mean(self, sums: Callable[..., Any], spread: "list[BlockSpread]") -> Any:
        """The average over points of what `sums` adds up over some of them, given their spread and label noise."""
        normals = jnp.asarray(self.normals)
        points = normals.shape[1]
        exact = jnp.result_type(float)

        def of_piece(first: Any, length: int) -> Any:
            def cut(x: jax.Array) -> jax.Array:
                return jax.lax.dynamic_slice_in_dim(x, first, length, axis=-1)

            found = sums([BlockSpread(cut(each.xi), each.factor) for each in spread], cut(normals[-1]))
            return jax.tree.map(lambda x: x.astype(exact) / points, found)

        if points <= PIECE:
            return of_piece(0, points)

        @jax.checkpoint  # or reverse mode would keep the fields of all pieces
        def add(total: Any, first: Any) -> tuple[Any, None]:
            return jax.tree.map(jnp.add, total, of_piece(first, PIECE)), None

        shapes = jax.eval_shape(lambda: of_piece(0, PIECE))
        nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
        return jax.lax.scan(add, nothing, jnp.arange(0, points, PIECE))[0]

    def hidden_and_label(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[jax.Array, jax.Array]:
        """phi(lambda_k) (K, S) and the noiseless label (S,) at every point."""
        K = problem.student.width
        z = _fields(self.spread(problem, overlaps), *_scales_and_means(problem, overlaps, condition))
        return problem.student.activation(z[:K]), problem.task.clean_label(z[K:].T, condition.cluster)


class BlockSpread(eqx.Module):
    """A block's standard normals xi (r, S) and the factor (K + M, r) that makes its fields of them."""

    xi: jax.Array
    factor: jax.Array


def _scales_and_means(problem: Problem, overlaps: Overlaps, condition: Condition) -> tuple[jax.Array, jax.Array]:
    """Per block, sqrt(Delta_b) and the mean fields (B, J)."""
    K = problem.student.width
    return jnp.sqrt(condition.variances), overlaps.gram[:, :, K:] @ condition.mean


def _fields(spread: list[BlockSpread], scales: jax.Array, means: jax.Array) -> jax.Array:
    """z_j (J, S): sum over blocks of mean + sqrt(Delta_b) factor xi, in the precision of xi."""
    parts = [(scale * each.factor).astype(each.xi.dtype) @ each.xi for each, scale in zip(spread, scales, strict=True)]
    return sum(parts[1:], parts[0]) + means.sum(axis=0).astype(parts[0].dtype)[:, None]


def dimensions(problem: Problem) -> list[int]:
    """Number of Gaussians that each block's fields need: its largest possible rank."""
    _, K, M = problem.shape
    task = problem.task
    return [
        M if spanned else K + M if seen else K
        for seen, spanned in zip(task.seen_blocks, task.spanned_blocks, strict=True)
    ]
