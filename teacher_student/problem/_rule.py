"""A task of the user's own whose labels take the level, at one level: a task like all others."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ._by_level import takes_level
from ._inputs import Inputs
from ._task import AffineLabels, SumOfUnits, Task


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
        level = (jnp.asarray(self.level),) if takes_level(type(self.whole), method) else ()
        return getattr(self.whole, method)(nu, *level, cluster, *noise)

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
