"""The XOR mixture: theory against simulation, Bayes accuracy, means right, the lottery's law."""

import itertools
from typing import Any

import jax
import numpy as np
import pytest

import figures
import ode
import simulations
import teacher_student as ts
from teacher_student import internal

from . import build

pytestmark = pytest.mark.slow  # most of its time is compilation

LEVELS = {
    "easy": {"separation": 1.5, "plane_variance": 0.2, "rest_variance": 0.2},
    "hard": {"separation": 1.0, "plane_variance": 0.3, "rest_variance": 0.8},
}
LOTTERY = {"all": {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.1}}


def problem(loss: str = "squared", levels: Any = LEVELS, K: int = 4) -> ts.Problem:
    """Both layers trained, with weight decay, easy samples first."""
    order = ts.Curriculum.phases(("easy", 10.0), ("hard", 10.0))
    return ts.Problem(ts.XorMixture(levels), ts.Student(K, "relu"), ts.SGD(0.3, 0.2, 0.02, loss), order)


def start(R: Any = None) -> ts.Overlaps:
    """Four units well off the origin of the plane, so that finite-size noise does not choose their means."""
    angle = 0.3 + np.arange(4) * np.pi / 2
    R = 0.4 * np.stack([np.cos(angle), np.sin(angle)], axis=-1) if R is None else R
    Q, T = [R @ R.T, 0.25 * np.eye(4)], [np.eye(2), np.zeros((2, 2))]
    return ts.Overlaps(np.stack(Q), np.stack([R, np.zeros_like(R)]), np.stack(T), [0.5, -0.5, 0.6, -0.4])


@pytest.mark.long("squared")
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_theory_agrees_with_simulation(loss: str) -> None:
    """At the level of the verdict (1 %), with sampling errors below 0.005; a wrong separation disagrees."""
    alphas = np.array([2.0, 5.0, 10.0, 14.0, 20.0])
    right = problem(loss)
    theory = ode.solve(right, start(), alphas, averages=ode.Sampled(2**12, 4, 0))
    spread = build.given(theory.sampling_error).overlaps
    assert max(np.max(x) for x in (spread.Q, spread.R, spread.readout)) < 0.005
    runs, smaller = (simulations.run(right, n, 16, alphas, n, start=start(), progress=False) for n in (500, 150))
    assert simulations.agreement(theory, runs, smaller).agrees
    wrong = problem(loss, LEVELS | {"hard": LEVELS["hard"] | {"separation": 1.1}})
    slipped = ode.solve(wrong, start(), alphas, averages=ode.Sampled(2**12, 4, 0))
    assert ts.means_right(wrong, slipped.overlaps)["hard"].shape == (5, 4)
    relabelled = ts.Trajectory(**{**vars(slipped), "problem": right})
    assert not simulations.agreement(relabelled, runs, smaller).agrees


def test_bayes_accuracy_is_that_of_the_best_rule() -> None:
    """|nu_1| > |nu_2| on a million fresh samples, and p^2 + (1-p)^2; within 5 standard errors."""
    bayes = ts.XorMixture(LEVELS).bayes_accuracy()
    rng = np.random.default_rng(0)
    for level, row in LEVELS.items():
        nu = np.sqrt(row["plane_variance"]) * rng.normal(size=(1_000_000, 2)) + [row["separation"], 0.0]
        found = np.mean(np.abs(nu[:, 0]) > np.abs(nu[:, 1]))
        assert abs(found - bayes[level]) < 5 * np.sqrt(bayes[level] * (1 - bayes[level]) / 1e6)


def test_a_student_cannot_beat_bayes_and_learns_all_means() -> None:
    easy = problem(levels={name: LOTTERY["all"] for name in ("easy", "hard")})
    theory = ode.solve(easy, start(), [20.0], averages=ode.Sampled(2**12, 2, 0))
    assert isinstance(easy.task, ts.XorMixture)
    bayes, error = easy.task.bayes_accuracy()["hard"], build.given(theory.sampling_error).accuracy["hard"][-1]
    assert 0.9 * bayes < theory.accuracy["hard"][-1] < bayes + 4 * error
    assert ts.means_right(easy, theory.overlaps)["hard"][-1].all()


def test_means_right_counts_each_mean() -> None:
    right = ts.means_right(problem(), start())["hard"]
    R, v = np.asarray(start().R).sum(0), np.asarray(start().readout)
    outputs = [v @ np.maximum(R @ a, 0) for a in ([1, 0], [-1, 0], [0, 1], [0, -1])]
    assert right.tolist() == [bool(np.sign(y) == s) for y, s in zip(outputs, (1, 1, -1, -1), strict=True)]
    zero = start(np.zeros((4, 2)))
    assert not ts.means_right(problem(), zero)["hard"].any()


