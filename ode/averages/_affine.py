"""Closed forms of linear students whose labels are affine in the latent fields, cluster by cluster."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from teacher_student import Condition, Overlaps, Problem

from ._base import StepAverages


def is_affine(problem: Problem) -> bool:
    """Return whether yhat - y is affine in the local fields, and Gaussian, under every condition."""
    phi = problem.student.activation.polynomial
    is_identity = phi is not None and list(map(float, phi.coefficients)) == [0.0, 1.0]
    return is_identity and problem.task.affine_labels is not None


class Difference:
    """The difference e = yhat - y = w . z - y_c - sigma_c xi under one condition, w = (v, -vt_c), of Gaussian fields z.

    Fields: w: (J,). mean: () of e. fields: (J,) mean of z. covariance: (J, J) of z. noise: () variance of the label's.
    """

    def __init__(self, problem: Problem, overlaps: Overlaps, condition: Condition):
        labels = problem.task.affine_labels
        assert labels is not None  # `is_affine` comes first
        K, gram = problem.student.width, jnp.asarray(overlaps.gram)
        teachers = np.zeros((1, problem.task.latents)) if labels.teachers is None else labels.teachers
        teacher = jnp.asarray(teachers, gram.dtype)[0 if labels.teachers is None else condition.cluster]
        offset, noise = (jnp.asarray(numbers, gram.dtype)[condition.cluster] for numbers in labels[1:])
        self.w = jnp.concatenate([jnp.asarray(overlaps.readout), -teacher])
        self.block_means = gram[:, :, K:] @ condition.mean
        self.fields = self.block_means.sum(axis=0)
        self.covariance = jnp.einsum("b,bij->ij", condition.variances, gram)
        self.mean, self.noise, self.offset = self.w @ self.fields - offset, noise**2, offset

    @property
    def square(self) -> Float[Array, ""]:
        """E[e^2] without the label's noise."""
        return self.w @ self.covariance @ self.w + self.mean**2


def affine_step(problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
    r"""Return the averages of a step of a linear student.

    E[g_k z^b_j]  = v_k (Delta_b (Omega^b w)_j + E[e] E[z^b_j])
    E[g_k g_l]    = v_k v_l (w^T C w + E[e]^2 + sigma_c^2)
    E[dloss/dv_k] = (C w)_k + E[e] E[lambda_k]
    """
    K, v, e = problem.student.width, jnp.asarray(overlaps.readout), Difference(problem, overlaps, condition)
    error_z = condition.variances[:, None] * (jnp.asarray(overlaps.gram) @ e.w) + e.mean * e.block_means
    loss_slope = e.covariance @ e.w + e.mean * e.fields
    return StepAverages(v[:, None] * error_z[:, None, :], jnp.outer(v, v) * (e.square + e.noise), loss_slope[:K])


def affine_error(problem: Problem, overlaps: Overlaps, condition: Condition) -> Float[Array, ""]:
    """Return E (yhat - y)^2 / 2 with the noiseless label."""
    return Difference(problem, overlaps, condition).square / 2


def has_constant_labels(problem: Problem) -> bool:
    """Return whether a cluster's noiseless label is one number, so that P(sign yhat = sign y) has a closed form."""
    labels = problem.task.affine_labels
    return labels is not None and labels.teachers is None


def affine_accuracy(problem: Problem, overlaps: Overlaps, condition: Condition) -> Float[Array, ""]:
    """Return P(sign yhat = sign y) for a linear student and labels by cluster: P(yhat > 0) where y_c > 0."""
    e, positive = Difference(problem, overlaps, condition), affine_positive(problem, overlaps, condition)
    return jnp.where(e.offset > 0, positive, jnp.where(e.offset < 0, 1 - positive, 0.0))


def affine_positive(problem: Problem, overlaps: Overlaps, condition: Condition) -> Float[Array, ""]:
    """Return P(yhat > 0) = Phi(E[yhat] / sd[yhat]) of a linear student."""
    K, v, e = problem.student.width, jnp.asarray(overlaps.readout), Difference(problem, overlaps, condition)
    return _positive_probability(v @ e.fields[:K], v @ e.covariance[:K, :K] @ v)


def _positive_probability(mean: Float[Array, ""], variance: Float[Array, ""]) -> Float[Array, ""]:
    """Return P(x > 0) of a Gaussian x; of one without variance it is 1, or 0 where the mean is not positive."""
    spread = variance > 0
    root = jnp.sqrt(jnp.where(spread, variance, 1.0))
    within = jax.scipy.stats.norm.cdf(mean / root)
    return jnp.where(spread, within, (mean > 0).astype(within.dtype))
