"""`ode.solve`: from a problem and a start to a trajectory, with whatever error the averages leave."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from teacher_student import DIVERGENCE_BOUND, InputError, Overlaps, Problem, Trajectory
from teacher_student.internal import (
    ALWAYS_THERE,
    check_alphas,
    check_overlaps,
    is_known,
    make_room,
    recorded_numbers,
    require_memory,
    require_traceable,
    to_float64,
    to_host,
    to_times,
)

from ._host_solve import INTEGRATORS, solve_from_host
from ._method import Method, method_for
from ._outcome import trajectory
from ._refine_points import finer_averages, require_given_points, warn_of_misses
from .averages import Averages, Sampled

if TYPE_CHECKING:  # its import takes half a second, which a solve that is stepped from the host need not pay
    import diffrax


def solve(
    problem: Problem,
    start: Overlaps,
    alphas: Any,
    *,
    averages: Averages | Sampled | None = None,
    with_accuracy: bool | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    max_steps: int = 100_000,
    bound: float = DIVERGENCE_BOUND,
    adjoint: diffrax.AbstractAdjoint | None = None,
    compiled: bool | None = None,
    with_error: bool = False,
) -> Trajectory:
    """Integrate the order-parameter ODEs from `start`, and record the observables at `alphas`.

    The solve is in float64 whatever JAX's settings. vmap works around it, and jit and grad do inside
    `jax.enable_x64(True)`. Derivatives in durations and shares include those of empty phases and levels. What is
    recorded at a switch itself has a kink in the durations before it, and gets the derivative of the side of the
    earlier phase. For many problems at once there is `solve_many`.

    Arguments:
      problem: what is learned.
      start: the overlaps at alpha = 0, without leading axes.
      alphas: (A,) increasing times, samples / N, within the curriculum.
      averages: ClosedForm(), or Sampled(...) with given points or for a given error, or `ode.Averages` of your own.
        None means the closed form where it exists, and Sampled() elsewhere. For erf students of 80 units and more,
        whose closed form costs K^2 (K + M)^2, None means Sampled(products_only=True): `source.method` says so, and
        `sampling_error` states its error. An accuracy without closed form is sampled in any case.
      with_accuracy: whether accuracies are computed. They are sampled where they have no closed form, which takes far
        longer than the solve. Without them `Trajectory.accuracy` is empty. None computes them where labels are signs,
        or where a closed form exists.
      rtol, atol: tolerances per step, below 1. None means 1e-8 and 1e-10 for closed forms, and 1e-5 and 1e-7 for
        sampled averages, whose own error is larger.
      max_steps: the number of steps after which the status is TOO_STIFF.
      bound: a Q_kk beyond this many times the largest of 1, Q_kk at the start and T_mm gives the status DIVERGED.
        (Above the critical rate a linear or relu student's norm grows exponentially, an erf student's linearly.)
      adjoint: a diffrax adjoint. None means RecursiveCheckpointAdjoint (reverse mode). Use diffrax.ForwardMode() for
        jvp.
      compiled: with False, SciPy's DOP853 (RK45 for sampled averages) takes the steps and calls the compiled drift.
        With True the whole solve is compiled, with diffrax's Tsit5. That takes seconds once and less time afterwards:
        for narrow students it pays after a hundred solves. None means False, but True for numbers that JAX traces
        (vmap, jit, grad) or an `adjoint`. Tolerances mean the same in both, and `source.integrator` says which it was.
      with_error: with True a second solve at half of both tolerances follows, at its price. Twice the change that it
        makes is the trajectory's `integrator_error`, which `Trajectory.budget` shows.

    Returns a Trajectory. A student norm that leaves its bound gives the status DIVERGED, not an error.
    Raises InputError for arguments that are out of range or do not fit the problem.

    Example:
      >>> import ode
      >>> import teacher_student as ts
      >>> teacher = ts.Committee(ts.Inputs({"all": 1.0}), width=1)
      >>> problem = ts.Problem(teacher, ts.Student(1), ts.SGD(0.5), ts.Curriculum.single("all", 20.0))
      >>> start = ts.random_overlaps(problem, dim=1000, key=0)
      >>> trajectory = ode.solve(problem, start, alphas=[0.0, 10.0, 20.0])
      >>> trajectory.describe().split(". ")[0]
      'The theory of K=1, M=1 (closed form) reached alpha 20, the last of 3'
      >>> trajectory.overlaps.R.shape  # three alphas, one block, one student unit, one teacher unit
      (3, 1, 1, 1)
      >>> bool(trajectory.error["all"][-1] < 0.01 * trajectory.error["all"][0])
      True
    """
    make_room()
    check_solve(problem, start, alphas)
    require_traceable((problem, start, alphas), "ode.solve")
    known = is_known((problem, start, alphas, averages))
    if not known:
        require_given_points(averages, "a traced solve")
    whole = _is_compiled_whole(compiled, known, adjoint)
    fixed_order = is_known((problem.curriculum, alphas, [each.jumps for each in problem.schedules.values()]))
    while True:
        method = method_for(problem, averages, with_accuracy, rtol, atol, max_steps, bound, adjoint, fixed_order)
        with jax.enable_x64(True):
            if whole:
                result = _compiled_whole(problem, start, alphas, method)
            else:
                result = _stepped_from_host(problem, start, alphas, method)
        finer = finer_averages(averages, result)
        if finer is None:
            warn_of_misses(averages, [result])
            break
        averages = finer
    if not with_error:
        return result
    halved = solve(
        problem,
        start,
        alphas,
        averages=averages,
        with_accuracy=with_accuracy,
        rtol=float(method.tolerances.rtol) / 2,
        atol=float(method.tolerances.atol) / 2,
        max_steps=max_steps,
        bound=bound,
        adjoint=adjoint,
        compiled=compiled,
    )
    return with_integrator_error(result, halved)


def with_integrator_error(result: Trajectory, halved: Trajectory) -> Trajectory:
    """Return a result with the error of its integration, twice the change to one at half of both tolerances."""
    error = jax.tree.map(lambda a, b: 2 * abs(a - b), result.observables, halved.observables)
    return dataclasses.replace(result, integrator_error=error)


def _stepped_from_host(problem: Problem, start: Overlaps, alphas: Any, method: Method) -> Trajectory:
    times = to_times(alphas, problem)
    outcome = solve_from_host(problem, to_host(start), times, method)
    return trajectory(problem, start, times, outcome, method.source(INTEGRATORS[method.exact]))


def _compiled_whole(problem: Problem, start: Overlaps, alphas: Any, method: Method) -> Trajectory:
    from ._compiled_solve import INTEGRATOR, jitted_solve  # imports diffrax, which takes half a second

    times = to_times(alphas, problem)
    numbers, state, times = to_float64((problem, start, times))
    outcome = to_host(jitted_solve(numbers, state, times, method.to_compile()))
    return trajectory(problem, start, to_host(times), outcome, method.source(INTEGRATOR))


def _is_compiled_whole(compiled: Any, known: bool, adjoint: Any) -> bool:
    """Return whether the solve is compiled whole. Raises InputError where that contradicts what is asked for."""
    if compiled not in (None, True, False):
        raise InputError("compiled=True, False or None", repr(compiled))
    needed = "numbers that JAX traces" if not known else "an adjoint" if adjoint is not None else ""
    if compiled is False and needed:
        raise InputError(f"compiled=True or None with {needed}", "compiled=False", "leave it out")
    return bool(compiled) or bool(needed)


def require_room(problems: Sequence[Problem], alphas: Sequence[Any]) -> None:
    """Raise InputError if what is recorded of all problems, each at its alphas, does not fit into memory."""
    counts = [np.size(times) for times in alphas]
    numbers = sum(recorded_numbers(problem, count) for problem, count in zip(problems, counts, strict=True))
    need = 2 * 8 * numbers  # as they are integrated, and in the trajectories
    if need > ALWAYS_THERE:
        require_memory(need, f"the overlaps at {sum(counts):,} alphas", "record at fewer alphas")


def check_solve(problem: Problem, start: Overlaps, alphas: Any) -> None:
    """Raise InputError unless `problem` can be solved from `start` at `alphas`."""
    check_alphas(alphas, problem)
    require_room([problem], [alphas])
    check_overlaps(start, problem)
    if np.ndim(start.readout) != 1:
        raise InputError("one start", f"a batch of shape {np.shape(start.readout)[:-1]}", "use jax.vmap over it")
