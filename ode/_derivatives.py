"""First and second derivatives of functions of a state's entries, contracted as the expansion in 1/N needs them.

`one_by_one`: directions one after the other in place of all at once: faster, and lighter, where one evaluation of the
function already works on large arrays (sampled averages).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Function = Callable[[Float[Array, "n"]], Float[Array, "m"]]


def jacobian(f: Function, x: Float[Array, "n"], *, one_by_one: bool = False) -> Float[Array, "m n"]:
    """Return df_i/dx_j, by forward mode."""
    matrix: jax.Array
    if one_by_one:
        matrix = jax.lax.map(lambda axis: jax.jvp(f, (x,), (axis,))[1], jnp.eye(x.size)).T
    else:
        matrix = jax.jacfwd(f)(x)
    return matrix


def half_hessian(
    f: Function, x: Float[Array, "n"], Sigma: Float[Array, "n n"], *, one_by_one: bool = False
) -> Float[Array, "m"]:
    """Return (1/2) sum_jk d2f_i/dx_j dx_k Sigma_jk: second derivatives along the principal axes of Sigma."""
    values, vectors = jnp.linalg.eigh((Sigma + Sigma.T) / 2)
    # Sigma was integrated to a tolerance, so that eigenvalues near 0 may be negative: their roots would be NaN.
    axes = (vectors * jnp.sqrt(jnp.maximum(values, 0.0))[None]).T

    def along(axis: Float[Array, "n"]) -> Float[Array, "m"]:
        def slope(x: jax.Array) -> jax.Array:
            tangent: jax.Array = jax.jvp(f, (x,), (axis,))[1]
            return tangent

        curvature: jax.Array = jax.jvp(slope, (x,), (axis,))[1]
        return curvature

    curvatures = jax.lax.map(along, axes) if one_by_one else jax.vmap(along)(axes)
    return curvatures.sum(axis=0) / 2
