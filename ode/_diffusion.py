"""Covariance of one SGD step, and what the drift leaves out of the step's mean at order 1/N."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Condition, Overlaps, Problem, to_vector

from .averages import FixedSample, dimensions, unit_gradients, weighted_sum


class Step(eqx.Module):
    """One SGD step's ingredients at the points of a sample, points last.

    z: (B, J, S) block fields. length: (B, S) squared length of x^b in the span of the students and latents.
    hidden: (K, S) phi(lambda_k). loss_slope: (S,) dloss/dyhat. g: (K, S) dloss/dlambda_k.
    """

    z: jax.Array
    length: jax.Array
    hidden: jax.Array
    loss_slope: jax.Array
    g: jax.Array


def step_at(problem: Problem, sample: FixedSample, overlaps: Overlaps, condition: Condition) -> Step:
    """Return the ingredients of a step under one condition.

    The block fields are z^b = factor (sqrt(Delta_b) xi + factor^T a), and x^b likewise.
    """
    problem = problem.at_level(condition.level)
    K, spread = problem.student.width, sample.spread(problem, overlaps)
    within = [
        scale * block.xi + (block.factor[K:].T @ condition.mean)[:, None]
        for block, scale in zip(spread, jnp.sqrt(condition.variances), strict=True)
    ]
    z = jnp.stack([block.factor @ x for block, x in zip(spread, within, strict=True)])
    noise = jnp.asarray(sample.normals)[-1]
    total = z.sum(axis=0)
    label = problem.task.label(total[problem.student.width :].T, condition.cluster, noise)
    hidden, loss_slope, g = unit_gradients(problem, overlaps.readout, total, label)
    return Step(z, jnp.stack([jnp.sum(x**2, axis=0) for x in within]), hidden, loss_slope, g)


def increments(problem: Problem, step: Step, condition: Condition) -> jax.Array:
    r"""Return N times the change of every entry in one step, at each point: (n, S), as `to_vector` orders them.

    Without decay, which does not fluctuate.
    f^b_kl = -eta (g_k lambda^b_l + g_l lambda^b_k) + eta^2 rho_b Delta_{l,b} g_k g_l  on Q
    f^b_km = -eta g_k nu^b_m  on R,      f_k = -eta_v dloss/dv_k  on the readout
    """
    K, sgd = problem.student.width, problem.sgd
    eta, eta_v = jnp.asarray(sgd.learning_rate), jnp.asarray(sgd.readout_learning_rate)
    square = (jnp.asarray(problem.inputs.fractions) * condition.variances)[:, None, None]  # of x^b, over N
    student, latents, g = step.z[:, :K], step.z[:, K:], step.g
    k, l = np.triu_indices(K)
    Q = -eta * (g[k] * student[:, l] + g[l] * student[:, k]) + eta**2 * square * (g[k] * g[l])
    R = -eta * g[:, None] * latents[:, None]
    return jnp.concatenate([*Q, *(row.reshape(-1, g.shape[1]) for row in R), -eta_v * step.loss_slope * step.hidden])


class Diffusion(eqx.Module):
    """covariance: (n, n) D of one step's scaled increment. beyond: (n,) N (E[step] - drift / N), of order 1."""

    covariance: jax.Array
    beyond: jax.Array


def diffusion(problem: Problem, sample: FixedSample, alpha: Any, overlaps: Overlaps) -> Diffusion:
    r"""Return D and c at one state, over the fields, the output noise, and the draw of level and cluster.

      D = E[f f^T] - E[f] E[f]^T,   f: `increments`
      c^b = eta^2 (E[g g^T |x^b|^2] - rho_b N Delta_b E[g g^T]) + eta^2 gamma E[g lambda^bT + lambda^b g^T]
            + eta^2 gamma^2 Q^b   on Q, and 0 elsewhere
    with |x^b|^2 = its part in the span of the rows of weights + Delta_b chi^2 of N_b - r_b degrees of freedom.
    Source: Barber, Saad & Sollich 1996 (one block, no noise); levels, clusters, noise, decay and readout added here.
    """

    def part(condition: Condition) -> tuple[jax.Array, jax.Array, jax.Array]:
        step = step_at(problem, sample, overlaps, condition)
        f = increments(problem, step, condition)
        return f @ f.T / f.shape[1], f.mean(axis=1), _beyond(problem, step, overlaps, condition)

    weights = problem.condition_weights(alpha)
    square, mean, beyond = weighted_sum(part, problem.task.conditions(), weights)
    return Diffusion(square - jnp.outer(mean, mean), beyond)


def _beyond(problem: Problem, step: Step, overlaps: Overlaps, condition: Condition) -> jax.Array:
    """Return c (n,) of one condition."""
    K, S = problem.student.width, step.g.shape[1]
    eta, gamma = jnp.asarray(problem.sgd.learning_rate), jnp.asarray(problem.sgd.weight_decay)
    freedom = extra_dimensions(problem) - np.array(dimensions(problem))  # N_b - r_b - rho_b N
    length = step.length + (condition.variances * freedom)[:, None]
    gg = jnp.einsum("bs,ks,ls->bkl", length, step.g, step.g) / S
    g_lambda = jnp.einsum("ks,bls->bkl", step.g, step.z[:, :K]) / S
    Q = eta**2 * (gg + gamma * (g_lambda + g_lambda.swapaxes(1, 2)) + gamma**2 * overlaps.Q)
    zero = jax.tree.map(jnp.zeros_like, overlaps)
    return to_vector(Overlaps(Q, zero.R, zero.T, zero.readout))


def extra_dimensions(problem: Problem) -> jax.Array:
    """Return N_b - rho_b N (B,).

    A block of fraction 0 has as many dimensions as there are latents, and these are taken from the others.
    """
    fractions = jnp.asarray(problem.inputs.fractions)
    finite = fractions == 0
    return jnp.where(finite, problem.task.latents, -fractions * problem.task.latents * jnp.sum(finite))


def test_covariance(problem: Problem, sample: FixedSample, overlaps: Overlaps, with_accuracy: bool) -> jax.Array:
    """Return the covariance (q, q) of what one test sample adds to the measured errors, and then to the accuracies.

    All levels are measured on the same standard normal inputs and clusters, which are scaled with each one's variances.
    """
    probabilities = jnp.asarray(problem.task.cluster_probabilities)

    def outcomes(condition: Condition) -> jax.Array:
        hidden, y = sample.hidden_and_label(problem, overlaps, condition)
        output = overlaps.readout @ hidden
        error, right = (output - y) ** 2 / 2, (jnp.sign(output) == jnp.sign(y)).astype(output.dtype)
        return jnp.stack([error, right] if with_accuracy else [error])

    conditions = problem.task.conditions()  # levels, and clusters within a level
    of_cluster = jax.tree.map(lambda x: x.reshape(-1, probabilities.size, *x.shape[1:]).swapaxes(0, 1), conditions)

    def moments(conditions: Condition) -> tuple[jax.Array, jax.Array]:
        seen = jax.lax.map(outcomes, conditions).swapaxes(0, 1)  # errors of all levels, then accuracies
        rows = seen.reshape(-1, seen.shape[-1])
        return rows.mean(axis=1), rows @ rows.T / rows.shape[1]

    mean, square = (jnp.tensordot(probabilities, x, (0, 0)) for x in jax.lax.map(moments, of_cluster))
    covariance: jax.Array = jnp.subtract(square, jnp.outer(mean, mean))
    return covariance
