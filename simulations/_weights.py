"""Weights of finite-size students and teachers, and weights with exactly the overlaps requested."""

import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import InputError, Overlaps, Problem

RANK_TOLERANCE = 1e-9  # eigenvalues below this share of the largest count as zero


class Weights(eqx.Module):
    """State of one run: student (K, N), latent directions (M, N) and readout (K,).

    Input dimensions are ordered by block, with sizes `problem.inputs.sizes(N, M)`.
    """

    student: jax.Array
    latents: jax.Array
    readout: jax.Array


def check_room(problem: Problem, start: Overlaps, dim: int) -> None:
    """Raise InputError if a block has too few dimensions at N = `dim` for weights with the overlaps `start`."""
    sizes = problem.inputs.sizes(dim, problem.task.latents)
    for gram_of_run in np.asarray(start.gram, np.float64).reshape(-1, *start.gram.shape[-3:]):
        for name, gram, size in zip(problem.inputs.block_names, gram_of_run, sizes, strict=True):
            values = np.linalg.eigvalsh(gram)
            rank = int(np.sum(values > RANK_TOLERANCE * max(values[-1], 1e-300)))
            if rank > size:
                raise InputError(
                    f"at least {rank} dimensions in block {name!r} (the rank of its start overlaps)",
                    f"{size} at N = {dim}",
                    "raise the dimension",
                )


def weights_with(overlaps: Overlaps, sizes: tuple[int, ...], key: jax.Array, dtype: Any) -> Weights:
    """Random weights whose overlaps are exactly `overlaps` (to rounding in `dtype`), in N = sum(sizes) dimensions.

    Per block: [w; u] = sqrt(N) Omega^(1/2) E with E the first rows of a random orthogonal matrix.
    Takes J x N numbers of memory, J = K + M.
    """
    K = overlaps.readout.shape[-1]
    gram = overlaps.gram
    parts = [
        _block_weights(gram[b], size, sum(sizes), each)
        for b, (size, each) in enumerate(zip(sizes, jax.random.split(key, len(sizes)), strict=True))
    ]
    rows = jnp.concatenate(parts, axis=1).astype(dtype)
    return Weights(rows[:K], rows[K:], overlaps.readout.astype(dtype))


def _block_weights(gram: jax.Array, size: int, dim: int, key: jax.Array) -> jax.Array:
    values, vectors = jnp.linalg.eigh(gram)  # ascending
    rank = min(gram.shape[0], size)
    factor = (vectors * jnp.sqrt(jnp.maximum(values, 0.0)))[:, -rank:]
    orthonormal, _ = jnp.linalg.qr(jax.random.normal(key, (size, rank)))
    return jnp.sqrt(1.0 * dim) * factor @ orthonormal.T


def measure_overlaps(weights: Weights, sizes: tuple[int, ...]) -> Overlaps:
    """Q, R, T and readout of `weights`, per block."""
    dim = sum(sizes)
    edges = np.cumsum((0, *sizes))

    def product(a: jax.Array, b: jax.Array) -> jax.Array:
        blocks = [
            jnp.matmul(a[:, i:j], b[:, i:j].T, precision=jax.lax.Precision.HIGHEST)
            for i, j in itertools.pairwise(edges)
        ]
        return jnp.stack(blocks) / dim

    w, u = weights.student, weights.latents
    return Overlaps(product(w, w), product(w, u), product(u, u), weights.readout)
