"""Pruning and winning tickets by full-weight SGD: the weights themselves are pruned and rewound."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import simulations
import teacher_student as ts
from teacher_student import internal

from ._plan import ALPHA, CANDIDATES, RANKINGS, SCALE, TICKETS, WIDTH, Plan, Trained, xor_problem
from ._theory import candidates as started_candidates
from ._theory import collect, orders_of, prune_each, row, stack


def by_simulation(plan: Plan) -> dict[str, Any]:
    """Return the variables of the setting with fixed readouts, by full-weight runs."""
    whole = xor_problem(WIDTH)
    law = ts.random_overlaps(whole, plan.dim, plan.keys("simulation", "starts"), scale=SCALE)
    start = _weights(plan, whole, law, "weights")
    keys = [jax.random.fold_in(plan.key("simulation", "runs"), i) for i in range(2)]
    trajectory = simulations.run(
        whole, plan.dim, plan.runs, [ALPHA], keys[0], start=start, keep="weights", progress=False
    )
    orders = orders_of(plan, "simulation", whole, _row_of_runs(trajectory.overlaps))
    tested = [[_test(plan, prune_each(trajectory.weights, orders[by][:, :n])) for n in plan.kept] for by in RANKINGS]
    n = plan.short[0]
    made = started_candidates(plan, "simulation", law, orders, n)
    alone = {name: _weights(plan, xor_problem(n), made[name], "weights") for name in CANDIDATES[len(TICKETS) :]}
    alone |= {f"rewound, {by}": prune_each(start, orders[by][:, :n]) for by in TICKETS}  # their actual weights
    joined = jax.tree.map(lambda *x: np.concatenate(x), *(alone[name] for name in CANDIDATES))
    count = plan.runs * len(CANDIDATES)
    tickets = simulations.run(
        xor_problem(n), plan.dim, count, [ALPHA], keys[1], start=joined, keep="weights", progress=False
    )
    tickets_tested = _test(plan, tickets.weights)
    dims, alone_dims = ("ranking", "kept", "run"), ("candidate", "run")
    shape = (len(CANDIDATES), plan.runs)
    return {
        "simulated_accuracy": (dims, collect(tested, "accuracy")),
        "simulated_solved": (dims, collect(tested, "solved")),
        "simulated_ticket_accuracy": (alone_dims, tickets_tested.accuracy.reshape(shape)),
        "simulated_ticket_solved": (alone_dims, tickets_tested.solved.reshape(shape)),
    }


def _row_of_runs(overlaps: ts.Overlaps) -> ts.Overlaps:
    """Return the overlaps at the last recorded alpha, with a leading axis of runs."""
    last: ts.Overlaps = jax.tree.map(lambda x: x[:, -1], overlaps)
    return last


def _weights(plan: Plan, problem: ts.Problem, overlaps: ts.Overlaps, purpose: str) -> simulations.Weights:
    """Return weights in single precision that have exactly these overlaps, with a leading axis of runs."""
    sizes = problem.inputs.sizes(plan.dim, problem.task.latents)
    make = jax.jit(functools.partial(simulations.weights_with, sizes=sizes, dtype=jnp.float32))
    with jax.enable_x64(True):  # the root of a Gram matrix is taken in float64; only the weights are float32
        weights: list[simulations.Weights] = [
            internal.to_host(make(row(overlaps, r), key=key)) for r, key in enumerate(plan.keys("simulation", purpose))
        ]
    return stack(weights)


def _test(plan: Plan, weights: simulations.Weights) -> Trained:
    """Return accuracy on fresh samples, which are the same for every pruned student of a run, and success."""
    problem = xor_problem(weights.readout.shape[-1])
    observables = simulations.test(problem, weights, plan.tests, plan.key("simulation", "tests"))
    solved = ts.means_right(problem, observables.overlaps)["all"].all(axis=-1)
    return Trained(observables.overlaps, observables.accuracy["all"], solved)
