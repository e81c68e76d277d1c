"""Float64 for theory, whatever the user's JAX settings, which are never changed."""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from ._errors import InputError

Tree = TypeVar("Tree")


def require_traceable(arguments: Any, caller: str) -> None:
    """Raise InputError if `arguments` are being traced by jit or grad while JAX is at 32 bits.

    A plain call or vmap switches to 64 bits by itself; jit and grad around it cannot.
    """
    if jax.config.read("jax_enable_x64"):  # type: ignore[no-untyped-call]  # JAX leaves it untyped
        return
    if any(_is_differentiated_or_staged(leaf) for leaf in jax.tree.leaves(arguments)):
        raise InputError(
            f"64-bit JAX inside your own jit or grad of {caller}",
            "32-bit JAX",
            "wrap the outermost call in `with jax.enable_x64(True):`",
        )


def _is_differentiated_or_staged(x: Any) -> bool:
    while type(x).__name__ == "BatchTracer":
        x = x.val
    return isinstance(x, jax.core.Tracer)


def to_float(tree: Tree, dtype: Any) -> Tree:
    """Return `tree` with every floating-point array in `dtype`, and integer ones as JAX arrays."""

    def cast(x: Any) -> Any:
        x = jnp.asarray(x)
        return x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x

    converted: Tree = jax.tree.map(cast, tree)
    return converted


def to_float64(tree: Tree) -> Tree:
    """Return `tree` with every floating-point number in float64, on the host where it is known.

    Compiled calls take it from there: a transfer of each array would take as long as a short solve.
    """

    def cast(x: Any) -> Any:
        if isinstance(x, jax.core.Tracer):
            return x.astype(jnp.float64) if jnp.issubdtype(x.dtype, jnp.floating) else x
        x = np.asarray(x)
        return x.astype(np.float64, copy=False) if x.dtype.kind == "f" else x

    converted: Tree = jax.tree.map(cast, tree)
    return converted


def to_host(tree: Tree) -> Tree:
    """Return `tree` with NumPy arrays in place of JAX ones, so that float64 outlives the 64-bit context."""
    moved: Tree = jax.tree.map(lambda x: x if isinstance(x, jax.core.Tracer) else np.asarray(x), tree)
    return moved
