"""Initial overlaps with the law of random weights at a given N, without making N-vectors, and without compiling."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, UInt

from .._counts import as_count
from .._errors import InputError, require_name
from .._forked import refuse_fork
from .._numbers import as_numbers, check_at_least, check_finite, is_known
from .._precision import to_float64
from .._shapes import Numbers
from .._usable_memory import ALWAYS_THERE, require_memory
from ..problem import Problem, check_problem
from ._overlaps import LARGEST_VIOLATION, Overlaps, psd_violation

LARGEST_DIM = 2**53  # beyond it N is no exact float, and its blocks have no exact sizes
READOUTS = ("ones", "signs", "normal")  # laws of the readout by name
COPIES = 4  # of the factors, and of Q that is made of them, at the same time
BYTES_OF_A_KEY = 300  # Python's integers that are made of its words, and its stream


def as_key(key: Any) -> jax.Array:
    """Return a JAX key from a seed or from a key.

    A seed is an integer. Its key is always of the kind threefry, whatever JAX's default.
    """
    refuse_fork()
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        if not 0 <= key < 2**32:
            raise InputError("a seed between 0 and 2**32 - 1, or a JAX key", key)
        # The words that jax.random.key makes of the seed too, but by a program that it compiles first.
        words: Any = np.array([0, key], np.uint32)
        made: jax.Array = jax.random.wrap_key_data(words, impl="threefry2x32")
        return made
    if not isinstance(key, jax.Array):
        raise InputError("a seed (an integer) or a JAX key", repr(key))
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        return key
    try:
        wrapped: jax.Array = jax.random.wrap_key_data(key)
        return wrapped
    except (TypeError, ValueError):  # numbers that are no words of a key
        raise InputError("a seed (an integer) or a JAX key", f"an array {key.dtype}{list(key.shape)}") from None


def key_numbers(key: jax.Array) -> list[int]:
    """Return the words of a key, also inside a user's jit if the key is known there."""
    with jax.ensure_compile_time_eval():
        return np.asarray(jax.random.key_data(key)).ravel().tolist()


def key_words(key: jax.Array) -> str:
    """Return the words of a key in hexadecimal, as files record it."""
    return "".join(f"{word:08x}" for word in key_numbers(key))


def random_overlaps(
    problem: Problem,
    dim: int,
    key: Any,
    *,
    scale: float = 0.5,
    readout: Any = None,
    readout_scale: float | None = None,
    spherical: bool = False,
    teacher: Any = "random",
) -> Overlaps:
    """Return overlaps that have exactly the law of random weights in dimension N = `dim`.

    The student's weights are w_ki ~ N(0, scale^2), and the teacher's weights are u_mi ~ N(0, 1) on its support. The
    Gram matrix of J Gaussian vectors of length n is A A^T with A lower trapezoidal, A_ii ~ chi_{n-i} and A_ij ~ N(0, 1)
    (Bartlett 1933), so that the cost does not depend on N. NumPy draws them: nothing is compiled.

    Arguments:
      dim: the dimension N.
      key: a seed or a JAX key. An array of n keys gives n starts (leading axis), each of which is that of its key
        alone. A key that jit or vmap traces is refused. The scales, T and the readout may be traced.
      scale: the standard deviation of the student's weights.
      readout: "ones"; "signs", random +-1; "normal", v_k ~ N(0, 1); or (K,) numbers. None means "signs" for a mixture
        and "ones" else.
      readout_scale: what the readout of that name is multiplied by. None means 1 for "ones" and 1/sqrt(K) else. The
        public code of Refinetti et al. 2021 multiplies both layers by one number, `init`, and has no 1/sqrt(K):
        `scale=init, readout="normal", readout_scale=init`.
      spherical: whether each student's vector is set to the length |w_k| = scale sqrt(N), so that its direction is
        uniform on the sphere and sum_b Q^b_kk = scale^2 exactly.
      teacher: "random", "orthonormal" (T^b = N_b/N on its support), or T itself, (B, M, M). In a block of fraction 0 a
        teacher that is drawn here has T^b = 1, because its directions span the block.

    Raises InputError for a dimension that is too small, for a name or a shape that does not fit, for a T of no teacher,
    for a readout's scale beside numbers, and for more starts or units than fit into memory.

    Example:
      >>> import teacher_student as ts
      >>> teacher = ts.Committee(ts.Inputs({"all": 1.0}), width=2)
      >>> problem = ts.Problem(teacher, ts.Student(3), ts.SGD(0.5), ts.Curriculum.single("all", 20.0))
      >>> start = ts.random_overlaps(problem, dim=1000, key=0, teacher="orthonormal")
      >>> start.R.shape  # one block, three student units, two latent directions
      (1, 3, 2)
      >>> start.T[0].round(12).tolist()
      [[1.0, 0.0], [0.0, 1.0]]
    """
    check_problem(problem)
    dim = as_count(dim, "dim", most=LARGEST_DIM)
    sizes = np.array(problem.inputs.sizes(dim, problem.task.latents))
    scale = _one_number(scale, "scale of the student's weights")
    check_at_least(scale, 0.0, "scale of the student's weights")
    if isinstance(teacher, str) and teacher == "orthonormal":
        _require_room_for_orthonormal(problem, sizes, dim)
    T = None if isinstance(teacher, str) else as_numbers(teacher, "T")
    if T is None:
        require_name(teacher, ("random", "orthonormal"), "kind of teacher (or T itself)")
    elif np.shape(T) != (problem.shape[0], problem.shape[2], problem.shape[2]):
        raise InputError(f"T of shape (B, M, M) = {(problem.shape[0], *problem.shape[2:] * 2)}", np.shape(T))
    else:
        check_teacher(T, problem)
    readout = problem.task.usual_readout if readout is None else readout
    numbers = scaled_readout(readout, readout_scale, problem.student.width)
    if not isinstance(spherical, (bool, np.bool_)):
        raise InputError("spherical as True or False", repr(spherical))
    words, single = _words_of_keys(key)
    _require_room(len(words), problem)
    keys = _philox_keys(words)
    factor, drawn = _draw(keys, sizes, problem.shape[1:], readout if isinstance(readout, str) else "ones")
    if single:
        factor, drawn = factor[0], drawn[0]
    roots = _drawn_roots(factor, sizes, dim, problem, teacher) if T is None else _roots_of(T, dim)
    students = factor[..., problem.shape[2] :, :]
    if spherical:
        students = students * np.sqrt(dim / np.sum(students**2, axis=(-3, -1), keepdims=True))
    return _assemble(students, roots, scale, drawn, numbers, dim)


