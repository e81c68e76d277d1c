"""Pruning and winning tickets on the XOR mixture: which units does a wide student need, and did its start hold them?"""

import dataclasses
import functools
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from scipy import stats

import ode
import simulations
import teacher_student as ts

from ._tickets_plot import tickets as tickets

WIDTH, ALPHA, RETRAINING, SCALE = 40, 100.0, 10.0, 0.1
LEVEL = {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.1}
SETTINGS = {"readout fixed": 0.0, "readout trained": 0.5}  # eta_v
RANKINGS = ("norm", "means", "loss", "random")
TICKETS = ("means", "loss")  # rankings whose survivors are rewound
CANDIDATES = (*(f"rewound, {by}" for by in TICKETS), *(f"re-drawn, {by}" for by in TICKETS), "random")
CONTRASTS = tuple((f"rewound, {by}", other) for by in TICKETS for other in (f"re-drawn, {by}", "random"))
PURPOSES = ("starts", "random order", "averages", "points", "re-drawn", "random starts", "weights", "runs", "tests")
SIGNIFICANCE = 0.01  # family-wise, of the agreement of theory and simulation


@dataclasses.dataclass(frozen=True)
class Plan:
    """Sizes of the study; short: units kept where students are retrained and rewound."""

    dim: int = 500
    starts: int = 64
    runs: int = 32
    kept: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40)
    short: tuple[int, ...] = (4, 8)
    points: int = 2**14  # of theory's accuracies of pruned students
    tests: int = 2**10  # samples of a pruned run
    seed: int = 0

    def key(self, engine: str, purpose: str) -> jax.Array:
        """The key of one purpose in one engine; all follow from the seed."""
        number = 2 * PURPOSES.index(purpose) + ("theory", "simulation").index(engine)
        return jax.random.fold_in(ts.as_key(self.seed), number)

    def keys(self, engine: str, purpose: str) -> jax.Array:
        """One key for each start (theory) or run (simulation)."""
        return jax.random.split(self.key(engine, purpose), self.starts if engine == "theory" else self.runs)

    @property
    def averages(self) -> ode.Sampled:
        return ode.Sampled(1024, 1, self.key("theory", "averages"))


QUICK = Plan(dim=100, starts=8, runs=8, kept=(1, 2, 4, 8, 40), short=(4,), points=2**12, tests=2**9)


class Trained(eqx.Module):
    """Students at the end of a training: overlaps, accuracy and success (all means right), leading axis of starts."""

    overlaps: ts.Overlaps
    accuracy: Any
    solved: Any


def tickets_data(*, quick: bool = False, seed: int = 0, say: Callable[[str], Any] = print) -> xr.Dataset:
    """Accuracies of pruned, retrained and rewound students, by theory and by simulation, and whether the two agree.

    Students of K = 40 relu units (start scale 0.1, eta = 1, alpha = 100) are pruned to their n strongest units by each
    ranking. Winning tickets: the rows of the START that belong to the survivors, trained alone, against the same
    readouts with re-drawn weights, and against random starts of n units of the same |readout|.

    Arguments: quick: few starts, runs and units kept. seed: all random numbers follow from it. say: is told the cost.
    Returns a Dataset with dims setting, ranking, kept, candidate, engine, start and run.
    """
    plan = dataclasses.replace(QUICK if quick else Plan(), seed=seed)
    say(_cost(plan))
    parts: dict[str, Any] = {}
    theory = [_theory(plan, rate) for rate in SETTINGS.values()]
    for name in theory[0]:
        dims, _ = theory[0][name]
        parts[name] = (("setting", *dims), np.stack([each[name][1] for each in theory]))
    parts |= _simulation(plan)
    data = xr.Dataset(parts, _coords(plan))
    return data.assign(_summaries(data)).assign_attrs(_attrs(plan, quick))


def _cost(plan: Plan) -> str:
    small = plan.starts * len(plan.short) * (len(RANKINGS) + len(CANDIDATES))
    steps = int(ALPHA * plan.dim)
    return (
        f"tickets: {len(SETTINGS) * plan.starts} solves at K = {WIDTH}, {len(SETTINGS) * small} at K = "
        f"{' and '.join(map(str, plan.short))}; {plan.runs} runs at K = {WIDTH} and {plan.runs * len(CANDIDATES)} at "
        f"K = {plan.short[0]}, each {steps:,} steps at N = {plan.dim}"
    )


