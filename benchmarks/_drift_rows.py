"""Right-hand sides of the ODE: closed form, and averages over sampled fields."""

import time
from functools import partial

import jax
import numpy as np

import ode
import teacher_student as ts

from ._limits import arcsin_loop, arcsines, product_precision, product_seconds
from ._loops import Repeated, drift_loop, drift_once
from ._numpy_ode import LARGEST_ARRAY, right_hand_side, whole
from ._numpy_sampling import sampled_drift
from ._problems import committee, generic_state, gram_of, one_block
from ._records import Check, Row
from ._timing import Plan, Work, first_call, median, ratio, rounds

POINTS = 2**12
ETA = 0.3


def closed(name: str, plan: Plan, K: int, M: int, target: float | None = None) -> Row:
    """Closed forms against NumPy's and against their arcsines alone."""
    problem, state = committee(K, M, ETA), generic_state(K, M)
    loop = drift_loop(problem, ode.ClosedForm(), state)
    _, compiling, memory = first_call(lambda: loop(1))
    Q, R, T = one_block(state)
    y, f = np.concatenate([Q.ravel(), R.ravel()]), right_hand_side(T, K, ETA)
    slope = drift_once(problem, ode.ClosedForm(), state)
    mine = np.concatenate([np.asarray(slope.Q).ravel(), np.asarray(slope.R).ravel()])
    arcsin, passes = arcsin_loop(arcsines(K, M))
    found = rounds(
        {
            "ours": loop.work(plan.least, time.process_time),
            "numpy": Work(lambda: f(0.0, y)),
            "arcsin": per_pass(arcsin, passes, plan),
        },
        plan,
    )
    return Row(
        name,
        "ODE right-hand side",
        f"K={K} M={M}",
        "call",
        median(found["ours"]),
        ratio(found["numpy"], found["ours"], "NumPy"),
        target,
        ratio(found["arcsin"], found["ours"], f"{arcsines(K, M)} arcsines"),
        compiling,
        memory,
        Check(float(np.max(np.abs(f(0.0, y) - mine))), 1e-10, "NumPy"),
        _if_in_one_array(state, found["numpy"], plan),
    )


def _if_in_one_array(state: ts.Overlaps, pair_by_pair: list[float], plan: Plan) -> str:
    """How much slower NumPy is without the loop over pairs, where it has one."""
    C = gram_of(state)
    K = state.readout.size
    if K**2 * len(C) ** 2 <= LARGEST_ARRAY or plan.quick:
        return ""
    D, s = 1 + np.diagonal(C), np.where(np.arange(len(C)) < K, 1.0, -1.0)
    found = rounds({"whole": Work(lambda: whole(C, D, s, K))}, plan)["whole"]
    times = median(found) / median(pair_by_pair)
    return (
        f"NumPy's time is that of a loop over pairs k <= l; with all I4 in one array it takes {times:.1f} times as long"
    )


def per_pass(loop: Repeated, passes: float, plan: Plan) -> Work:
    """Work of which one unit is `passes` calls of a loop."""
    work = loop.work(plan.least, time.process_time)
    return Work(work.call, work.units / passes)


def sampled(name: str, plan: Plan, K: int, M: int = 4, points: int = POINTS) -> Row:
    """Averages over `points` fields against plain Monte Carlo of as many, and against their matrix products alone."""
    problem, state = committee(K, M, ETA), generic_state(K, M)
    sample = jax.tree.map(lambda x: x[0], ode.Sampled(points, 1).draw(problem))
    loop = drift_loop(problem, sample, state)
    _, compiling, memory = first_call(lambda: loop(1))
    normals = np.random.default_rng(1).standard_normal((K + M, points))
    C = gram_of(state)
    found = rounds(
        {
            "ours": loop.work(plan.least, time.process_time),
            "numpy": Work(lambda: sampled_drift(C, K, ETA, normals)),
        },
        plan,
    )
    J = K + M
    precision = product_precision(partial(ode.drift, problem, sample, 0.0), state)
    products = product_seconds([(J, points, J), (K, J, points), (K, K, points)], precision, plan)
    return Row(
        name,
        "ODE right-hand side, sampled",
        f"K={K} M={M}, {points} points",
        "call",
        median(found["ours"]),
        ratio(found["numpy"], found["ours"], "NumPy"),
        None,
        ratio([products] * len(found["ours"]), found["ours"], f"products in {precision}"),
        compiling,
        memory,
        _against_monte_carlo(drift_once(problem, sample, state), C, K, normals),
    )


def _against_monte_carlo(slope: object, C: np.ndarray, K: int, normals: np.ndarray) -> Check:
    """Root mean square deviation from NumPy's averages in their standard errors, which 8 batches give; about 1.1."""
    batches = [sampled_drift(C, K, ETA, each) for each in np.split(normals, 8, axis=1)]
    each = np.stack([np.concatenate([dQ.ravel(), dR.ravel()]) for dQ, dR in batches])
    mine = np.concatenate([np.asarray(x, float).ravel() for x in (slope.Q, slope.R)])  # type: ignore[attr-defined]
    error = each.std(axis=0, ddof=1) / np.sqrt(len(each))
    z = (mine - each.mean(axis=0)) / error
    return Check(float(np.sqrt(np.mean(z**2))), 3.0, "NumPy Monte Carlo, in its standard errors")
