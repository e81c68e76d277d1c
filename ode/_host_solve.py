"""A solve of known numbers, stepped from the host: the quickest way to the first curve and to the next one."""

from typing import TypeVar

import jax
import numpy as np
from jaxtyping import Float

from teacher_student import Observables, Overlaps, Problem
from teacher_student.internal import largest_allowed_norm as largest_allowed_norm

from ._compiled import compiled_drift, largest_norm, observe_states, pack, unpack
from ._host_steps import Bounds, StepTolerances, integrate_from_host, jumps_of
from ._method import Method, Points
from ._outcome import Outcome, Path, fine_and_change, mean_and_error, with_halves, worst
from .averages import Averages

Member = TypeVar("Member", Path, Observables)
INTEGRATORS = {True: "DOP853, stepped from the host", False: "RK45, stepped from the host"}  # by: averages are exact


def solve_from_host(problem: Problem, start: Overlaps, alphas: Float[np.ndarray, "A"], method: Method) -> Outcome:
    """Return path, observables and their sampling error (call it at 64 bits)."""
    if method.formula is None:
        return _with_sampled_averages(problem, start, alphas, method)
    path = _path(problem, start, alphas, method.formula, method)
    if method.sample is None:
        return path, _observables(problem, alphas, path, None, method), None
    return path, *mean_and_error(
        _stack([_observables(problem, alphas, path, points, method) for points in _scramblings(method.sample)])
    )


def _with_sampled_averages(
    problem: Problem, start: Overlaps, alphas: Float[np.ndarray, "A"], method: Method
) -> Outcome:
    """Return the mean of one solve per scrambling, and the error that their scatter gives."""
    assert method.sample is not None
    replicates = len(method.sample.normals)
    samples = with_halves(method.sample, np) if method.halved else method.sample
    paths = [_path(problem, start, alphas, points, method) for points in _scramblings(samples)]
    observed = _stack(
        [
            _observables(problem, alphas, path, points, method)
            for path, points in zip(paths, _scramblings(samples), strict=True)
        ]
    )
    whole = worst(_stack(paths[:replicates]))
    return whole, *(fine_and_change(observed, replicates, np.hypot) if method.halved else mean_and_error(observed))


def _path(
    problem: Problem, start: Overlaps, alphas: Float[np.ndarray, "A"], averages: Averages, method: Method
) -> Path:
    """Return the states at `alphas` under one supplier of averages."""
    tolerances = method.tolerances
    largest = largest_allowed_norm(start, tolerances.bound)
    path = integrate_from_host(
        # Ten times the bound, so that the drift is right up to the bound and just beyond it, where divergence is seen.
        compiled_drift(problem, averages, 10 * largest),
        problem.curriculum_of_all_levels(),
        pack(start),
        alphas,
        StepTolerances(float(tolerances.rtol), float(tolerances.atol)),
        Bounds(largest, largest_norm(problem), tolerances.max_steps),
        high_order=method.exact,
        jumps=jumps_of(problem),
    )
    states = unpack(path.states, problem.shape)
    return Path(states, np.asarray(int(path.status)), np.asarray(path.reached), path.stats)


def _observables(
    problem: Problem, alphas: Float[np.ndarray, "A"], path: Path, points: Points | None, method: Method
) -> Observables:
    return observe_states(problem, alphas, pack(path.states), points, method.with_accuracy)


def _scramblings(sample: Points) -> list[Points]:
    """Return the scramblings of a sample, one by one."""
    return [jax.tree.map(lambda x, i=i: x[i], sample) for i in range(len(sample.normals))]


def _stack(members: list[Member]) -> Member:
    stacked: Member = jax.tree.map(lambda *x: np.stack(x), *members)
    return stacked
