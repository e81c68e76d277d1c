"""Initial overlaps with the law of random weights at a given N, without making N-vectors."""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._arrays import as_numbers, check_at_least, check_finite, is_known
from ._errors import InputError, require_name
from ._overlaps import LARGEST_VIOLATION, Overlaps, psd_violation
from ._precision import to_host
from ._problem import Problem, check_problem


def as_key(key: Any) -> jax.Array:
    """A JAX key from a seed (an integer; always threefry, whatever JAX's default) or from a key."""
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        if not 0 <= key < 2**32:
            raise InputError("a seed between 0 and 2**32 - 1, or a JAX key", key)
        return jax.random.key(int(key), impl="threefry2x32")
    if not isinstance(key, jax.Array):
        raise InputError("a seed (an integer) or a JAX key", repr(key))
    return key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else jax.random.wrap_key_data(key)


def key_numbers(key: jax.Array) -> list[int]:
    """The words of a key; also inside a user's jit, if the key is known there."""
    with jax.ensure_compile_time_eval():
        return np.asarray(jax.random.key_data(key)).ravel().tolist()


def key_words(key: jax.Array) -> str:
    """The words of a key in hexadecimal, as files record it."""
    return "".join(f"{word:08x}" for word in key_numbers(key))


def random_overlaps(
    problem: Problem,
    dim: int,
    key: Any,
    *,
    scale: float = 0.5,
    readout: Any = None,
    teacher: Any = "random",
) -> Overlaps:
    r"""Overlaps with exactly the law of random weights in dimension N = `dim`.

    Student weights w_ki ~ N(0, scale^2), teacher weights u_mi ~ N(0, 1) on its support. The Gram matrix
    of J Gaussian vectors of length n is A A^T with A lower trapezoidal, A_ii ~ chi_{n-i}, A_ij ~ N(0, 1)
    (Bartlett 1933), so the cost does not depend on N.

    Arguments:
      dim: N. key: seed or JAX key; an array of n keys gives n starts (leading axis).
      scale: standard deviation of the student's weights.
      readout: "ones", "signs" (random +-1/sqrt(K)), or (K,) numbers; None: "signs" for a mixture, else "ones".
      teacher: "random", "orthonormal" (T^b = N_b/N on its support), or T itself, (B, M, M).
        In a block of fraction 0 a teacher drawn here has T^b = 1 (its directions span the block).
    Raises InputError.
    """
    check_problem(problem)
    sizes = problem.inputs.sizes(dim, problem.task.latents)
    check_at_least(scale, 0.0, "scale of the student's weights")
    T = None if isinstance(teacher, str) else as_numbers(teacher, "T")
    if T is None:
        require_name(teacher, ("random", "orthonormal"), "kind of teacher (or T itself)")
    elif np.shape(T) != (problem.shape[0], problem.shape[2], problem.shape[2]):
        raise InputError(f"T of shape (B, M, M) = {(problem.shape[0], *problem.shape[2:] * 2)}", np.shape(T))
    else:
        _check_teacher(T, problem)
    key = as_key(key)
    readout = problem.task.usual_readout if readout is None else readout
    law = _Law(
        sizes,
        problem.shape[1:],
        dim,
        "given" if T is not None else teacher,
        tuple(bool(share == 0) for share in np.asarray(problem.inputs.fractions)),
        problem.task.seen_blocks,
        readout if isinstance(readout, str) else "given",
    )
    numbers = _numbers(readout, problem.student.width)
    with jax.enable_x64(True):
        keys = key if key.ndim else key[None]
        found = to_host(_draw(law, keys, jnp.asarray(scale, jnp.float64), T, numbers))
    return found if key.ndim else jax.tree.map(lambda x: x[0], found)


