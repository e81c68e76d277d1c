"""A problem: task, student, learning rule and curriculum. Both solvers take the same one."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ._arrays import check_at_least, is_known
from ._curriculum import Curriculum
from ._errors import InputError, require_name
from ._inputs import Inputs
from ._sgd import SGD
from ._student import Student
from ._task import Task


class Problem(eqx.Module):
    """What is learned, by whom, by which rule, in which order; consumed by `ode` and `simulations` alike.

    Arguments: task (such as Committee), student, sgd, curriculum (its levels must be the task's).
    Raises InputError. Any number in it may be a traced array: vmap and grad go through.
    """

    task: Task
    student: Student
    sgd: SGD
    curriculum: Curriculum

    def __check_init__(self) -> None:
        for name, kind in (("task", Task), ("student", Student), ("sgd", SGD), ("curriculum", Curriculum)):
            if not isinstance(getattr(self, name), kind):
                raise InputError(f"a {kind.__name__} as the problem's {name}", type(getattr(self, name)).__name__)
        for level in self.curriculum.level_names:
            require_name(level, self.inputs.level_names, "level in the curriculum")
        if self.sgd.loss == "logistic" and getattr(self.task, "labels", "sign") != "sign":
            raise InputError(
                "labels +1 and -1 for the logistic loss", 'labels="value"', 'use labels="sign" or loss="squared"'
            )

    @property
    def inputs(self) -> Inputs:
        """Blocks and levels of the task."""
        return self.task.inputs

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, K, M): numbers of blocks, student units and latent directions."""
        return len(self.inputs.block_names), self.student.width, self.task.latents

    def level_shares(self, shares: jax.Array) -> jax.Array:
        """The curriculum's shares (its own levels) put in the order of the task's levels (L,)."""
        order = [self.inputs.level_names.index(name) for name in self.curriculum.level_names]
        return jnp.zeros(len(self.inputs.level_names), jnp.asarray(shares).dtype).at[jnp.array(order)].set(shares)

    def condition_weights(self, alpha: Any) -> jax.Array:
        """p(l, c) at time alpha, in the order of `task.conditions()`."""
        levels = self.level_shares(self.curriculum.shares(alpha))
        return jnp.outer(levels, jnp.asarray(self.task.cluster_probabilities)).ravel()


def check_alphas(alphas: Any, problem: Problem) -> None:
    """Raise InputError unless known `alphas` are finite, >= 0, increasing and within the curriculum."""
    if np.ndim(alphas) != 1 or np.size(alphas) == 0:
        raise InputError("alphas as a non-empty list of times", f"shape {np.shape(alphas)}")
    check_at_least(alphas, 0.0, "alphas")
    if not is_known(alphas):
        return
    alphas = np.asarray(alphas, dtype=np.float64)
    if np.any(np.diff(alphas) <= 0):
        raise InputError("increasing alphas", alphas.tolist())
    end = problem.curriculum.end
    if alphas[-1] <= 0:
        raise InputError("a last alpha > 0", alphas.tolist())
    if is_known(end) and alphas[-1] > end * (1 + 1e-12):
        raise InputError(f"alphas up to the curriculum's end, {float(end):g}", f"{alphas[-1]:g}")