def xor_problem(width: int, readout_rate: float = 0.0, alpha: float = ALPHA) -> ts.Problem:
    """The study's problem with a student of `width` units."""
    sgd = ts.SGD(1.0, readout_learning_rate=readout_rate)
    return ts.Problem(
        ts.XorMixture({"all": LEVEL}), ts.Student(width, "relu"), sgd, ts.Curriculum.phases(("all", alpha))
    )


# --- theory


def _theory(plan: Plan, rate: float) -> dict[str, Any]:
    """Variables of one setting by theory: name -> (dims, values)."""
    whole = xor_problem(WIDTH, rate)
    starts = ts.random_overlaps(whole, plan.dim, plan.keys("theory", "starts"), scale=SCALE)
    ends = _train(plan, whole, starts)
    orders = _orders(plan, "theory", whole, ends.overlaps)
    accuracy, solved = _pruned(plan, whole, ends.overlaps, orders)
    again, alone = [], []
    for n in plan.short:
        small = xor_problem(n, rate, RETRAINING)
        again.append([_train(plan, small, _prune_each(ends.overlaps, orders[by][:, :n])) for by in RANKINGS])
        started = _candidates(plan, "theory", starts, orders, n)
        alone.append([_train(plan, xor_problem(n, rate), started[name]) for name in CANDIDATES])
    dims, retrained, candidates = (
        ("ranking", "kept", "start"),
        ("short", "ranking", "start"),
        ("short", "candidate", "start"),
    )
    return {
        "accuracy": (dims, accuracy),
        "solved": (dims, solved),
        "retrained_accuracy": (retrained, _collect(again, "accuracy")),
        "retrained_solved": (retrained, _collect(again, "solved")),
        "ticket_accuracy": (candidates, _collect(alone, "accuracy")),
        "ticket_solved": (candidates, _collect(alone, "solved")),
    }


def _collect(table: Sequence[Sequence[Trained]], name: str) -> np.ndarray:
    return np.array([[getattr(each, name) for each in row] for row in table])


def _train(plan: Plan, problem: ts.Problem, starts: ts.Overlaps) -> Trained:
    """Every start trained to the curriculum's end."""
    each = [_row(starts, i) for i in range(len(starts.readout))]
    found = ode.solve_many(
        [problem] * len(each), each, [problem.curriculum.end], averages=plan.averages, rtol=1e-3, atol=1e-4
    )
    overlaps = _positive(_stack([_row(one.overlaps, -1) for one in found]))
    accuracy = np.array([one.accuracy["all"][-1] for one in found])
    return Trained(overlaps, accuracy, ts.means_right(problem, overlaps)["all"].all(axis=-1))


def _positive(overlaps: ts.Overlaps) -> ts.Overlaps:
    """The nearest state that weights can have: a loose integration leaves Gram matrices PSD to its tolerance only.

    Per block Q <- R T^+ R^T + [Q - R T^+ R^T]_+, [.]_+ without negative eigenvalues.
    """
    seen = overlaps.R @ np.linalg.pinv(overlaps.T, hermitian=True) @ overlaps.R.swapaxes(-1, -2)
    values, vectors = np.linalg.eigh(overlaps.Q - seen)
    rest = (vectors * np.maximum(values, 0.0)[..., None, :]) @ vectors.swapaxes(-1, -2)
    return ts.Overlaps(seen + rest, overlaps.R, overlaps.T, overlaps.readout)


