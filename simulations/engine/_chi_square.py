"""Chi-square numbers, whole arrays at a time: JAX's own gamma numbers are drawn one after the other on a CPU."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def chi_square(key: jax.Array, freedom: Any, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    r"""Draw independent chi^2 numbers with `freedom` >= 1 degrees of freedom.

      chi^2 = 2 d v,  v = (1 + x / sqrt(9 d))^3,  d = freedom / 2 - 1/3,  x ~ N(0, 1),
    accepted with probability min(1, exp(x^2/2 + d - d v + d log v)) if v > 0; for 1 degree of freedom, x^2.
    All numbers are drawn again until each has an accepted one: at 1000 degrees of freedom 1 in 2000 is rejected.

    Source: Marsaglia & Tsang 2000 (exact for freedom >= 2).
    """

    freedom = jnp.asarray(freedom, dtype)
    d = freedom / 2 - 1 / 3

    def again(state: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        key, numbers, done = state
        key, normal_key, uniform_key = jax.random.split(key, 3)
        x = jax.random.normal(normal_key, shape, dtype)
        v = (1 + x / jnp.sqrt(9 * d)) ** 3
        # Where v <= 0 the number is rejected below, whatever stands here; a logarithm of it would be NaN.
        positive = jnp.maximum(v, np.finfo(dtype).tiny)
        # log(1 - u), not log(u): a uniform number may be 0, and is never 1.
        bound = x**2 / 2 + d - d * positive + d * jnp.log(positive)
        accepted = (v > 0) & (jnp.log1p(-jax.random.uniform(uniform_key, shape, dtype)) < bound)
        candidate = jnp.where(freedom == 1, x**2, 2 * d * v)
        return key, jnp.where(done, numbers, candidate), done | accepted | (freedom == 1)

    state = key, jnp.zeros(shape, dtype), jnp.zeros(shape, bool)
    return jax.lax.while_loop(lambda s: ~jnp.all(s[2]), again, state)[1]
