"""Pruning: the right rows, the right order, runs that go on from given weights, and winning units."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import ode
import simulations
import teacher_student as ts
from figures import atlas
from figures.atlas.tickets_study import _plan as _tickets_plan
from figures.atlas.tickets_study import _study as _tickets
from figures.atlas.tickets_study import _summary as _tickets_summary
from teacher_student import internal

from . import build

pytestmark = pytest.mark.slow  # most of its time is compilation

LEVEL = {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.1}


def xor(K: int, alpha: float = 100.0) -> ts.Problem:
    task = ts.XorMixture({"all": LEVEL})
    return ts.Problem(task, ts.Student(K, "relu"), ts.SGD(1.0), ts.Curriculum.phases(("all", alpha)))


def random_weights(problem: ts.Problem, dim: int, runs: int, seed: int = 0) -> simulations.Weights:
    """Weights of a mixture: normal students, and latents along the two dimensions of the plane."""
    rng = np.random.default_rng(seed)
    _, K, M = problem.shape
    latents = np.broadcast_to(np.sqrt(dim) * np.eye(M, dim), (runs, M, dim))
    student, readout = 0.6 * rng.normal(size=(runs, K, dim)), rng.normal(1.0, 0.3, (runs, K))
    return build.weights(*(x.astype(np.float32) for x in (student, latents, readout)))


def equal(a: object, b: object) -> None:
    jax.tree.map(np.testing.assert_array_equal, a, b)


def simulate(problem: ts.Problem, **options: Any) -> Any:
    usual: dict[str, Any] = {"alphas": [0.0, 0.5, 1.0], "key": 3, "start": None}
    options = usual | options
    alphas, key = options.pop("alphas"), options.pop("key")
    return simulations.run(problem, 40, 5, alphas, key, test_samples=64, progress=False, workers=1, **options)


def test_pruned_weights_have_the_pruned_overlaps() -> None:
    problem, units = build.mixture(K=6), [4, 0, 3]
    sizes = problem.inputs.sizes(40, 2)
    weights = jax.tree.map(lambda x: x[0], random_weights(problem, 40, 1))
    whole = simulations.measure_overlaps(weights, sizes)
    found, expected = simulations.measure_overlaps(weights.prune(units), sizes), whole.prune(units)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), found, expected)
    for (i, k), (j, l) in itertools.product(enumerate(units), repeat=2):
        assert expected.Q[1, i, j] == whole.Q[1, k, l]
        assert expected.R[0, i, 1] == whole.R[0, k, 1]
    np.testing.assert_array_equal(expected.readout, whole.readout[np.array(units)])


def test_pruning_keeps_leading_axes_and_every_unit_if_asked() -> None:
    problem = build.mixture(K=5)
    starts = jax.tree.map(lambda *x: np.stack(x), *(build.overlaps(problem, seed) for seed in range(3)))
    equal(starts.prune(range(5)), starts)
    one = jax.tree.map(lambda x: x[2], starts)
    equal(jax.tree.map(lambda x: x[2], starts.prune([1, 4])), one.prune([1, 4]))


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([], "one or more units"),
        ([0, 0], "distinct"),
        ([3], "among the student's 3"),
        ([-1], "0 to 2"),
        ([0, 1, 2, 3], "among the student's 3"),
        ([0.5], "integers"),
        (1, "one or more"),
    ],
)
def test_units_that_cannot_stay(units: object, message: str) -> None:
    problem = build.mixture()
    for whole in (build.overlaps(problem), build.weights(np.ones((2, 3, 20)), np.ones((2, 2, 20)), np.ones((2, 3)))):
        with pytest.raises(ts.InputError, match=message) as caught:
            whole.prune(units)
        assert "\n" not in str(caught.value)


def by_hand() -> ts.Overlaps:
    """Six units: two on +u_1, one on -u_1, one on each of +-u_2, and a long one in the rest that sees no mean."""
    R = np.zeros((2, 6, 2))
    R[0] = np.array([[2.0, 0], [3.0, 0], [-1.0, 0], [0, 1.5], [0, -2.5], [0, 0]])
    Q = np.stack([R[0] @ R[0].T, np.diag([0.0, 0, 0, 0, 0, 100.0])])
    return ts.Overlaps(Q, R, np.stack([np.eye(2), np.zeros((2, 2))]), [1.0, 1.0, 1.0, -1.0, -1.0, 0.5])


def test_rankings_of_a_state_made_by_hand() -> None:
    problem, state = xor(6), by_hand()
    assert ts.rank_units(problem, state).tolist() == [5, 1, 4, 0, 3, 2]
    # clusters in turn: +u_1, -u_1, +u_2, -u_2, and again
    assert ts.rank_units(problem, state, "means").tolist()[:5] == [1, 2, 3, 4, 0]
    wrong_sign = ts.Overlaps(state.Q, state.R, state.T, -state.readout)
    assert ts.rank_units(problem, wrong_sign, "means").tolist()[:2] == [2, 0]  # those that are silent at +u_1 and -u_1
    both = jax.tree.map(lambda *x: np.stack(x), state, state.prune([5, 4, 3, 2, 1, 0]))
    assert ts.rank_units(problem, both, "means")[1].tolist()[:5] == [4, 3, 2, 1, 5]


def test_ranking_by_loss_is_the_best_removal_at_every_step() -> None:
    """Against the error of every student with one unit less, measured by `ode.observe` on the same points."""
    problem = build.mixture(K=5)
    starts = jax.tree.map(lambda *x: np.stack(x), *(build.overlaps(problem, seed) for seed in (1, 2)))
    averages = ode.Sampled(256, 2, 5)
    found = ode.rank_by_loss(problem, starts, averages, level="hard")
    assert found.shape == (2, 5)
    samples = averages.draw(problem)
    with jax.enable_x64(True):
        for row, order in enumerate(found):
            state = jax.tree.map(lambda x, row=row: x[row], starts)

            @jax.jit
            @jax.vmap
            def error(readout: jax.Array, state: ts.Overlaps = state) -> jax.Array:
                masked = ts.Overlaps(state.Q, state.R, state.T, readout)
                each = jax.vmap(lambda sample: ode.observe(problem, masked, sample).error["hard"])(samples)
                mean: jax.Array = each.mean()
                return mean

            left = list(range(5))
            for expected in order[::-1]:
                masks = np.array([[k in left and k != out for k in range(5)] for out in left])
                assert left[int(np.argmin(error(jnp.asarray(masks * state.readout))))] == expected
                left.remove(expected)


def test_rankings_need_a_level_a_mixture_and_a_known_name() -> None:
    problem, state = build.mixture(), build.overlaps(build.mixture())
    committee = build.problem()
    cases: list[tuple[Callable[[], Any], str]] = [
        (lambda: ts.rank_units(problem, state, "means"), "choose of easy, hard"),
        (lambda: ts.rank_units(problem, state, "mean"), "did you mean 'means'"),
        (lambda: ts.rank_units(committee, build.overlaps(committee), "means"), "use ts.Mixture or ts.XorMixture"),
        (lambda: ts.rank_units(problem, state.prune([0])), "Q of shape"),
        (lambda: ode.rank_by_loss(problem, state), "choose of easy, hard"),
        (lambda: ode.rank_by_loss(problem, state, level="easier"), "did you mean 'easy'"),
    ]
    for call, message in cases:
        with pytest.raises(ts.InputError, match=message):
            call()


def test_runs_go_on_where_they_stopped() -> None:
    problem = build.mixture(K=4)
    first = simulate(problem, keep="weights")
    last = first.weights
    assert [x.shape for x in jax.tree.leaves(last)] == [(5, 4, 40), (5, 2, 40), (5, 4)]
    second = simulate(problem, start=last, key=4)
    equal(
        jax.tree.map(lambda x: x[:, 0], second.overlaps),
        jax.tree.map(lambda x: x[:, -1], first.overlaps),
    )
    np.testing.assert_allclose(second.start.Q, first.overlaps.Q[:, -1], atol=1e-5)
    assert np.all(second.overlaps.Q[:, -1, 1, 0, 0] != second.overlaps.Q[:, 0, 1, 0, 0])


def test_same_samples_after_the_same_weights() -> None:
    """A run from the weights that a start of overlaps made is the run from those overlaps, bit for bit."""
    problem = build.mixture(K=4)
    start = build.overlaps(problem, 9)
    plain = simulate(problem, start=start)
    kept = simulate(problem, start=start, keep="weights")
    equal(kept.observables, plain.observables)
    sizes = problem.inputs.sizes(40, 2)
    with jax.enable_x64(True):
        keys = jax.vmap(lambda r: jax.random.split(jax.random.fold_in(internal.as_key(3), r), 4)[1])(jnp.arange(5))
        made = jax.jit(jax.vmap(lambda key: simulations.weights_with(start, sizes, key, jnp.float32)))(keys)
    again = simulate(problem, start=made)
    np.testing.assert_allclose(again.overlaps.Q, plain.overlaps.Q, rtol=1e-4, atol=1e-5)


def test_weights_are_kept_at_the_last_alpha_alone(tmp_path: Path) -> None:
    """They have the overlaps recorded there; other alphas, files and runs that kept none say so in one line."""
    problem = build.mixture(K=4)
    kept = simulate(problem, keep="weights")
    sizes = problem.inputs.sizes(40, 2)
    for r in range(5):
        measured = simulations.measure_overlaps(jax.tree.map(lambda x, r=r: x[r], kept.weights), sizes)
        np.testing.assert_allclose(measured.Q, kept.overlaps.Q[r, -1], rtol=1e-6)
    assert kept.at([0.5, 1.0]).weights is kept.weights
    loaded = ts.Trajectory.load(kept.save(tmp_path / "runs.nc"))
    for without in (kept.at([0.5]), loaded, simulate(problem)):
        with pytest.raises(ts.InputError, match=r"with weights; got: one without; .*keep=\"weights\"") as caught:
            without.weights  # noqa: B018  # asking for them is what is tested
        assert "\n" not in str(caught.value)


def test_paired_problems_go_on_from_weights_as_single_ones_do() -> None:
    one = build.mixture(K=4)
    problems = [one, eqx.tree_at(lambda p: p.sgd.learning_rate, one, 2 * one.sgd.learning_rate)]
    weights = random_weights(problems[0], 40, 5)
    options: dict[str, Any] = {"test_samples": 64, "progress": False, "workers": 1}
    paired = simulations.run_many(problems, 40, 5, [0.0, 0.5, 1.0], 3, start=weights, **options)
    for problem, found in zip(problems, paired, strict=True):
        alone = simulate(problem, start=weights)
        np.testing.assert_allclose(found.overlaps.Q, alone.overlaps.Q, rtol=1e-4, atol=1e-5)
        equal(found.start, alone.start)
    assert np.all(paired[0].overlaps.Q[:, -1, 1, 0, 0] != paired[1].overlaps.Q[:, -1, 1, 0, 0])
    mixed: Any = [weights, build.overlaps(problems[1])]
    with pytest.raises(ts.InputError, match="starts of one kind; got: weights and overlaps"):
        simulations.run_many(problems, 40, 5, [1.0], 3, start=mixed, **options)


def test_runs_without_the_new_options_are_the_old_ones() -> None:
    """Numbers of version 0.5.0 from a start that is given: starts that are drawn are others since (CHANGELOG.md)."""
    problem = build.mixture(K=4)
    runs = simulate(problem, start=build.overlaps(problem, 9))
    found = [runs.overlaps.Q[:, -1].sum(), runs.error["hard"].sum(), runs.accuracy["easy"].sum()]
    np.testing.assert_allclose(found, [103.41847766144201, 55.07930463607679, 5.859375], rtol=1e-5)


def test_weights_that_do_not_fit() -> None:
    problem = build.mixture(K=4)
    good = random_weights(problem, 40, 5)
    one = jax.tree.map(lambda x: x[0], good)
    whole = build.weights(good.student, good.latents, np.ones((5, 4), int))
    nan = build.weights(good.student * np.nan, good.latents, good.readout)
    fewer = jax.tree.map(lambda x: x[:3], good)
    cases = [(one, "axis of 5 runs"), (fewer, "axis of 5 runs"), (whole, "floats readout"), (nan, "finite")]
    cases += [(good.prune([0, 1]), r"student of shape \(5, 4, 40\)"), (random_weights(problem, 30, 5), "30")]
    for start, message in cases:
        with pytest.raises(ts.InputError, match=message) as caught:
            simulate(problem, start=start)
        assert "\n" not in str(caught.value)
    with pytest.raises(ts.InputError, match="leading axis"):
        simulations.test(problem, one, 10, 0)
    with pytest.raises(ts.InputError, match="test samples"):
        simulations.test(problem, good, 0, 0)


def test_fresh_samples_agree_with_theory() -> None:
    """Error and accuracy of given weights on 2^14 samples: within 5 standard errors of those by `ode.observe`."""
    problem = build.mixture(K=4)
    found = simulations.test(problem, random_weights(problem, 40, 2), 2**14, 1)
    assert found.accuracy["hard"].shape == (2,)
    overlaps = jax.tree.map(lambda x: x[1], found.overlaps)
    with jax.enable_x64(True):
        sample = jax.tree.map(lambda x: x[0], ode.Sampled(2**12, 1, 0).draw(problem))
        expected = internal.to_host(jax.jit(ode.observe)(problem, overlaps, sample))
    for level in ("easy", "hard"):
        assert abs(found.accuracy[level][1] - expected.accuracy[level]) < 5 * 0.5 / 2**7 + 2e-3
        np.testing.assert_allclose(found.error[level][1], expected.error[level], rtol=0.1)


@pytest.mark.long
def test_four_winning_units_are_enough() -> None:
    """K = 40 on the XOR mixture: the strongest unit of each mean keeps the accuracy that the four longest ruin."""
    problem = xor(40)
    averages = ode.Sampled(512, 1, 0)
    starts = ts.random_overlaps(problem, 500, jax.random.split(internal.as_key(2), 4), scale=0.1)
    each = [jax.tree.map(lambda x, i=i: x[i], starts) for i in range(4)]
    solved = ode.solve_many([problem] * 4, each, [100.0], averages=averages, rtol=1e-3, atol=1e-4, with_accuracy=False)
    ends = [jax.tree.map(lambda x: x[-1], each.overlaps) for each in solved]
    small = xor(4)
    with jax.enable_x64(True):
        sample = jax.tree.map(lambda x: x[0], ode.Sampled(2**11, 1, 1).draw(small))
        accuracy = jax.jit(lambda state: ode.observe(small, state, sample).accuracy["all"])
        found = {
            by: np.array([accuracy(end.prune(ts.rank_units(problem, end, by)[:4])) for end in ends])
            for by in ("means", "norm")
        }
    assert np.mean(found["means"]) > 0.94
    assert np.mean(found["norm"]) < np.mean(found["means"]) - 0.05


def invented(shift: float) -> xr.Dataset:
    """A study's data with invented numbers, equal in law in both engines but for a shift of the simulated accuracy."""
    rng = np.random.default_rng(0)
    coords = _tickets._coords(_tickets_plan.QUICK)
    pruned, short, alone = ("ranking", "kept"), ("short", "ranking"), ("short", "candidate")
    dims = {
        "accuracy": ("setting", *pruned, "start"),
        "simulated_accuracy": (*pruned, "run"),
        "retrained_accuracy": ("setting", *short, "start"),
        "ticket_accuracy": ("setting", *alone, "start"),
        "simulated_ticket_accuracy": ("candidate", "run"),
    }
    parts: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    for name, axes in dims.items():
        values = rng.normal(0.8, 0.03, [len(coords[axis]) for axis in axes])
        parts[name] = axes, values + shift * (name == "simulated_accuracy")
        parts[name.replace("accuracy", "solved")] = axes, values > 0.8
    return xr.Dataset(parts, coords, _tickets._attrs(_tickets_plan.QUICK, True))


