"""Weights of finite-size students and teachers, and weights with exactly the overlaps requested."""

import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from teacher_student import InputError, Overlaps, Problem
from teacher_student.internal import ALWAYS_THERE, Numbers, as_count, refuse_fork, require_memory, to_host
from teacher_student.internal import Weights as Weights

CHUNK_NUMBERS = 2**20  # of float64 that starts are made of at a time
RANK_TOLERANCE = 1e-9  # eigenvalues below this share of the largest count as zero


def check_room(problem: Problem, start: Overlaps, dim: int) -> None:
    """Raise InputError if a block has too few dimensions at N = `dim` for weights with the overlaps `start`."""
    sizes = problem.inputs.sizes(dim, problem.task.latents)
    for gram_of_run in np.asarray(start.gram, np.float64).reshape(-1, *start.gram.shape[-3:]):
        for name, gram, size in zip(problem.inputs.block_names, gram_of_run, sizes, strict=True):
            values = np.linalg.eigvalsh(gram)
            # The largest may be 0, where nothing lies in the block: nothing is then above it, and the rank is 0.
            rank = int(np.sum(values > RANK_TOLERANCE * max(values[-1], 1e-300)))
            if rank > size:
                raise InputError(
                    f"at least {rank} dimensions in block {name!r} (the rank of its start overlaps)",
                    f"{size} at N = {dim}",
                    "raise the dimension",
                )


def weights_with(overlaps: Overlaps, sizes: tuple[int, ...], key: jax.Array, dtype: Any) -> Weights:
    """Draw random weights whose overlaps are exactly `overlaps`, to rounding in `dtype`.

    In every block
      [w; u] = sqrt(N) Omega^(1/2) E,
    with Omega the Gram matrix [[Q, R], [R^T, T]] of the block and E the first rows of a random orthogonal matrix.

    Arguments: overlaps: of one run. sizes: (B,) dimensions N_b of the blocks; N is their sum. key: a JAX key.
      dtype: of the weights; call it at 64 bits, as the root is taken in float64.
    Returns Weights. They take (K + M) N numbers of `dtype`, and a few times 2^20 of float64 while they are made.
    Raises InputError for more than fit into memory.
    """
    refuse_fork()
    _require_memory(overlaps, sizes, dtype)
    K = overlaps.readout.shape[-1]
    gram = overlaps.gram
    parts = [
        _block_weights(gram[b], size, sum(sizes), block_key, dtype)
        for b, (size, block_key) in enumerate(zip(sizes, jax.random.split(key, len(sizes)), strict=True))
    ]
    rows = parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=1)
    return Weights(rows[:K], rows[K:], jnp.asarray(overlaps.readout).astype(dtype))


def _require_memory(overlaps: Overlaps, sizes: tuple[int, ...], dtype: Any) -> None:
    dim, (K, M) = as_count(sum(sizes), "dimension N", "make the blocks smaller"), overlaps.R.shape[-2:]
    need = 2 * (K + M) * dim * np.dtype(dtype).itemsize  # of the blocks, and put together
    if need > ALWAYS_THERE:
        require_memory(need, f"the weights of {K + M:,} units at N = {dim:,}", "lower the dimension")


def _block_weights(
    gram: Float[Array, "J J"], size: int, dim: int, key: jax.Array, dtype: Any
) -> Float[Array, "J {size}"]:
    """Return the rows of one block with Gram matrix `gram`, of rank at most `size`."""
    # Eigenvalues come ascending. Those that should be 0 may be -1e-17 by rounding, of which the root would be NaN.
    values, vectors = jnp.linalg.eigh(gram)
    rank = min(gram.shape[0], size)
    factor = jnp.sqrt(1.0 * dim) * (vectors * jnp.sqrt(jnp.maximum(values, 0.0))[None])[:, -rank:]
    if rank * size <= CHUNK_NUMBERS:
        orthonormal, _ = jnp.linalg.qr(jax.random.normal(key, (size, rank)))
        rows: jax.Array = (factor @ orthonormal.T).astype(dtype)
        return rows
    return _whitened(factor, size, key, dtype)


