"""First and second derivatives of functions of a state's entries, contracted as the expansion in 1/N needs them."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

Function = Callable[[jax.Array], jax.Array]


def jacobian(f: Function, x: jax.Array) -> jax.Array:
    """df_i/dx_j (m, n), by forward mode."""
    return jax.jacfwd(f)(x)


def half_hessian(f: Function, x: jax.Array, Sigma: jax.Array) -> jax.Array:
    """(1/2) sum_jk d2f_i/dx_j dx_k Sigma_jk (m,): second derivatives along the principal axes of Sigma."""
    values, vectors = jnp.linalg.eigh((Sigma + Sigma.T) / 2)
    axes = (vectors * jnp.sqrt(jnp.maximum(values, 0.0))).T

    def along(axis: jax.Array) -> jax.Array:
        def slope(x: jax.Array) -> jax.Array:
            return jax.jvp(f, (x,), (axis,))[1]

        return jax.jvp(slope, (x,), (axis,))[1]

    return jax.vmap(along)(axes).sum(axis=0) / 2
