"""A task and a unit of one's own, in one file: own_task.toml beside it names them, `kind = "own_task:Band"`."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import teacher_student as ts


class Band(ts.Task):
    """Is the field of one direction within a band? y = +1 where |nu| < width, else -1.

    A file has one entry for each field: inputs, as a table with fractions and levels, and the width.
    """

    inputs: ts.Inputs
    width: Any  # of the band, in the units of nu

    labels = "sign"

    @property
    def latents(self) -> int:
        return 1

    @property
    def seen_blocks(self) -> tuple[bool, ...]:
        return tuple(name == "relevant" for name in self.inputs.block_names)

    @property
    def cluster_probabilities(self) -> Any:
        return np.ones(1)  # no mixture: one cluster, of mean 0

    @property
    def cluster_means(self) -> Any:
        return np.zeros((len(self.inputs.level_names), 1, 1))  # (levels, clusters, latents)

    def label(self, nu: jax.Array, cluster: jax.Array, noise: jax.Array) -> jax.Array:
        return self.clean_label(nu, cluster)

    def clean_label(self, nu: jax.Array, cluster: jax.Array) -> jax.Array:
        return jnp.sign(self.before_sign(nu, cluster)[0])

    def before_sign(self, nu: jax.Array, cluster: jax.Array) -> tuple[jax.Array, Any]:
        return self.width - jnp.abs(nu[..., 0]), 0.0  # with it, derivatives in the width are right


def swish(x: jax.Array) -> jax.Array:
    """x / (1 + exp(-x))."""
    return x * jax.nn.sigmoid(x)


SWISH = ts.Activation("swish", swish, smooth=True)  # declared smooth: derivatives through points, with less noise
