"""The chain of the overlaps."""

import jax
import jax.numpy as jnp

import teacher_student as ts

from ._limits import normals_work
from ._problems import committee, one_block, start
from ._records import Check, Row
from ._timing import Plan, Work, first_call, median, ratio, rounds
from ._weights_rows import BLOCK, CHECKED, against_theory, largest, numpy_loop, simulate


def chain(
    name: str,
    plan: Plan,
    K: int,
    M: int,
    eta: float,
    runs: int,
    steps: int,
    dim: int = 1000,
    target: float | None = None,
) -> Row:
    """The chain of the overlaps, a step of one run against NumPy's loop over weights at N = `dim`."""

    def run() -> ts.Trajectory:
        return simulate(K, M, eta, dim, runs, steps, "overlaps")

    _, compiling, memory = first_call(run)
    found = rounds(
        {
            "ours": Work(run, steps * runs),
            "numpy": numpy_loop(K, M, eta, dim, plan.size(2000, 20)),
            "numbers": normals_work(jax.random.key(0), (BLOCK * runs, K + M + 1), jnp.float64, 1e6),
        },
        plan,
    )
    checked = simulate(K, M, eta, dim, 32, int(CHECKED * dim), "overlaps")
    return Row(
        name,
        "SGD, overlap chain",
        f"K={K} M={M}, N={dim}, {runs} run{'s' * (runs > 1)}",
        "step of a run",
        median(found["ours"]),
        ratio(found["numpy"], found["ours"], "NumPy loop"),
        target,
        ratio(found["numbers"], found["ours"], "random numbers alone"),
        compiling - median(found["ours"]) * steps * runs,
        memory,
        against_theory(K, M, eta, checked, False),
    )


def chain_at_large_dim(name: str, plan: Plan, K: int, M: int, eta: float, steps: int, large: int = 10**9) -> Row:
    """The same number of steps at N = 1e9 and at N = 1e3."""

    def run(dim: int) -> ts.Trajectory:
        return simulate(K, M, eta, dim, 1, steps, "overlaps")

    _, compiling, memory = first_call(lambda: run(large))
    found = rounds({"ours": Work(lambda: run(large), steps), "small": Work(lambda: run(1000), steps)}, plan)
    few = simulate(K, M, eta, large, 1, 100, "overlaps")  # 1e2 steps of 1e9: the overlaps have not moved
    before, after = (one_block(each)[:2] for each in (start(committee(K, M, eta)), few.overlaps))
    return Row(
        name,
        "SGD, overlap chain",
        f"K={K} M={M}, N={large:.0e}",
        "step",
        median(found["ours"]),
        ratio(found["small"], found["ours"], "N=1000"),
        1 / 1.2,
        None,
        compiling - median(found["ours"]) * steps,
        memory,
        Check(largest(before, after), 1e-4, "the start, 100 steps later"),
    )
