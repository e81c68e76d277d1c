"""One step of online SGD on a finite-size student: the experiment that the theory must predict."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from teacher_student import Problem
from teacher_student.internal import Numbers

from ._weights import Weights


class Sample(eqx.Module):
    """One sample's random parts.

    level, cluster: indices of its level and of its cluster there. noise: of the label, N(0, 1), which the task scales.
    """

    level: Any
    cluster: Any
    input: Float[Array, "N"]
    noise: Float[Array, ""]


def block_of_dimension(sizes: tuple[int, ...]) -> Int[Array, "N"]:
    """Return the index of the block that each input dimension (or coordinate) belongs to."""
    return jnp.repeat(jnp.arange(len(sizes)), jnp.array(sizes), total_repeat_length=sum(sizes))


def make_sample(
    problem: Problem,
    latents: Float[Numbers, "M N"],
    blocks: Int[Array, "N"],
    normal: Float[Array, "N"],
    level: Any,
    cluster: Any,
    noise: Any,
    dim: Any = None,
) -> Sample:
    """Make a sample of a level and a cluster from standard normal numbers.

      x = s_l sum_m a_cm u_m / sqrt(N) + sqrt(Delta_{l,b}) normal
    with the cluster's mean s_l a_cm along the latent directions u_m, and the variance of the level in each block b.

    Arguments: latents: directions u. blocks: the block of each dimension. normal: standard normal numbers.
    level, cluster: indices. noise: N(0, 1), of the label. dim: N, where the coordinates are fewer than the dimensions.
    Returns a Sample.
    """
    scale = jnp.sqrt(jnp.asarray(problem.inputs.variances, normal.dtype))[level][blocks]
    mean = jnp.asarray(problem.task.cluster_means, normal.dtype)[level, cluster]
    shift = mean @ latents / jnp.sqrt(jnp.asarray(normal.size if dim is None else dim, normal.dtype))
    return Sample(level, cluster, scale * normal + shift, noise)


def sgd_step(problem: Problem, weights: Weights, sample: Sample, dim: Any = None) -> Weights:
    r"""One step of SGD on one sample.

      lambda_k = w_k . x / sqrt(N),   nu_m = u_m . x / sqrt(N),   g_k = dloss/dyhat v_k phi'(lambda_k)
      w_k <- w_k - eta / sqrt(N) g_k x - eta gamma / N w_k
      v_k <- v_k - eta_v / N dloss/dyhat phi(lambda_k) - eta_v gamma / N v_k

    dim: N, where weights and input are written in fewer coordinates. Only products of vectors enter: any orthonormal
    coordinates will do.
    Source: Saad & Solla 1995, Eq. (4); Goldt et al. 2019, Eq. (4).
    """
    w, u, v, x = weights.student, weights.latents, weights.readout, sample.input
    dim = x.size if dim is None else dim
    root = jnp.sqrt(jnp.asarray(dim, x.dtype))
    eta, eta_v, gamma = (
        jnp.asarray(rate, x.dtype)
        for rate in (problem.sgd.learning_rate, problem.sgd.readout_learning_rate, problem.sgd.weight_decay)
    )
    fields = jnp.matmul(w, x, precision=jax.lax.Precision.HIGHEST) / root
    nu = jnp.matmul(u, x, precision=jax.lax.Precision.HIGHEST) / root
    hidden = problem.student.activation(fields)
    loss_slope = problem.sgd.loss_slope(hidden @ v, problem.task.label(nu, sample.cluster, sample.noise))
    g = loss_slope * v * problem.student.activation.derivative(fields)
    return Weights(  # 1 - eta gamma / N would be rounded: in float32, decays below 1e-7 to nothing
        student=w - ((eta * gamma / dim) * w + (eta / root) * g[:, None] * x),
        latents=u,
        readout=v - ((eta_v * gamma / dim) * v + (eta_v / dim) * loss_slope * hidden),
    )
