"""What every task supplies to theory and simulation alike: latents, labels and cluster means.

A task is a Gaussian mixture of inputs (one cluster for committees) and a label that depends on the
fields nu of M latent directions: a teacher's hidden units, or the means of the clusters.
"""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ._inputs import Inputs


class Condition(eqx.Module):
    """One (level, cluster) under which the local fields are jointly Gaussian.

    Batched over all conditions of a task, every field has a leading axis (levels x clusters).
    """

    level: Any  # () index of the level
    cluster: Any  # () index of the cluster
    variances: Any  # (B,) Delta_{l,b}
    mean: Any  # (M,) s_l a_c: coefficients of the inputs' mean on the latent directions


class Task(eqx.Module):
    """Base of all tasks.

    A task of your own states its inputs, latents, blocks, clusters and labels, and may declare two things about the
    labels: `labels` and `smooth`. What is not declared is taken to be the general case: values that may jump.
    """

    inputs: eqx.AbstractVar[Inputs]

    @property
    @abc.abstractmethod
    def latents(self) -> int:
        """Number M of latent directions."""

    @property
    @abc.abstractmethod
    def seen_blocks(self) -> tuple[bool, ...]:
        """For each block, whether the latent directions have components in it."""

    @property
    def spanned_blocks(self) -> tuple[bool, ...]:
        """For each block, whether it holds nothing but the span of the latent directions (its fraction is 0)."""
        return (False,) * len(self.seen_blocks)

    @property
    def usual_readout(self) -> str:
        """The readout of `random_overlaps` where none is asked for."""
        return "ones"

    @property
    def labels(self) -> str:
        """What labels are: "sign" (+1 or -1, which the logistic loss needs) or "value" (any number)."""
        return "value"

    @property
    def smooth(self) -> bool:
        """Whether labels are known to have no jumps in the fields, in the noise and in what the task is made of.

        Where they may have some (the default), derivatives of sampled averages go through the law of the fields,
        which is right for every label, but noisier. Declaring True for labels that jump makes derivatives wrong.
        """
        return False

    @property
    def output_of_signs(self) -> Callable[[jax.Array], jax.Array] | None:
        """The output whose sign is the label, as a function of fields nu (..., M); None: labels are made otherwise.

        A task of your own may define it as a method: output_of_signs(self, nu). Noise of the standard deviation that
        the task's `noise` is, if it has one, is added to the output. With it, derivatives in what the output is made
        of, and in the noise, see where signs turn; without it, only derivatives in the law of the fields do.
        """
        return None

    @property
    @abc.abstractmethod
    def cluster_probabilities(self) -> Any:
        """(C,) probabilities of the clusters; (1.0,) without a mixture."""

    @property
    @abc.abstractmethod
    def cluster_means(self) -> Any:
        """(L, C, M) coefficients s_l a_c of the clusters' means on the latent directions."""

    @abc.abstractmethod
    def label(self, nu: jax.Array, cluster: jax.Array, noise: jax.Array) -> jax.Array:
        """The label y that SGD sees, from fields nu (..., M) and standard normal noise (...)."""

    @abc.abstractmethod
    def clean_label(self, nu: jax.Array, cluster: jax.Array) -> jax.Array:
        """The label without noise, against which error and accuracy are measured."""

    def unnamed(self) -> "Task":
        """Return the same task without the names of its levels and blocks: programs are not compiled for names.

        Here the task itself: a task of the user's may look its names up.
        """
        return self

    def conditions(self) -> Condition:
        """All (level, cluster) pairs, level-major, each field with leading axis L * C."""
        levels, clusters, latents = np.shape(self.cluster_means)
        level, cluster = jnp.meshgrid(jnp.arange(levels), jnp.arange(clusters), indexing="ij")
        return Condition(
            level.ravel(),
            cluster.ravel(),
            jnp.asarray(self.inputs.variances)[level.ravel()],
            jnp.asarray(self.cluster_means).reshape(-1, latents),
        )
