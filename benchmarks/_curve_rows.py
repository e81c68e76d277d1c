"""How cost grows: with the student's width, the input dimension and the number of cells."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

import ode

from ._batch_rows import cells_of
from ._drift_rows import ETA, POINTS, per_pass
from ._fit import exponent
from ._limits import arcsin_loop, arcsines, product_precision, product_seconds
from ._loops import drift_loop
from ._numpy_ode import right_hand_side
from ._numpy_sampling import sampled_drift
from ._problems import committee, generic_state, gram_of, one_block
from ._records import Curve
from ._timing import Plan, Work, median, rounds
from ._weights_rows import input_numbers, numpy_loop, simulate

LONGEST = 3.0  # seconds of one call beyond which a curve ends
M = 4


class Growing:
    """Seconds against a size, of several things at once; each ends before one of its calls would be too long."""

    def __init__(self) -> None:
        self.points: dict[str, list[tuple[float, float]]] = {}

    def add(self, size: float, found: dict[str, float]) -> None:
        """Seconds at one size."""
        for key, seconds in found.items():
            self.points.setdefault(key, []).append((size, seconds))

    def affordable(self, key: str, size: float, growth: float) -> bool:
        """Whether `key` at `size` takes less than LONGEST if it grows with the exponent `growth` from its last size."""
        if key not in self.points:
            return True
        last, seconds = self.points[key][-1]
        return bool(seconds * (size / last) ** growth < LONGEST)

    def curve(self, key: str, first: float, **words: str) -> Curve:
        """The curve of `key`, and the exponent from size `first` on."""
        sizes, seconds = zip(*self.points[key], strict=True)
        return Curve(key, sizes=sizes, seconds=seconds, fit=exponent(sizes, seconds, first), **words)


def medians(work: dict[str, Work], plan: Plan, clock: Callable[[], float] = time.process_time) -> dict[str, float]:
    """Median seconds a unit."""
    return {key: median(each) for key, each in rounds(work, plan, clock).items()}


def closed_widths(plan: Plan, widths: Sequence[int]) -> list[Curve]:
    """A closed-form right-hand side against K."""
    grown = Growing()
    for K in widths:
        problem, state = committee(K, M, ETA), generic_state(K, M)
        work = {}
        if grown.affordable("drift, closed", K, 4):
            loop = drift_loop(problem, ode.ClosedForm(), state)
            work["drift, closed"] = loop.work(plan.least, time.process_time)
        if grown.affordable("drift, closed, numpy", K, 4):
            Q, R, T = one_block(state)
            y, f = np.concatenate([Q.ravel(), R.ravel()]), right_hand_side(T, K, ETA)
            work["drift, closed, numpy"] = Work(partial(f, 0.0, y))
        if grown.affordable("drift, arcsin", K, 4):
            work["drift, arcsin"] = per_pass(*arcsin_loop(arcsines(K, M)), plan)
        grown.add(K, medians(work, plan))
    words = {"panel": "width", "axis": "student width K", "unit": "right-hand side"}
    return [
        grown.curve("drift, closed", 16, label="closed form", kind="ours", **words),
        grown.curve("drift, closed, numpy", 16, label="closed form, NumPy", kind="yardstick", **words),
        grown.curve("drift, arcsin", 16, label="its arcsines alone", kind="limit", **words),
    ]


def sampled_widths(plan: Plan, widths: Sequence[int], points: int = POINTS) -> list[Curve]:
    """A sampled right-hand side against K."""
    grown = Growing()
    for K in widths:
        problem, state, J = committee(K, M, ETA), generic_state(K, M), K + M
        sample = jax.tree.map(lambda x: x[0], ode.Sampled(points, 1).draw(problem))
        normals, C = np.random.default_rng(1).standard_normal((J, points)), gram_of(state)
        work = {
            "drift, sampled": drift_loop(problem, sample, state).work(plan.least, time.process_time),
            "drift, sampled, numpy": Work(partial(sampled_drift, C, K, ETA, normals)),
        }
        precision = product_precision(partial(ode.drift, problem, sample, 0.0), state)
        products = product_seconds([(J, points, J), (K, J, points), (K, K, points)], precision, plan)
        grown.add(K, medians(work, plan) | {"drift, products": products})
    words = {"panel": "width", "axis": "student width K", "unit": "right-hand side"}
    label = f"{points} sampled fields"
    return [
        grown.curve("drift, sampled", 32, label=label, kind="ours", **words),
        grown.curve("drift, sampled, numpy", 32, label=f"{label}, NumPy", kind="yardstick", **words),
        grown.curve("drift, products", 32, label="their matrix products alone", kind="limit", **words),
    ]


def _a_step(call: Callable[[int], Any], steps: int) -> dict[str, Work]:
    """A long and a short call: their difference leaves out what a call costs besides its steps."""
    return {"long": Work(lambda: call(2 * steps)), "short": Work(lambda: call(steps))}


def dims_of_weights(plan: Plan, dims: Sequence[int], numbers: float) -> list[Curve]:
    """A step of full-weight SGD against N, K = M = 2; `numbers`: input numbers a call."""
    grown = Growing()
    for dim in dims:
        steps = int(max(16, numbers / dim))
        work = _a_step(partial(simulate, 2, 2, 1.0, dim, 1, method="weights"), steps)
        yardstick = numpy_loop(2, 2, 1.0, dim, max(3, min(steps, 2000) // 8))
        found = rounds(work | {"numpy": yardstick, "inputs": input_numbers(dim)}, plan)
        each = [(long - short) / steps for long, short in zip(found["long"], found["short"], strict=True)]
        rest = {"weights, numpy": median(found["numpy"]), "weights, inputs": median(found["inputs"])}
        grown.add(dim, {"weights": median(each)} | rest)
    words = {"panel": "dimension", "axis": "input dimension N", "unit": "step"}
    return [
        grown.curve("weights", 1e4, label="weights", kind="ours", **words),
        grown.curve("weights, numpy", 1e4, label="weights, NumPy", kind="yardstick", **words),
        grown.curve("weights, inputs", 1e4, label="their inputs alone", kind="limit", **words),
    ]


def dims_of_chain(plan: Plan, dims: Sequence[int], steps: int, runs: int = 32) -> list[Curve]:
    """A step of one of `runs` chains of overlaps against N, K = M = 2."""
    grown = Growing()
    for dim in dims:
        work = _a_step(partial(simulate, 2, 2, 1.0, dim, runs, method="overlaps"), steps)
        found = rounds(work, plan)
        each = [(long - short) / steps / runs for long, short in zip(found["long"], found["short"], strict=True)]
        grown.add(dim, {"chain": median(each)})
    words = {"panel": "dimension", "axis": "input dimension N", "unit": "step"}
    return [grown.curve("chain", 0, label=f"overlaps, {runs} runs", kind="ours", **words)]


def cells(plan: Plan, counts: Sequence[int], last: float, cores: int) -> list[Curve]:
    """A batch of solves against the number of its cells, K = M = 2; wall time on `cores` cores."""
    grown = Growing()
    problems, starts = cells_of(2, 2, max(counts), (0.2, 2.0))
    alphas = np.linspace(0.0, last, 6)[1:]
    options: Any = {"averages": ode.ClosedForm(), "with_accuracy": False}
    some = np.linspace(0, max(counts) - 1, min(25, max(counts))).astype(int)

    def alone() -> None:
        for i in some:
            ode.solve(problems[i], starts[i], alphas, **options, compiled=True)

    for count in counts:
        chosen = np.linspace(0, max(counts) - 1, count).astype(int)
        mine, theirs = [problems[i] for i in chosen], [starts[i] for i in chosen]
        work = {
            "batch": Work(partial(ode.solve_many, mine, theirs, alphas, **options)),
            "batch, one by one": Work(alone, len(some) / count),
        }
        grown.add(count, medians(work, plan, time.perf_counter))
    words = {"panel": "cells", "axis": f"cells (K = M = 2, {cores} cores)", "unit": "batch"}
    return [
        grown.curve("batch", 10, label="one batch", kind="ours", **words),
        grown.curve("batch, one by one", 10, label="one by one", kind="yardstick", **words),
    ]
