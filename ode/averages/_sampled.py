"""Randomised quasi-Monte Carlo averages: any activation, label, loss and cluster means."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from teacher_student import Condition, InputError, Overlaps, Problem, as_key

from ._base import Averages, MeanStep, StepAverages, sum_of_conditions, unit_gradients
from ._roots import pseudo_inverse_sqrt, symmetric_sqrt


class Sampled(eqx.Module):
    """Averages over scrambled Sobol points, fixed for the whole integration, repeated with fresh scramblings.

    The integration is done once per scrambling; the result is their mean, and their spread gives its
    standard error (`Trajectory.sampling_error`). An unstable state, such as a plateau being left, amplifies the
    averages' error (about 1e-4 with 2^12 points) like any perturbation, and the stated error grows with it.

    Arguments:
      points: points per scrambling, a power of two. replicates: independent scramblings; the standard error over n of
        them is that of Student's t with n - 1 degrees of freedom: with 4, a deviation of 6 such errors happens in 1 %.
        1: no error is estimated (NaN), as for ensembles of starts, whose spread is far larger.
      key: seed or JAX key of the scramblings.
    Raises InputError. Source: randomised quasi-Monte Carlo, Owen 1997.
    """

    points: int = eqx.field(static=True)
    replicates: int = eqx.field(static=True)
    key: Any

    def __init__(self, points: int = 2**12, replicates: int = 4, key: Any = 0):
        if not isinstance(points, int) or points < 2 or points & (points - 1):
            raise InputError("a power of two as number of points (Sobol points are balanced only then)", points)
        if not isinstance(replicates, int) or replicates < 1:
            raise InputError("replicates >= 1 (with 1 no error is estimated)", replicates)
        self.points, self.replicates, self.key = points, replicates, as_key(key)

    def draw(self, problem: Problem) -> "FixedSample":
        """The points of every scrambling, standard normal: a FixedSample with leading axis `replicates`."""
        words = np.asarray(jax.random.key_data(self.key)).ravel().tolist()
        seeds = np.random.SeedSequence(words).spawn(self.replicates)
        count = sum(dimensions(problem)) + 1  # the last one: label noise
        return FixedSample(np.stack([_normals(self.points, count, seed) for seed in seeds]))


def _normals(points: int, dimensions: int, seed: np.random.SeedSequence) -> np.ndarray:
    sobol = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    return np.ascontiguousarray(ndtri(np.clip(sobol.random(points), 2.0**-33, 1 - 2.0**-33)).T)


class FixedSample(Averages):
    """Averages over one fixed set of standard normal points; rows: the blocks' Gaussians, then label noise."""

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
        K = problem.student.width
        scales = jnp.sqrt(condition.variances)
        means = overlaps.gram[:, :, K:] @ condition.mean  # (B, J)
        z = _fields(spread, scales, means)
        points = z.shape[1]
        noise = jnp.asarray(self.normals)[-1]
        hidden, loss_slope, g = unit_gradients(problem, overlaps.readout, z, condition.cluster, noise)
        mean_g = g.mean(axis=1)
        gz = [
            jnp.outer(mean_g, mean) + scale * (g @ each.xi.T / points) @ each.factor.T
            for each, scale, mean in zip(spread, scales, means, strict=True)
        ]
        return StepAverages(jnp.stack(gz), g @ g.T / points, hidden @ loss_slope / points)

    def error_and_accuracy(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[jax.Array, jax.Array]:
        """E (yhat - y)^2 / 2 with the noiseless label, and P(sign yhat = sign y)."""
        hidden, y = self.hidden_and_label(problem, overlaps, condition)
        output = overlaps.readout @ hidden
        return jnp.mean((output - y) ** 2) / 2, jnp.mean(jnp.sign(output) == jnp.sign(y))

    def hidden_and_label(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[jax.Array, jax.Array]:
        """phi(lambda_k) (K, S) and the noiseless label (S,) at every point."""
        K = problem.student.width
        means = overlaps.gram[:, :, K:] @ condition.mean
        z = _fields(self.spread(problem, overlaps), jnp.sqrt(condition.variances), means)
        return problem.student.activation(z[:K]), problem.task.clean_label(z[K:].T, condition.cluster)


class BlockSpread(eqx.Module):
    """A block's standard normals xi (r, S) and the factor (K + M, r) that makes its fields of them."""

    xi: jax.Array
    factor: jax.Array


def _fields(spread: list[BlockSpread], scales: jax.Array, means: jax.Array) -> jax.Array:
    """z_j (J, S): sum over blocks of mean + sqrt(Delta_b) factor xi."""
    parts = [scale * each.factor @ each.xi for each, scale in zip(spread, scales, strict=True)]
    return sum(parts[1:], parts[0]) + means.sum(axis=0)[:, None]


def dimensions(problem: Problem) -> list[int]:
    """Number of Gaussians that each block's fields need: its largest possible rank."""
    _, K, M = problem.shape
    task = problem.task
    return [
        M if spanned else K + M if seen else K
        for seen, spanned in zip(task.seen_blocks, task.spanned_blocks, strict=True)
    ]
