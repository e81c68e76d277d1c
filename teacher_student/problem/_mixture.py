"""Gaussian mixtures: any number of clusters, each with its own prior, mean, variances and rule."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._errors import InputError, about_entry, nearest, require_name
from .._fields import with_fields
from .._names import check_name
from .._numbers import as_number, as_numbers, check_at_least, check_finite, is_known
from .._shapes import Numbers
from ..tables import CLUSTER_ENTRIES, LABELS, MixtureTable, read_table
from ._by_level import by_level
from ._inputs import Inputs
from ._task import AffineLabels, Task
from ._task_tables import inputs_from_table, table_of_inputs

# What files call the arrays of a mixture.
ENTRY_OF = {
    "priors": "probability",
    "means": "mean",
    "offsets": "label",
    "teachers": "teacher",
    "noises": "noise",
    "variances": "variances",
}


class Mixture(Task):
    r"""A Gaussian mixture of C clusters, each with its own prior, mean, variances and rule.

    A sample of level l is in cluster c with the cluster's probability, and is

      x = sum_m a_lcm u_m / sqrt(N) + sqrt(Delta_lb + V_lcb) xi      in block b,     xi ~ N(0, 1),

    where Delta_lb are the variances of the level, such as the strength of a corruption, and V_lcb those that the
    cluster adds to them. With the latent fields nu_m = u_m . x / sqrt(N) its label is

      y = vt_c . nu + y_c + sigma_c xi'      for labels="value",      the sign of the same for labels="sign".

    Without a teacher vt_c this is a label by cluster, y_c. Clusters may also be groups, each with a teacher of its own.

    Arguments:
      inputs: the blocks and levels of the inputs.
      clusters: cluster's name -> its entries. All clusters have the same number M of latent directions:
        mean: (M,) coefficients a_cm on the latent directions, or {level: (M,)}.
        probability: its prior. Leave it out of all clusters where these are equally likely.
        label: the number y_c. 0 if it is left out.
        teacher: (M,) weights vt_c of the latent fields, which have the cluster's mean in them. 0 if it is left out.
        noise: the standard deviation sigma_c of the label's noise. 0 if it is left out.
        variances: {block: V_cb >= 0}, or {level: {block: V_lcb}}. 0 where they are left out.
      support: the name or names of the blocks in which the latent directions have components. None means all. A block
        of fraction 0 among them holds nothing but their span, so that T is not singular there.
      labels: "value" for regression or "sign" for classification.

    Mean and variances may differ by level, the others not. Blocks that the variances leave out add nothing.
    Raises InputError for a missing or unknown name, for a number out of range, for probabilities that do not sum to 1,
    and for a sign label of a cluster with neither label nor teacher nor noise: it would be 0.
    Source: Refinetti et al. 2021 (means of order 1, one variance); Sarao Mannelli et al. 2024 (groups with teachers).

    Example:
      >>> import teacher_student as ts
      >>> inputs = ts.Inputs({"plane": 0.0, "rest": 1.0}, {"clean": {"plane": 0.1, "rest": 0.1}})
      >>> means = {"right": [1.0, 0.0], "left": [-1.0, 0.0], "up": [0.0, 1.0], "down": [0.0, -1.0]}
      >>> labels = {"right": 1.0, "left": 1.0, "up": -1.0, "down": -1.0}
      >>> clusters = {name: {"mean": means[name], "label": labels[name]} for name in means}
      >>> xor = ts.Mixture(inputs, clusters, support="plane", labels="sign")
      >>> xor.latents, xor.cluster_names
      (2, ('right', 'left', 'up', 'down'))
    """

    inputs: Inputs
    cluster_names: tuple[str, ...] = eqx.field(static=True)
    support: tuple[str, ...] = eqx.field(static=True)
    labels: str = eqx.field(static=True)
    spanned: tuple[bool, ...] = eqx.field(static=True)
    priors: Float[Numbers, "C"]
    means: Float[Numbers, "L C M"]  # a_lcm
    variances: Float[Numbers, "L C B"] | None  # V_lcb, beside those of the levels
    offsets: Float[Numbers, "C"]  # y_c
    teachers: Float[Numbers, "C M"] | None  # vt_cm
    noises: Float[Numbers, "C"] | None  # sigma_c

    def __init__(
        self,
        inputs: Inputs,
        clusters: Mapping[str, Mapping[str, Any]],
        support: str | Sequence[str] | None = None,
        labels: str = MixtureTable.labels,
    ):
        if not isinstance(inputs, Inputs):
            raise InputError("an Inputs object for the mixture's inputs", type(inputs).__name__)
        if not isinstance(clusters, Mapping) or not clusters:
            raise InputError("clusters as cluster's name -> {mean, ...}", repr(clusters))
        self.inputs, self.cluster_names = inputs, tuple(clusters)
        for name, row in clusters.items():
            check_name(name, "cluster")
            _check_entries(name, row)
        blocks = inputs.block_names
        if not isinstance(support, (str, list, tuple, type(None))):
            raise InputError("a block's name, or several, as the mixture's support", repr(support))
        names = blocks if support is None else (support,) if isinstance(support, str) else tuple(support)
        for name in names:
            require_name(name, blocks, "block in the mixture's support")
        if not names:
            raise InputError("at least one block in the mixture's support", "none")
        self.support = tuple(name for name in blocks if name in names)
        require_name(labels, LABELS, "kind of labels")
        self.labels = labels
        empty = np.asarray(inputs.fractions) == 0 if is_known(inputs.fractions) else np.zeros(len(blocks), bool)
        self.spanned = tuple(bool(e) and name in self.support for e, name in zip(empty, blocks, strict=True))
        rows = list(clusters.items())
        self.means = _means(rows, inputs)
        width = np.shape(self.means)[-1]
        self.priors = _priors(rows)
        self.offsets = _column(rows, "label", 0.0)
        self.teachers = _teachers(rows, width) if any("teacher" in row for _, row in rows) else None
        self.noises = None
        if any("noise" in row for _, row in rows):
            self.noises = _column(rows, "noise", 0.0, least=0.0)
        self.variances = _variances(rows, inputs) if any("variances" in row for _, row in rows) else None
        if labels == "sign":
            _require_signs(rows)

    def name_of(self, field: str, index: tuple[int, ...]) -> str:
        """Return the name that a number of an array has in files: "clusters.NAME.label", "clusters.NAME.mean.1".

        Arguments: field: such as "offsets". index: of the number in it. Levels are named where they differ.
        """
        entry, of_levels = ENTRY_OF[field], field in ("means", "variances")
        level, cluster, *rest = index if of_levels else (0, *index)
        words = [self.inputs.level_names[level]] if of_levels and len(self.inputs.level_names) > 1 else []
        words += [self.inputs.block_names[i] if field == "variances" else str(i) for i in rest]
        return ".".join(["clusters", self.cluster_names[cluster], entry, *words])

    @property
    def latents(self) -> int:
        return int(np.shape(self.means)[-1])

    @property
    def seen_blocks(self) -> tuple[bool, ...]:
        return tuple(name in self.support for name in self.inputs.block_names)

    @property
    def spanned_blocks(self) -> tuple[bool, ...]:
        return self.spanned

    @property
    def cluster_probabilities(self) -> Float[Numbers, "C"]:
        return self.priors

    @property
    def cluster_means(self) -> Float[Numbers, "L C M"]:
        return self.means

    @property
    def usual_readout(self) -> str:
        return "signs"

    @property
    def smooth(self) -> bool:  # type: ignore[override]  # a task may declare it by an attribute, or, as here, compute it
        """Whether labels do not jump: they are values, or signs of numbers that nothing is added to."""
        return self.labels == "value" or (self.teachers is None and self.noises is None)

    @property
    def affine_labels(self) -> AffineLabels | None:
        """What labels are in each cluster, where they are affine in the latent fields; None for signs that jump."""
        if not self.smooth:
            return None
        C = len(self.cluster_names)
        offsets = jnp.sign(jnp.asarray(self.offsets)) if self.labels == "sign" else self.offsets
        return AffineLabels(self.teachers, offsets, np.zeros(C) if self.noises is None else self.noises)

    def variances_at(self, level: Any, cluster: Any) -> Float[Array, "*conditions B"]:
        of_level = super().variances_at(level, cluster)
        if self.variances is None:
            return of_level
        return of_level + jnp.asarray(self.variances)[level, cluster].astype(of_level.dtype)

    def output(self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"]) -> Float[Array, "*samples"]:
        """Return vt_c . nu + y_c, the label before noise and sign.

        Arguments: nu: (..., M) latent fields. cluster: () or (...) indices of clusters. Returns outputs (...).
        """
        y = jnp.broadcast_to(jnp.asarray(self.offsets, nu.dtype)[cluster], nu.shape[:-1])
        if self.teachers is None:
            return y
        return y + jnp.sum(jnp.broadcast_to(jnp.asarray(self.teachers, nu.dtype)[cluster], nu.shape) * nu, axis=-1)

    def label(
        self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"], noise: Float[Array, "*samples"]
    ) -> Float[Array, "*samples"]:
        y = self.output(nu, cluster)
        if self.noises is not None:
            y = y + jnp.asarray(self.noises, nu.dtype)[cluster] * noise
        return jnp.sign(y) if self.labels == "sign" else y

    def clean_label(self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"]) -> Float[Array, "*samples"]:
        y = self.output(nu, cluster)
        return jnp.sign(y) if self.labels == "sign" else y

    def before_sign(
        self, nu: Float[Array, "*samples M"], cluster: Int[Array, "*#samples"]
    ) -> tuple[Float[Array, "*samples"], Any] | None:
        if self.labels != "sign" or self.smooth:
            return None
        noise = 0.0 if self.noises is None else jnp.asarray(self.noises, nu.dtype)[cluster]
        return self.output(nu, cluster), noise

    def unnamed(self) -> "Mixture":
        support = tuple(name for name, seen in zip(self._numbered, self.seen_blocks, strict=True) if seen)
        names = tuple(map(str, range(len(self.cluster_names))))
        return with_fields(self, inputs=self.inputs.unnamed(), support=support, cluster_names=names)

    @property
    def _numbered(self) -> tuple[str, ...]:
        return self.inputs.unnamed().block_names

    def _shown(self) -> list[tuple[str, Any]]:
        return [("inputs", self.inputs), *((name, entry) for name, entry in self._entries().items())]

    def to_table(self) -> dict[str, Any]:
        return {**table_of_inputs(self.inputs), **self._entries()}

    def _entries(self) -> dict[str, Any]:
        clusters = {name: self._cluster(c) for c, name in enumerate(self.cluster_names)}
        return {"clusters": clusters, "support": list(self.support), "labels": self.labels}

    def _cluster(self, c: int) -> dict[str, Any]:
        """Return the entries of one cluster: numbers, or {level: numbers} where levels differ."""
        entries: dict[str, Any] = {"probability": _plain(self.priors[..., c]), "label": _plain(self.offsets[..., c])}
        entries["mean"] = self._of_levels(_plain(self.means[..., c, :]))
        if self.teachers is not None:
            entries["teacher"] = _plain(self.teachers[..., c, :])
        if self.noises is not None:
            entries["noise"] = _plain(self.noises[..., c])
        if self.variances is not None:
            rows = _plain(self.variances[..., c, :])
            named = [dict(zip(self.inputs.block_names, row, strict=True)) for row in rows]
            entries["variances"] = self._of_levels(named)
        return entries

    def _of_levels(self, rows: list[Any]) -> Any:
        alike = all(row == rows[0] for row in rows)
        return rows[0] if alike else dict(zip(self.inputs.level_names, rows, strict=True))

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Mixture":
        read = read_table(MixtureTable, table, "task")
        inputs = inputs_from_table(read.fractions, read.levels)
        clusters = {name: row.entries() for name, row in read.clusters.items()}
        return cls(inputs, clusters, read.support, read.labels)


def _plain(numbers: Any) -> Any:
    return np.asarray(numbers).tolist()


def _check_entries(name: str, row: Any) -> None:
    if not isinstance(row, Mapping):
        raise InputError(f"entries of cluster {name!r}, {{mean, ...}}", repr(row))
    for entry in row:
        if entry not in CLUSTER_ENTRIES:
            remedy = nearest(str(entry), CLUSTER_ENTRIES)
            raise InputError(f"known entries of cluster {name!r}", repr(entry), remedy)
    if "mean" not in row:
        raise InputError(f"a mean of cluster {name!r}", f"only {sorted(row)}", "give its coefficients on the latents")


Rows = list[tuple[str, Mapping[str, Any]]]


def _means(rows: Rows, inputs: Inputs) -> Float[Numbers, "L C M"]:
    levels, columns = inputs.level_names, []
    for name, row in rows:
        with about_entry("clusters", name, "mean"):
            quantity = f"the mean of cluster {name!r}"
            each = by_level(row["mean"], levels, quantity) if isinstance(row["mean"], Mapping) else [row["mean"]]
            vectors = [as_numbers(vector, quantity) for vector in each]
            for vector in vectors:
                if np.ndim(vector) != 1 or not np.size(vector):
                    raise InputError(f"a vector (M,) as {quantity}", f"shape {np.shape(vector)}")
            columns.append(vectors if len(vectors) == len(levels) else vectors * len(levels))
    widths = {np.shape(vector)[0] for column in columns for vector in column}
    if len(widths) > 1:
        raise InputError("means of all clusters with the same number M of latents", sorted(widths))
    means: Float[Numbers, "L C M"] = as_numbers(
        [[column[level] for column in columns] for level in range(len(levels))], "means of clusters"
    )
    check_finite(means, "means of clusters")
    return means


def _column(rows: Rows, entry: str, otherwise: float, least: float | None = None) -> Any:
    """Return one number of every cluster, (C,). Raises InputError that names the cluster."""
    column = []
    for name, row in rows:
        with about_entry("clusters", name, entry):
            quantity = f"the {entry} of cluster {name!r}"
            number = as_number(row.get(entry, otherwise), quantity)
            check_finite(number, quantity)
            if least is not None:
                check_at_least(number, least, quantity)
        column.append(number)
    return as_numbers(column, f"the {entry} of clusters")


def _require_signs(rows: Rows) -> None:
    """Raise InputError for a cluster whose sign label would always be sign(0)."""
    for name, row in rows:
        entries = [row.get(entry, 0.0) for entry in ("label", "teacher", "noise")]
        if is_known(entries) and not any(np.any(np.asarray(entry)) for entry in entries):
            with about_entry("clusters", name):
                required = f"a label, a teacher or noise of cluster {name!r}, for labels that are signs"
                raise InputError(required, "none: its label would be 0", "give label = 1.0 or -1.0")


def _priors(rows: Rows) -> Any:
    given = [name for name, row in rows if "probability" in row]
    if not given:
        return np.full(len(rows), 1 / len(rows))
    if len(given) < len(rows):
        missing = next(name for name, row in rows if "probability" not in row)
        raise InputError("a probability of every cluster, or of none", f"none of {missing!r}")
    priors = _column(rows, "probability", 0.0, least=0.0)
    if is_known(priors) and abs(float(np.sum(priors)) - 1) > 1e-9:
        raise InputError("probabilities of clusters that sum to 1", f"a sum of {float(np.sum(priors)):.12g}")
    return priors


def _teachers(rows: Rows, width: int) -> Float[Numbers, "C M"]:
    vectors = [as_numbers(row.get("teacher", np.zeros(width)), f"the teacher of {name!r}") for name, row in rows]
    for (name, _), vector in zip(rows, vectors, strict=True):
        if np.shape(vector) != (width,):
            raise InputError(f"{width} weights of the teacher of cluster {name!r}", f"shape {np.shape(vector)}")
    teachers: Float[Numbers, "C M"] = as_numbers(vectors, "teachers of clusters")
    check_finite(teachers, "teachers of clusters")
    return teachers


def _variances(rows: Rows, inputs: Inputs) -> Float[Numbers, "L C B"]:
    """Return V_lcb of all clusters. A cluster without any adds nothing, and neither does a block that it leaves out."""
    columns = [_variances_of(name, row.get("variances", {}), inputs) for name, row in rows]
    variances: Float[Numbers, "L C B"] = as_numbers(
        [[column[level] for column in columns] for level in range(len(inputs.level_names))], "variances of clusters"
    )
    check_at_least(variances, 0.0, "variances of clusters")
    return variances


def _variances_of(name: str, given: Any, inputs: Inputs) -> list[list[Any]]:
    quantity = f"variances of cluster {name!r}"
    if not isinstance(given, Mapping):
        raise InputError(f"{quantity} as {{block: variance}}, or {{level: {{block: variance}}}}", repr(given))
    nested = bool(given) and all(isinstance(each, Mapping) for each in given.values())
    each_level = by_level(given, inputs.level_names, quantity) if nested else [given] * len(inputs.level_names)
    rows = []
    for row in each_level:
        for block in row:
            if block not in inputs.block_names:
                raise InputError(f"known blocks in {quantity}", repr(block), nearest(str(block), inputs.block_names))
        rows.append([as_number(row.get(block, 0.0), quantity) for block in inputs.block_names])
    return rows
