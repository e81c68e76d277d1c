"""Whole solves of the ODE."""

import time

import numpy as np

import ode
import teacher_student as ts

from . import _numpy_ode
from ._loops import drift_loop
from ._problems import committee, one_block, start
from ._records import Check, Row
from ._timing import Plan, Work, first_call, median, ratio, rounds

EVALUATIONS = 6  # of the right-hand side in a step of Tsit5, whose last one is the next step's first


def whole(
    name: str, plan: Plan, K: int, M: int, eta: float, last: float, dim: int = 1000, target: float | None = None
) -> Row:
    """One solve at rtol 1e-8 against SciPy's, and against its right-hand sides alone. dim: N of the random start."""
    problem, alphas = committee(K, M, eta), np.linspace(0.0, last, 21)[1:]
    begin = start(problem, dim=dim)

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
        Check(distance(theory, *scipy()), 1e-5, "SciPy DOP853"),
    )


def distance(theory: ts.Trajectory, Q: np.ndarray, R: np.ndarray) -> float:
    """Largest deviation of the recorded overlaps."""
    mine = one_block(theory.overlaps)
    return max(float(np.max(np.abs(a - b))) for a, b in zip(mine, (Q, R), strict=False))
