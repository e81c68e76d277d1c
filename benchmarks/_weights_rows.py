"""Full-weight SGD."""

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
from ._timing import Plan, Work, first_call, median, peak_memory, ratio, rounds

CHECKED = 2.0  # alpha at which simulations are compared with theory
BLOCK = 64  # steps whose inputs are drawn together
BLOCK_NUMBERS = 2**16  # at most: what stays in the cache is drawn twice as fast


def simulate(
    K: int, M: int, eta: float, dim: int, runs: int, steps: int, method: str, begin: Any = None, **options: Any
) -> ts.Trajectory:
    """Runs in one thread, recorded once, after `steps`."""
    problem = committee(K, M, eta)
    found: ts.Trajectory = simulations.run(
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
    return found


def numpy_loop(K: int, M: int, eta: float, dim: int, steps: int) -> Work:
    """The yardstick: one run from the same start."""
    weights, rng = weights_with(gram_of(start(committee(K, M, eta))), dim), np.random.default_rng(0)
    return Work(lambda: sgd(weights, K, eta, steps, rng), steps)


def input_numbers(dim: int) -> Work:
    """The inputs of full-weight SGD alone, drawn in pieces that stay in the cache. Units: steps."""
    numbers = min(BLOCK * dim, BLOCK_NUMBERS)
    work = normals_work(jax.random.key(0), (1, numbers), jnp.float32)
    return Work(work.call, work.units * numbers / dim)


def against_theory(K: int, M: int, eta: float, found: ts.Trajectory, loop: bool, dim: int = 1000) -> Check:
    """Largest deviation of mean overlaps from `ode.solve` at alpha = 2, in units of how far they have moved.

    Of the engine, and with `loop` of the yardstick too (4 runs).
    """
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
    deviation = max(largest(mean, expected) for mean in means) / largest(one_block(begin)[:2], expected)
    return Check(deviation, 0.15, "theory, mean over runs" + (", NumPy's loop too" if loop else ""))


def largest(one: Any, other: Any) -> float:
    """Deviation of two lists of arrays."""
    return max(float(np.max(np.abs(a - b))) for a, b in zip(one, other, strict=True))


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
        ratio(found["inputs"], found["ours"], "random numbers alone"),
        compiling - median(found["ours"]) * steps,
        memory,
        against_theory(K, M, eta, checked, True, dim),
    )


def large(name: str, plan: Plan, K: int, M: int, eta: float, dim: int, steps: int) -> Row:
    """One run at a large N or K, a step against NumPy's loop and its random numbers, within the memory that is said."""
    problem = committee(K, M, eta)
    begin = start(problem, dim=dim)
    before = peak_memory()
    first, starting, memory = first_call(lambda: simulate(K, M, eta, dim, 1, 1, "weights", begin, keep="weights"))
    need = simulations.memory(problem, dim, workers=1, keep="weights")

    def run(steps: int) -> ts.Trajectory:
        return simulate(K, M, eta, dim, 1, steps, "weights", first.weights)

    weights, rng = weights_with(gram_of(begin), dim), np.random.default_rng(0)
    loop = Work(lambda: sgd(weights, K, eta, max(2, steps // 10), rng), max(2, steps // 10))
    work = {"all": Work(lambda: run(steps)), "one": Work(lambda: run(1)), "numpy": loop, "inputs": input_numbers(dim)}
    found = rounds(work, plan)
    ours = [
        (a - b) / (steps - 1) for a, b in zip(found["all"], found["one"], strict=True)
    ]  # without looking at the start
    return Row(
        name,
        "SGD, weights, large",
        f"K={K} M={M}, N={dim:.0e}".replace("e+0", "e"),
        "step",
        median(ours),
        ratio(found["numpy"], ours, "NumPy loop"),
        None,
        ratio(found["inputs"], ours, "random numbers alone"),
        starting,
        memory,
        Check((memory - before) / need, 1.0, f"simulations.memory, {need / 1e9:.2f} GB"),
        "compile: with making the start",
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
    one = simulate(K, M, eta, dim, 2, int(CHECKED * dim), "weights", inputs="shared")
    apart = float(np.max(np.abs(np.diff(one_block(one.overlaps)[1], axis=0))))
    check = against_theory(K, M, eta, one, False)
    return Row(
        name,
        "SGD, shared inputs",
        size,
        "step of a run",
        median(found["ours"]),
        ratio(found["own"], found["ours"], "own inputs"),
        target,
        ratio([each / runs for each in found["inputs"]], found["ours"], "random numbers alone"),
        compiling - median(found["ours"]) * steps * runs,
        memory,
        Check(max(check.deviation / 0.6, apart / 1e-4), 1.0, "theory, one stream; two runs of one start alike"),
    )
