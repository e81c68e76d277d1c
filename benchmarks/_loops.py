"""Compiled loops that call one thing many times, each call fed with what the last one gave, so that none is skipped."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

import ode
import teacher_student as ts
from teacher_student import internal

from ._timing import Work

SMALL = 1e-12  # of a right-hand side added to the state: it stays where it is, to 1e-6 after a million calls


class Repeated:
    """`times` calls of step(constants, state) -> state in one compiled loop, in float64."""

    def __init__(self, step: Callable[[Any, Any], Any], constants: Any, state: Any):
        self.constants, self.state = constants, state
        self._loop = jax.jit(lambda times, c, s: jax.lax.fori_loop(0, times, lambda _, x: step(c, x), s))

    def __call__(self, times: int) -> None:
        with jax.enable_x64(True):
            after = self._loop(jnp.int32(times), self.constants, self.state)
            jax.block_until_ready(after)  # type: ignore[no-untyped-call]  # JAX has no annotations there

    def work(self, least: float, clock: Callable[[], float]) -> Work:
        """As many calls as last about `least` seconds, the loop compiled."""
        self(1)
        times, seconds = 1, 0.0
        while seconds < least / 2 and times < 2**24:
            times = times * 2 if seconds < least / 20 else max(times + 1, int(times * least / seconds))
            start = clock()
            self(times)
            seconds = clock() - start
        return Work(lambda: self(times), times)


def drift_loop(problem: ts.Problem, averages: Any, state: ts.Overlaps) -> Repeated:
    """The engine's right-hand side."""
    with jax.enable_x64(True):
        constants = internal.to_float((problem, averages), jnp.float64)
        start = internal.to_float(state, jnp.float64)

    def step(constants: Any, state: Any) -> Any:
        problem, averages = constants
        slope = ode.drift(problem, averages, 0.0, state)
        return jax.tree.map(lambda x, dx: x + SMALL * dx, state, slope)

    return Repeated(step, constants, start)


def drift_once(problem: ts.Problem, averages: Any, state: ts.Overlaps) -> ts.Overlaps:
    """One right-hand side, on the host."""
    with jax.enable_x64(True):
        arguments = internal.to_float((problem, averages, state), jnp.float64)
        compiled = jax.jit(lambda problem, averages, state: ode.drift(problem, averages, 0.0, state))
        found: ts.Overlaps = internal.to_host(compiled(*arguments))
        return found