def test_verdict_and_picture_of_the_study(tmp_path: Path) -> None:
    same, shifted = invented(0.0), invented(0.1)
    assert bool(_tickets_summary._agreement(same)["agrees"])
    assert not bool(_tickets_summary._agreement(shifted)["agrees"])
    whole = same.assign(_tickets_summary.summaries(same))
    inside = (whole["success_low"] <= whole["success"]) & (whole["success"] <= whole["success_high"])
    assert bool((inside | whole["success"].isnull()).all())
    expected = same["ticket_solved"].sel(candidate="rewound, loss").mean("start")
    expected = expected - same["ticket_solved"].sel(candidate="random").mean("start")
    found = whole["difference"].sel(engine="theory", contrast="rewound, loss - random")
    np.testing.assert_allclose(found.values, expected.values, atol=1e-12)
    whole.to_netcdf(tmp_path / "tickets.nc")
    atlas.tickets(xr.load_dataset(tmp_path / "tickets.nc")).savefig(tmp_path / "tickets.png")
    assert (tmp_path / "tickets.png").stat().st_size > 10_000


def test_states_of_a_loose_integration_become_valid_starts() -> None:
    problem = xor(4)
    state = jax.tree.map(lambda *x: np.stack(x), *(build.overlaps(problem, seed) for seed in (0, 1)))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), internal.nearest_state(state, problem), state
    )
    for change in (-1e-2, 1e-5):  # not positive semidefinite; positive, but outside of the plane that is all there is
        loose = ts.Overlaps(state.Q + change * np.eye(4), state.R, state.T, state.readout)
        with pytest.raises(ts.InputError):
            internal.check_overlaps(loose, problem)
        internal.check_overlaps(internal.nearest_state(loose, problem), problem)
        internal.check_overlaps(internal.nearest_state(loose, problem).prune([2, 0]), xor(2))