def _orders(plan: Plan, engine: str, problem: ts.Problem, ends: ts.Overlaps) -> dict[str, np.ndarray]:
    """Every ranking's order of units, (starts, K)."""
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
    """Accuracy and success (ranking, kept, start) of the units kept.

    A pruned student's output is that of the whole one with readout 0 at the other units: one compilation for all.
    """
    places = np.stack([np.argsort(orders[by], axis=-1) for by in RANKINGS])  # (ranking, start, K)
    masks = places[:, None] < np.array(plan.kept)[:, None, None]  # (ranking, kept, start, K)
    readouts = (masks * ends.readout).reshape(-1, *ends.readout.shape)
    with jax.enable_x64(True):
        points = ode.Sampled(plan.points, 1, plan.key("theory", "points")).draw(problem)
        numbers = ts.to_float((problem, ends, np.moveaxis(readouts, 0, 1), _row(points, 0)), jnp.float64)
        accuracy = np.asarray(_accuracies(*numbers)).T
    solved = [ts.means_right(problem, ts.Overlaps(ends.Q, ends.R, ends.T, v))["all"].all(axis=-1) for v in readouts]
    shape = (len(RANKINGS), len(plan.kept), len(ends.readout))
    return accuracy.reshape(shape), np.array(solved).reshape(shape)


@eqx.filter_jit
def _accuracies(problem: ts.Problem, states: ts.Overlaps, readouts: jax.Array, sample: Any) -> jax.Array:
    """Accuracy (starts, n) of every state with each of its n readouts."""

    def of_state(numbered: Any) -> jax.Array:
        state, rows = numbered
        masked = jax.vmap(lambda v: ode.observe(problem, ts.Overlaps(state.Q, state.R, state.T, v), sample))
        return masked(rows).accuracy["all"]

    return jax.lax.map(of_state, (states, readouts))


def _candidates(
    plan: Plan, engine: str, starts: ts.Overlaps, orders: Mapping[str, np.ndarray], n: int
) -> dict[str, ts.Overlaps]:
    """Starts of n units: survivors rewound, their readouts with re-drawn weights, and random ones."""
    small = xor_problem(n)

    def draw(purpose: str) -> ts.Overlaps:
        return ts.random_overlaps(small, plan.dim, plan.keys(engine, purpose), scale=SCALE)

    rewound = {by: _prune_each(starts, orders[by][:, :n]) for by in TICKETS}
    fresh, random = draw("re-drawn"), draw("random starts")
    found = {f"rewound, {by}": rewound[by] for by in TICKETS}
    found |= {f"re-drawn, {by}": _with_readout(fresh, rewound[by].readout) for by in TICKETS}
    found["random"] = _with_readout(random, np.sign(random.readout) / np.sqrt(WIDTH))  # |v_k| of the wide start
    return found


def _with_readout(overlaps: ts.Overlaps, readout: np.ndarray) -> ts.Overlaps:
    return ts.Overlaps(overlaps.Q, overlaps.R, overlaps.T, readout)


def _row(tree: Any, index: int) -> Any:
    return jax.tree.map(operator.itemgetter(index), tree)


def _stack(trees: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *x: np.stack(x), *trees)


def _prune_each(states: Any, units: np.ndarray) -> Any:
    """Every state (leading axis) with its own `units` kept; overlaps and weights alike."""
    return _stack([_row(states, i).prune(each) for i, each in enumerate(units)])


# --- simulation


def _simulation(plan: Plan) -> dict[str, Any]:
    """Variables of the setting with fixed readouts by full-weight runs."""
    whole = xor_problem(WIDTH)
    law = ts.random_overlaps(whole, plan.dim, plan.keys("simulation", "starts"), scale=SCALE)
    start = _weights(plan, whole, law, "weights")
    keys = [jax.random.fold_in(plan.key("simulation", "runs"), i) for i in range(2)]
    trajectory, ends = simulations.run(
        whole, plan.dim, plan.runs, [ALPHA], keys[0], start=start, keep_weights=True, progress=False
    )
    orders = _orders(plan, "simulation", whole, _row_of_runs(trajectory.overlaps))
    tested = [[_test(plan, _prune_each(ends, orders[by][:, :n])) for n in plan.kept] for by in RANKINGS]
    n = plan.short[0]
    made = _candidates(plan, "simulation", law, orders, n)
    alone = {name: _weights(plan, xor_problem(n), made[name], "weights") for name in CANDIDATES[len(TICKETS) :]}
    alone |= {f"rewound, {by}": _prune_each(start, orders[by][:, :n]) for by in TICKETS}  # their actual weights
    joined = jax.tree.map(lambda *x: np.concatenate(x), *(alone[name] for name in CANDIDATES))
    count = plan.runs * len(CANDIDATES)
    _, last = simulations.run(
        xor_problem(n), plan.dim, count, [ALPHA], keys[1], start=joined, keep_weights=True, progress=False
    )
    tickets_tested = _test(plan, last)
    dims, candidates = ("ranking", "kept", "run"), ("candidate", "run")
    shape = (len(CANDIDATES), plan.runs)
    return {
        "simulated_accuracy": (dims, _collect(tested, "accuracy")),
        "simulated_solved": (dims, _collect(tested, "solved")),
        "simulated_ticket_accuracy": (candidates, tickets_tested.accuracy.reshape(shape)),
        "simulated_ticket_solved": (candidates, tickets_tested.solved.reshape(shape)),
    }


