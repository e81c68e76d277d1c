"""Numbers prepared on the host: what JAX converts outside of `jit` is compiled for, shape by shape."""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

Tree = TypeVar("Tree")  # a problem, weights, or another PyTree of arrays


def to_float_on_host(tree: Tree, dtype: npt.DTypeLike) -> Tree:
    """Return `tree` as NumPy arrays, with every floating-point number in `dtype`; keys stay as they are."""

    def cast(x: Any) -> Any:
        if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            return x
        x = np.asarray(x)
        return x.astype(dtype, copy=False) if jnp.issubdtype(x.dtype, jnp.floating) else x

    with np.errstate(over="ignore"):  # a rate of 1e200 is infinite in float32, and its runs diverge
        converted: Tree = jax.tree.map(cast, tree)
    return converted
