"""Problems of one structure in batches: side by side where that is faster, one after the other elsewhere."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Overlaps, Problem, Status
from teacher_student.internal import to_float64, to_host, usable_cores

from ._compiled_solve import jitted_solve, solve_one
from ._method import Method
from ._outcome import Outcome

SIDE_BY_SIDE = 32  # problems that advance together
ONE_BY_ONE = 8  # problems in one compiled call that takes them in turn
NARROW = 3  # students up to this width gain from advancing together (python -m benchmarks)
MANY_STEPS = 2048  # together all take as many steps as the slowest: one that needs more is solved alone

Batch = TypeVar("Batch")
Result = TypeVar("Result")
Member = tuple[Problem, Overlaps, np.ndarray]


def solve_batches(members: list[Member], method: Method, workers: int | None) -> list[Outcome]:
    """Return the outcomes of `members`, all of one structure, in order.

    They run on `workers` threads (None: one per core).
    """
    narrow = method.exact and members[0][0].student.width <= NARROW
    threads = _threads(method, workers)
    if not narrow or len(members) < SIDE_BY_SIDE // 2:
        return _in_batches(members, ONE_BY_ONE, lambda batch: _in_turn(batch, method), threads)
    outcomes = _side_by_side(members, method, threads)
    late = [i for i, (path, *_) in enumerate(outcomes) if path.status == Status.TOO_STIFF]
    if late and method.tolerances.max_steps > MANY_STEPS:
        alone = [members[i] for i in late]
        again = _in_batches(alone, ONE_BY_ONE, lambda batch: _in_turn(batch, method), threads)
        for i, outcome in zip(late, again, strict=True):
            outcomes[i] = outcome
    return outcomes


def _side_by_side(members: list[Member], method: Method, threads: int) -> list[Outcome]:
    """Return outcomes after at most MANY_STEPS.

    Problems of like learning rate take like numbers of steps, and go together.
    """
    few = dataclasses.replace(method.tolerances, max_steps=min(MANY_STEPS, method.tolerances.max_steps))
    first = dataclasses.replace(method, tolerances=few)
    order = np.argsort([float(problem.at(0.0).sgd.learning_rate) for problem, *_ in members], kind="stable")
    outcomes = _in_batches([members[i] for i in order], SIDE_BY_SIDE, lambda batch: _together(batch, first), threads)
    return [outcomes[rank] for rank in np.argsort(order)]


def _threads(method: Method, workers: int | None) -> int:
    """Return the number of threads. It is one where arrays are large enough for XLA to use all cores by itself."""
    if workers is not None:
        return workers
    if not method.exact or jax.default_backend() != "cpu":
        return 1
    return len(usable_cores())


def _in_batches(
    members: list[Member], size: int, solve: Callable[[list[Member]], Outcome], threads: int
) -> list[Outcome]:
    """Call `solve` on `size` members at a time, and return the outcomes one by one.

    The last batch is filled up, so that any number of members takes one compilation.
    """
    batches = [members[first : first + size] for first in range(0, len(members), size)]
    stacks = _in_threads(solve, batches, threads)
    return [
        jax.tree.map(lambda x, i=i: x[i], stack)
        for batch, stack in zip(batches, stacks, strict=True)
        for i in range(len(batch))
    ]


def _in_threads(solve: Callable[[Batch], Result], batches: list[Batch], threads: int) -> Iterable[Result]:
    """Call `solve` on each batch, in order. The first call is made alone, so that it compiles once."""
    if threads == 1 or len(batches) < 2:
        return map(solve, batches)
    return _first_alone(solve, batches, threads)


def _first_alone(solve: Callable[[Batch], Result], batches: list[Batch], threads: int) -> Iterator[Result]:
    yield solve(batches[0])
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(solve, batches[1:])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _stacked(batch: list[Member], size: int) -> Member:
    filled = batch + batch[:1] * (size - len(batch))
    stacked: Member = jax.tree.map(lambda *x: np.stack(x), *filled)
    return to_float64(stacked)


def _together(batch: list[Member], method: Method) -> Outcome:
    """Return outcomes with a leading axis, of problems that advance side by side."""
    with jax.enable_x64(True):
        return to_host(_vmapped(_stacked(batch, SIDE_BY_SIDE), method))


@eqx.filter_jit
def _vmapped(stacked: Member, method: Method) -> Outcome:
    return jax.vmap(lambda member: solve_one(member[0], member[1], member[2], method))(stacked)


def _in_turn(batch: list[Member], method: Method) -> Outcome:
    """Return outcomes with a leading axis, of problems that are solved one after the other."""
    with jax.enable_x64(True):
        return to_host(_mapped(_stacked(batch, ONE_BY_ONE), np.int32(len(batch)), method))


@eqx.filter_jit
def _mapped(stacked: Member, count: Any, method: Method) -> Outcome:
    def one(member: Any) -> Outcome:
        problem, start, alphas = member
        return jitted_solve(problem, start, alphas, method)

    shapes = eqx.filter_eval_shape(one, jax.tree.map(lambda x: x[0], stacked))
    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)

    def if_wanted(numbered: Any) -> Outcome:
        index, member = numbered
        outcome: Outcome = jax.lax.cond(index < count, one, lambda _: nothing, member)
        return outcome

    outcomes: Outcome = jax.lax.map(if_wanted, (jnp.arange(ONE_BY_ONE, dtype=count.dtype), stacked))
    return outcomes
