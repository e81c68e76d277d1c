"""Symmetric square roots of Gram matrices, continuous and differentiable also where eigenvalues meet or vanish.

An eigenvector or Cholesky factor jumps when eigenvalues cross or vanish, and an adaptive integrator
then stalls; the symmetric root does not jump.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Derivative = tuple[Float[Array, "n n"], Float[Array, "n n"]]  # the value, and its change
RELATIVE_RANK = 1e-12  # eigenvalues below this share of the largest count as zero


@jax.custom_jvp
def symmetric_sqrt(A: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Return S with S S = A for symmetric PSD A. Eigenvalues that rounding made negative are clipped."""
    values, vectors = jnp.linalg.eigh(A)
    # The eigenvalues of a singular Gram matrix come out as small negative numbers, whose square root would be NaN.
    root: jax.Array = (vectors * jnp.sqrt(jnp.maximum(values, 0.0))[None]) @ vectors.T
    return root


@symmetric_sqrt.defjvp
def _symmetric_sqrt_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Derivative:
    """Return the dS that solves S dS + dS S = dA.

    In directions in the null space of A, where the equation has no solution, dS is 0.
    """
    (A,), (dA,) = primals, tangents
    values, vectors = jnp.linalg.eigh(A)
    roots = jnp.sqrt(jnp.maximum(values, 0.0))
    S = (vectors * roots[None]) @ vectors.T
    total = roots[:, None] + roots[None, :]
    # Directions in which both roots vanish are left out: there the equation has no solution, and the quotient would be
    # rounding divided by rounding. The absolute floor is for a matrix of zeros, where the relative one is 0.
    floor = jnp.sqrt(RELATIVE_RANK) * jnp.max(roots)
    solvable = total > jnp.maximum(floor, 1e-150)
    rotated = vectors.T @ ((dA + dA.T) / 2) @ vectors
    # The divisor is replaced too, not only the quotient: JAX differentiates both branches of a `where`, and a division
    # by 0 in the one that is not taken makes the derivative NaN.
    return S, vectors @ jnp.where(solvable, rotated / jnp.where(solvable, total, 1.0), 0.0) @ vectors.T


@jax.custom_jvp
def pseudo_inverse_sqrt(A: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Return A^(-1/2) on the range of symmetric PSD A, and 0 on its null space."""
    values, vectors = jnp.linalg.eigh(A)
    # The inverse of what rounding leaves in the null space would be of the order 1e8, and spoil every direction.
    kept = values > jnp.maximum(RELATIVE_RANK * jnp.max(values), 1e-300)
    roots = jnp.where(kept, jax.lax.rsqrt(jnp.where(kept, values, 1.0)), 0.0)
    root: jax.Array = (vectors * roots[None]) @ vectors.T
    return root


@pseudo_inverse_sqrt.defjvp
def _pseudo_inverse_sqrt_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Derivative:
    """Return dP = -P dS P, with S the square root. The range is taken as fixed."""
    _, dS = _symmetric_sqrt_jvp(primals, tangents)
    P = pseudo_inverse_sqrt(primals[0])
    return P, -P @ dS @ P


def field_root(C: Float[Array, "J J"], K: int) -> Float[Array, "J J"]:
    """Return a root of C under which the latent fields stay fixed as the student moves.

    The latents come first, and the students are drawn given them.
    """
    aligned = C[:K, K:] @ pseudo_inverse_sqrt(C[K:, K:])
    rest = symmetric_sqrt(C[:K, :K] - aligned @ aligned.T)
    top = jnp.concatenate([rest, aligned], axis=1)
    return jnp.concatenate([top, jnp.concatenate([jnp.zeros_like(aligned.T), symmetric_sqrt(C[K:, K:])], axis=1)])


def inverse_field_root(C: Float[Array, "J J"], K: int) -> Float[Array, "J J"]:
    """Return the inverse of `field_root`, with 0 in directions that C does not span. It has no derivative."""
    floor = RELATIVE_RANK * jnp.max(jnp.diagonal(C))

    def inverse(A: Float[Array, "n n"]) -> Float[Array, "n n"]:
        values, vectors = jnp.linalg.eigh(A)
        kept = values > jnp.maximum(floor, 1e-300)
        roots = jnp.where(kept, jax.lax.rsqrt(jnp.where(kept, values, 1.0)), 0.0)
        root: jax.Array = (vectors * roots[None]) @ vectors.T
        return root

    inner = inverse(C[K:, K:])
    aligned = C[:K, K:] @ inner
    outer = inverse(C[:K, :K] - aligned @ aligned.T)
    top = jnp.concatenate([outer, -outer @ aligned @ inner], axis=1)
    return jnp.concatenate([top, jnp.concatenate([jnp.zeros_like(aligned.T), inner], axis=1)])