def _check_teacher(T: Any, problem: Problem) -> None:
    """Raise InputError unless known T is that of some teacher."""
    if not is_known(T):
        return
    check_finite(T, "T")
    B, _, M = problem.shape
    violation = psd_violation(Overlaps(np.zeros((B, 0, 0)), np.zeros((B, 0, M)), T, np.zeros(0)))
    if violation > LARGEST_VIOLATION:
        raise InputError(
            "a symmetric, positive semidefinite T in every block", f"a relative violation of {violation:.3g}"
        )
    for name, seen, block in zip(problem.inputs.block_names, problem.task.seen_blocks, T, strict=True):
        if not seen and np.any(block):
            raise InputError(f"T = 0 in block {name!r}, which the teacher does not see", block.tolist())


@dataclasses.dataclass(frozen=True)
class _Law:
    """What the shape of the draw depends on, and so what it is compiled for."""

    sizes: tuple[int, ...]
    widths: tuple[int, int]  # K, M
    dim: int
    teacher: str
    finite: tuple[bool, ...]  # blocks of fraction 0
    seen: tuple[bool, ...]
    readout: str


@partial(jax.jit, static_argnums=0)
def _draw(law: _Law, keys: jax.Array, scale: Any, T: Any, readout: Any) -> Overlaps:
    """Starts with the leading axis of `keys` (float64)."""
    K, _ = law.widths

    def draw(key: jax.Array) -> Overlaps:
        weights_key, readout_key = jax.random.split(key)
        each = jax.random.split(weights_key, len(law.sizes))
        gram = jnp.stack([_block_gram(each[b], law, b, scale, T) for b in range(len(law.sizes))])
        if law.readout == "signs":
            v = jax.random.rademacher(readout_key, (K,), dtype=float) / jnp.sqrt(1.0 * K)
        else:
            v = jnp.broadcast_to(jnp.asarray(readout, float), (K,))
        return Overlaps(gram[:, :K, :K], gram[:, :K, K:], gram[:, K:, K:], v)

    return jax.vmap(draw)(keys)


def _block_gram(key: Any, law: _Law, b: int, scale: Any, T: Any) -> jax.Array:
    """Gram matrix / N of one block, student units first."""
    K, M = law.widths
    size, dim = law.sizes[b], law.dim
    factor = _bartlett(key, M + K, size)  # rows: latent directions, then student units
    if law.teacher == "given":
        eigenvalues, vectors = jnp.linalg.eigh(jnp.asarray(T)[b])
        root = vectors * jnp.sqrt(jnp.maximum(eigenvalues, 0.0)) * jnp.sqrt(1.0 * dim)
    elif size == M and law.finite[b]:
        root = jnp.eye(M) * jnp.sqrt(1.0 * dim)
    elif law.teacher == "orthonormal":
        root = jnp.eye(M) * jnp.sqrt(1.0 * size)
    else:
        root = factor[:M, : min(M, size)]
    if law.teacher != "given" and not law.seen[b]:
        root = jnp.zeros_like(root)
    latents = jnp.zeros((M, factor.shape[1])).at[:, : root.shape[1]].set(root[:, : factor.shape[1]])
    rows = jnp.concatenate([scale * factor[M:], latents])
    return rows @ rows.T / dim


def _bartlett(key: jax.Array, rows: int, size: int) -> jax.Array:
    """A (rows, min(rows, size)) with A A^T distributed as G G^T, G (rows, size) standard normal."""
    normal_key, chi_key = jax.random.split(key)
    columns = min(rows, size)
    below = jnp.tril(jax.random.normal(normal_key, (rows, columns)), -1)
    freedom = size - jnp.arange(columns, dtype=float)
    diagonal = jnp.sqrt(jax.random.chisquare(chi_key, freedom))
    return below.at[jnp.arange(columns), jnp.arange(columns)].set(diagonal)


def _numbers(readout: Any, K: int) -> Any:
    """The readout where it is given, or 1."""
    if isinstance(readout, str):
        require_name(readout, ("ones", "signs"), "readout (or numbers)")
        return 1.0
    numbers = as_numbers(readout, "readout")
    if np.ndim(numbers) and np.shape(numbers) != (K,):
        raise InputError(f"{K} readout weights of the student", f"shape {np.shape(numbers)}")
    return numbers