def _require_room_for_orthonormal(problem: Problem, sizes: Int[np.ndarray, "B"], dim: int) -> None:
    """Raise InputError for a block that the teacher sees and that has fewer dimensions than its latent directions."""
    M = problem.task.latents
    for name, seen, size in zip(problem.inputs.block_names, problem.task.seen_blocks, sizes, strict=True):
        if seen and size < M:
            required = f"at least {M} dimensions in block {name!r} for orthonormal latent directions"
            raise InputError(required, f"{size} at N = {dim}", 'raise the dimension, or take teacher="random"')


def _one_number(x: Any, quantity: str) -> Any:
    """Return `x` as one number, or a traced one. Raises InputError for another shape."""
    number = as_numbers(x, quantity)
    if np.shape(number):
        raise InputError(f"one number as {quantity}", f"shape {np.shape(number)}")
    return number


def check_teacher(T: Any, problem: Problem) -> None:
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


def _words_of_keys(key: Any) -> tuple[UInt[np.ndarray, "n words"], bool]:
    """Return the words of each key, and whether a single key was given."""
    if isinstance(key, jax.core.Tracer):
        raise InputError(
            "a key whose words can be looked at", "one that jit or vmap traces", "pass an array of n keys for n starts"
        )
    with jax.ensure_compile_time_eval():
        key = as_key(key)
        words = np.asarray(jax.random.key_data(key))
    if key.ndim > 1:
        raise InputError("one key, or an array (n,) of keys", f"shape {key.shape}")
    return words.reshape(-1, words.shape[-1]), key.ndim == 0


def _require_room(starts: int, problem: Problem) -> None:
    """Raise InputError if the overlaps of all starts, and what they are made of, do not fit into memory."""
    B, K, M = problem.shape
    need = starts * (8 * B * (COPIES * (K + M) ** 2 + M**2) + BYTES_OF_A_KEY)
    if need > ALWAYS_THERE:
        units = f"{starts:,} x {K + M:,} units" if starts > 1 else f"{K + M:,} units"
        require_memory(need, f"the overlaps of {units}", "take fewer units or keys")


def _philox_keys(words: UInt[np.ndarray, "n words"]) -> list[int]:
    """Return the words of each key as one number, which is a key of Philox."""
    return [sum(word << 32 * i for i, word in enumerate(row)) for row in words.tolist()]


