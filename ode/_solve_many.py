"""`ode.solve_many`: many problems, one compilation per structure, all cores."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.tree_util import PyTreeDef

from teacher_student import DIVERGENCE_BOUND, InputError, Overlaps, Problem, Trajectory
from teacher_student.internal import (
    as_count,
    check_alphas,
    check_number_of_alphas,
    check_overlaps,
    check_problem,
    filled_length,
    is_known,
    make_room,
    refuse_fork,
    to_times,
    unnamed,
    with_filled_schedules,
    with_level_names,
)

from ._method import method_for
from ._outcome import Outcome, SamplingError, trajectory
from ._refine_points import finer_averages, warn_of_misses
from ._solve import check_solve, require_room
from .averages import Averages, Sampled

Member = tuple[Problem, Overlaps, np.ndarray]  # a problem, its start and its alphas
FEWEST_ALPHAS = 64  # a program is compiled for 64, 256, 1024 ... recorded alphas


def solve_many(
    problems: Problem | Sequence[Problem],
    starts: Overlaps | Sequence[Overlaps],
    alphas: Any,
    *,
    averages: Averages | Sampled | None = None,
    with_accuracy: bool | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    max_steps: int = 100_000,
    bound: float = DIVERGENCE_BOUND,
    workers: int | None = None,
) -> list[Trajectory]:
    """Solve many problems. Those of one structure go through one compiled program, on all cores.

    Problems have one structure if they differ in numbers and names only, and not in widths, activations, losses, or the
    number of blocks and levels. Phases and recorded alphas are filled up to a few lengths. Each problem is integrated
    with its own steps, so that a trajectory depends on what else is in the batch by rounding at most, and one that
    diverges or is stiff costs the others nothing. Narrow students with closed forms advance side by side, and one that
    takes very many steps is taken out and solved alone. The integrator is diffrax's Tsit5, compiled whole.

    Arguments:
      problems: n of them, or one for n starts.
      starts: one for all, n of them, or Overlaps with a leading axis n, such as `random_overlaps` with n keys (an
        ensemble).
      alphas: (A,) for all, or n lists of times.
      averages: as in `solve`, for every problem.
      with_accuracy, rtol, atol, max_steps, bound: as in `solve`.
      workers: the number of threads. None means all cores.

    Returns n trajectories, in order.
    Raises InputError, before anything is computed, if one of the problems could not be solved.
    """
    from ._batches import solve_batches  # with diffrax, whose import takes half a second
    from ._compiled_solve import INTEGRATOR

    refuse_fork()
    if workers is not None:
        as_count(workers, "number of workers", "None takes all cores")
    if not isinstance(problems, Problem) and not isinstance(problems, (list, tuple)):
        raise InputError("a list of problems, or one for several starts", type(problems).__name__)
    all_starts = _starts(starts)
    problems = [problems] * len(all_starts) if isinstance(problems, Problem) else list(problems)
    for problem in problems:
        check_problem(problem)
    n = len(problems)
    if n == 0:
        raise InputError("at least one problem and start", "none")
    all_starts = all_starts * n if isinstance(starts, Overlaps) and len(all_starts) == 1 else all_starts
    times = _times(alphas, n)
    if not len(all_starts) == len(times) == n:
        raise InputError(f"{n} starts and lists of alphas, as many as problems", f"{len(all_starts)} and {len(times)}")
    for problem, alphas in zip(problems, times, strict=True):
        _require_known((problem, averages))
        check_alphas(alphas, problem)
    require_room(problems, times)
    times = [to_times(alphas, problem) for alphas, problem in zip(times, problems, strict=True)]
    members = list(zip(problems, all_starts, times, strict=True))
    to_compile = [
        (with_filled_schedules(unnamed(problem)), start, _filled(alphas)) for problem, start, alphas in members
    ]
    groups = list(_by_structure(to_compile))
    for group in groups:
        _check([members[i] for i in group])
    make_room()
    solutions: dict[int, Trajectory] = {}
    for group in groups:
        waiting: dict[int, tuple[Averages | Sampled | None, list[int]]] = {0: (averages, group)}  # by number of points
        while waiting:
            supplier, pending = waiting.pop(min(waiting))
            method = method_for(problems[group[0]], supplier, with_accuracy, rtol, atol, max_steps, bound)
            outcomes = solve_batches([to_compile[i] for i in pending], method.to_compile(), workers)
            for i, outcome in zip(pending, outcomes, strict=True):
                solutions[i] = trajectory(*members[i], _named(outcome, *members[i]), method.source(INTEGRATOR))
                if (finer := finer_averages(supplier, solutions[i])) is not None:
                    waiting.setdefault(finer.points, (finer, []))[1].append(i)
    results = [solutions[i] for i in range(n)]
    warn_of_misses(averages, results)
    return results


def _times(alphas: Any, n: int) -> list[Any]:
    """Return the alphas of n problems, from one list of times for all or from n lists."""
    if isinstance(alphas, jax.Array):
        alphas = np.asarray(alphas)  # looking into a JAX array would compile the look
    # Lists of different lengths have no dimension of their own: only what is inside is looked at.
    several = isinstance(alphas, (list, tuple, np.ndarray))
    for times in alphas if several else [alphas]:  # before NumPy looks at them, which makes arrays
        check_number_of_alphas(times)
    alike = not several or all(np.ndim(alpha) == 0 for alpha in alphas)
    # A list keeps the types of its numbers, which say what rounding they bring.
    each = [alphas] * n if alike else alphas
    return [times if isinstance(times, (list, tuple)) else np.asarray(times) for times in each]


def _require_known(numbers: Any) -> None:
    """Raise InputError for a problem or averages that are being traced: batches are made of known numbers."""
    if not is_known(numbers):
        raise InputError("problems of known numbers in ode.solve_many", "traced ones", "use jax.vmap over ode.solve")


def _filled(alphas: np.ndarray) -> np.ndarray:
    """Return the alphas, followed by the last one again until one of a few lengths is reached."""
    return np.concatenate([alphas, np.repeat(alphas[-1:], filled_length(alphas.size, FEWEST_ALPHAS) - alphas.size)])


def _named(outcome: Outcome, problem: Problem, start: Overlaps, alphas: np.ndarray) -> Outcome:
    """Return the outcome under the names of `problem`, at its own alphas.

    It was computed of a nameless problem, at alphas that were filled up.
    """
    path, observables, error = outcome
    size = alphas.size
    states, observables = jax.tree.map(lambda x: x[:size], (path.states, observables))
    if error is not None:
        standard = jax.tree.map(lambda x: x[:size], error.standard)
        scatter = jax.tree.map(lambda x: x[:, :size], error.scatter)
        error = SamplingError(with_level_names(standard, problem), with_level_names(scatter, problem))
    return dataclasses.replace(path, states=states), with_level_names(observables, problem), error


def _starts(starts: Overlaps | Sequence[Overlaps]) -> list[Overlaps]:
    """Return the starts one by one."""
    if isinstance(starts, (list, tuple)):
        return list(starts)
    if not isinstance(starts, Overlaps):
        raise InputError("starts as ts.Overlaps, or a list of them", type(starts).__name__, "see ts.random_overlaps")
    if np.ndim(starts.readout) < 2:
        return [starts]
    return [jax.tree.map(lambda x, i=i: np.asarray(x)[i], starts) for i in range(np.shape(starts.readout)[0])]


def _check(members: list[Member]) -> None:
    """Raise InputError unless all members, which are of one structure, can be solved.

    What takes long to look at is looked at for all of them at once.
    """
    problem = members[0][0]
    try:
        check_overlaps(jax.tree.map(lambda *x: np.stack(x), *(start for _, start, _ in members)), problem)
        unclear = members[:1]
    except InputError:  # which one is it?
        unclear = members
    for problem, start, alphas in unclear:
        check_solve(problem, start, alphas)


def _by_structure(members: list[Member]) -> Iterator[list[int]]:
    """Yield the indices of members of equal tree structure and shapes, group by group."""
    groups: dict[tuple[PyTreeDef, tuple[tuple[int, ...], ...]], list[int]] = {}
    for index, member in enumerate(members):
        leaves, structure = jax.tree.flatten(member)
        groups.setdefault((structure, tuple(np.shape(leaf) for leaf in leaves)), []).append(index)
    yield from groups.values()
