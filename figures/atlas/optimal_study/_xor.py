"""One start of the XOR mixture: its best order, compared with named ones on points that the search has not seen."""

import dataclasses
from typing import Any

import numpy as np

import ode
import teacher_student as ts
from ode import protocols

from ._found import Found, found_of
from ._plan import ALPHA, DIM, KINDS, NAMED, RATE, SCALE, Plan, XorCell

SHARES = {"easy": 0.5, "hard": 0.5}


def xor_problem(cell: XorCell) -> ts.Problem:
    """Return the problem of a student of K relu units, both of whose layers learn."""
    sgd = ts.SGD(RATE, readout_learning_rate=RATE)
    task = ts.XorMixture(KINDS[cell.kind])
    return ts.Problem(task, ts.Student(cell.width, "relu"), sgd, ts.Curriculum.mixed(SHARES, ALPHA))


def best_order(cell: XorCell, plan: Plan) -> Found:
    """Search for shares over time that make the error on hard samples small, and evaluate them with fresh points.

    The search knows its start and its points. So what it found is evaluated with other points, at its own start and at
    another one, beside the named orders.
    """
    problem = xor_problem(cell)
    starts = [
        ts.random_overlaps(problem, DIM, plan.key(purpose, cell.start), scale=SCALE)
        for purpose in ("starts", "other starts")
    ]
    best = ode.optimize(
        problem,
        starts[0],
        protocols.Shares(plan.xor_phases),
        protocols.Final("hard"),
        protocols.FixedShares(SHARES),
        starts=0,
        steps=plan.xor_steps,
        averages=ode.Sampled(plan.xor_points, 1, plan.key("points of searches", cell.start), precision="float32"),
        rtol=1e-3,
        progress=False,
    )
    orders = [best.problem, *(best.named[name].problem for name in NAMED)]
    fresh = ode.Sampled(plan.fresh_points, plan.replicates, plan.key("fresh points", cell.start))
    evaluated = [[_evaluated(order, start, fresh) for start in starts] for order in orders]
    return dataclasses.replace(found_of(best, plan.xor_phases), evaluated=evaluated)


def _evaluated(problem: ts.Problem, start: ts.Overlaps, fresh: ode.Sampled) -> list[list[float]]:
    """Return error and accuracy on hard samples at the end, (2, replicates)."""
    trajectory = ode.solve(problem, start, [ALPHA], averages=fresh, rtol=1e-4, atol=1e-5)
    scatter: Any = trajectory.scatter
    rows = [
        np.asarray(getattr(trajectory, name)["hard"])[-1] + np.asarray(getattr(scatter, name)["hard"])[..., -1]
        for name in ("error", "accuracy")
    ]
    table: list[list[float]] = np.stack(rows).tolist()
    return table
