"""The ODEs of the overlaps, written once for every task, activation, loss and supplier of averages."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import InputError, Overlaps, Problem
from teacher_student.internal import check_alphas, check_state

from .averages import Averages


def drift(problem: Problem, averages: Averages, alpha: Any, overlaps: Overlaps) -> Overlaps:
    r"""d(overlaps)/dalpha at time alpha.

    For one level l and cluster c, with E over the law of the fields and g_k = dloss/dlambda_k:
      dR^b_km/dalpha = -eta E[g_k nu^b_m]                              - eta gamma R^b_km
      dQ^b_kl/dalpha = -eta E[g_k lambda^b_l + g_l lambda^b_k]
                       + eta^2 rho_b Delta_{l,b} E[g_k g_l]            - 2 eta gamma Q^b_kl
      dv_k/dalpha    = -eta_v E[dloss/dv_k]                            - eta_v gamma v_k
    averaged over (l, c) with the curriculum's shares at alpha, and with schedules read at alpha; dT/dalpha = 0.

    Arguments: overlaps without leading axes; averages: ClosedForm(), or one scrambling of `Sampled(...).draw(problem)`;
      alpha: a time within the curriculum. In the precision of the arguments: float64 inside `jax.enable_x64(True)`.
    Raises InputError.
    Source: Saad & Solla 1995, Eqs. (8)-(9); Goldt et al. 2019, Eq. (8); blocks: Saglietti et al. 2022.
    """
    check_drift(problem, averages, alpha, overlaps)
    problem = problem.at(alpha)
    K, sgd = problem.student.width, problem.sgd
    mean = averages.mean_step(problem, overlaps, problem.task.conditions(), problem.condition_weights(alpha))
    gz, gg = mean.gz, mean.gg
    eta, eta_v, gamma = (jnp.asarray(x) for x in (sgd.learning_rate, sgd.readout_learning_rate, sgd.weight_decay))
    rho = jnp.asarray(problem.inputs.fractions)[:, None, None]
    g_lambda = gz[:, :, :K]
    return Overlaps(
        Q=-eta * (g_lambda + g_lambda.swapaxes(-1, -2)) + eta**2 * rho * gg - 2 * eta * gamma * overlaps.Q,
        R=-eta * gz[:, :, K:] - eta * gamma * overlaps.R,
        T=jnp.zeros_like(overlaps.T),
        readout=-eta_v * mean.loss_slope - eta_v * gamma * overlaps.readout,
    )


def check_drift(problem: Problem, averages: Averages, alpha: Any, overlaps: Overlaps) -> None:
    """Raise InputError unless the drift of `problem` can be computed; of what is being traced, shapes are checked."""
    check_state(problem, overlaps)
    if not isinstance(averages, Averages):
        remedy = "of a sample take one scrambling: jax.tree.map(lambda x: x[0], ode.Sampled().draw(problem))"
        raise InputError("averages=ode.ClosedForm() or a drawn sample", type(averages).__name__, remedy)
    averages.check(problem)
    if np.ndim(alpha) != 0:
        raise InputError("one time alpha", f"shape {np.shape(alpha)}", "use jax.vmap over it")
    check_alphas(alpha[None] if isinstance(alpha, jax.Array) else [alpha], problem, positive=False)
