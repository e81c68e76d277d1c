"""Batches of solves."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import ode
import teacher_student as ts
from teacher_student import internal

from ._loops import SMALL, Repeated
from ._problems import committee, one_block, start
from ._records import Check, Row
from ._solve_rows import EVALUATIONS, distance
from ._timing import Plan, Work, first_call, median, ratio, rounds


def cells_of(K: int, M: int, cells: int, rates: tuple[float, float]) -> tuple[list[ts.Problem], list[ts.Overlaps]]:
    """`cells` problems: learning rates between `rates`, each with another random start."""
    etas = np.linspace(*rates, cells)
    starts = start(committee(K, M, 1.0), jax.random.split(jax.random.key(3), cells))
    return [committee(K, M, float(eta)) for eta in etas], [
        jax.tree.map(lambda x, i=i: x[i], starts) for i in range(cells)
    ]


def batch(
    name: str,
    plan: Plan,
    K: int,
    M: int,
    cells: int,
    rates: tuple[float, float],
    last: float,
    cores: int = 1,
    target: float | None = None,
) -> Row:
    """Time a cell of `ode.solve_many` against `ode.solve` one by one, and against the cells' right-hand sides alone.

    Wall time: the batch may use all `cores` that the process has.
    """
    problems, starts = cells_of(K, M, cells, rates)
    alphas = np.linspace(0.0, last, 6)[1:]
    some = range(0, cells, max(1, cells // 25))  # one by one, these are enough

    def together() -> list[ts.Trajectory]:
        return ode.solve_many(problems, starts, alphas, averages=ode.ClosedForm(), with_accuracy=False)

    def alone() -> list[ts.Trajectory]:
        options: Any = {"averages": ode.ClosedForm(), "with_accuracy": False, "compiled": True}
        return [ode.solve(problems[i], starts[i], alphas, **options) for i in some]

    many, compiling, memory = first_call(together, time.perf_counter)
    single = alone()
    deviation = max(distance(many[i], *one_block(each.overlaps)[:2]) for i, each in zip(some, single, strict=True))
    steps = float(np.mean([np.asarray(each.stats["num_steps"]) for each in many]))
    side_by_side = _batched_drift(problems[:32], starts[:32]).work(plan.least, time.perf_counter)
    share = min(cells, 32) * cores / (EVALUATIONS[True] * steps)  # of all cores, had each of them its own loop
    evaluations = Work(side_by_side.call, side_by_side.units * share)
    found = rounds(
        {"ours": Work(together, cells), "alone": Work(alone, len(some)), "evaluations": evaluations},
        plan,
        time.perf_counter,
    )
    return Row(
        name,
        "ODE, batch",
        f"K={K} M={M}, {cells} cells, {cores} core{'s' * (cores > 1)}",
        "cell",
        median(found["ours"]),
        ratio(found["alone"], found["ours"], "one by one"),
        target,
        ratio(found["evaluations"], found["ours"], "32 right-hand sides at once"),
        compiling - median(found["ours"]) * cells,
        memory,
        Check(deviation, 1e-8, "one by one"),
    )


def _batched_drift(problems: list[ts.Problem], starts: list[ts.Overlaps]) -> Repeated:
    """Right-hand sides of several cells in one array program."""
    with jax.enable_x64(True):
        stacked = [
            internal.to_float(jax.tree.map(lambda *x: np.stack(x), *each), jnp.float64) for each in (problems, starts)
        ]

    def step(constants: Any, states: Any) -> Any:
        slopes = jax.vmap(lambda problem, state: ode.drift(problem, ode.ClosedForm(), 0.0, state))(constants, states)
        return jax.tree.map(lambda x, dx: x + SMALL * dx, states, slopes)

    return Repeated(step, *stacked)