def _draw(
    keys: list[int], sizes: Int[np.ndarray, "B"], widths: tuple[int, int], readout: str
) -> tuple[Float[np.ndarray, "n B J J"], Float[np.ndarray, "n K"]]:
    """Return Bartlett's factors of n starts, and their readouts of scale 1: "ones", "signs" or "normal".

    A factor A has A A^T distributed as G G^T with G (M + K, N_b) standard normal. The latent directions come first, and
    its columns beyond N_b are 0. Every start has a stream of its own, drawn in one go for all blocks.
    """
    K, M = widths
    J = K + M
    freedom = sizes[:, None] - np.arange(J)
    # A column beyond N_b has no degrees of freedom, for which NumPy has no Gamma law: it is drawn with one, and is set
    # to 0 at the end.
    shape = np.maximum(freedom, 1) / 2.0  # chi-square(f) is twice Gamma(f / 2)
    below = np.tril_indices(J, -1)
    normals = np.empty((len(keys), len(sizes), len(below[0])))
    gammas = np.empty((len(keys), len(sizes), J))
    readouts = np.ones((len(keys), K))
    for i, key in enumerate(keys):
        stream = np.random.Generator(np.random.Philox(key=key))
        stream.standard_normal(out=normals[i])
        stream.standard_gamma(shape, out=gammas[i])
        # Readouts last, so that the weights are the same whatever their law.
        if readout == "signs":
            readouts[i] = 2 * stream.integers(0, 2, K) - 1
        elif readout == "normal":
            readouts[i] = stream.standard_normal(K)
    factor = np.zeros((len(keys), len(sizes), J, J))
    factor[..., below[0], below[1]] = normals
    factor[..., np.arange(J), np.arange(J)] = np.sqrt(2.0 * gammas)
    return factor * (freedom > 0)[:, None, :], readouts


def _drawn_roots(
    factor: Float[np.ndarray, "*n B J J"], sizes: Int[np.ndarray, "B"], dim: int, problem: Problem, teacher: str
) -> Float[np.ndarray, "*n B M M"]:
    """Return the coordinates of a teacher's vectors along the factor's first M columns.

    They are a root of T: T = root root^T / N.
    """
    M = problem.shape[2]
    if teacher == "orthonormal":
        roots = np.broadcast_to(np.sqrt(sizes)[:, None, None] * np.eye(M), factor[..., :M, :M].shape)
    else:
        roots = factor[..., :M, :M]
    spanned = (np.asarray(problem.inputs.fractions) == 0) & (sizes == M)
    roots = np.where(spanned[:, None, None], np.sqrt(1.0 * dim) * np.eye(M), roots)
    seen_roots: np.ndarray = roots * np.array(problem.task.seen_blocks, float)[:, None, None]
    return seen_roots


def _roots_of(T: Float[Numbers, "B M M"], dim: int) -> Float[Numbers, "B M M"]:
    """Return the same coordinates for a given T."""
    if is_known(T):
        # Not a Cholesky factor: T may be singular. Rounding leaves its zero eigenvalues slightly negative.
        eigenvalues, vectors = np.linalg.eigh(T)
        known: np.ndarray = vectors * np.sqrt(np.maximum(eigenvalues, 0.0) * dim)[..., None, :]
        return known
    with jax.enable_x64(True):
        eigenvalues, vectors = jnp.linalg.eigh(T.astype(jnp.float64))
        traced: jax.Array = vectors * jnp.sqrt(jnp.maximum(eigenvalues, 0.0) * dim)[..., None, :]
        return traced


def _assemble(
    students: Float[np.ndarray, "*n B K J"],
    roots: Float[Numbers, "*#n B M M"],
    scale: Any,
    drawn: Float[np.ndarray, "*n K"],
    readout: Any,
    dim: int,
) -> Overlaps:
    """Return overlaps from the students' rows of the factor, times the scale, and from the teachers' coordinates.

    They are NumPy's, or JAX's (float64) where a number is traced.
    """
    Q = students @ students.swapaxes(-1, -2) / dim
    numbers = (roots, scale, readout)
    if is_known(numbers):
        return _scaled(np, Q, students, roots, scale, drawn * readout, dim)
    with jax.enable_x64(True):
        roots, scale, readout = to_float64(numbers)
        overlaps: Overlaps = jax.tree.map(jnp.asarray, _scaled(jnp, Q, students, roots, scale, drawn * readout, dim))
        return overlaps


def _scaled(xp: Any, Q: Any, students: Any, roots: Any, scale: Any, readout: Any, dim: int) -> Overlaps:
    """Return overlaps from Q of students of unit scale and their rows of the factor."""
    R = scale * (students[..., : roots.shape[-1]] @ roots.swapaxes(-1, -2)) / dim
    T = xp.broadcast_to(roots @ roots.swapaxes(-1, -2) / dim, (*Q.shape[:-2], *roots.shape[-2:]))
    return Overlaps(scale**2 * Q, R, T, readout)


def scaled_readout(readout: Any, scale: Any, K: int) -> Any:
    """Return what drawn readouts of scale 1 are multiplied by: the scale of a named law, or the given numbers."""
    if isinstance(readout, str):
        require_name(readout, READOUTS, "readout (or numbers)")
        if scale is None:
            return 1.0 if readout == "ones" else 1 / np.sqrt(K)
        scale = _one_number(scale, "scale of the readout")
        check_at_least(scale, 0.0, "scale of the readout")
        return scale
    if scale is not None:
        raise InputError("no scale beside the numbers of a readout", scale, "multiply the numbers by it")
    numbers = as_numbers(readout, "readout")
    if np.ndim(numbers) and np.shape(numbers) != (K,):
        raise InputError(f"{K} readout weights of the student", f"shape {np.shape(numbers)}")
    return numbers
