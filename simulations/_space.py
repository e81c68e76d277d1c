"""In which coordinates a run's inputs and weights are written: all N of them, or those of their span."""

import abc
from typing import Any

import equinox as eqx
import jax

from teacher_student import Overlaps

from ._weights import Weights, measure_overlaps, weights_with

BLOCK_NUMBERS = 2**20  # normals drawn at once: at most this many, in at most 64 steps, at least one step's


class Space(eqx.Module):
    """Coordinates of inputs and weights in N = `dim` dimensions, `counts` of them per block."""

    counts: tuple[int, ...] = eqx.field(static=True)
    dim: eqx.AbstractVar[Any]

    @property
    @abc.abstractmethod
    def block_steps(self) -> int:
        """Steps whose inputs are drawn together."""

    @property
    @abc.abstractmethod
    def together(self) -> int:
        """Runs that one thread steps together on a CPU."""

    @property
    @abc.abstractmethod
    def cost(self) -> int:
        """What one step of one run costs, in input numbers of full-weight SGD."""

    @abc.abstractmethod
    def start(self, overlaps: Overlaps, key: jax.Array, dtype: Any) -> Weights:
        """Weights whose overlaps are exactly `overlaps` (one run)."""

    @abc.abstractmethod
    def draw(self, key: jax.Array, steps: int, dtype: Any) -> jax.Array:
        """Inputs (steps, coordinates) of variance 1 and mean 0 in each of the N dimensions."""

    @abc.abstractmethod
    def settle(self, weights: Weights) -> Weights:
        """The weights after a step, written in coordinates that the next input can be drawn in."""

    def overlaps(self, weights: Weights) -> Overlaps:
        """Q, R, T and readout of `weights`, per block."""
        return measure_overlaps(weights, self.counts, self.dim)


class AllDirections(Space):
    """Every input dimension is a coordinate: full-weight SGD, `counts` = N_b."""

    dim: int = eqx.field(static=True)

    @property
    def block_steps(self) -> int:
        return max(1, min(64, BLOCK_NUMBERS // self.dim))

    @property
    def together(self) -> int:
        return max(1, min(16, 1000 // self.dim))  # many save calls at small N; at large N inputs are each run's own

    @property
    def cost(self) -> int:
        return self.dim

    def start(self, overlaps: Overlaps, key: jax.Array, dtype: Any) -> Weights:
        return weights_with(overlaps, self.counts, key, dtype)

    def draw(self, key: jax.Array, steps: int, dtype: Any) -> jax.Array:
        return jax.random.normal(key, (steps, self.dim), dtype)

    def settle(self, weights: Weights) -> Weights:
        return weights
