"""The XOR-like Gaussian mixture: four clusters in a plane, each class on one axis, noise in all dimensions."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._errors import InputError
from .._fields import with_fields
from .._numbers import as_row, check_at_least
from .._shapes import Numbers
from ..tables import MIXTURE_NUMBERS, XorMixtureTable, check_mixture_row, read_table
from ._inputs import Inputs
from ._mixture import Mixture
from ._schedule import ScheduledNumbers
from ._schedule_tables import schedule_from_table, table_of_number
from ._task import AffineLabels, Task

DIRECTIONS = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # a_c on u_1, u_2
SIGNS = np.array([1.0, 1.0, -1.0, -1.0])  # y_c


class XorMixture(Task):
    """Four equally likely Gaussian clusters: those with means +-s_l u_1 have label +1, those with +-s_l u_2 label -1.

    An input of cluster c is

      x = s_l sum_m a_cm u_m / sqrt(N) + noise,      u_m . u_n / N = delta_mn,

    where the noise has the variance Delta_{l,plane} in the plane of u_1 and u_2, and Delta_{l,rest} in all other
    directions. So there are two blocks, "plane" (of fraction 0) and "rest". At finite N the plane has 2 of the N
    dimensions. Easy and hard may differ in the plane (s and Delta_plane: finding the rule) or outside of it (finding
    the manifold).

    Arguments:
      levels: level name -> {separation: s_l > 0, plane_variance: >= 0, rest_variance: >= 0}.

    Raises InputError for a missing or unknown name and for a number out of range.
    Source: Refinetti et al. 2021; Ben Arous et al. 2022; Sarao Mannelli et al. 2024.
    """

    inputs: Inputs
    separation: Float[Numbers, "L"]  # s_l

    labels = "sign"
    smooth = True  # labels are those of the clusters, whatever the fields

    def __init__(self, levels: Mapping[str, Mapping[str, Any]]):
        if not isinstance(levels, Mapping) or not levels:
            raise InputError("levels as level name -> {separation, plane_variance, rest_variance}", repr(levels))
        for name, row in levels.items():
            check_mixture_row(name, row)
        variances = {
            name: {"plane": row["plane_variance"], "rest": row["rest_variance"]} for name, row in levels.items()
        }
        self.inputs = Inputs({"plane": 0.0, "rest": 1.0}, variances)
        self.separation = as_row((row["separation"] for row in levels.values()), "separations")
        check_at_least(self.separation, 0.0, "separation of the clusters", strict=True)

    @property
    def latents(self) -> int:
        return 2

    @property
    def seen_blocks(self) -> tuple[bool, ...]:
        return True, False

    @property
    def spanned_blocks(self) -> tuple[bool, ...]:
        return True, False

    @property
    def cluster_probabilities(self) -> Float[np.ndarray, "C"]:
        return np.full(4, 0.25)

    @property
    def cluster_means(self) -> Float[Numbers, "L C M"]:
        return self.separation[:, None, None] * DIRECTIONS.astype(self.separation.dtype)[None]

    @property
    def usual_readout(self) -> str:
        return "signs"

    @property
    def affine_labels(self) -> AffineLabels:
        """The four labels, which are numbers."""
        return AffineLabels(None, SIGNS, np.zeros(4))

    def unnamed(self) -> "XorMixture":
        return with_fields(self, inputs=self.inputs.unnamed())

    def to_table(self) -> dict[str, Any]:
        rows = [
            dict(zip(MIXTURE_NUMBERS, (float(separation), *map(table_of_number, row.values())), strict=True))
            for separation, row in zip(self.separation, self.inputs.rows().values(), strict=True)
        ]
        return {"levels": dict(zip(self.inputs.level_names, rows, strict=True))}

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "XorMixture":
        levels = read_table(XorMixtureTable, table, "task").levels
        return cls({level: {name: schedule_from_table(x) for name, x in row.items()} for level, row in levels.items()})

    def label(
        self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"], noise: Float[Array, "*samples"]
    ) -> Float[Array, "*samples"]:
        return self.clean_label(nu, cluster)

    def clean_label(self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"]) -> Float[Array, "*samples"]:
        return jnp.broadcast_to(jnp.asarray(SIGNS, nu.dtype)[cluster], nu.shape[:-1])

    def as_mixture(self) -> Mixture:
        """Return the same task as a `Mixture`, in which any number of any cluster may be changed."""
        names = self.inputs.level_names
        clusters = {
            f"{'+' if sign > 0 else '-'}{'abab'[c]}": {
                "mean": {level: s * direction for level, s in zip(names, self.separation, strict=True)},
                "label": sign,
            }
            for c, (direction, sign) in enumerate(zip(DIRECTIONS, SIGNS, strict=True))
        }
        return Mixture(self.inputs, clusters, support="plane", labels="sign")

    def bayes_accuracy(self) -> dict[str, Any]:
        """Return the largest accuracy of any classifier, per level.

          p^2 + (1 - p)^2,      p = Phi(s / sqrt(2 Delta_plane))

        The best classifier says +1 where |nu_1| > |nu_2|. Raises InputError for variances that are schedules.
        Source: Refinetti et al. 2021, for this geometry.
        """
        from scipy.special import ndtr  # a third of a second to import: only this needs it

        if isinstance(self.inputs.variances, ScheduledNumbers):
            raise InputError("variances at one time for Bayes' accuracy", "schedules", "take problem.at(alpha).task")
        with np.errstate(divide="ignore"):
            p = ndtr(self.separation / np.sqrt(2 * self.inputs.variances[:, 0]))
        values = np.asarray(p**2 + (1 - p) ** 2)
        return dict(zip(self.inputs.level_names, values.tolist(), strict=True))
