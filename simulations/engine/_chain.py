"""The exact chain of the overlaps: SGD in the coordinates of the span of student and latents, at a cost free of N."""

import os
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from teacher_student import Overlaps, Problem
from teacher_student.internal import Numbers

from ._chi_square import chi_square
from ._coordinates import Space
from ._weights import Weights

# Runs that one call steps together, however many there are: another number would be another program, of 10 s of CPU
# time. What a step of a run costs by their number, in microseconds on one core of a busy machine, with two blocks:
#                                  1     4     8    32
#   K = 2                          3.6   1.6   1.1   0.9
#   K = 8                         11     4.3   4.0   2.5
#   K = 2, ts.tune_compiler()      1.2   0.8   0.8   0.8
#   K = 8, ts.tune_compiler()      2.7   4.9   3.5   4.0
# Tuned, a loop in one piece is fast alone, and large ones come apart again. Else each operation of a step is a call of
# its own, which several runs share: a single run takes 2.4 (2.9) times as long as it would alone, and a thousand 1.2
# (1.6) times as long as in groups of 32.
TOGETHER, TOGETHER_TUNED = 8, 1
SMALL_LOOP = "xla_cpu_small_while_loop_byte_threshold"  # what ts.tune_compiler sets in XLA_FLAGS


class OverlapChain(Space):
    r"""Per block: coordinates of a subspace that holds all student and latent vectors, and one beside it.

    Given the weights, a Gaussian input needs r_b numbers in the subspace (r_b = K + M, or K where the latents are
    zero, at most N_b) and the length of the rest, chi^2 with N_b - r_b degrees of freedom, along its own direction.
    The SGD step is that of full weights. Then the students' part outside the latents, K x (K + 1) numbers, is
    rotated back into K coordinates, which leaves all overlaps as they are: no root of a Gram matrix is ever taken.
    Equal in law to full-weight SGD at every N, for Gaussian inputs, cluster means included. One compilation for all N.
    """

    dim: Any
    free: Float[Numbers, "B"]  # N_b - r_b
    beside: tuple[bool, ...] = eqx.field(static=True)  # N_b > r_b: the last coordinate is for the rest
    latents: tuple[int, ...] = eqx.field(static=True)  # coordinates that the latents take, first in their block

    @property
    def block_steps(self) -> int:
        return 64

    @property
    def together(self) -> int:
        return TOGETHER_TUNED if SMALL_LOOP in os.environ.get("XLA_FLAGS", "") else TOGETHER

    @property
    def cost(self) -> int:
        return 100

    def start(self, overlaps: Overlaps, key: jax.Array, dtype: Any) -> Weights:
        K = overlaps.readout.shape[-1]
        parts = [
            _start(overlaps.gram[b], K, count - beside, beside)
            for b, (count, beside) in enumerate(zip(self.counts, self.beside, strict=True))
        ]
        rows = (jnp.sqrt(self.dim) * jnp.concatenate(parts, axis=1)).astype(dtype)
        return Weights(rows[:K], rows[K:], jnp.asarray(overlaps.readout).astype(dtype))

    def draw(self, key: jax.Array, steps: int, dtype: Any) -> Float[Array, "{steps} N"]:
        normals_key, *keys = jax.random.split(key, 1 + len(self.counts))
        numbers = jax.random.normal(normals_key, (steps, sum(self.counts)), dtype)
        for b, (last, rest_key) in enumerate(zip(np.cumsum(self.counts) - 1, keys, strict=True)):
            if self.beside[b]:
                numbers = numbers.at[:, last].set(jnp.sqrt(chi_square(rest_key, self.free[b], (steps,), dtype)))
        return numbers

    def to_normal_form(self, weights: Weights) -> Weights:
        parts, first = [], 0
        for count, beside, latents in zip(self.counts, self.beside, self.latents, strict=True):
            block = weights.student[:, first : first + count]
            if beside:
                folded = lower_triangular(block[:, latents:])
                block = jnp.concatenate([block[:, :latents], folded], axis=1)
            parts.append(block)
            first += count
        return Weights(jnp.concatenate(parts, axis=1), weights.latents, weights.readout)


def span_of(problem: Problem, start: Overlaps, dim: int) -> OverlapChain:
    """Return the coordinates that runs from `start` need at N = `dim`."""
    _, K, M = problem.shape
    sizes = problem.inputs.sizes(dim, M)
    zero = [bool(np.all(np.asarray(start.T)[..., b, :, :] == 0)) for b in range(len(sizes))]
    latents = tuple(0 if unseen else M for unseen in zero)
    ranks = [min(K + of_latents, size) for of_latents, size in zip(latents, sizes, strict=True)]
    free = [size - rank for size, rank in zip(sizes, ranks, strict=True)]
    counts = tuple(rank + (rest > 0) for rank, rest in zip(ranks, free, strict=True))
    # N and the degrees of freedom are arrays, not static numbers: one compiled program serves every N.
    numbers = np.asarray(dim, np.float64), np.asarray(free, np.float64)
    return OverlapChain(counts, *numbers, tuple(rest > 0 for rest in free), latents)


def _start(gram: Float[Array, "J J"], K: int, rank: int, beside: bool) -> Float[Array, "J {rank+beside}"]:
    """Return rows (students, latents) with Gram matrix `gram` in `rank` coordinates, the latents in the first ones."""
    # Eigenvalues come ascending, so the last `rank` are kept. Those that should be 0 may be -1e-17 by rounding, of
    # which the root would be NaN.
    values, vectors = jnp.linalg.eigh(gram)
    factor = (vectors * jnp.sqrt(jnp.maximum(values, 0.0))[None])[:, -rank:]
    rows = jnp.linalg.qr(jnp.roll(factor, -K, axis=0).T, mode="r").T  # latents first; lower trapezoidal
    rows = jnp.pad(rows, ((0, 0), (0, rank - rows.shape[1])))
    return jnp.pad(jnp.roll(rows, K, axis=0), ((0, 0), (0, int(beside))))


def lower_triangular(rows: Float[Array, "K n"]) -> Float[Array, "K n"]:
    """Return `rows`, n >= K, rotated so that entry k is the last one of row k; products of rows stay.

    It is done by Householder reflections, one a row. A row that is already zero from its diagonal on is left alone.
    """
    for k in range(rows.shape[0]):
        x = rows[k, k:]
        length = jnp.sqrt(jnp.sum(x**2))
        # Away from x[0], never towards it: the difference of two nearly equal numbers would lose all its digits.
        mirror = x.at[0].add(jnp.where(x[0] < 0, -length, length))
        square = jnp.sum(mirror**2)
        # The inner `where` keeps 2 / 0 out, which would be NaN in a gradient even where the outer one takes 0.
        scaled = mirror * jnp.where(square > 0, 2 / jnp.where(square > 0, square, 1), 0)
        lower = rows[k:, k:]
        lower = lower - jnp.sum(lower * mirror[None], axis=1)[:, None] * scaled[None]
        # Exactly 0, where rounding leaves a little: the next input's rest is orthogonal to all weights, so they may
        # have nothing in the coordinate beside their subspace.
        rows = rows.at[k:, k:].set(lower).at[k, k + 1 :].set(0)
    return rows
