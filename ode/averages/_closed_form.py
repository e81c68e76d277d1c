"""Closed-form averages, of the students and teachers that the registry of closed forms has."""

import jax.numpy as jnp

from teacher_student import Condition, Overlaps, Problem

from ..moments import require_linear_labels, signed_readouts, units_of
from ._affine import affine_step, is_affine
from ._base import Averages, StepAverages
from ._missing import require_closed_form, step_of


class ClosedForm(Averages):
    """Exact averages for erf and polynomial students, the squared loss, and teacher units of these kinds or sign.

    Here phi(x) = erf(x / sqrt 2). With s = (v, -vt) over students and latents and C = sum_b Delta_{l,b} Omega^b,

      E[g_k z^b_j]  = v_k sum_i s_i I3(k, z^b_j, i)
      E[g_k g_l]    = v_k v_l (sum_ij s_i s_j I4(k, l, i, j) + sigma^2 J2(k, l))
      E[dloss/dv_k] = sum_i s_i I2(k, i)

    A linear student of a mixture whose labels are numbers of the clusters, or linear in the latent fields, has them
    too: all fields are Gaussian. A polynomial student has these averages by Wick's theorem, in code that is derived
    once per process. Units of your own have them by what `ode.add_closed_form` has entered.
    Source: Saad & Solla 1995, Eqs. (8)-(11) and appendix A; Goldt et al. 2019 (readout, noise).
    """

    @property
    def name(self) -> str:
        return "closed form"

    def check(self, problem: Problem) -> None:
        require_closed_form(problem, traced_noise=False)

    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        if is_affine(problem):
            return affine_step(problem, overlaps, condition)
        problem = problem.at_level(condition.level)
        v, units = jnp.asarray(overlaps.readout), units_of(problem)
        block = condition.variances[:, None, None] * overlaps.gram  # Cov(z^b_i, z_j) = Cov(z^b_i, z^b_j)
        noise = jnp.asarray(require_linear_labels(problem).noise) ** 2
        return step_of(units)(block, v, signed_readouts(problem, v), noise)
