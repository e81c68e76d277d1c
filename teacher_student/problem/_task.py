"""What every task supplies to theory and simulation alike: latents, labels and cluster means.

A task is a Gaussian mixture of inputs (one cluster for committees) and a label that depends on the
fields nu of M latent directions: a teacher's hidden units, or the means of the clusters.
"""

import abc
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._public_module import PublicModule
from ._activation import Activation, as_activation
from ._by_level import knows_levels, of_level, takes_level
from ._inputs import Inputs
from ._ties import tie_probabilities


class Condition(PublicModule):
    """One level and one cluster of inputs, under which the local fields are jointly Gaussian.

    Fields:
      level: () index of the level.
      cluster: () index of the cluster.
      variances: (B,) variances Delta_lb of the inputs in every block.
      mean: (M,) coefficients s_l a_c of the inputs' mean on the latent directions.
    Over all conditions of a task at once, every field has a leading axis (levels x clusters).
    """

    level: Int[Array, "*conditions"]
    cluster: Int[Array, "*conditions"]
    variances: Float[Array, "*conditions B"]
    mean: Float[Array, "*conditions M"]


class SumOfUnits(PublicModule):
    """Labels that are a sum of units, y = sum_m vt_m psi(nu_m) + noise xi, or the sign of that, with xi ~ N(0, 1).

    Arguments:
      activation: the unit psi, or its name, such as "erf".
      readout: (M,) weights vt_m, or (L, M), where each level has its own.
      noise: the standard deviation of the noise, or (L,), one for each level.
      signed: whether labels are the sign of the sum.
    """

    activation: Activation = eqx.field(converter=as_activation)
    readout: Any
    noise: Any = 0.0
    signed: bool = eqx.field(static=True, default=False)

    def at_level(self, level: Any) -> "SumOfUnits":
        """Return what labels of one level are made of. Arguments: level: its index, which may be traced."""
        readout = of_level(self.readout, level) if np.ndim(self.readout) > 1 else self.readout
        noise = of_level(self.noise, level) if np.ndim(self.noise) else self.noise
        return SumOfUnits(self.activation, readout, noise, self.signed)


class AffineLabels(NamedTuple):
    """Labels y = vt_c . nu + y_c + sigma_c xi of each cluster.

    Fields: teachers: (C, M) vt_c; None where they are 0. offsets: (C,) y_c. noises: (C,) sigma_c.
    """

    teachers: Any
    offsets: Any
    noises: Any


