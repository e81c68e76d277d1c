"""Randomised quasi-Monte Carlo averages: any activation, label, loss and cluster means."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from teacher_student import Condition, InputError, Overlaps, Problem, as_key

from ._base import Averages, StepAverages
from ._roots import pseudo_inverse_sqrt, symmetric_sqrt


class Sampled(eqx.Module):
    """Averages over scrambled Sobol points, fixed for the whole integration, repeated with fresh scramblings.

    The integration is done once per scrambling; the result is their mean, and their spread gives its
    standard error (`Trajectory.sampling_error`). An unstable state, such as a plateau being left, amplifies the
    averages' error (about 1e-4 with 2^12 points) like any perturbation, and the stated error grows with it.

    Arguments:
      points: points per scrambling, a power of two. replicates: independent scramblings, at least 2.
      key: seed or JAX key of the scramblings.
    Raises InputError. Source: randomised quasi-Monte Carlo, Owen 1997.
    """

    points: int = eqx.field(static=True)
    replicates: int = eqx.field(static=True)
    key: Any

    def __init__(self, points: int = 2**12, replicates: int = 4, key: Any = 0):
        if not isinstance(points, int) or points < 2 or points & (points - 1):
            raise InputError("a power of two as number of points (Sobol points are balanced only then)", points)
        if not isinstance(replicates, int) or replicates < 2:
            raise InputError("at least 2 replicates (their spread is the reported error)", replicates)
        self.points, self.replicates, self.key = points, replicates, as_key(key)

    def draw(self, problem: Problem) -> "FixedSample":
        """The points of every scrambling, standard normal: a FixedSample with leading axis `replicates`."""
        B, K, M = problem.shape
        words = np.asarray(jax.random.key_data(self.key)).ravel().tolist()
        seeds = np.random.SeedSequence(words).spawn(self.replicates)
        return FixedSample(np.stack([_normals(self.points, B * (K + M) + 1, seed) for seed in seeds]))


def _normals(points: int, dimensions: int, seed: np.random.SeedSequence) -> np.ndarray:
    sobol = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    return ndtri(np.clip(sobol.random(points), 2.0**-33, 1 - 2.0**-33))


class FixedSample(Averages):
    """Averages over one fixed set of standard normal points (S, B (K + M) + 1); the last column is label noise."""

    normals: Any

    def fields(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> jax.Array:
        """Block fields z^b of every point, (S, B, K + M), students first.

        Latents first, then students given them, so that the latent fields stay fixed as the student moves:
        nu^b = T^(1/2) xi,  lambda^b = R T^(-1/2) xi + (Q - R T^-1 R^T)^(1/2) xi'.
        """
        B, K, M = problem.shape
        xi = jnp.asarray(self.normals)[:, :-1].reshape(-1, B, K + M)

        def factor(Q: jax.Array, R: jax.Array, T: jax.Array) -> jax.Array:
            aligned = R @ pseudo_inverse_sqrt(T)
            rest = symmetric_sqrt(Q - aligned @ aligned.T)
            return jnp.block([[rest, aligned], [jnp.zeros((M, K)), symmetric_sqrt(T)]])

        factors = jax.vmap(factor)(overlaps.Q, overlaps.R, overlaps.T)
        mean = overlaps.gram[:, :, K:] @ condition.mean
        scale = jnp.sqrt(condition.variances)[:, None, None]
        return jnp.einsum("sbi,bji->sbj", xi, scale * factors) + mean

    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        K, v = problem.student.width, overlaps.readout
        z = self.fields(problem, overlaps, condition)
        full = z.sum(axis=1)
        hidden = problem.student.activation(full[:, :K])
        y = problem.task.label(full[:, K:], condition.cluster, jnp.asarray(self.normals)[:, -1])
        loss_slope = problem.sgd.loss_slope(hidden @ v, y)
        g = loss_slope[:, None] * v * problem.student.activation.derivative(full[:, :K])
        points = z.shape[0]
        return StepAverages(jnp.einsum("sk,sbj->bkj", g, z) / points, g.T @ g / points, loss_slope @ hidden / points)

    def error_and_accuracy(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[jax.Array, jax.Array]:
        """E (yhat - y)^2 / 2 with the noiseless label, and P(sign yhat = sign y)."""
        K = problem.student.width
        z = self.fields(problem, overlaps, condition).sum(axis=1)
        output = problem.student.output(z[:, :K], overlaps.readout)
        y = problem.task.clean_label(z[:, K:], condition.cluster)
        return jnp.mean((output - y) ** 2) / 2, jnp.mean(jnp.sign(output) == jnp.sign(y))
