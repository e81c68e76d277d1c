"""`ode.solve_many`: many problems, one compilation per structure."""

from collections.abc import Iterator, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import DIVERGENCE_BOUND, InputError, Overlaps, Problem, Trajectory, to_float, to_host

from ._solve import Method, Outcome, check_solve, jitted_solve, method_for, trajectory
from .averages import ClosedForm, Sampled

BATCH = 32  # problems in one compiled call


def solve_many(
    problems: Problem | Sequence[Problem],
    starts: Overlaps | Sequence[Overlaps],
    alphas: Any,
    *,
    averages: ClosedForm | Sampled | None = None,
    with_accuracy: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    max_steps: int = 100_000,
    bound: float = DIVERGENCE_BOUND,
) -> list[Trajectory]:
    """`solve` for many problems; those of one structure go through one compiled call, 32 at a time.

    Problems have one structure if they differ in numbers only, not in widths, activations, losses, or the number of
    blocks, levels, phases or recorded alphas. Each is integrated with its own steps, one after the other, so a
    trajectory does not depend, to the last bit, on what else is in the batch, and one that diverges or is stiff
    costs the others nothing.

    Arguments: problems: n of them, or one for n starts. starts: one for all, n, or Overlaps with a leading axis n
    (such as `random_overlaps` with n keys: an ensemble). alphas: (A,) for all, or n lists of times.
    The rest: as in `solve`; `averages` is used for every problem.
    Returns n trajectories, in order. Raises InputError, before computing, if one of them could not be solved.
    """
    every = _starts(starts)
    problems = [problems] * len(every) if isinstance(problems, Problem) else list(problems)
    n = len(problems)
    every = every * n if isinstance(starts, Overlaps) and len(every) == 1 else every
    times = [np.asarray(each, float) for each in ([alphas] * n if np.ndim(alphas[0]) == 0 else alphas)]
    if not len(every) == len(times) == n:
        raise InputError(f"{n} starts and lists of alphas, as many as problems", f"{len(every)} and {len(times)}")
    for arguments in zip(problems, every, times, strict=True):
        check_solve(*arguments)
    found: dict[int, Trajectory] = {}
    for group in _by_structure(list(zip(problems, every, times, strict=True))):
        method = method_for(problems[group[0]], averages, with_accuracy, rtol, atol, max_steps, bound)
        for first in range(0, len(group), BATCH):
            members = group[first : first + BATCH]
            outcomes = _solve_batch([(problems[i], every[i], times[i]) for i in members], method)
            for place, i in enumerate(members):
                outcome = jax.tree.map(lambda x, place=place: x[place], outcomes)
                found[i] = trajectory(problems[i], every[i], times[i], outcome, method.source())
    return [found[i] for i in range(n)]


def _starts(starts: Overlaps | Sequence[Overlaps]) -> list[Overlaps]:
    """Starts one by one."""
    if not isinstance(starts, Overlaps):
        return list(starts)
    if np.ndim(starts.readout) < 2:
        return [starts]
    return [jax.tree.map(lambda x, i=i: np.asarray(x)[i], starts) for i in range(np.shape(starts.readout)[0])]


def _by_structure(members: list[Any]) -> Iterator[list[int]]:
    """Indices of members of equal tree structure and shapes."""
    groups: dict[Any, list[int]] = {}
    for index, member in enumerate(members):
        leaves, structure = jax.tree.flatten(member)
        groups.setdefault((structure, tuple(np.shape(leaf) for leaf in leaves)), []).append(index)
    yield from groups.values()


def _solve_batch(members: list[tuple[Problem, Overlaps, np.ndarray]], method: Method) -> Outcome:
    """Outcomes with a leading axis of at least len(members)."""
    padded = members + members[:1] * (BATCH - len(members))
    with jax.enable_x64(True):
        stacked = to_float(jax.tree.map(lambda *x: np.stack(x), *padded), jnp.float64)
        return to_host(_map(stacked, np.int32(len(members)), method))


@eqx.filter_jit
def _map(stacked: Any, count: Any, method: Method) -> Outcome:
    def one(member: Any) -> Outcome:
        problem, start, alphas = member
        return jitted_solve(problem, start, alphas, method)

    shapes = eqx.filter_eval_shape(one, jax.tree.map(lambda x: x[0], stacked))
    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)

    def if_wanted(numbered: Any) -> Outcome:
        index, member = numbered
        return jax.lax.cond(index < count, one, lambda _: nothing, member)

    return jax.lax.map(if_wanted, (jnp.arange(BATCH), stacked))