def _whitened(factor: Float[Array, "J rank"], size: int, key: jax.Array, dtype: Any) -> Float[Array, "J {size}"]:
    """Return factor E, where E = (G G^T)^(-1/2) G has orthonormal rows and G has Gaussian ones.

    G is drawn twice, a chunk of columns at a time. So the only large array is the result; a QR decomposition would need
    several of float64.
    """
    rank = factor.shape[1]
    length = max(1, CHUNK_NUMBERS // rank)
    chunks = -(-size // length)

    def draw(i: Int[Array, ""]) -> Float[Array, "rank length"]:
        numbers = jax.random.normal(jax.random.fold_in(key, i), (rank, length), jnp.float32).astype(jnp.float64)
        # The last chunk reaches beyond the block: columns that are not there must not count in the products.
        return jnp.where((i * length + jnp.arange(length) < size)[None], numbers, 0.0)

    products = jax.lax.fori_loop(0, chunks, lambda i, S: S + draw(i) @ draw(i).T, jnp.zeros((rank, rank)))
    values, vectors = jnp.linalg.eigh(products)
    rows = factor @ (vectors / jnp.sqrt(values)[None]) @ vectors.T

    def fill(i: Int[Array, ""], result: Float[Array, "J size"]) -> Float[Array, "J size"]:
        # Slices of a compiled program have one length: the last chunk is moved back over the one before it, whose
        # columns it leaves as they are.
        first = jnp.minimum(i * length, size - length)
        chunk = (rows @ draw(i)).astype(dtype)
        moved = jnp.roll(chunk, i * length - first, axis=1)
        kept = jnp.arange(length) >= i * length - first
        old = jax.lax.dynamic_slice(result, (0, first), chunk.shape)
        return jax.lax.dynamic_update_slice(result, jnp.where(kept[None], moved, old), (0, first))

    filled: jax.Array = jax.lax.fori_loop(0, chunks, fill, jnp.zeros((factor.shape[0], size), dtype))
    return filled


def measure_overlaps(weights: Weights, sizes: tuple[int, ...], dim: Any = None) -> Overlaps:
    """Measure the overlaps of one run's weights, block by block.

      Q_kl = w_k . w_l / N,   R_km = w_k . u_m / N,   T_mn = u_m . u_n / N,   each over the dimensions of one block.

    Arguments: weights: of one run. sizes: (B,) dimensions of the blocks. dim: N, where weights are written in fewer
      coordinates than dimensions; None: the sum of `sizes`.
    """
    refuse_fork()
    dim = sum(sizes) if dim is None else dim
    edges = np.cumsum((0, *sizes))

    def product(a: Float[Numbers, "m N"], b: Float[Numbers, "n N"]) -> Float[Array, "B m n"]:
        blocks = [  # at the highest precision: accelerators would multiply float32 with fewer bits
            jnp.matmul(a[:, i:j], b[:, i:j].T, precision=jax.lax.Precision.HIGHEST)
            for i, j in itertools.pairwise(edges)
        ]
        per_block: jax.Array = jnp.stack(blocks) / dim
        return per_block

    w, u = weights.student, weights.latents
    return Overlaps(product(w, w), product(w, u), product(u, u), weights.readout)


def check_weights(problem: Problem, weights: Weights, dim: int, runs: int | None = None) -> None:
    """Raise InputError unless `weights` are finite floats of `runs` students (None: any number) at N = `dim`."""
    _, K, M = problem.shape
    leading = np.shape(weights.readout)[:-1]
    if len(leading) != 1 or runs not in (None, *leading):
        wanted = "a leading axis of runs" if runs is None else f"a leading axis of {runs} runs"
        raise InputError(f"weights with {wanted}", f"readout of shape {np.shape(weights.readout)}")
    for name, expected in (("student", (K, dim)), ("latents", (M, dim)), ("readout", (K,))):
        array = np.asarray(getattr(weights, name))
        if array.shape != leading + expected or array.dtype.kind != "f":
            raise InputError(f"floats {name} of shape {leading + expected}", f"{array.dtype} {array.shape}")
        if not np.all(np.isfinite(array)):
            raise InputError(f"finite weights {name}", "NaN or infinite ones", "leave diverged runs out")


def overlaps_of_runs(problem: Problem, weights: Weights) -> Overlaps:
    """Return the overlaps of `weights` with a leading axis of runs, in float64."""
    sizes = problem.inputs.sizes(np.shape(weights.student)[-1], problem.task.latents)
    with jax.enable_x64(True):
        overlaps = [
            to_host(_measure(jax.tree.map(lambda x, r=r: np.asarray(x[r], np.float64), weights), sizes))
            for r in range(len(weights.readout))
        ]  # one after the other: a float64 copy of all would double the memory
    stacked: Overlaps = jax.tree.map(lambda *x: np.stack(x), *overlaps)
    return stacked


_measure = eqx.filter_jit(measure_overlaps)
