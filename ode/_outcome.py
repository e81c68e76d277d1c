"""What every way of solving returns, and how replicates of sampled averages become one result with an error."""

from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, Int

from teacher_student import Observables, Overlaps, Problem, Source, Trajectory

from .averages import FixedSample, SampledProducts

Sample = TypeVar("Sample", bound=FixedSample | SampledProducts)


class Path(eqx.Module):
    """States at recorded alphas (NaN after a stop), status, the time it stopped at and step counts."""

    states: Any
    status: Int[Any, "*batch"]
    reached: Float[Any, "*batch"]
    stats: dict[str, Any]


class SamplingError(NamedTuple):
    """What scramblings say of the error of sampled observables.

    Fields: standard: the standard error of their mean. scatter: each scrambling's difference from their mean, with a
    leading axis.
    """

    standard: Observables
    scatter: Observables


Outcome = tuple[Path, Observables, SamplingError | None]


def trajectory(problem: Problem, start: Overlaps, alphas: Any, outcome: Outcome, source: Source) -> Trajectory:
    """Return the trajectory of an outcome."""
    path, observables, error = outcome
    standard, scatter = (None, None) if error is None else error
    return Trajectory(
        problem, start, alphas, observables, path.status, path.reached, path.stats, standard, source, scatter=scatter
    )


def worst(paths: Path) -> Path:
    """Return one path for all replicates: mean overlaps, the worst status, the least alpha reached, all steps."""
    return Path(
        jax.tree.map(lambda x: x.mean(axis=0), paths.states),
        paths.status.max(axis=0),
        paths.reached.min(axis=0),
        jax.tree.map(lambda x: x.sum(axis=0), paths.stats),
    )


def mean_and_error(observables: Observables) -> tuple[Observables, SamplingError]:
    """Return the mean over replicates and its error (of NumPy's or JAX's arrays, traced ones included)."""
    mean = jax.tree.map(lambda x: x.mean(axis=0), observables)
    one = jax.tree.leaves(observables)[0].shape[0] == 1  # no scatter to go by
    error = jax.tree.map(
        # One less in the divisor: the mean is taken from the same replicates.
        lambda x: np.full(x.shape[1:], np.nan) if one else x.std(axis=0, ddof=1) / np.sqrt(1.0 * x.shape[0]),
        observables,
    )
    return mean, SamplingError(error, jax.tree.map(lambda x, middle: x - middle, observables, mean))


def fine_and_change(observables: Observables, n: int, hypot: Any) -> tuple[Observables, SamplingError]:
    """Return mean and error of the first n replicates, with the change that half of the points made in the error.

    observables: n replicates, then the same with half of their points. hypot: NumPy's or JAX's.
    """
    fine, coarse = (jax.tree.map(lambda x, part=part: x[part], observables) for part in (slice(n), slice(n, None)))
    mean, error = mean_and_error(fine)
    change = jax.tree.map(lambda a, b: a - b.mean(axis=0), mean, coarse)
    return mean, error._replace(standard=jax.tree.map(hypot, error.standard, change))


def with_halves(sample: Sample, xp: Any) -> Sample:
    """Return the scramblings, and after them those with their first half of points in place of the second.

    A bias of second order in the averages' error, which the scatter over scramblings does not show, at least doubles.
    """
    normals = xp.asarray(sample.normals)
    half = normals[..., : normals.shape[-1] // 2]
    both = xp.concatenate([normals, xp.concatenate([half, half], axis=-1)])
    halved: Sample = eqx.tree_at(lambda points: points.normals, sample, both)
    return halved
