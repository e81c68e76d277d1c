"""One step of online SGD on a finite-size student: the experiment that the theory must predict."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from teacher_student import InputError, Problem
from teacher_student.internal import PublicModule

from ._weights import Weights


class Sample(PublicModule):
    """One sample's random parts.

    level, cluster: indices of its level and of its cluster there. input: x, in the coordinates of the weights.
    noise: of the label, N(0, 1), which the task scales.
    """

    level: Any
    cluster: Any
    input: Float[Array, "N"]
    noise: Float[Array, ""]


def sgd_step(problem: Problem, weights: Weights, sample: Sample, dim: Any = None) -> Weights:
    r"""One step of SGD on one sample.

      lambda_k = w_k . x / sqrt(N),   nu_m = u_m . x / sqrt(N),   g_k = dloss/dyhat v_k phi'(lambda_k)
      w_k <- w_k - eta / sqrt(N) g_k x - eta gamma / N w_k
      v_k <- v_k - eta_v / N dloss/dyhat phi(lambda_k) - eta_v gamma / N v_k

    Arguments: problem: at the time of the step, `problem.at((n + 1/2) / N)` if it has schedules. dim: N, where weights
    and input are written in fewer coordinates. Only products of vectors enter: any orthonormal coordinates will do.
    Raises InputError for a problem with schedules.
    Source: Saad & Solla 1995, Eq. (4); Goldt et al. 2019, Eq. (4).
    """
    for name in problem.schedules:
        required = "a problem at one time for one step of SGD"
        raise InputError(required, f"a schedule of {name}", "take problem.at((n + 1/2) / N)")
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
    loss_slope = problem.sgd.loss_slope(
        hidden @ v, problem.task.at_level(sample.level).label(nu, sample.cluster, sample.noise)
    )
    g = loss_slope * v * problem.student.activation.derivative(fields)
    return Weights(  # 1 - eta gamma / N would be rounded: in float32, decays below 1e-7 to nothing
        student=w - ((eta * gamma / dim) * w + (eta / root) * g[:, None] * x),
        latents=u,
        readout=v - ((eta_v * gamma / dim) * v + (eta_v / dim) * loss_slope * hidden),
    )
