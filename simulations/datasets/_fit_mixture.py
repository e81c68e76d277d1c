"""The Gaussian mixture that theory takes for a data set: means of clusters, and variances in bins of directions."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from teacher_student import InputError, Inputs, Mixture, Overlaps
from teacher_student.internal import (
    PublicRecord,
    Weights,
    as_count,
    as_key,
    check_at_least,
    is_number,
    key_numbers,
    nearest,
    require_name,
)

from ._bins import bin_edges, means_of_bins, names_of_bins
from ._dataset import Dataset

COVARIANCES = ("clusters", "pooled", "plane and rest")
READOUTS = ("signs", "ones", "normal")
Labels = Mapping[Any, float] | Sequence[Mapping[Any, float]]  # names of clusters are texts, or numbers such as digits


@dataclasses.dataclass(frozen=True)
class MixtureFit(PublicRecord):
    """A Gaussian mixture fitted to a data set, and the data set in the coordinates of the mixture's blocks.

    Fields:
      task: the mixture, for `ts.Problem`. Its levels are those of the data set's noise, and its blocks are bins of
        directions.
      data: the data set in the fit's coordinates, for `simulations.run(..., data=fit.data)`.
      latents: (M, N) latent directions in these coordinates: u_c = sqrt(N) mu_c for every cluster, then the teacher's.
      basis: (N, N) directions as columns: coordinates are x @ basis.
      eigenvalues: (N,) variances within clusters along the directions.
      sizes: (B,) directions in each bin.
    """

    task: Mixture
    data: Dataset
    latents: Float[np.ndarray, "M N"]
    basis: Float[np.ndarray, "N N"]
    eigenvalues: Float[np.ndarray, "N"]
    sizes: tuple[int, ...]

    def _words(self) -> str:
        blocks, levels = len(self.sizes), ", ".join(self.data.noise)
        return f"MixtureFit({len(self.data.clusters)} clusters, N = {self.data.dim} in {blocks} blocks; {levels})"

    def rotate(self, data: Any) -> Any:
        """Return inputs in the fit's coordinates.

        Arguments: data: another `Dataset`, such as the one held out, or an array (..., N).
        """
        if isinstance(data, Dataset):
            self._require_dim(data.dim)
            return rotated(data, self.basis)
        rows = np.asarray(data, np.float64)
        self._require_dim(rows.shape[-1] if rows.ndim else 0)
        return rows @ self.basis

    def _require_dim(self, dim: int) -> None:
        if dim != self.data.dim:
            raise InputError(f"inputs of N = {self.data.dim} components", dim)

    def weights_of(self, student: Any, readout: Any) -> Weights:
        """Return the weights of students that were trained or drawn elsewhere, in the fit's coordinates.

        Arguments: student: (runs, K, N) in the coordinates of the data set before the fit. readout: (runs, K).
        """
        rows, v = self.rotate(student), np.asarray(readout, np.float64)
        if rows.ndim != 3 or v.shape != rows.shape[:2]:
            required = "student (runs, K, N) and readout (runs, K)"
            raise InputError(required, f"shapes {rows.shape} and {v.shape}")
        return self._with_latents(rows, v)

    def random_weights(
        self,
        width: int,
        runs: int,
        key: Any,
        *,
        scale: float = 0.1,
        readout: str = "signs",
        readout_scale: float | None = None,
        same: bool = False,
    ) -> Weights:
        """Draw starting weights w ~ N(0, scale^2) of `runs` students, for `simulations.run(..., start=weights)`.

        Arguments:
          width: hidden units K. runs: students. key: a seed or a JAX key. Run r depends on the key and r alone.
          scale: standard deviation of the first layer's weights.
          readout, readout_scale: as in `ts.random_overlaps`: "signs", "ones" or "normal", times the scale; None: 1 for
            "ones" and 1/sqrt(K) else.
          same: whether all runs start from the weights of run 0, as `simulations.agreement` wants them.
        """
        K, count = as_count(width, "width K"), as_count(runs, "number of runs")
        check_at_least(scale, 0.0, "scale of the weights")
        require_name(readout, READOUTS, "readout")
        factor = (1.0 if readout == "ones" else K**-0.5) if readout_scale is None else readout_scale
        check_at_least(factor, 0.0, "scale of the readout")
        words, dim = key_numbers(as_key(key)), self.data.dim
        of_run = [0] * count if same else range(count)
        draws = [_draw(np.random.default_rng([*words, r]), K, dim, readout) for r in of_run]
        student, v = (np.stack(numbers) for numbers in zip(*draws, strict=True))
        return self._with_latents(scale * student, factor * v)

    def _with_latents(self, student: Float[np.ndarray, "runs K N"], readout: Float[np.ndarray, "runs K"]) -> Weights:
        latents = np.broadcast_to(self.latents, (len(student), *self.latents.shape))
        return Weights(student, latents, readout)  # type: ignore[arg-type]  # NumPy's stand for JAX's, shapes count

    def overlaps(self, weights: Weights, run: int = 0) -> Overlaps:
        """Return the overlaps per block of one run's weights: the start of the theory that belongs to this run.

        Arguments: weights: with a leading axis of runs, in the fit's coordinates. run: which one.
        """
        runs = len(np.asarray(weights.student))
        if not -runs <= run < runs:
            raise InputError(f"a run of the {runs} that the weights have", run)
        w, u, v = (np.asarray(x, np.float64)[run] for x in (weights.student, weights.latents, weights.readout))
        self._require_dim(w.shape[-1])
        edges = np.cumsum((0, *self.sizes))

        def products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            blocks: np.ndarray = np.array([a[:, i:j] @ b[:, i:j].T for i, j in itertools.pairwise(edges)])
            blocks /= w.shape[-1]
            return blocks

        return Overlaps(products(w, w), products(w, u), products(u, u), v)


def _draw(rng: np.random.Generator, K: int, dim: int, readout: str) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (K, N) and readouts (K,) of scale 1."""
    student = rng.standard_normal((K, dim))
    if readout == "ones":
        return student, np.ones(K)
    return student, rng.choice([-1.0, 1.0], K) if readout == "signs" else rng.standard_normal(K)


