"""Labels that are linear in units, which every closed form of a committee needs."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from teacher_student import Activation, InputError, Problem, SumOfUnits
from teacher_student.internal import Numbers, as_activation, is_known


def linear_labels(problem: Problem) -> SumOfUnits | None:
    """Return labels as the sum y = sum_m vt_m psi(nu_m) + noise xi that they are; None where they are none.

    A sign label of a single odd unit is a sign unit: sign(vt phi(nu)) = sign(vt) sign(nu). Its noise stays under the
    sign, and it stays `signed`.
    """
    labels = problem.task.units
    if labels is None or not labels.signed:
        return labels
    if problem.task.latents > 1 or not labels.activation.odd:
        return None
    vt = labels.readout
    signs = np.sign(vt) if is_known(vt) else jnp.sign(vt)
    return SumOfUnits(as_activation("sign"), signs, labels.noise, signed=True)


def require_linear_labels(problem: Problem) -> SumOfUnits:
    """Return `linear_labels`. Raises InputError where there are none."""
    labels = linear_labels(problem)
    if labels is None:
        raise InputError("labels that are a sum of units", type(problem.task).__name__, "use averages=ode.Sampled()")
    return labels


def units_of(problem: Problem) -> tuple[Activation, Activation]:
    """Return the units of student and teacher. Raises InputError where labels are not linear in units."""
    return problem.student.activation, require_linear_labels(problem).activation


def signed_readouts(problem: Problem, readout: Float[Numbers, "K"]) -> Float[Array, "J"]:
    """Return s = (v, -vt): yhat - y = sum_i s_i phi_i(z_i) over students and latents."""
    return jnp.concatenate([jnp.asarray(readout), -jnp.asarray(require_linear_labels(problem).readout)])
