"""Whole solves of the ODE."""

import time
from typing import Any

import numpy as np

import ode
import teacher_student as ts

from . import _numpy_ode
from ._loops import drift_loop
from ._problems import committee, one_block, start
from ._records import Check, Row
from ._timing import Plan, Work, first_call, median, ratio, rounds

LARGEST_T = 12.0  # of 2 numbers with 3 degrees of freedom: passed by chance once in 400
EVALUATIONS = {True: 6, False: 12}  # of the right-hand side in a step: of Tsit5, compiled whole, or of DOP853


def whole(
    name: str,
    plan: Plan,
    K: int,
    M: int,
    eta: float,
    last: float,
    dim: int = 1000,
    target: float | None = None,
    compiled: bool = True,
) -> Row:
    """One solve at rtol 1e-8 against SciPy's, and against its right-hand sides alone.

    dim: N of the random start. compiled: the solve is compiled whole, or stepped from the host.
    """
    problem, alphas = committee(K, M, eta), np.linspace(0.0, last, 21)[1:]
    begin = start(problem, dim=dim)

    def solve() -> ts.Trajectory:
        return ode.solve(problem, begin, alphas, averages=ode.ClosedForm(), with_accuracy=False, compiled=compiled)

    theory, compiling, memory = first_call(solve)
    Q, R, T = one_block(begin)

    def scipy() -> tuple[np.ndarray, np.ndarray]:
        return _numpy_ode.solve(T, Q, R, eta, alphas)

    steps = int(np.asarray(theory.stats["num_steps"]))
    loop = drift_loop(problem, ode.ClosedForm(), begin).work(plan.least, time.process_time)
    evaluations = Work(loop.call, loop.units / (EVALUATIONS[compiled] * steps))
    found = rounds({"ours": Work(solve), "scipy": Work(scipy), "evaluations": evaluations}, plan)
    return Row(
        name,
        "ODE, solve" if compiled else "ODE, solve, from the host",
        f"K={K} M={M}, alpha={last:g}",
        "solve",
        median(found["ours"]),
        ratio(found["scipy"], found["ours"], "SciPy DOP853"),
        target,
        ratio(found["evaluations"], found["ours"], f"{EVALUATIONS[compiled] * steps} right-hand sides"),
        compiling - median(found["ours"]),
        memory,
        Check(distance(theory, *scipy()), 1e-5, "SciPy DOP853"),
    )


def wide(name: str, plan: Plan, K: int, M: int, eta: float, last: float, dim: int, closed: bool = True) -> Row:
    """One solve of a wide student, E[g g^T] sampled (what `averages=None` means there), against closed forms.

    Checked: the error at the end against that of closed forms, or of averages that are sampled as a whole.
    """
    problem, alphas = committee(K, M, eta), np.array([last / 2, last])
    begin = start(problem, dim=dim)

    def solve(averages: Any) -> ts.Trajectory:
        return ode.solve(problem, begin, alphas, averages=averages, with_accuracy=False)

    theory, compiling, memory = first_call(lambda: solve(ode.Sampled(products_only=True)))
    other = ode.ClosedForm() if closed else ode.Sampled(key=1)
    work = {"ours": Work(lambda: solve(ode.Sampled(products_only=True)))}
    expected = solve(other)
    found = rounds({**work, "other": Work(lambda: solve(other))} if closed else work, plan)
    (level,) = theory.error
    stated, others = theory.sampling_error, expected.sampling_error
    assert stated is not None  # averages are sampled
    error = np.hypot(stated.error[level], others.error[level] if others is not None else 0)
    deviation = float(np.max(np.abs(theory.error[level] - expected.error[level]) / error))
    relative = float(np.max(stated.error[level] / theory.error[level]))
    what = "closed forms" if closed else "all averages sampled"
    return Row(
        name,
        "ODE, solve, E[g g] sampled",
        f"K={K} M={M}, alpha={last:g}",
        "solve",
        median(found["ours"]),
        ratio(found["other"], found["ours"], what) if closed else None,
        None,
        None,
        compiling - median(found["ours"]),
        memory,
        Check(deviation, LARGEST_T, f"{what}, in its standard errors"),
        f"relative standard error of the generalisation error: {relative:.1e}",
    )


def distance(theory: ts.Trajectory, Q: np.ndarray, R: np.ndarray) -> float:
    """Largest deviation of the recorded overlaps."""
    mine = one_block(theory.overlaps)
    return max(float(np.max(np.abs(a - b))) for a, b in zip(mine, (Q, R), strict=False))
