"""Singular arcs: Lie brackets of the drifts of two levels, Kelley's number, and the share that keeps S constant."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import PyTreeDef
from jaxtyping import Array, Float

from .._compiled import PROGRAMS
from ._costates import Costates
from ._judge import Judge, leaves_of
from ._programs import velocity


def kelley(judge: Judge, solved: Costates, alpha: float, levels: tuple[int, int]) -> tuple[float, float]:
    """Return nu . [g, [f_H, g]] and the singular share of the first level, at alpha on an arc of two levels.

      [a, b] = (Db) a - (Da) b,   g = f_E - f_H,   p = -nu . [f_H, [f_H, g]] / nu . [g, [f_H, g]]

    A minimum needs the first to be <= 0. It is a second derivative of H that no first-order condition sees.
    Source: Kelley, Kopp & Moyer 1967; Robbins 1967.
    """
    leaves, structure, places, readers = leaves_of(judge, solved.path.problem)
    numbers: list[Any] = list(leaves)
    for place, read in zip(places, readers, strict=True):
        numbers[place] = read(alpha)
    unit = np.eye(len(judge.problem.inputs.level_names))
    program = _bracket_program(structure)
    outer, drift = program(numbers, unit[levels[0]], unit[levels[1]], solved.path.state(alpha), solved.at(alpha))
    return float(outer), float(-drift / outer)


@functools.lru_cache(maxsize=PROGRAMS)
def _bracket_program(structure: PyTreeDef) -> Callable[..., Any]:
    @jax.jit
    def brackets(leaves: list[Any], easy: Any, hard: Any, y: Any, nu: Any) -> tuple[Float[Array, ""], Float[Array, ""]]:
        problem, averages, limit = jax.tree.unflatten(structure, leaves)

        def field(shares: Any) -> Callable[[Any], Any]:
            return lambda y: velocity(problem, averages, limit, shares, y)

        def bracket(a: Any, b: Any) -> Callable[[Any], Any]:
            return lambda y: jax.jvp(b, (y,), (a(y),))[1] - jax.jvp(a, (y,), (b(y),))[1]

        f_easy, f_hard = field(easy), field(hard)

        def g(y: Any) -> Any:
            # Not the drift at shares easy - hard: levels of a share that is not > 0 are left out of averages.
            return f_easy(y) - f_hard(y)

        inner = bracket(f_hard, g)
        return jnp.dot(nu, bracket(g, inner)(y)), jnp.dot(nu, bracket(f_hard, inner)(y))

    return brackets
