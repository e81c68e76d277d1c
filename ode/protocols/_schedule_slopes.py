"""Derivatives in the numbers of a schedule."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import PyTreeDef

from teacher_student import Schedule

from ._programs import padded


def pull_schedule(schedule: Schedule, alphas: np.ndarray, weights: np.ndarray) -> Schedule:
    """Return the derivative of sum_i w_i u(alpha_i) in every number of a schedule u, inside its pieces."""
    leaves, structure = jax.tree.flatten(schedule)
    size = -(-alphas.size // 256) * 256
    program = _pull_program(structure)
    rest = np.zeros(size - alphas.size)
    numbers = [np.asarray(leaf, float) for leaf in leaves]
    pulled = program(numbers, padded(alphas, size), np.concatenate([weights, rest]))
    derivative: Schedule = jax.tree.unflatten(structure, [np.asarray(x) for x in pulled])
    return derivative


@functools.lru_cache(maxsize=64)
def _pull_program(structure: PyTreeDef) -> Callable[..., Any]:
    @jax.jit
    def pulled(leaves: list[Any], alphas: Any, weights: Any) -> Any:
        def total(leaves: list[Any]) -> Any:
            schedule = jax.tree.unflatten(structure, leaves)
            return jnp.sum(weights * jax.vmap(schedule.value)(alphas))

        return jax.grad(total)(leaves)

    return pulled