def _row_of_runs(overlaps: ts.Overlaps) -> ts.Overlaps:
    """Overlaps at the last recorded alpha, leading axis of runs."""
    return jax.tree.map(lambda x: x[:, -1], overlaps)


def _weights(plan: Plan, problem: ts.Problem, overlaps: ts.Overlaps, purpose: str) -> simulations.Weights:
    """Weights in single precision that have exactly these overlaps, leading axis of runs."""
    sizes = problem.inputs.sizes(plan.dim, problem.task.latents)
    make = jax.jit(functools.partial(simulations.weights_with, sizes=sizes, dtype=jnp.float32))
    with jax.enable_x64(True):
        return _stack(
            [ts.to_host(make(_row(overlaps, r), key=key)) for r, key in enumerate(plan.keys("simulation", purpose))]
        )


def _test(plan: Plan, weights: simulations.Weights) -> Trained:
    """Accuracy on fresh samples, the same for every pruned student of a run, and success."""
    problem = xor_problem(weights.readout.shape[-1])
    found = simulations.test(problem, weights, plan.tests, plan.key("simulation", "tests"))
    solved = ts.means_right(problem, found.overlaps)["all"].all(axis=-1)
    return Trained(found.overlaps, found.accuracy["all"], solved)


# --- what the data say


def _summaries(data: xr.Dataset) -> dict[str, Any]:
    """Success with Wilson intervals, contrasts of candidates, and the agreement of theory and simulation."""
    found = _success(data) | _contrasts(data) | _agreement(data)
    for name in ("solved", "retrained_solved"):
        low, high = _wilson(data[name].sum("start").values, data.sizes["start"])
        dims = tuple(str(dim) for dim in data[name].dims if dim != "start")
        found |= {f"{name}_low": (dims, low), f"{name}_high": (dims, high)}
    return found


