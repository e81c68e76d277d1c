"""Whole solves, batches of them, and gradients through them."""

import time
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import ode
import teacher_student as ts

from . import _numpy_ode
from ._loops import Repeated, drift_loop
from ._problems import committee, one_block, start
from ._records import Check, Row
from ._timing import Plan, Work, first_call, median, ratio, rounds

EVALUATIONS = 6  # of the right-hand side in a step of Tsit5, whose last one is the next step's first


def whole(name: str, plan: Plan, K: int, M: int, eta: float, last: float, target: float | None = None) -> Row:
    """One solve at rtol 1e-8 against SciPy's, and against its right-hand sides alone."""
    problem, alphas = committee(K, M, eta), np.linspace(0.0, last, 21)[1:]
    begin = start(problem)

    def solve() -> ts.Trajectory:
        return ode.solve(problem, begin, alphas, averages=ode.ClosedForm(), with_accuracy=False)

    theory, compiling, memory = first_call(solve)
    Q, R, T = one_block(begin)

    def scipy() -> tuple[np.ndarray, np.ndarray]:
        return _numpy_ode.solve(T, Q, R, eta, alphas)

    steps = int(np.asarray(theory.stats["num_steps"]))
    loop = drift_loop(problem, ode.ClosedForm(), begin).work(plan.least, time.process_time)
    evaluations = Work(loop.call, loop.units / (EVALUATIONS * steps))
    found = rounds({"ours": Work(solve), "scipy": Work(scipy), "evaluations": evaluations}, plan)
    return Row(
        name,
        "ODE, solve",
        f"K={K} M={M}, alpha={last:g}",
        "solve",
        median(found["ours"]),
        ratio(found["scipy"], found["ours"], "SciPy DOP853"),
        target,
        ratio(found["evaluations"], found["ours"], f"{EVALUATIONS * steps} right-hand sides"),
        compiling - median(found["ours"]),
        memory,
        Check(_distance(theory, *scipy()), 1e-5, "SciPy DOP853"),
    )


def _distance(theory: ts.Trajectory, Q: np.ndarray, R: np.ndarray) -> float:
    mine = one_block(theory.overlaps)
    return max(float(np.max(np.abs(a - b))) for a, b in zip(mine, (Q, R), strict=False))


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
        return [
            ode.solve(problems[i], starts[i], alphas, averages=ode.ClosedForm(), with_accuracy=False) for i in some
        ]

    many, compiling, memory = first_call(together, time.perf_counter)
    single = alone()
    deviation = max(_distance(many[i], *one_block(each.overlaps)[:2]) for i, each in zip(some, single, strict=True))
    steps = float(np.mean([np.asarray(each.stats["num_steps"]) for each in many]))
    side_by_side = _batched_drift(problems[:32], starts[:32]).work(plan.least, time.perf_counter)
    share = min(cells, 32) * cores / (EVALUATIONS * steps)  # of all cores, had each of them its own loop
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
        ratio(found["evaluations"], found["ours"], "right-hand sides of 32 cells at once"),
        compiling - median(found["ours"]) * cells,
        memory,
        Check(deviation, 1e-8, "one by one"),
    )


def _batched_drift(problems: list[ts.Problem], starts: list[ts.Overlaps]) -> Repeated:
    """Right-hand sides of several cells in one array program."""
    with jax.enable_x64(True):
        stacked = [ts.to_float(jax.tree.map(lambda *x: np.stack(x), *each), jnp.float64) for each in (problems, starts)]

    def step(constants: Any, states: Any) -> Any:
        slopes = jax.vmap(lambda problem, state: ode.drift(problem, ode.ClosedForm(), 0.0, state))(constants, states)
        return jax.tree.map(lambda x, dx: x + 1e-12 * dx, states, slopes)

    return Repeated(step, *stacked)


def gradient(name: str, plan: Plan, K: int, M: int, eta: float, last: float, mode: str) -> Row:
    """d(final error)/d(learning rate) (forward), or with respect to it, the decay and the start (reverse)."""
    problem, alphas = committee(K, M, eta), np.linspace(0.0, last, 6)[1:]
    begin = start(problem)
    with jax.enable_x64(True):
        numbers = {"eta": jnp.float64(eta), "decay": jnp.float64(0.0), "R": jnp.asarray(begin.R)}
    adjoint = diffrax.ForwardMode() if mode == "forward" else None

    def error(numbers: Any) -> jax.Array:
        task, student, order = problem.task, problem.student, problem.curriculum
        sgd = ts.SGD(numbers["eta"], 0.0, numbers["decay"])
        state = ts.Overlaps(begin.Q, numbers["R"], begin.T, begin.readout)
        found = ode.solve(
            ts.Problem(task, student, sgd, order),
            state,
            alphas,
            averages=ode.ClosedForm(),
            with_accuracy=False,
            adjoint=adjoint,
        )
        return found.error["all"][-1]

    def along_rate(numbers: Any) -> jax.Array:
        return jax.jvp(lambda rate: error({**numbers, "eta": rate}), (numbers["eta"],), (jnp.ones_like(numbers["eta"]),))[1]

    differentiate = jax.jit(along_rate if mode == "forward" else jax.grad(error))
    plain = jax.jit(error)

    def called(function: Any, numbers: Any = numbers) -> Any:
        with jax.enable_x64(True):
            return jax.block_until_ready(function(numbers))

    slope, compiling, memory = first_call(lambda: called(differentiate))
    found = rounds({"ours": Work(lambda: called(differentiate)), "solve": Work(lambda: called(plain))}, plan)
    slope = float(slope if mode == "forward" else slope["eta"])
    step = 1e-4 * eta
    up, down = (float(called(plain, {**numbers, "eta": np.float64(eta + sign * step)})) for sign in (1, -1))
    difference = (up - down) / (2 * step)
    costs = ratio(found["solve"], found["ours"], "one solve")
    count = 1 if mode == "forward" else 2 + K * M
    return Row(
        name,
        f"ODE, gradient, {mode}",
        f"K={K} M={M}, {count} number{'s' * (count > 1)}",
        "gradient",
        median(found["ours"]),
        costs,
        1 / 6 if mode == "reverse" else None,
        None,
        compiling - median(found["ours"]),
        memory,
        Check(abs(slope / difference - 1), 1e-3, "finite differences, relative"),
        f"costs {1 / costs.median:.1f} solves",
    )
