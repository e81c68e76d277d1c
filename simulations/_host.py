"""Numbers prepared on the host: what JAX converts outside of `jit` is compiled for, shape by shape."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Observables


def to_float_on_host(tree: Any, dtype: Any) -> Any:
    """`tree` as NumPy arrays, with every floating-point number in `dtype`; keys stay as they are."""

    def cast(x: Any) -> Any:
        if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            return x
        x = np.asarray(x)
        return x.astype(dtype, copy=False) if jnp.issubdtype(x.dtype, jnp.floating) else x

    return jax.tree.map(cast, tree)


def with_names(observables: Observables, unnamed: tuple[str, ...], names: tuple[str, ...]) -> Observables:
    """The same observables with `names` of the levels in place of those that the compiled problem has."""
    error, accuracy = (
        {name: values[number] for number, name in zip(unnamed, names, strict=True)}
        for values in (observables.error, observables.accuracy)
    )
    return Observables(observables.overlaps, error, accuracy)
