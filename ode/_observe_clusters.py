"""What a student does in each cluster of a mixture: error, accuracy, and how often it says +1."""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from teacher_student import Condition, InputError, Overlaps, Problem
from teacher_student.internal import PublicRecord, check_state, refuse_fork, to_float64, to_host

from ._observe import _aligned
from .averages import FixedSample, affine_error, affine_positive, has_constant_labels, is_affine


@dataclasses.dataclass(frozen=True)
class ClusterObservables(PublicRecord):
    """What a student does in each cluster, per level.

    Fields:
      clusters: names of the clusters, in the order of the last axis of the others.
      probabilities: (C,) their priors. Means over clusters, weighted with them, are those of `ode.observe`.
      error: level -> (..., C) generalisation errors on the cluster's samples, with the noiseless label.
      accuracy: level -> (..., C) shares of right signs; an empty dict where they have no closed form and no sample.
      positive: level -> (..., C) probabilities P(yhat > 0).
    """

    clusters: tuple[str, ...]
    probabilities: np.ndarray
    error: dict[str, np.ndarray]
    accuracy: dict[str, np.ndarray]
    positive: dict[str, np.ndarray]


def observe_clusters(problem: Problem, overlaps: Overlaps, sample: FixedSample | None = None) -> ClusterObservables:
    """Return error, accuracy and P(yhat > 0) in every cluster of a state's inputs, or of several states'.

    Of runs it gives what their overlaps imply. It computes in float64.

      sample = jax.tree.map(lambda x: x[0], ode.Sampled(2**13).draw(problem))
      groups = ode.observe_clusters(problem, runs.overlaps, sample)
      groups.positive["hard"][..., 0] - groups.positive["hard"][..., 1]   # a gap between two groups

    Arguments:
      overlaps: of one state, or with leading axes, such as (A,) of a solve or (runs, A) of a simulation.
      sample: points for what has no closed form, as one scrambling of `ode.Sampled().draw(problem)`. Linear students of
        a mixture whose labels are affine in the latent fields need none: error and P(yhat > 0) have closed forms, and
        the accuracy too where labels are those of the clusters.

    Returns ClusterObservables with the leading axes of `overlaps`, NaN where these are.
    Raises InputError if a sample is needed and missing, for overlaps that do not fit the problem, and for a task whose
    numbers are schedules: `problem.at(alpha)` is the problem at one time.
    """
    refuse_fork()
    for name in problem.task_schedules:
        raise InputError("a problem at one time to observe", f"a schedule of {name}", "take problem.at(alpha)")
    if sample is None and not is_affine(problem):
        raise InputError(
            "a sample for what has no closed form", None, "pass a scrambling of ode.Sampled().draw(problem)"
        )
    if sample is not None and not isinstance(sample, FixedSample):
        raise InputError("one scrambling of ode.Sampled().draw(problem)", type(sample).__name__)
    states, axes = _aligned(overlaps)
    check_state(problem, states if not axes else jax.tree.map(lambda x: x[(0,) * axes], states))
    if sample is not None:
        sample.check(problem)
    with jax.enable_x64(True):
        numbers, states = to_float64((problem, states))
        rows = to_host(_all_states(numbers, states, sample, axes))
    levels, C = problem.inputs.level_names, np.size(problem.task.cluster_probabilities)
    of_level = [
        {level: values[..., i * C : (i + 1) * C] for i, level in enumerate(levels)} if values is not None else {}
        for values in rows
    ]
    names = getattr(problem.task, "cluster_names", tuple(map(str, range(C))))
    return ClusterObservables(names, np.asarray(problem.task.cluster_probabilities, float), *of_level)


@eqx.filter_jit
def _all_states(problem: Problem, states: Overlaps, sample: FixedSample | None, axes: int) -> Any:
    """Return the values (..., L * C) of states with so many leading axes, one state after the other."""
    if axes:
        return jax.lax.map(lambda state: _all_states(problem, state, sample, axes - 1), states)
    known = jnp.all(jnp.isfinite(states.Q))

    def one(condition: Condition) -> tuple[Float[Array, ""], Float[Array, ""] | None, Float[Array, ""]]:
        sampled = None if sample is None else _sampled(problem, states, condition, sample)
        if not is_affine(problem):
            assert sampled is not None  # `observe_clusters` says so
            return sampled
        error, accuracy, positive = _affine(problem, states, condition)
        return error, sampled[1] if accuracy is None and sampled is not None else accuracy, positive

    values = jax.lax.map(one, problem.task.conditions())
    return jax.tree.map(lambda x: jnp.where(known, x, jnp.nan), values)


def _affine(
    problem: Problem, state: Overlaps, condition: Condition
) -> tuple[Float[Array, ""], Float[Array, ""] | None, Float[Array, ""]]:
    positive = affine_positive(problem, state, condition)
    accuracy = None
    if has_constant_labels(problem):
        y = problem.task.clean_label(jnp.zeros(problem.task.latents), condition.cluster)
        accuracy = jnp.where(y > 0, positive, jnp.where(y < 0, 1 - positive, 0.0))
    return affine_error(problem, state, condition), accuracy, positive


def _sampled(
    problem: Problem, state: Overlaps, condition: Condition, sample: FixedSample
) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
    hidden, y = sample.hidden_and_label(problem, state, condition)
    output = state.readout @ hidden
    right = (jnp.sign(output) == jnp.sign(y)).astype(output.dtype)
    return jnp.mean((output - y) ** 2) / 2, jnp.mean(right), jnp.mean((output > 0).astype(output.dtype))
