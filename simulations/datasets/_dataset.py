"""A data set: given inputs in clusters, to which every sample adds fresh noise of its level."""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from teacher_student import InputError
from teacher_student.internal import PublicRecord, as_count, as_key, check_name, is_number, key_numbers, require_name

NO_NOISE = {"all": 0.0}


class Part(NamedTuple):
    """Inputs of which a sample takes one: inputs (n, N), the index (n,) of each one's cluster, and their names."""

    inputs: Float[np.ndarray, "n N"]
    cluster: Int[np.ndarray, "n"]
    clusters: tuple[str, ...]

    def of(self, c: int) -> Float[np.ndarray, "_ N"]:
        """Return the inputs of a cluster, in float64."""
        rows: np.ndarray = self.inputs[self.cluster == c].astype(np.float64)
        return rows


@dataclasses.dataclass(frozen=True, init=False)
class Dataset(PublicRecord):
    r"""Given inputs in clusters, such as images of digits, to which every sample adds fresh noise of its level:

      x = image + sqrt(noise of the level) xi,      xi ~ N(0, 1) in every pixel.

    The fresh noise makes one-pass samples of a finite set: an image comes again, a sample does not.

    Arguments:
      inputs: (samples, N) numbers.
      cluster: (samples,) the name of each input's cluster, a text or a whole number, such as a digit.
      noise: {level: variance of the fresh noise}. None: one level, "all", without noise.

    Fields:
      parts: independent parts whose sum a sample is; one, or two for `Dataset.pairs`. Each has inputs (n, N), cluster
        (n,) and clusters, their names.
      noise: as given.

    Raises InputError for inputs that are no finite numbers, for other than one cluster a sample, and for noise below 0.
    """

    parts: tuple[Part, ...]
    noise: dict[str, float]

    def __init__(self, inputs: Any, cluster: Any, noise: Mapping[str, float] | None = None):
        rows, labels = _checked_inputs(inputs), np.asarray(cluster)
        if labels.shape != rows.shape[:1] or labels.dtype.kind not in "iuU":
            required = f"a name or a whole number as the cluster of each of {len(rows)} inputs"
            raise InputError(required, f"{labels.dtype} of shape {labels.shape}")
        names, index = np.unique(labels, return_inverse=True)
        clusters = tuple(map(str, names))
        for name in clusters:
            check_name(name, "cluster")
        self._set((Part(rows, index, clusters),), _checked_noise(NO_NOISE if noise is None else noise))

    def _set(self, parts: tuple[Part, ...], noise: dict[str, float]) -> "Dataset":
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "noise", noise)
        return self

    @staticmethod
    def pairs(left: "Dataset", right: "Dataset") -> "Dataset":
        """Return the data set of pairs: an input of `left` and, beside it, one of `right`, drawn independently.

        A pair has N = N_left + N_right. Its cluster is the pair of clusters, "0-2" of "0" and "2". The noise of `left`
        and of `right` must be the same.
        """
        for each in (left, right):
            if not isinstance(each, Dataset) or len(each.parts) > 1:
                raise InputError("two data sets of single inputs to make pairs of", type(each).__name__)
        if left.noise != right.noise:
            remedy = "give them the same with with_noise(...)"
            raise InputError("pairs whose two sides have the same noise", f"{left.noise} and {right.noise}", remedy)
        columns = (0, right.dim), (left.dim, 0)
        parts = [
            part._replace(inputs=np.pad(part.inputs, ((0, 0), pad)))
            for (part,), pad in zip((left.parts, right.parts), columns, strict=True)
        ]
        return _made(tuple(parts), left.noise)

    def _words(self) -> str:
        counts = " + ".join(str(len(part.inputs)) for part in self.parts)
        noise = ", ".join(f"{level} {variance:g}" for level, variance in self.noise.items())
        return f"Dataset({counts} inputs, N = {self.dim}, {len(self.clusters)} clusters; noise: {noise})"

    @property
    def dim(self) -> int:
        """The number N of components of an input."""
        return int(self.parts[0].inputs.shape[1])

    @property
    def numbers(self) -> int:
        """How many numbers the inputs are, of all parts."""
        return sum(int(part.inputs.size) for part in self.parts)

    @property
    def clusters(self) -> tuple[str, ...]:
        """The names of the C clusters, of pairs "0-2"."""
        return tuple("-".join(names) for names in itertools.product(*(part.clusters for part in self.parts)))

    @property
    def shares(self) -> Float[np.ndarray, "C"]:
        """The share of each cluster among all samples."""
        counts = [np.bincount(part.cluster, minlength=len(part.clusters)) / len(part.cluster) for part in self.parts]
        return np.array([np.prod(each) for each in itertools.product(*counts)])

    @property
    def means(self) -> Float[np.ndarray, "C N"]:
        """The mean input of each cluster, without noise."""
        return self._of_clusters(lambda rows: rows.mean(axis=0))

    @property
    def variances(self) -> Float[np.ndarray, "C N"]:
        """The variance of each component in each cluster, without noise."""
        return self._of_clusters(lambda rows: rows.var(axis=0))

    def _of_clusters(self, statistic: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return a statistic of every cluster that is additive over independent parts."""
        parts = [[statistic(part.of(c)) for c in range(len(part.clusters))] for part in self.parts]
        return np.array([np.sum(each, axis=0) for each in itertools.product(*parts)])

    @property
    def within(self) -> Float[np.ndarray, "N N"]:
        """The covariance within clusters, pooled with their shares, without noise."""
        total = np.zeros((self.dim, self.dim))
        for part in self.parts:
            for c in range(len(part.clusters)):
                rows = part.of(c)
                centred = rows - rows.mean(axis=0)
                total += centred.T @ centred / len(part.inputs)
        return total

    def with_noise(self, noise: Mapping[str, float]) -> "Dataset":
        """Return the same inputs with other noise, {level: variance}."""
        return _made(self.parts, _checked_noise(noise))

    def select(self, *clusters: Any) -> "Dataset":
        """Return the inputs of these clusters only, such as select(0, 1)."""
        part = self._single("select clusters of")
        if not clusters:
            raise InputError(f"at least one of the clusters {', '.join(part.clusters)}", "none")
        for name in clusters:
            require_name(str(name), part.clusters, "cluster of the data set")
        wanted = [c for c, name in enumerate(part.clusters) if name in set(map(str, clusters))]
        return self.take(np.flatnonzero(np.isin(part.cluster, wanted)))

    def take(self, indices: Any) -> "Dataset":
        """Return the inputs with these indices (n,), in that order. Clusters that have none are left out."""
        part = self._single("take inputs of")
        chosen = np.asarray(indices)
        known = chosen.dtype.kind in "iu" and chosen.ndim == 1 and chosen.size > 0
        if not known or not -len(part.inputs) <= chosen.min() <= chosen.max() < len(part.inputs):
            raise InputError(f"indices (n,) of {len(part.inputs)} inputs", f"{chosen.dtype} of shape {chosen.shape}")
        kept, cluster = np.unique(part.cluster[chosen], return_inverse=True)
        names = tuple(part.clusters[c] for c in kept)
        return _made((Part(part.inputs[chosen], cluster, names),), self.noise)

    def split(self, held_out: float, key: Any) -> "tuple[Dataset, Dataset]":
        """Return the inputs to learn from and those held out, a share of each cluster drawn by `key`.

        Arguments: held_out: the share, between 0 and 1, rounded to whole inputs of each cluster, at least 1 on each
        side. key: a seed or a JAX key.
        """
        part = self._single("split")
        if not is_number(held_out) or not 0 < held_out < 1:
            raise InputError("a share held_out between 0 and 1", repr(held_out))
        rng = _generator(key)
        kept, out = [], []
        for c, name in enumerate(part.clusters):
            members = rng.permutation(np.flatnonzero(part.cluster == c))
            if len(members) < 2:
                raise InputError(f"at least 2 inputs in cluster {name!r} to split it", len(members))
            count = min(max(round(held_out * len(members)), 1), len(members) - 1)
            out.append(members[:count])
            kept.append(members[count:])
        return self.take(np.sort(np.concatenate(kept))), self.take(np.sort(np.concatenate(out)))

    def centred(self, first: Sequence[Any], second: Sequence[Any], half_distance: float = 1.0) -> "Dataset":
        """Return the inputs minus the midpoint of the means of two groups of clusters, and scaled.

        After it, half of the distance between the two means is `half_distance`. Means of a group are averages of those
        of its clusters.

        Arguments: first, second: the clusters' names, such as [0, 1] and [2, 3].
        """
        part = self._single("centre")
        means = []
        for group in (first, second):
            if isinstance(group, str) or not isinstance(group, Sequence) or not group:
                raise InputError("a group of clusters as a list of their names", repr(group))
            for name in group:
                require_name(str(name), part.clusters, "cluster of the data set")
            means.append(self.means[[part.clusters.index(str(name)) for name in group]].mean(axis=0))
        both = sorted(set(map(str, first)) & set(map(str, second)))
        if both:
            raise InputError("two groups without a cluster in common", f"{both[0]} in both")
        half = np.linalg.norm(means[0] - means[1]) / 2
        if not half > 0 or not is_number(half_distance) or not half_distance > 0:
            required = "two groups with different means, and a half_distance > 0"
            raise InputError(required, f"half a distance of {half:g}, and {half_distance!r}")
        return self._moved(lambda rows: (rows - (means[0] + means[1]) / 2) * (half_distance / half))

    def _moved(self, change: Callable[[np.ndarray], np.ndarray]) -> "Dataset":
        parts = [part._replace(inputs=change(part.inputs.astype(np.float64))) for part in self.parts]
        return _made(tuple(parts), self.noise)

    def gaussian(self, samples: int, key: Any, *, diagonal: bool = False) -> "Dataset":
        """Return Gaussian surrogates: as many inputs of each cluster, with its mean and its full covariance.

        They are the control that tells what is not Gaussian about the inputs from what theory leaves out of their
        covariances: SGD on the inputs and on surrogates differs by the first alone.

        Arguments:
          samples: inputs of each cluster; of pairs, for each side.
          key: a seed or a JAX key.
          diagonal: whether the covariances lose all but their diagonals, in the coordinates of the inputs. In those of
            a fit, `fit.data`, clusters then have covariances that commute, as theory takes them.
        """
        count, rng = as_count(samples, "number of surrogates"), _generator(key)
        parts = []
        for part in self.parts:
            rows = [_surrogates(part.of(c), count, rng, diagonal) for c in range(len(part.clusters))]
            index = np.repeat(np.arange(len(part.clusters)), count)
            parts.append(Part(np.concatenate(rows), index, part.clusters))
        return _made(tuple(parts), self.noise)

    def _single(self, purpose: str) -> Part:
        """Return the only part. Raises InputError for pairs."""
        if len(self.parts) > 1:
            raise InputError(f"a data set of single inputs to {purpose}", "pairs", "do it before Dataset.pairs(...)")
        return self.parts[0]


def _made(parts: tuple[Part, ...], noise: dict[str, float]) -> Dataset:
    return object.__new__(Dataset)._set(parts, noise)


def _generator(key: Any) -> np.random.Generator:
    return np.random.default_rng(key_numbers(as_key(key)))


def _surrogates(
    rows: Float[np.ndarray, "n N"], count: int, rng: np.random.Generator, diagonal: bool
) -> Float[np.ndarray, "count N"]:
    mean: np.ndarray = rows.mean(axis=0)
    centred: np.ndarray = rows - mean
    if diagonal:
        drawn: np.ndarray = centred.std(axis=0) * rng.standard_normal((count, rows.shape[1]))
    else:
        # Sums of the inputs themselves with Gaussian weights have exactly their covariance: no root of it is taken.
        drawn = rng.standard_normal((count, len(rows))) @ centred / np.sqrt(len(rows))
    drawn += mean
    return drawn


def _checked_inputs(inputs: Any) -> Float[np.ndarray, "samples N"]:
    rows = np.asarray(inputs)
    if rows.ndim != 2 or rows.size == 0 or rows.dtype.kind not in "biuf":
        remedy = "reshape images: images.reshape(len(images), -1)"
        raise InputError("numbers (samples, N) as inputs", f"{rows.dtype} of shape {rows.shape}", remedy)
    if rows.dtype.kind != "f":
        rows = rows.astype(np.float64)
    if not np.all(np.isfinite(rows)):
        raise InputError("finite inputs", f"{int(np.sum(~np.isfinite(rows)))} that are NaN or infinite")
    return rows


def _checked_noise(noise: Any) -> dict[str, float]:
    if not isinstance(noise, Mapping) or not noise:
        raise InputError("noise as {level: variance}", repr(noise), 'such as {"easy": 0.05, "hard": 0.5}')
    for level, variance in noise.items():
        check_name(level, "level")
        if not is_number(variance) or not 0 <= variance < np.inf:
            raise InputError(f"a variance >= 0 as the noise of level {level!r}", repr(variance))
    return {level: float(variance) for level, variance in noise.items()}
