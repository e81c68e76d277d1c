"""How often a label that should be a sign is 0: sign(0) is neither +1 nor -1, and no output is right there."""

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._precision import to_float64, to_host
from ._at_time import at_time

if TYPE_CHECKING:
    from ._task import Task

TIE_POINTS = 2**14  # the error of an indicator's mean over scrambled Sobol points is below 0.4 / sqrt(points) = 0.003
SEED = 0  # of the scrambling: the same problem states the same probability every time


def tie_probabilities(task: "Task", T: Float[Any, "B M M"]) -> dict[str, float]:
    """Return P(noiseless label = 0) of every level, over points of the law of the latent fields."""
    levels = task.inputs.level_names
    if task.labels != "sign" or task.smooth:  # a sign without jumps does not depend on the fields
        return dict.fromkeys(levels, 0.0)
    task = at_time(task, 0.0)
    means = to_host(task.cluster_means)
    probabilities, points = np.asarray(task.cluster_probabilities, float), _normals(task.latents)
    total, clusters = np.asarray(T, float).sum(axis=0), np.arange(probabilities.size)
    ties: list[float] = []
    with jax.enable_x64(True):
        law = to_float64(task)
        for level, row in enumerate(means):
            variances = to_host(law.variances_at(np.full(clusters.shape, level), clusters))
            roots = [_root(field_covariance(of_cluster, T)) for of_cluster in variances]
            fields = [
                jnp.asarray(points @ root.T + total @ coefficients)
                for root, coefficients in zip(roots, row, strict=True)
            ]
            rule = law.at_level(level)
            labels = [rule.clean_label(nu, jnp.asarray(cluster)) for cluster, nu in enumerate(fields)]
            ties.append(float(probabilities @ [float(np.mean(np.asarray(label) == 0)) for label in labels]))
    return dict(zip(levels, ties, strict=True))


def describe_ties(ties: dict[str, float]) -> str:
    """Return the ties of every level in words, such as "label 0 with probability 0.5"; nothing where there are none."""
    present = {level: f"{probability:.3g}" for level, probability in ties.items() if probability > 0}
    if not present:
        return ""
    alike = len(present) == len(ties) and len(set(present.values())) == 1
    words = next(iter(present.values())) if alike else ", ".join(f"{p} ({level})" for level, p in present.items())
    return f"label 0 with probability {words}"


def field_covariance(variances: Float[Any, "B"], T: Float[Any, "B M M"]) -> Float[np.ndarray, "M M"]:
    """Return the covariance of the latent fields, sum_b Delta_b T^b, at one level's variances."""
    covariance: np.ndarray = np.einsum("b,bmn->mn", np.asarray(variances, float), np.asarray(T, float))
    return covariance


def angle_between(covariance: Float[np.ndarray, "2 2"]) -> float:
    """Return the angle in [0, pi] whose cosine is the correlation of two fields; their signs differ in angle / pi."""
    (a, b), (_, c) = covariance
    # Not the arc cosine of the correlation, which rounding takes out of its domain where the fields are parallel.
    return float(np.arctan2(np.sqrt(max(a * c - b * b, 0.0)), b))


def _root(covariance: Float[np.ndarray, "M M"]) -> Float[np.ndarray, "M M"]:
    values, vectors = np.linalg.eigh(covariance)
    # Rounding leaves negative eigenvalues where fields are linearly dependent, and their roots would be NaN.
    root: np.ndarray = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def _normals(dimensions: int) -> Float[np.ndarray, "S {dimensions}"]:
    # Imported late: SciPy's statistics take longer to import than all that a problem without ties needs.
    from scipy.special import ndtri
    from scipy.stats import qmc

    # A Sobol point can be 0, whose normal number would be minus infinity: points are clipped.
    sobol = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(SEED))
    normals: np.ndarray = ndtri(np.clip(sobol.random(TIE_POINTS), 2.0**-33, 1 - 2.0**-33))
    return normals
