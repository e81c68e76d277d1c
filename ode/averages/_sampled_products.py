r"""Closed forms of wide erf students, but for E[g_k g_l]: K^2 (K + M)^2 arcsines, which points replace.

With delta = yhat - y, A_k = phi'(lambda_k), noise sigma and the closed forms E[delta^2] = 2 eps_g and
E[A_k A_l] = J2(k, l):
  E[g_k g_l] = v_k v_l (Cov(delta^2, A_k A_l) + (E[delta^2] + sigma^2) E[A_k A_l]).
Only the covariance is sampled, which is small where no unit alone decides about the output.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from teacher_student import Activation, Condition, Overlaps, Problem
from teacher_student.internal import Numbers, to_float

from ..moments import J2, look_up, require_linear_labels, row_for, second_moments, signed_readouts, units_of
from ._base import StepAverages, check_normals
from ._chunked_mean import mean_over_points
from ._closed_form import ClosedForm
from ._law_derivatives import error_and_accuracy_by_law
from ._matrix_roots import field_root
from ._tilted_step import tilted_step


@row_for("sampled products", "erf", "erf")
@row_for("sampled products", "erf", "sign")
@row_for("sampled products", "erf", "linear")
@row_for("sampled products", "erf", "polynomial")
def _step_with(student: Activation, teacher: Activation, *rest: jax.Array) -> StepAverages:
    return tilted_step((student, teacher), *rest)


class SampledProducts(ClosedForm):
    """ClosedForm with E[g_k g_l] over points, at the cost of S (K + M)^2.

    normals: standard normals of the total fields z = C^(1/2) xi. Fields, units and products of
    matrices have their precision.
    """

    normals: Float[Numbers, "*batch J S"]

    def check(self, problem: Problem) -> None:
        super().check(problem)
        check_normals(self.normals, problem.student.width + problem.task.latents)

    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        problem = problem.at_level(condition.level)
        v, units = jnp.asarray(overlaps.readout), units_of(problem)
        row = look_up("sampled products", *units)
        assert row is not None  # `Sampled.draw` comes first
        block = condition.variances[:, None, None] * overlaps.gram
        s = signed_readouts(problem, v)
        averages: StepAverages = row.function(*units, block, v, s, self._products(problem, v, block.sum(axis=0), s))
        return averages

    def _products(
        self, problem: Problem, v: Float[Array, "K"], C: Float[Array, "J J"], s: Float[Array, "J"]
    ) -> Float[Array, "K K"]:
        """Return E[g_k g_l]."""
        K = problem.student.width
        square = s @ second_moments(units_of(problem), C, K) @ s
        variance = jnp.diagonal(C)[:K]
        together = J2(variance[:, None], C[:K, :K], variance[None, :])
        root = field_root(C, K)

        def sums(normals: Float[Array, "J S"]) -> tuple[Float[Array, "K K"], Float[Array, ""]]:
            delta, z = self._difference(problem, v, root, normals, 0)
            excess = delta**2 - square.astype(z.dtype)
            slopes = problem.student.activation.derivative(z[:K])
            return (excess[None] * slopes) @ slopes.T, jnp.sum(excess)

        product, excess = mean_over_points(sums, jnp.asarray(self.normals))
        noise = jnp.asarray(require_linear_labels(problem).noise) ** 2
        return jnp.outer(v, v) * (product + (square + noise - excess) * together)

    def error_and_accuracy(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Return E (yhat - y)^2 / 2 with the noiseless label, and P(sign yhat = sign y)."""
        return error_and_accuracy_by_law(self, problem, overlaps, condition)

    def error_and_accuracy_of_points(
        self, problem: Problem, overlaps: Overlaps, condition: Condition
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Return `error_and_accuracy`, with the derivative of the points. That of an accuracy is 0."""
        problem = problem.at_level(condition.level)
        K, v = problem.student.width, jnp.asarray(overlaps.readout)
        C = jnp.einsum("b,bij->ij", condition.variances, overlaps.gram)
        root = field_root(C, K)

        def sums(normals: Float[Array, "J S"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
            delta, z = self._difference(problem, v, root, normals, condition.cluster)
            y = to_float(problem, z.dtype).task.clean_label(z[K:].T, condition.cluster)
            right = jnp.sign(delta + y) == jnp.sign(y)
            return jnp.sum(delta**2) / 2, jnp.sum(right.astype(z.dtype))

        return mean_over_points(sums, jnp.asarray(self.normals))

    def _difference(
        self,
        problem: Problem,
        v: Float[Array, "K"],
        root: Float[Array, "J J"],
        normals: Float[Array, "J S"],
        cluster: Any,
    ) -> tuple[Float[Array, "S"], Float[Array, "J S"]]:
        """Return yhat - y, without noise, and the fields z."""
        K = problem.student.width
        rounded, v, root = to_float((problem, v, root), normals.dtype)
        z = root @ normals
        return v @ rounded.student.activation(z[:K]) - rounded.task.clean_label(z[K:].T, cluster), z
