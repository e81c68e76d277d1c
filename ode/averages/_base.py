"""What a supplier of Gaussian averages gives to the drift."""

import abc

import equinox as eqx
import jax

from teacher_student import Condition, Overlaps, Problem


class StepAverages(eqx.Module):
    """The three averages of one condition (level, cluster) that the drift needs (g_k = dloss/dlambda_k).

    gz: (B, K, K + M) E[g_k z^b_j], z^b the block fields of students then latents.
    gg: (K, K) E[g_k g_l]. loss_slope: (K,) E[dloss/dv_k].
    """

    gz: jax.Array
    gg: jax.Array
    loss_slope: jax.Array


class Averages(eqx.Module):
    """Base of the suppliers: ClosedForm and Sampled."""

    @abc.abstractmethod
    def step(self, problem: Problem, overlaps: Overlaps, condition: Condition) -> StepAverages:
        """Averages of one SGD step's ingredients under `condition`."""