def fit_mixture(
    data: Dataset,
    labels: Labels | None = None,
    *,
    teacher: Any = None,
    signs: bool | None = None,
    covariances: str = "clusters",
    alone: int = 24,
    ratio: float = 1.25,
) -> MixtureFit:
    r"""Fit the Gaussian mixture whose theory stands beside SGD on a data set.

    The inputs are rotated into the eigenbasis of the covariance within clusters, pooled with their shares. Blocks are
    bins b of its directions. A sample of level l in cluster c is then taken to be

      x ~ N(mu_c, noise_l + V_cb)      in block b,

    with V_cb the mean variance of the cluster along the directions of the bin. What is left out is that the covariances
    of the clusters do not commute, and that the inputs are not Gaussian. `Dataset.gaussian` tells one from the other.

    Arguments:
      data: the inputs to learn from.
      labels: {cluster: number}. Of pairs also two of these, one for each side, whose product is the label. It may be
        left out beside a teacher.
      teacher: (N,) weights u of a teacher, in the data set's coordinates. u . x / sqrt(N) is then added to the label.
      signs: whether labels are signs. None: where all of them are +1 and -1, and there is no teacher.
      covariances: "clusters": each cluster's own variances. "pooled": those within all clusters together.
        "plane and rest": two blocks, the span of the clusters' means and all other directions, with pooled variances.
      alone: how many leading directions have a bin each. ratio: of the largest to the smallest variance in a bin of the
        others. Take half as many bins to see the error that binning makes.

    Returns a MixtureFit. Raises InputError for labels that do not fit the clusters.
    Source: Refinetti et al. 2021, section 4 (mixtures for images); Goldt et al. 2022 (Gaussian equivalence).
    """
    if not isinstance(data, Dataset):
        raise InputError("a simulations.Dataset to fit", type(data).__name__)
    require_name(covariances, COVARIANCES, "kind of covariances")
    offsets = _labels_of_clusters(data, labels, teacher is not None)
    if covariances == "plane and rest":
        basis, eigenvalues, edges = _plane_and_rest(data)
    else:
        eigenvalues, basis = _principal_directions(data)
        edges = bin_edges(eigenvalues, alone, ratio)
    turned = rotated(data, basis)
    directions, variances = turned.means, means_of_bins(turned.variances, edges)
    if covariances != "clusters":
        variances = np.broadcast_to(means_of_bins(eigenvalues, edges), variances.shape)
    latents = np.sqrt(data.dim) * directions
    if teacher is not None:
        latents = np.concatenate([latents, _checked_teacher(teacher, data.dim)[None] @ basis])
    if signs is None:
        signs = teacher is None and bool(np.all(abs(offsets) == 1))
    task = _task(data, offsets, variances, edges, teacher is not None, "sign" if signs else "value")
    sizes = tuple(int(size) for size in np.diff(edges))
    return MixtureFit(task, turned, latents, basis, eigenvalues, sizes)


