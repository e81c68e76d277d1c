"""Averages over many points, some of them in memory at a time."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Sums = TypeVar("Sums")
PIECE = 2**12  # points whose fields are in memory at a time


def mean_over_points(sums: Callable[[jax.Array], Sums], normals: Float[Array, "D S"]) -> Sums:
    """Return the average over all points, where `sums` adds up over some of them.

    The result is in JAX's default precision. Within a piece, `sums` adds in the points' own precision.
    """
    points, exact = normals.shape[1], jnp.result_type(float)

    def part(piece: jax.Array) -> Sums:
        share: Sums = jax.tree.map(lambda x: x.astype(exact) / points, sums(piece))
        return share

    if points <= PIECE:
        return part(normals)

    @jax.checkpoint  # or reverse mode would keep the fields of all pieces
    def add(total: Any, first: Any) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, part(jax.lax.dynamic_slice_in_dim(normals, first, PIECE, axis=1))), None

    shapes = jax.eval_shape(part, normals[:, :PIECE])
    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    mean: Sums = jax.lax.scan(add, nothing, jnp.arange(0, points, PIECE))[0]
    return mean
