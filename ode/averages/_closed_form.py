"""Closed-form averages: erf and polynomial students of committees with erf, sign and polynomial units."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Committee, Condition, InputError, Overlaps, Problem, is_known, polynomial_named

from ._base import Averages, StepAverages
from ._gaussian import I2, slope
from ._gradient_products import gradient_products
from ._polynomial_step import polynomial_step

SMALL = 2**8  # entries of a matrix: up to here fused loops on a CPU beat products of matrices
LARGEST_DEGREE = 6  # of a polynomial student: beyond, compiling its averages takes minutes


class ClosedForm(Averages):
    r"""Exact averages for phi(x) = erf(x / sqrt 2) or a polynomial, squared loss, teacher units of these kinds or sign.

    With s = (v, -vt) over students and latents and C = sum_b Delta_{l,b} Omega^b:
      E[g_k z^b_j] = v_k sum_i s_i I3(k, z^b_j, i)
      E[g_k g_l]   = v_k v_l (sum_ij s_i s_j I4(k, l, i, j) + sigma^2 J2(k, l))
      E[dloss/dv_k] = sum_i s_i I2(k, i)
    For a polynomial student by Wick's theorem, in code that `ode.derive` derives once per process.
    Source: Saad & Solla 1995, Eqs. (8)-(11) and appendix A; Goldt et al. 2019 (readout, noise).
    """

    @property
    def name(self) -> str:
        return "closed form"

    def check(self, problem: Problem) -> None:
        require_closed_form(problem, traced_noise=False)

    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        v, K = overlaps.readout, problem.student.width
        student, teacher = _units(problem)
        if student not in ("erf", "linear"):
            return polynomial_step(
                (student, teacher),
                condition.variances[:, None, None] * overlaps.gram,
                v,
                signed_readouts(problem, v),
                jnp.asarray(_committee(problem).noise) ** 2,
            )
        block = condition.variances[:, None, None] * overlaps.gram  # Cov(z^b_i, z_j) = Cov(z^b_i, z^b_j)
        C = block.sum(axis=0)
        s = signed_readouts(problem, v)
        variance = jnp.diagonal(C)
        own_slope = slope(student, variance[:K])
        pull = jnp.zeros((K, 1)) if student == "linear" else C[:K] / (1 + variance[:K, None])  # C_ka / D_k
        tilted = variance - pull * C[:K]  # (K, J) C~_ii under the density times phi'(k)
        slopes = s * _slopes(student, teacher, tilted, K)
        weighed = _small_product(slopes, block)
        along = weighed - block[:, :K] * jnp.sum(pull * slopes, 1)[:, None]
        gz = (v * own_slope)[:, None] * along  # sum_i s_i C~^b_ji E[phi'_i], C~^b_ji = C^b_ji - C^b_jk C_ki / D_k
        return StepAverages(
            gz, self._gg(problem, v, C, s), jnp.sum(moments_with_students(student, teacher, C, K) * s, -1)
        )

    def _gg(self, problem: Problem, v: jax.Array, C: jax.Array, s: jax.Array) -> jax.Array:
        """E[g_k g_l], each pair k <= l once."""
        K = problem.student.width
        student, teacher = _units(problem)
        noise = jnp.asarray(_committee(problem).noise) ** 2
        if student == "linear":
            return jnp.outer(v, v) * (s @ second_moments(student, teacher, C, K) @ s + noise)
        return gradient_products(teacher, C, v, s, noise)


def _small_product(slopes: jax.Array, block: jax.Array) -> jax.Array:
    """slopes (K, J) times block (B, J, J); few units are faster in one fused loop than in a product of matrices."""
    if slopes.size > SMALL:
        return slopes @ block
    return jnp.sum(slopes[None, :, :, None] * block[:, None], 2)


def signed_readouts(problem: Problem, readout: Any) -> jax.Array:
    """s = (v, -vt): yhat - y = sum_i s_i phi_i(z_i) over students and latents."""
    task = _committee(problem)
    teacher = jnp.asarray(task.readout)
    return jnp.concatenate([readout, -(jnp.sign(teacher) if task.labels == "sign" else teacher)])


def _slopes(student: str, teacher: str, variance: jax.Array, K: int) -> jax.Array:
    """E[phi'_i] of K student units followed by teacher units, along the last axis."""
    if student == teacher:
        return slope(student, variance)
    return jnp.concatenate([slope(student, variance[..., :K]), slope(teacher, variance[..., K:])], -1)


def moments_with_students(student: str, teacher: str, C: jax.Array, K: int) -> jax.Array:
    """(..., K, J) E[phi_k phi_i] = I2(k, i) of K student units with student and teacher units."""
    variance = jnp.diagonal(C, axis1=-2, axis2=-1)
    row, column = variance[..., :K, None], variance[..., None, :]
    if student == teacher:
        return I2((student, student), row, C[..., :K, :], column)
    own = I2((student, student), row, C[..., :K, :K], column[..., :K])
    return jnp.concatenate([own, I2((student, teacher), row, C[..., :K, K:], column[..., K:])], -1)


def second_moments(student: str, teacher: str, C: jax.Array, K: int) -> jax.Array:
    """(..., J, J) E[phi_i phi_j] = I2(i, j) for K student units followed by teacher units."""
    variance = jnp.diagonal(C, axis1=-2, axis2=-1)[..., K:]
    among = I2((teacher, teacher), variance[..., :, None], C[..., K:, K:], variance[..., None, :])
    if teacher == "sign":  # sign^2 = 1, which the rounding of C11 C22 - C12^2 misses by 1e-9
        among = jnp.where(jnp.eye(among.shape[-1], dtype=bool), 1.0 * (variance[..., :, None] > 0), among)
    top = moments_with_students(student, teacher, C, K)
    return jnp.concatenate([top, jnp.concatenate([top[..., K:].swapaxes(-1, -2), among], -1)], -2)


def teacher_unit(problem: Problem) -> str | None:
    """Kind of the teacher's units if labels are linear in them, else None.

    A sign label of a single odd unit is a sign unit: sign(vt phi(nu)) = sign(vt) sign(nu).
    """
    task = problem.task
    if not isinstance(task, Committee):
        return None
    if task.labels == "value":
        return task.activation.name
    return "sign" if task.width == 1 and task.activation.odd else None


def _committee(problem: Problem) -> Committee:
    assert isinstance(problem.task, Committee)  # `require_closed_form` comes first
    return problem.task


def _units(problem: Problem) -> tuple[str, str]:
    teacher = teacher_unit(problem)
    assert teacher is not None  # `require_closed_form` comes first
    return problem.student.activation.name, teacher


def missing_closed_form(problem: Problem, *, traced_noise: bool = True) -> str | None:
    """Why the drift of `problem` has no closed form here; None if it has one.

    traced_noise: whether label noise that is being traced counts as present (what it is cannot be looked at).
    """
    if not isinstance(problem.task, Committee):
        return f"a {type(problem.task).__name__} (committees have one)"
    student, teacher = problem.student.activation.name, teacher_unit(problem)
    own = polynomial_named(student)
    if student != "erf" and own is None:
        return f"student activation {student!r} (erf, linear and polynomials have one)"
    if own is not None and own.degree > LARGEST_DEGREE:
        return f"a polynomial student of degree {own.degree} (up to {LARGEST_DEGREE} it has one)"
    if problem.sgd.loss != "squared":
        return f"the {problem.sgd.loss} loss (squared has one)"
    if teacher is None:
        return "sign labels of several or non-odd units (one odd unit has one)"
    if teacher not in ("erf", "sign") and polynomial_named(teacher) is None:
        return f"teacher activation {teacher!r} (erf, sign, linear and polynomials have one)"
    if teacher == "sign" and student not in ("erf", "linear") and problem.task.width > 1:
        return "a polynomial student of several sign units (of one it has one)"
    noise = _committee(problem).noise
    if _committee(problem).labels == "sign" and (np.any(np.asarray(noise)) if is_known(noise) else traced_noise):
        return "sign labels with noise (without noise they have one)"
    return None


def require_closed_form(problem: Problem, *, traced_noise: bool = True) -> None:
    """Raise InputError if the drift of `problem` has no closed form (`missing_closed_form`)."""
    reason = missing_closed_form(problem, traced_noise=traced_noise)
    if reason:
        raise InputError("a problem with closed-form averages", reason, "use averages=ode.Sampled()")
