"""Pruning and winning tickets by theory: train, rank, prune, retrain, rewind."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import ode
import teacher_student as ts
from teacher_student import internal

from ._plan import CANDIDATES, RANKINGS, RETRAINING, SCALE, TICKETS, WIDTH, Plan, Trained, xor_problem

Tree = TypeVar("Tree")  # overlaps, weights, or another PyTree of arrays


def by_theory(plan: Plan, rate: float) -> dict[str, Any]:
    """Return the variables of one setting by theory: name -> (dims, values)."""
    whole = xor_problem(WIDTH, rate)
    starts = ts.random_overlaps(whole, plan.dim, plan.keys("theory", "starts"), scale=SCALE)
    ends = _train(plan, whole, starts)
    orders = orders_of(plan, "theory", whole, ends.overlaps)
    accuracy, solved = _pruned(plan, whole, ends.overlaps, orders)
    again, alone = [], []
    for n in plan.short:
        small = xor_problem(n, rate, RETRAINING)
        again.append([_train(plan, small, prune_each(ends.overlaps, orders[by][:, :n])) for by in RANKINGS])
        started = candidates(plan, "theory", starts, orders, n)
        alone.append([_train(plan, xor_problem(n, rate), started[name]) for name in CANDIDATES])
    dims, retrained, alone_dims = (
        ("ranking", "kept", "start"),
        ("short", "ranking", "start"),
        ("short", "candidate", "start"),
    )
    return {
        "accuracy": (dims, accuracy),
        "solved": (dims, solved),
        "retrained_accuracy": (retrained, collect(again, "accuracy")),
        "retrained_solved": (retrained, collect(again, "solved")),
        "ticket_accuracy": (alone_dims, collect(alone, "accuracy")),
        "ticket_solved": (alone_dims, collect(alone, "solved")),
    }


def collect(table: Sequence[Sequence[Trained]], name: str) -> np.ndarray:
    """Return one number of every training in a table, with an axis of starts behind those of the table."""
    return np.array([[getattr(trained, name) for trained in row] for row in table])


def _train(plan: Plan, problem: ts.Problem, starts: ts.Overlaps) -> Trained:
    """Train every start to the curriculum's end."""
    separate = [row(starts, i) for i in range(len(starts.readout))]
    trajectories = ode.solve_many(
        [problem] * len(separate), separate, [problem.curriculum.end], averages=plan.averages, rtol=1e-3, atol=1e-4
    )
    # Tolerances are loose, and what is pruned of these states is a start again, of which overlaps of weights are asked.
    overlaps = internal.nearest_state(stack([row(trajectory.overlaps, -1) for trajectory in trajectories]), problem)
    accuracy = np.array([trajectory.accuracy["all"][-1] for trajectory in trajectories])
    return Trained(overlaps, accuracy, ts.means_right(problem, overlaps)["all"].all(axis=-1))


def orders_of(plan: Plan, engine: str, problem: ts.Problem, ends: ts.Overlaps) -> dict[str, np.ndarray]:
    """Return every ranking's order of units, (starts, K)."""
    keys = plan.keys(engine, "random order")
    return {
        "norm": ts.rank_units(problem, ends, "norm"),
        "means": ts.rank_units(problem, ends, "means"),
        "loss": ode.rank_by_loss(problem, ends, plan.averages),
        "random": np.asarray(jax.vmap(lambda key: jax.random.permutation(key, WIDTH))(keys)),
    }


def _pruned(
    plan: Plan, problem: ts.Problem, ends: ts.Overlaps, orders: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return accuracy and success (ranking, kept, start) of the units kept.

    A pruned student's output is that of the whole one with readout 0 at the other units: one compilation for all.
    """
    ranks = np.stack([np.argsort(orders[by], axis=-1) for by in RANKINGS])  # (ranking, start, K)
    masks = ranks[:, None] < np.array(plan.kept)[:, None, None]  # (ranking, kept, start, K)
    readouts = (masks * ends.readout).reshape(-1, *ends.readout.shape)
    with jax.enable_x64(True):
        points = ode.Sampled(plan.points, 1, plan.key("theory", "points")).draw(problem)
        numbers = internal.to_float((problem, ends, np.moveaxis(readouts, 0, 1), row(points, 0)), jnp.float64)
        accuracy = np.asarray(_accuracies(*numbers)).T
    solved = [ts.means_right(problem, ts.Overlaps(ends.Q, ends.R, ends.T, v))["all"].all(axis=-1) for v in readouts]
    shape = (len(RANKINGS), len(plan.kept), len(ends.readout))
    return accuracy.reshape(shape), np.array(solved).reshape(shape)


@eqx.filter_jit
def _accuracies(problem: ts.Problem, states: ts.Overlaps, readouts: jax.Array | np.ndarray, sample: Any) -> jax.Array:
    """Return the accuracy (starts, n) of every state with each of its n readouts."""

    def of_state(numbered: Any) -> jax.Array:
        state, rows = numbered

        def of_readout(v: jax.Array) -> jax.Array:
            masked = ts.Overlaps(state.Q, state.R, state.T, v)
            return jnp.asarray(ode.observe(problem, masked, sample).accuracy["all"])

        return jax.vmap(of_readout)(rows)

    accuracies: jax.Array = jax.lax.map(of_state, (states, readouts))
    return accuracies


def candidates(
    plan: Plan, engine: str, starts: ts.Overlaps, orders: Mapping[str, np.ndarray], n: int
) -> dict[str, ts.Overlaps]:
    """Return starts of n units: survivors rewound, their readouts with re-drawn weights, and random ones."""
    small = xor_problem(n)

    def draw(purpose: str) -> ts.Overlaps:
        return ts.random_overlaps(small, plan.dim, plan.keys(engine, purpose), scale=SCALE)

    rewound = {by: prune_each(starts, orders[by][:, :n]) for by in TICKETS}
    fresh, random = draw("re-drawn"), draw("random starts")
    result = {f"rewound, {by}": rewound[by] for by in TICKETS}
    result |= {f"re-drawn, {by}": _with_readout(fresh, rewound[by].readout) for by in TICKETS}
    result["random"] = _with_readout(random, np.sign(random.readout) / np.sqrt(WIDTH))  # |v_k| of the wide start
    return result


def _with_readout(overlaps: ts.Overlaps, readout: np.ndarray) -> ts.Overlaps:
    return ts.Overlaps(overlaps.Q, overlaps.R, overlaps.T, readout)


def row(tree: Tree, index: int) -> Tree:
    """Return member `index` of a tree whose leaves have a leading axis of members."""
    member: Tree = jax.tree.map(operator.itemgetter(index), tree)
    return member


def stack(trees: Sequence[Tree]) -> Tree:
    """Return the trees as one, whose leaves have a leading axis of members."""
    members: Tree = jax.tree.map(lambda *x: np.stack(x), *trees)
    return members


def prune_each(states: Any, units: np.ndarray) -> Any:
    """Keep of every state (leading axis) its own `units`; overlaps and weights alike."""
    return stack([row(states, i).prune(kept) for i, kept in enumerate(units)])