def test_coupon_law_is_the_share_of_all_draws() -> None:
    for width in (1, 3, 4, 6):
        draws = itertools.product(range(4), repeat=width)
        exact = np.mean([len(set(draw)) == 4 for draw in draws])
        assert ts.coupon_law(width) == pytest.approx(exact, abs=1e-12)
    assert np.allclose(ts.coupon_law([4, 8, 16, 40]), [3 / 32, 0.6229, 0.9600, 0.99996], atol=1e-4)


def test_a_start_that_holds_all_coupons_wins_and_the_law_is_a_lower_bound() -> None:
    """Units with v > 0 go to the side of u_1 on which they start, those with v < 0 to that of u_2; a duplicate may
    still be moved to an uncovered mean, so that more starts win than hold all four.
    """
    task = ts.XorMixture(LOTTERY)
    lottery = ts.Problem(task, ts.Student(8, "relu"), ts.SGD(1.0), ts.Curriculum.single("all", 100.0))
    starts = ts.random_overlaps(lottery, 1000, jax.random.split(internal.as_key(0), 64), scale=0.1)
    found = ode.solve_many(lottery, starts, [100.0], averages=ode.Sampled(2**10, 1, 0), rtol=1e-3, atol=1e-4)
    won = np.array([ts.means_right(lottery, each.overlaps)["all"][-1].all() for each in found])
    side = np.sign(starts.R.sum(axis=1))  # (starts, K, 2)
    positive = starts.readout > 0
    coupon = np.where(positive, side[..., 0], 2 * side[..., 1])
    holds = np.array([len(set(row)) == 4 for row in coupon.tolist()])
    assert won[holds].mean() > 0.95
    assert 0.3 < holds.mean() < 0.85
    assert won.sum() >= holds.sum() - 1


def test_one_replicate_states_no_error() -> None:
    theory = ode.solve(problem(), start(), [1.0], averages=ode.Sampled(2**8, 1, 0), rtol=1e-3, atol=1e-4)
    assert np.isnan(build.given(theory.sampling_error).error["hard"]).all()


def test_an_ensemble_has_the_same_starts_for_every_order() -> None:
    tables = ts.problem_to_tables(problem())
    shares = {"shares": {"easy": 0.5, "hard": 0.5}, "duration": 4.0}
    tables["curriculum"] = {"order": ["easy", "hard"], **shares}
    data = figures.sweep(
        tables,
        {
            "order": {"choices": {o: {"curriculum": {"order": o if o == "mixed" else [o]}} for o in ("easy", "mixed")}},
            "start": {"start.number": {"from": 0, "to": 2}},
        },
        {"keep": ["accuracy", "means_right", "overlaps"], "trajectories": True},
        engine="theory",
        record={"alphas": [1e-6, 4.0]},
        theory={"points": 128, "replicates": 1, "rtol": 1e-3, "atol": 1e-4},
        workers=0,
        progress=False,
    )
    first = data["Q_path"].isel(engine=0, record=0)
    assert np.allclose(first.sel(order="easy"), first.sel(order="mixed"))
    assert not np.allclose(first.isel(start=0), first.isel(start=1), atol=1e-3)
    assert set(np.unique(data["solved"])) <= {0.0, 1.0}
    assert data["means_right"].isin([0.0, 0.25, 0.5, 0.75, 1.0]).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ts.XorMixture({"all": {"plane_variance": 0.1, "rest_variance": 0.1}}), "a separation in level 'all'"),
        (lambda: ts.XorMixture({"all": {**LOTTERY["all"], "rest_varianc": 0.1}}), "did you mean 'rest_variance'"),
        (lambda: ts.XorMixture({"all": {**LOTTERY["all"], "separation": 0.0}}), "separation of the clusters > 0"),
        (lambda: ts.XorMixture({"all": {**LOTTERY["all"], "rest_variance": -0.1}}), "variance >= 0 of block 'rest'"),
        (lambda: ts.XorMixture({}), "levels as level name"),
        (lambda: ode.solve(problem(), start(), [1.0], averages=ode.ClosedForm()), "closed-form averages"),
        (lambda: figures.sweep(problem(), {"s": {"start.number": [0]}}, ["mean_right"]), "did you mean 'means_right'"),
    ],
)
def test_bad_input_is_one_clear_line(make: Any, message: str) -> None:
    with pytest.raises(ts.InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_tables_read_back() -> None:
    tables = ts.problem_to_tables(problem())
    assert ts.problem_to_tables(ts.problem_from_tables(tables)) == tables
