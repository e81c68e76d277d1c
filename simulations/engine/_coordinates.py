"""In which coordinates a run's inputs and weights are written: all N of them, or those of their span."""

import abc
from typing import Any

import equinox as eqx
import jax
import numpy as np

from teacher_student import Overlaps, Problem

from ._distributions import NAMED, Distribution, Law, as_distribution
from ._weights import Weights, measure_overlaps, weights_with

BLOCK_NUMBERS = 2**16  # drawn at once: at most this many, as the cache holds, in at most 64 steps, at least one step's
SHARED_NUMBERS = 2**19  # of the weights of runs that share inputs


class Space(eqx.Module):
    """The coordinates in which inputs and weights of N = `dim` dimensions are written, `counts` of them per block.

    `FullWeights` writes all N of them; `OverlapChain` only those of a subspace in which all weights lie.
    """

    counts: tuple[int, ...] = eqx.field(static=True)
    dim: eqx.AbstractVar[Any]

    @property
    @abc.abstractmethod
    def block_steps(self) -> int:
        """Steps whose inputs are drawn together."""

    def blocks_holding(self, tests: int) -> np.int32:
        """Return how many blocks of inputs hold `tests` of them."""
        return np.int32(-(-tests // self.block_steps))

    @property
    @abc.abstractmethod
    def together(self) -> int:
        """Runs with samples of their own that one thread steps together on a CPU, however many there are."""

    def sharing(self, width: int) -> int:
        """Return the runs that one thread steps together where they share their inputs."""
        return 1

    @property
    @abc.abstractmethod
    def cost(self) -> int:
        """What one step of one run costs, in units of one input number of full-weight SGD."""

    @abc.abstractmethod
    def start(self, overlaps: Overlaps, key: jax.Array, dtype: Any) -> Weights:
        """Draw weights whose overlaps are exactly `overlaps` (of one run)."""

    @abc.abstractmethod
    def draw(self, key: jax.Array, steps: int, dtype: Any) -> Any:
        """Draw what inputs are made of, with a leading axis of steps.

        It is an array (steps, N) of variance 1 and mean 0, but for inputs that are given (`GivenInputs`).
        """

    @abc.abstractmethod
    def to_normal_form(self, weights: Weights) -> Weights:
        """Write the weights after a step in coordinates that the next input can be drawn in."""

    @property
    def unusual_distribution(self) -> str | None:
        """The name of the inputs' law, where it is not Gaussian."""
        return None

    def overlaps(self, weights: Weights) -> Overlaps:
        """Measure Q, R, T and readout of `weights`, per block."""
        return measure_overlaps(weights, self.counts, self.dim)


class FullWeights(Space):
    """Full-weight SGD: every input dimension is a coordinate, and `counts` are the N_b."""

    dim: int = eqx.field(static=True)
    distribution: Distribution = eqx.field(static=True, default=Distribution("gaussian", NAMED["gaussian"]))

    @staticmethod
    def of(problem: Problem, dim: int, distribution: Law = "gaussian") -> "FullWeights":
        """Return the coordinates of `problem` at N = `dim`."""
        return FullWeights(problem.inputs.sizes(dim, problem.task.latents), dim, as_distribution(distribution))

    @property
    def block_steps(self) -> int:
        return max(1, min(64, BLOCK_NUMBERS // self.dim))

    @property
    def together(self) -> int:
        return max(1, min(16, 1000 // self.dim))  # many save calls at small N; at large N inputs are each run's own

    def sharing(self, width: int) -> int:
        """Return the runs that one thread steps together where they share their inputs: as many as the cache holds."""
        return max(1, min(32, SHARED_NUMBERS // (width * self.dim)))

    @property
    def cost(self) -> int:
        return self.dim

    @property
    def unusual_distribution(self) -> str | None:
        return None if self.distribution.name == "gaussian" else self.distribution.name

    def start(self, overlaps: Overlaps, key: jax.Array, dtype: Any) -> Weights:
        return weights_with(overlaps, self.counts, key, dtype)

    def draw(self, key: jax.Array, steps: int, dtype: Any) -> Any:
        if self.dim <= BLOCK_NUMBERS:
            return self.distribution.draw(key, (steps, self.dim), dtype)
        # One input alone is more than the cache holds: it is drawn in chunks, one after the other.
        keys = jax.random.split(key, (steps, -(-self.dim // BLOCK_NUMBERS)))
        chunks = jax.lax.map(lambda chunk_key: self.distribution.draw(chunk_key, (BLOCK_NUMBERS,), dtype), keys.ravel())
        numbers: jax.Array = chunks.reshape(steps, -1)[:, : self.dim]
        return numbers

    def to_normal_form(self, weights: Weights) -> Weights:
        return weights
