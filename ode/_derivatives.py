"""First and second derivatives of functions of a state's entries, contracted as the expansion in 1/N needs them.

`one_by_one`: directions one after the other in place of all at once: faster, and lighter, where one evaluation of the
function already works on large arrays (sampled averages).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

Function = Callable[[jax.Array], jax.Array]


def jacobian(f: Function, x: jax.Array, *, one_by_one: bool = False) -> jax.Array:
    """Return df_i/dx_j (m, n), by forward mode."""
    matrix: jax.Array
    if one_by_one:
        matrix = jax.lax.map(lambda axis: jax.jvp(f, (x,), (axis,))[1], jnp.eye(x.size)).T
    else:
        matrix = jax.jacfwd(f)(x)
    return matrix


def half_hessian(f: Function, x: jax.Array, Sigma: jax.Array, *, one_by_one: bool = False) -> jax.Array:
    """Return (1/2) sum_jk d2f_i/dx_j dx_k Sigma_jk (m,): second derivatives along the principal axes of Sigma."""
    values, vectors = jnp.linalg.eigh((Sigma + Sigma.T) / 2)
    # Sigma was integrated to a tolerance, so that eigenvalues near 0 may be negative: their roots would be NaN.
    axes = (vectors * jnp.sqrt(jnp.maximum(values, 0.0))).T

    def along(axis: jax.Array) -> jax.Array:
        def slope(x: jax.Array) -> jax.Array:
            tangent: jax.Array = jax.jvp(f, (x,), (axis,))[1]
            return tangent

        curvature: jax.Array = jax.jvp(slope, (x,), (axis,))[1]
        return curvature

    curvatures = jax.lax.map(along, axes) if one_by_one else jax.vmap(along)(axes)
    return curvatures.sum(axis=0) / 2