def rotated(data: Dataset, basis: Float[np.ndarray, "N N"]) -> Dataset:
    """Return a data set in the coordinates of an orthonormal basis (its columns). Fresh noise is white in any."""
    return data._moved(lambda rows: rows @ basis)


def _principal_directions(data: Dataset) -> tuple[Float[np.ndarray, "N"], Float[np.ndarray, "N N"]]:
    """Return eigenvalues of the covariance within clusters in falling order, and eigenvectors as columns."""
    values, vectors = np.linalg.eigh(data.within)
    return np.maximum(values[::-1], 0.0), vectors[:, ::-1]


def _plane_and_rest(
    data: Dataset,
) -> tuple[Float[np.ndarray, "N N"], Float[np.ndarray, "N"], list[int]]:
    """Return a basis whose first directions span the clusters' means, the variances along it, and edges of two bins."""
    means = data.means
    left, singular, _ = np.linalg.svd(means.T, full_matrices=True)
    # Means that depend on the others, as of pairs, leave singular values of rounding.
    rank = int(np.sum(singular > 1e-9 * singular[0]))
    if not 0 < rank < data.dim:
        raise InputError("clusters whose means span a part of the directions", f"{rank} of N = {data.dim}")
    variances = np.einsum("ij,ik,kj->j", left, data.within, left)
    return left, variances, [0, rank, data.dim]


def _task(
    data: Dataset,
    offsets: Float[np.ndarray, "C"],
    variances: Float[np.ndarray, "C B"],
    edges: list[int],
    taught: bool,
    labels: str,
) -> Mixture:
    names = names_of_bins(edges)
    sizes, C = np.diff(edges), len(offsets)
    inputs = Inputs(
        dict(zip(names, (sizes / data.dim).tolist(), strict=True)),
        {level: dict.fromkeys(names, noise) for level, noise in data.noise.items()},
    )
    # Coefficients on the latents: each cluster's mean is a latent direction of its own.
    means = np.eye(C, C + taught)
    shares = data.shares / data.shares.sum()
    clusters = {
        name: {
            "probability": float(shares[c]),
            "mean": means[c].tolist(),
            "label": float(offsets[c]),
            "variances": dict(zip(names, variances[c].tolist(), strict=True)),
        }
        | ({"teacher": [*[0.0] * C, 1.0]} if taught else {})
        for c, name in enumerate(data.clusters)
    }
    return Mixture(inputs, clusters, labels=labels)


def _labels_of_clusters(data: Dataset, labels: Any, taught: bool) -> Float[np.ndarray, "C"]:
    """Return the number y_c of every cluster."""
    if labels is None:
        if not taught:
            remedy = "give labels={cluster: number}, or a teacher"
            raise InputError(f"labels of the clusters {list(data.clusters)}", "none", remedy)
        return np.zeros(len(data.clusters))
    if isinstance(labels, Mapping):
        return _numbers_of(labels, data.clusters)
    if not isinstance(labels, Sequence) or len(labels) != len(data.parts):
        required = f"labels as {{cluster: number}}, or {len(data.parts)} of these whose product is the label"
        raise InputError(required, repr(labels))
    each = [_numbers_of(side, part.clusters) for side, part in zip(labels, data.parts, strict=True)]
    return np.array([np.prod(factors) for factors in itertools.product(*each)])


def _numbers_of(labels: Any, clusters: tuple[str, ...]) -> Float[np.ndarray, "C"]:
    """Return a number for every cluster, of {name: number}; a name may be a digit."""
    if not isinstance(labels, Mapping):
        raise InputError(f"labels as {{cluster: number}} of {list(clusters)}", repr(labels))
    given = {str(name): number for name, number in labels.items()}
    for name, number in given.items():
        if name not in clusters:
            raise InputError("labels of known clusters", repr(name), nearest(name, clusters))
        if not is_number(number) or not np.isfinite(number):
            raise InputError(f"a number as the label of cluster {name!r}", repr(number))
    for name in clusters:
        if name not in given:
            raise InputError(f"a label of cluster {name!r}", f"labels of {sorted(given)}")
    return np.array([float(given[name]) for name in clusters])


def _checked_teacher(teacher: Any, dim: int) -> Float[np.ndarray, "N"]:
    row = np.asarray(teacher)
    if row.shape != (dim,) or row.dtype.kind not in "iuf" or not np.all(np.isfinite(row)):
        raise InputError(f"finite weights ({dim},) of a teacher", f"{row.dtype} of shape {row.shape}")
    return row.astype(np.float64)