class Task(PublicModule):
    """Base of all tasks. It serves for tasks of your own too.

    A task of your own is a subclass with the field `inputs` (an Inputs) and six members, for M latent directions,
    B blocks, L levels and C clusters of inputs:

      latents: the number M.
      seen_blocks: B booleans, which say where the latent directions have components.
      cluster_probabilities: (C,).
      cluster_means: (L, C, M), zeros of shape (L, 1, M) where inputs have mean 0.
      label(nu, cluster, noise): the label that SGD sees, for fields nu (..., M), cluster () or (...) and standard
        normal noise (...). It is made of JAX operations, and has one entry for each sample: (...).
      clean_label(nu, cluster): the same without noise.

    The example has one latent direction, and labels that say whether its field is within a band:

        class Band(ts.Task):
            inputs: ts.Inputs
            width: float
            labels = "sign"
            latents = 1
            seen_blocks = (True,)
            cluster_probabilities = np.ones(1)
            cluster_means = np.zeros((1, 1, 1))

            def label(self, nu, cluster, noise):
                return self.clean_label(nu, cluster)

            def clean_label(self, nu, cluster):
                return jnp.sign(self.width - jnp.abs(nu[..., 0]))

    A level may have a rule of its own, another threshold or another teacher. `label` and `clean_label` then take the
    index of the level too, before that of the cluster: label(nu, level, cluster, noise). With the field
    `widths: Float[Array, "L"]` the example's label is jnp.sign(self.widths[level] - jnp.abs(nu[..., 0])).

    What theory cannot see in a label's code a task declares, as an attribute or a property of its class. What is not
    declared is taken not to hold, which is always right.

      labels: "sign" if every label is +1 or -1, as the logistic loss needs, and "value" else.
      smooth: whether `label` and `clean_label` have no jumps in the fields and the noise. If they have, derivatives of
        sampled averages go through the law of the fields, which is noisier. They are then right in everything that the
        fields' law depends on. A number of the task's own that moves a jump, such as a threshold, needs `before_sign`
        too.

    Numbers of a task are fields of its class. Names and functions are static fields, `eqx.field(static=True)`. What
    `label` reads from elsewhere, from its class or its module, is compiled in as it was at the first solve, and a later
    change of it is not seen.
    """

    inputs: eqx.AbstractVar[Inputs]

    # Not properties: a subclass may declare them by an attribute, a property or a field alike.
    labels = "value"
    smooth = False

    @property
    @abc.abstractmethod
    def latents(self) -> int:
        """The number M of latent directions, of which labels and clusters are made."""

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
        """The readout that `random_overlaps` gives a student where none is asked for, "ones" or "signs"."""
        return "ones"

    @property
    @abc.abstractmethod
    def cluster_probabilities(self) -> Float[Any, "C"]:
        """Probabilities of the clusters; (1.0,) without a mixture."""

    @property
    @abc.abstractmethod
    def cluster_means(self) -> Float[Any, "L C M"]:
        """Coefficients s_l a_c of the clusters' means on the latent directions."""

    @abc.abstractmethod
    def label(
        self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"], noise: Float[Array, "*samples"]
    ) -> Float[Array, "*samples"]:
        """Return the label y (...) that SGD sees.

        Arguments:
          nu: (..., M) latent fields nu_m = u_m . x / sqrt(N), with any leading axes.
          cluster: () or (...) indices of the inputs' clusters. It is 0 without a mixture.
          noise: (...) standard normal numbers, one for each sample.
        """

    @abc.abstractmethod
    def clean_label(self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"]) -> Float[Array, "*samples"]:
        """Return the label (...) without noise, against which error and accuracy are measured.

        Arguments: nu: (..., M) latent fields. cluster: () or (...) indices of clusters, as in `label`.
        """

    def at_level(self, level: Any) -> "Task":
        """Return the task whose labels follow the rule of one level; here the task itself, where all levels have one.

        Theory and simulation ask the task of a sample's level for its label.

        Arguments: level: the index of the level, which may be traced.
        """
        if not knows_levels(type(self)):
            return self
        return RuleOfLevel(self, level)

    def name_of(self, field: str, index: tuple[int, ...]) -> str:
        """Return the name that a number of an array has in files, as "readout.1"; here its field and its place.

        Arguments: field: of the task, such as "readout". index: of the number in it.
        """
        return ".".join([field, *map(str, index)])

    def variances_at(self, level: Any, cluster: Any) -> Float[Array, "*conditions B"]:
        """Return the variances Delta_b of inputs of a level and a cluster; here those of the level.

        Arguments: level, cluster: () or (...) indices. Returns (..., B).
        """
        return jnp.asarray(self.inputs.variances)[level]

    def before_sign(
        self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"]
    ) -> tuple[Float[Array, "*samples"], Any] | None:
        """Return what labels are the sign of: outputs, and the standard deviation of the noise added to them.

        Derivatives in the numbers that outputs and noise are made of need it, because the sign alone has none. None
        means that labels are no signs, or that the task does not say what they are the sign of. Derivatives in these
        numbers then miss the jumps.

        Arguments: nu: (..., M) latent fields. cluster: () or (...) indices of clusters, as in `label`.
        """
        return None

    @property
    def units(self) -> "SumOfUnits | None":
        """What labels are made of, a `ts.SumOfUnits`, where they are a sum of units or its sign. Closed forms need it.

        It is for one cluster of inputs of mean 0. What is declared is compared with `label` and `clean_label` when a
        problem is made of known numbers; while numbers are traced, or in copies of a task, it is believed.
        None means that they are no such sum, or that the task does not say so. All averages are then sampled.
        """
        return None

    @property
    def affine_labels(self) -> "AffineLabels | None":
        """What labels are in each cluster, where they are affine in the latent fields; None where they are not.

        Linear students have closed forms then. A task of your own is believed.
        """
        return None

    def tie_probability(self, T: Float[Any, "B M M"]) -> dict[str, float]:
        """Return the probability that the noiseless label is 0, neither +1 nor -1, for each level.

        It is 0 unless labels are signs that jump. Without a closed form it is the share of 2^14 scrambled
        Sobol points of a fixed seed, with a standard error below 0.003.

        Arguments: T: overlaps of the latent directions, in every block.
        """
        return tie_probabilities(self, T)

    def unnamed(self) -> "Task":
        """Return the same task without the names of its levels and blocks: programs are not compiled for names.

        Here the task itself: a task of the user's may look its names up.
        """
        return self

    def to_table(self) -> dict[str, Any]:
        """Return what a file says of this task beside its kind, "module:Class": here one entry for each field.

        A class whose constructor does not take its fields defines this and `from_table`.
        Raises InputError for a field that is no number, name, Inputs or activation.
        """
        from ._task_tables import table_of_fields

        return table_of_fields(self)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Task":
        """Return the task that `to_table` described.

        Arguments: table: entries by name, as TOML reads them, without the task's kind.
        Raises InputError for a table that does not describe such a task.
        """
        from ._task_tables import task_of_fields

        task: Task = task_of_fields(cls, table)
        return task

    def conditions(self) -> Condition:
        """Return all pairs (level, cluster), level by level, as one Condition.

        Each of its fields has the leading axis L * C: level 0 with every cluster, then level 1, and so on.
        `Problem.condition_weights` has their probabilities in the same order.
        """
        levels, clusters, latents = np.shape(self.cluster_means)
        level, cluster = jnp.meshgrid(jnp.arange(levels), jnp.arange(clusters), indexing="ij")
        return Condition(
            level.ravel(),
            cluster.ravel(),
            self.variances_at(level.ravel(), cluster.ravel()),
            jnp.asarray(self.cluster_means).reshape(-1, latents),
        )


class RuleOfLevel(Task):
    """A task of the user's own whose labels take the level, at one level: a task like all others.

    Arguments: whole: the task. level: () index of the level, which may be traced.
    """

    inputs: Inputs
    whole: Task
    level: Int[Any, ""]

    def __init__(self, whole: Task, level: Any):
        self.inputs, self.whole, self.level = whole.inputs, whole, level

    @property
    def latents(self) -> int:
        return self.whole.latents

    @property
    def seen_blocks(self) -> tuple[bool, ...]:
        return self.whole.seen_blocks

    @property
    def spanned_blocks(self) -> tuple[bool, ...]:
        return self.whole.spanned_blocks

    @property
    def cluster_probabilities(self) -> Float[Any, "C"]:
        return self.whole.cluster_probabilities

    @property
    def cluster_means(self) -> Float[Any, "L C M"]:
        return self.whole.cluster_means

    @property
    def labels(self) -> str:  # type: ignore[override]  # a task may declare it by an attribute, or, as here, compute it
        """What the whole task declares."""
        return self.whole.labels

    @property
    def smooth(self) -> bool:  # type: ignore[override]  # as above
        """What the whole task declares."""
        return self.whole.smooth

    @property
    def units(self) -> "SumOfUnits | None":
        units = self.whole.units
        return None if units is None else units.at_level(self.level)

    @property
    def affine_labels(self) -> AffineLabels | None:
        return None  # a rule of the user's own

    def variances_at(self, level: Any, cluster: Any) -> Float[Array, "*conditions B"]:
        return self.whole.variances_at(level, cluster)

    def _call(self, method: str, nu: Any, cluster: Any, *noise: Any) -> Any:
        named = {"cluster": cluster} | ({"noise": noise[0]} if noise else {})
        if takes_level(type(self.whole), method):
            named["level"] = jnp.asarray(self.level)
        # By name where the level stands among them: a class may have it first or last.
        return (
            getattr(self.whole, method)(nu, **named)
            if "level" in named
            else getattr(self.whole, method)(nu, cluster, *noise)
        )

    def label(
        self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"], noise: Float[Array, "*samples"]
    ) -> Float[Array, "*samples"]:
        labels: Array = self._call("label", nu, cluster, noise)
        return labels

    def clean_label(self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"]) -> Float[Array, "*samples"]:
        labels: Array = self._call("clean_label", nu, cluster)
        return labels

    def before_sign(
        self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"]
    ) -> tuple[Float[Array, "*samples"], Any] | None:
        outputs: tuple[Array, Any] | None = self._call("before_sign", nu, cluster)
        return outputs
