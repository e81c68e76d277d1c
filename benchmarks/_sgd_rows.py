"""Full-weight SGD and the chain of the overlaps."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import ode
import simulations
import teacher_student as ts

from ._limits import normals_work
from ._numpy_sgd import sgd, weights_with
from ._problems import committee, gram_of, one_block, start
from ._records import Check, Row
from ._timing import Plan, Work, first_call, median, ratio, rounds

CHECKED = 2.0  # alpha at which simulations are compared with theory
BLOCK = 64  # steps whose inputs the engine draws together
BLOCK_NUMBERS = 2**20  # at most


def simulate(
    K: int, M: int, eta: float, dim: int, runs: int, steps: int, method: str, begin: Any = None, **options: Any
) -> ts.Trajectory:
    """Runs in one thread, recorded once, after `steps`."""
    problem = committee(K, M, eta)
    return simulations.run(
        problem,
        dim,
        runs,
        [steps / dim],
        1,
        start=start(problem) if begin is None else begin,
        method=method,
        workers=1,
        test_samples=1,
        progress=False,
        **options,
    )


def numpy_loop(K: int, M: int, eta: float, dim: int, steps: int) -> Work:
    """The yardstick: one run from the same start."""
    weights, rng = weights_with(gram_of(start(committee(K, M, eta))), dim), np.random.default_rng(0)
    return Work(lambda: sgd(weights, K, eta, steps, rng), steps)


def input_numbers(dim: int) -> Work:
    """The inputs of full-weight SGD alone, in the engine's blocks. Units: steps."""
    steps = max(1, min(BLOCK, BLOCK_NUMBERS // dim))
    return normals_work(jax.random.key(0), (steps, dim), jnp.float32)


def against_theory(K: int, M: int, eta: float, found: ts.Trajectory, loop: bool, dim: int = 1000) -> Check:
    """Largest deviation of mean overlaps from `ode.solve`, of the engine and of the yardstick (4 runs), at alpha = 2."""
    problem = committee(K, M, eta)
    begin = start(problem)
    theory = ode.solve(problem, begin, [CHECKED], averages=ode.ClosedForm(), with_accuracy=False)
    expected = [x[0] for x in one_block(theory.overlaps)[:2]]
    means = [[x[:, 0].mean(axis=0) for x in one_block(found.overlaps)[:2]]]
    if loop:
        grams = []
        for seed in range(4):
            weights = weights_with(gram_of(begin), dim)
            sgd(weights, K, eta, int(CHECKED * dim), np.random.default_rng(seed))
            grams.append(weights @ weights.T / dim)
        gram = np.mean(grams, axis=0)
        means.append([gram[:K, :K], gram[:K, K:]])
    deviation = max(
        float(np.max(np.abs(a - b))) for mean in means for a, b in zip(mean, expected, strict=True)
    )
    return Check(deviation, 0.2, "theory, mean over runs" + (", NumPy's loop too" if loop else ""))


def weights(
    name: str, plan: Plan, K: int, M: int, eta: float, dim: int, steps: int, target: float | None = None
) -> Row:
    """One run, a step against NumPy's loop, and against drawing its inputs alone."""

    def run() -> ts.Trajectory:
        return simulate(K, M, eta, dim, 1, steps, "weights")

    _, compiling, memory = first_call(run)
    found = rounds(
        {
            "ours": Work(run, steps),
            "numpy": numpy_loop(K, M, eta, dim, max(20, steps // 10)),
            "inputs": input_numbers(dim),
        },
        plan,
    )
    checked = simulate(K, M, eta, dim, 8, int(CHECKED * dim), "weights")
    return Row(
        name,
        "SGD, weights",
        f"K={K} M={M}, N={dim}",
        "step",
        median(found["ours"]),
        ratio(found["numpy"], found["ours"], "NumPy loop"),
        target,
        ratio(found["inputs"], found["ours"], "its random numbers alone"),
        compiling - median(found["ours"]) * steps,
        memory,
        against_theory(K, M, eta, checked, True, dim),
    )


def shared(
    name: str, plan: Plan, K: int, M: int, eta: float, dim: int, steps: int, runs: int, target: float | None = None
) -> Row:
    """Runs on one stream of inputs, a step of one run against runs on their own streams."""
    size = f"K={K} M={M}, N={dim}, {runs} runs"
    if "inputs" not in inspect.signature(simulations.run).parameters:
        return Row(name, "SGD, shared inputs", size, note="skipped: simulations.run has no option inputs")
    problem = committee(K, M, eta)
    starts = start(problem, jax.random.split(jax.random.key(4), runs))

    def run(**options: Any) -> ts.Trajectory:
        return simulate(K, M, eta, dim, runs, steps, "weights", starts, **options)

    _, compiling, memory = first_call(lambda: run(inputs="shared"))
    some = jax.tree.map(lambda x: x[: max(1, runs // 8)], starts)
    few = len(some.readout)
    found = rounds(
        {
            "ours": Work(lambda: run(inputs="shared"), steps * runs),
            "own": Work(lambda: simulate(K, M, eta, dim, few, steps, "weights", some), steps * few),
            "inputs": input_numbers(dim),
        },
        plan,
    )
    one = simulate(K, M, eta, dim, runs, int(CHECKED * dim), "weights", inputs="shared")
    return Row(
        name,
        "SGD, shared inputs",
        size,
        "step of a run",
        median(found["ours"]),
        ratio(found["own"], found["ours"], "own inputs"),
        target,
        ratio([each / runs for each in found["inputs"]], found["ours"], "its random numbers alone"),
        compiling - median(found["ours"]) * steps * runs,
        memory,
        against_theory(K, M, eta, one, False),
    )


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
        ratio(found["numbers"], found["ours"], "its random numbers alone"),
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
    before, after = (one_block(each)[0] for each in (start(committee(K, M, eta)), few.overlaps))
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
        Check(float(np.max(np.abs(after - before))), 1e-4, "the start, 100 steps later"),
    )
