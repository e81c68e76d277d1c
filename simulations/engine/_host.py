"""Numbers prepared on the host: what JAX converts outside of `jit` is compiled for, shape by shape."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def to_float_on_host(tree: Any, dtype: Any) -> Any:
    """`tree` as NumPy arrays, with every floating-point number in `dtype`; keys stay as they are."""

    def cast(x: Any) -> Any:
        if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            return x
        x = np.asarray(x)
        return x.astype(dtype, copy=False) if jnp.issubdtype(x.dtype, jnp.floating) else x

    return jax.tree.map(cast, tree)