def _wilson(successes: np.ndarray, trials: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % Wilson interval of every number of successes."""
    flat = [stats.binomtest(int(count), trials).proportion_ci(0.95, method="wilson") for count in np.ravel(successes)]
    low, high = np.array([[each.low, each.high] for each in flat]).T
    return low.reshape(np.shape(successes)), high.reshape(np.shape(successes))


def _success(data: xr.Dataset) -> dict[str, Any]:
    """Share of candidates that solve the task, by engine; NaN where it was not simulated."""
    dims = ("engine", "setting", "short", "candidate")
    share, low, high = (np.full((2, len(SETTINGS), data.sizes["short"], len(CANDIDATES)), np.nan) for _ in range(3))
    counts = data["ticket_solved"].sum("start").values
    share[0], (low[0], high[0]) = counts / data.sizes["start"], _wilson(counts, data.sizes["start"])
    runs = data["simulated_ticket_solved"].sum("run").values
    share[1, 0, 0] = runs / data.sizes["run"]
    low[1, 0, 0], high[1, 0, 0] = _wilson(runs, data.sizes["run"])
    return {"success": (dims, share), "success_low": (dims, low), "success_high": (dims, high)}


def _contrasts(data: xr.Dataset) -> dict[str, Any]:
    """Differences of success, rewound minus control, with the standard error over starts (or runs) and an exact p.

    Both members of a pair share its start's readouts where the control is re-drawn; p is McNemar's, exact
    (for random starts the pairing is arbitrary, and costs nothing).
    """
    dims = ("engine", "setting", "short", "contrast")
    found = np.full((3, 2, len(SETTINGS), data.sizes["short"], len(CONTRASTS)), np.nan)
    for c, (ticket, control) in enumerate(CONTRASTS):
        solved = data["ticket_solved"].astype(float)
        pairs = solved.sel(candidate=ticket) - solved.sel(candidate=control)
        for i in np.ndindex(pairs.shape[:-1]):
            found[:, 0, *i, c] = _paired(pairs.values[i])
        runs = data["simulated_ticket_solved"].astype(float)
        found[:, 1, 0, 0, c] = _paired((runs.sel(candidate=ticket) - runs.sel(candidate=control)).values)
    return {f"difference{end}": (dims, values) for end, values in zip(("", "_se", "_p"), found, strict=True)}


def _paired(differences: np.ndarray) -> tuple[float, float, float]:
    """Mean, standard error and McNemar's exact p of differences in {-1, 0, 1}."""
    won, lost = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    p = stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    return float(differences.mean()), float(stats.sem(differences)), float(p)


def _agreement(data: xr.Dataset) -> dict[str, Any]:
    """Simulated minus theoretical mean accuracy in standard errors, per ranking and units kept, with Welch's p.

    Starts differ between the engines, so that their errors add. All rankings keep the same students when all units
    stay: they count once in the family of Bonferroni's correction.
    """
    theory, runs = data["accuracy"].isel(setting=0), data["simulated_accuracy"]
    difference = runs.mean("run") - theory.mean("start")
    parts = [runs.var("run", ddof=1) / runs.sizes["run"], theory.var("start", ddof=1) / theory.sizes["start"]]
    variance = np.maximum(parts[0] + parts[1], 1e-300)
    freedom = variance**2 / np.maximum(
        parts[0] ** 2 / (runs.sizes["run"] - 1) + parts[1] ** 2 / (theory.sizes["start"] - 1), 1e-300
    )
    z = difference / np.sqrt(variance)
    p = xr.apply_ufunc(lambda z, f: 2 * stats.t.sf(np.abs(z), np.maximum(f, 1.0)), z, freedom)
    whole = int(np.sum(data["kept"].values == WIDTH))
    family = z.size - whole * (len(RANKINGS) - 1)
    corrected = min(1.0, float(p.min()) * family)
    dims = ("ranking", "kept")
    return {
        "agreement_z": (dims, z.transpose(*dims).values),
        "agreement_p": (dims, p.transpose(*dims).values),
        "agreement_family": family,
        "agreement_family_p": corrected,
        "agrees": bool(corrected >= SIGNIFICANCE),
    }


def _coords(plan: Plan) -> dict[str, Any]:
    return {
        "setting": list(SETTINGS),
        "ranking": list(RANKINGS),
        "kept": list(plan.kept),
        "short": list(plan.short),
        "candidate": list(CANDIDATES),
        "contrast": [f"{ticket} - {control}" for ticket, control in CONTRASTS],
        "engine": ["theory", "simulation"],
        "start": np.arange(plan.starts),
        "run": np.arange(plan.runs),
    }


def _attrs(plan: Plan, quick: bool) -> dict[str, Any]:
    problem = xor_problem(WIDTH)
    return {
        "problem": json.dumps(ts.problem_to_tables(problem)),
        "conventions": ts.CONVENTIONS,
        "readout_learning_rates": json.dumps(SETTINGS),
        "bayes_accuracy": ts.XorMixture({"all": LEVEL}).bayes_accuracy()["all"],
        "start_scale": SCALE,
        "retraining_alpha": RETRAINING,
        "dim": plan.dim,
        "seed": plan.seed,
        "significance": SIGNIFICANCE,
        "versions": json.dumps(ts.versions()),
        "command": f"figures.atlas.tickets_data(quick={quick}, seed={plan.seed})",
        "short": "units kept where students are retrained (alpha = 10) and rewound (alpha = 100)",
    }
