"""Inputs that are given: a sample takes one of its cluster, and adds fresh noise of its level."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from teacher_student import InputError, Problem
from teacher_student.internal import nearest

from ..datasets import Dataset
from ._coordinates import FullWeights
from ._weights import Weights

# Cosine of the cluster means that weights and data have, below which they are in different coordinates. Held-out inputs
# and surrogates have it near 1; those that were not rotated into the fit's basis near 0.
LEAST_COSINE = 0.5


class Pick(eqx.Module):
    """What a sample of given inputs is made of: its noise of variance 1, and a uniform number that picks each part."""

    noise: Float[Array, "*steps N"]
    uniform: Float[Array, "*steps parts"]


class GivenPart(eqx.Module):
    """Inputs sorted by cluster. Those of the task's cluster c are `count[c]` from `first[c]` on."""

    inputs: Float[Any, "n N"]
    first: Int[Any, "C"]
    count: Int[Any, "C"]


class GivenInputs(FullWeights):
    """Full-weight SGD on inputs that are given. scale: (L,) standard deviation of each level's fresh noise."""

    parts: tuple[GivenPart, ...] = ()
    scale: Float[Any, "L"] | None = None

    @staticmethod
    def from_data(problem: Problem, data: Dataset, dtype: Any) -> "GivenInputs":
        """Return the coordinates of `problem` with inputs of `data`, which must fit it (`check_data`)."""
        names = _clusters_of(problem)
        # Clusters of pairs are those of the left input times those of the right one: their indices are digits.
        digits = np.unravel_index([data.clusters.index(name) for name in names], [len(p.clusters) for p in data.parts])
        parts = tuple(_given_part(part, index, dtype) for part, index in zip(data.parts, digits, strict=True))
        scale = np.sqrt([data.noise[level] for level in problem.inputs.level_names]).astype(dtype)
        sizes = problem.inputs.sizes(data.dim, problem.task.latents)
        return GivenInputs(sizes, data.dim, parts=parts, scale=scale)

    @property
    def unusual_distribution(self) -> str | None:
        return "given data"

    def draw(self, key: jax.Array, steps: int, dtype: Any) -> Pick:
        noise_key, pick_key = jax.random.split(key)
        uniform = jax.random.uniform(pick_key, (steps, len(self.parts)), dtype)
        return Pick(super().draw(noise_key, steps, dtype), uniform)

    def input(self, pick: Pick, level: Any, cluster: Any) -> Float[Array, "N"]:
        """Return x = image + sqrt(noise of the level) xi."""
        x = jnp.asarray(self.scale)[level] * pick.noise
        for part, uniform in zip(self.parts, pick.uniform, strict=True):
            count = jnp.asarray(part.count)[cluster]
            # A uniform number just below 1 times the count may round up to the count.
            which = jnp.minimum((uniform * count.astype(uniform.dtype)).astype(count.dtype), count - 1)
            x = x + jnp.asarray(part.inputs)[jnp.asarray(part.first)[cluster] + which]
        return x


def _given_part(part: Any, clusters: np.ndarray, dtype: Any) -> GivenPart:
    """Return a part's inputs, sorted. clusters: (C,) the part's cluster in each of the task's."""
    order = np.argsort(part.cluster, kind="stable")
    counts = np.bincount(part.cluster, minlength=len(part.clusters))
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return GivenPart(part.inputs[order].astype(dtype), *(x[clusters].astype(np.int32) for x in (first, counts)))


def _clusters_of(problem: Problem) -> tuple[str, ...]:
    return tuple(getattr(problem.task, "cluster_names", ()))


def check_dim(data: Any, dim: Any) -> None:
    """Raise InputError unless `data` is a data set of inputs of `dim` components."""
    if not isinstance(data, Dataset):
        raise InputError("a simulations.Dataset as data", type(data).__name__)
    if dim != data.dim:
        raise InputError(f"dim = {data.dim}, the number of components of the data", dim)


def check_data(problem: Problem, data: Any, dim: int, start: Any, method: str, distribution: Any) -> None:
    """Raise InputError unless `data` can be the inputs of runs of `problem` that start from `start`."""
    check_dim(data, dim)
    if method != "weights":
        remedy = "leave method out: inputs that are given have no chain of overlaps"
        raise InputError('method="weights" with data', f"method={method!r}", remedy)
    if distribution != "gaussian":
        raise InputError("no distribution beside data, which are the inputs", repr(distribution), "leave it out")
    levels = problem.inputs.level_names
    for name in levels:
        if name not in data.noise:
            raise InputError("noise of the data for every level", f"none for {name!r}", nearest(name, list(data.noise)))
    _check_noise(problem, data)
    names = _clusters_of(problem)
    if sorted(names) != sorted(data.clusters):
        remedy = "take the task of simulations.fit_mixture(data, ...)"
        raise InputError(f"a task with the clusters of the data, {list(data.clusters)}", list(names), remedy)
    if not isinstance(start, Weights):
        remedy = "draw them with fit.random_weights(...)"
        raise InputError("Weights to start from with data", type(start).__name__, remedy)
    _check_coordinates(problem, data, start)


def _check_noise(problem: Problem, data: Dataset) -> None:
    """Raise InputError where a fit's task has other noise than the data: it would be the theory of other inputs."""
    inputs = problem.at(0.0).inputs
    for name, variances in zip(inputs.level_names, np.asarray(inputs.variances), strict=True):
        noise = data.noise[name]
        if not np.allclose(variances, noise, rtol=1e-6, atol=1e-12):
            required = f"data with the task's noise, {float(variances.flat[0]):g} in level {name!r}"
            remedy = "fit again, or take data.with_noise(...)"
            raise InputError(required, f"{noise:g}", remedy)


def _check_coordinates(problem: Problem, data: Dataset, start: Weights) -> None:
    """Raise InputError where the cluster means that the weights' latents stand for are not those of the data."""
    latents = np.asarray(start.latents, np.float64)[0]
    if latents.shape != (problem.task.latents, data.dim):
        return  # who checks the weights says what is wrong with them
    order = [data.clusters.index(name) for name in _clusters_of(problem)]
    of_data, of_task = data.means[order], np.asarray(problem.task.cluster_means)[0] @ latents / np.sqrt(data.dim)
    lengths = np.linalg.norm(of_data) * np.linalg.norm(of_task)
    cosine = float(np.sum(of_data * of_task) / lengths) if lengths > 0 else 1.0
    if cosine < LEAST_COSINE:
        raise InputError(
            "data in the coordinates of the weights",
            f"cluster means whose cosine is {cosine:.2f}",
            "take fit.data, or fit.rotate(data) of another data set",
        )
