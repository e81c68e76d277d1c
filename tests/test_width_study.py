"""The study of width and curriculum: its statements find what is there, and rarely what is not."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import teacher_student as ts
from figures.atlas import _width_contrasts
from figures.atlas._recipes import pack
from figures.atlas.width_study import _assemble, _cases, _contrasts, _pilot, _plan, _sgd, _sgd_summary, _study, _why
from teacher_student import internal

WIDTHS = (4, 8, 16, 32, 64)
STARTS = 60


Gain = Callable[[int, float, str], float]  # of the width, the budget in learning times, and the order


def nothing(K: int, x: float, order: str) -> float:
    """Return no gain."""
    return 0.0


def time_of(K: int) -> float:
    """Return the learning time of a width."""
    return 400.0 / K


def study(gain: Gain = nothing, *, spread: float = 0.05, seed: int = 0) -> xr.Dataset:
    """Return a data set as of `width_data`, in which `gain` is true."""
    generator = np.random.default_rng(seed)
    columns = _assemble.budgets()
    shape = (len(WIDTHS), 2, 2, len(columns), len(_plan.ORDERS), STARTS)
    dims = ("width", "convention", "easiness", "budget", "order", "start")
    accuracy = 0.8 + 0.1 * generator.standard_normal((*shape[:3], 1, 1, STARTS)) + np.zeros(shape)
    alphas = np.zeros(shape[:4])
    for (w, K), (b, (clock, number)) in itertools.product(enumerate(WIDTHS), enumerate(columns)):
        alphas[w, :, :, b] = number * (time_of(K) if clock == "learning times" else 1.0)
        for o, order in enumerate(_plan.ORDERS):
            accuracy[w, :, :, b, o] += gain(K, alphas[w, 0, 0, b] / time_of(K), order)
            if order != "mixed":
                accuracy[w, :, :, b, o] += spread * generator.standard_normal(STARTS)
    coords = {
        "width": list(WIDTHS),
        "convention": list(_plan.CONVENTIONS),
        "easiness": list(_plan.EASINESS),
        "order": list(_plan.ORDERS),
        "clock": ("budget", [clock for clock, _ in columns]),
        "number": ("budget", [number for _, number in columns]),
    }
    parts = {name: (dims, accuracy) for name in ("accuracy_hard", "accuracy_easy", "solved", "learnt")}
    coupons = (generator.random((len(WIDTHS), 2, STARTS)) < 0.5).astype(float)
    extra = {"alpha": (dims[:4], alphas), "coupons": (("width", "convention", "start"), coupons)}
    return xr.Dataset({**parts, **extra}, coords)


def words(data: xr.Dataset) -> set[str]:
    """Return what all families of easy to hard are said to do."""
    found = _contrasts.statements(data, "accuracy on hard samples")
    families = [found[i : i + 3] for i in range(0, len(found), 3)]
    return {_contrasts.in_words(*family) for family in families if family[0].order == "easy to hard"}


CASES: dict[str, Callable[[int], float]] = {
    "helps narrow students, and the gain shrinks with width": lambda K: 0.2 / K**0.5,
    "helps narrow students, and no trend is seen": lambda K: 0.05,
    "helps narrow students, and the gain grows with width": lambda K: 0.03 * K**0.5,
    "harms narrow students, and the harm shrinks with width": lambda K: -0.2 / K**0.5,
    "helps wide students alone": lambda K: 0.1 if K >= 32 else 0.0,
    "no effect is seen": lambda K: 0.0,
}


@pytest.mark.parametrize("name", CASES)
def test_a_family_says_what_is_true_of_it(name: str) -> None:
    data = study(lambda K, x, order: CASES[name](K) if order == "easy to hard" else 0.0)
    assert words(data) == {name}


def test_the_trend_is_the_slope_in_log2_of_the_width() -> None:
    widths = np.array(WIDTHS)
    gains = 0.07 - 0.01 * np.log2(widths)
    assert _width_contrasts.weights_of("trend", widths) @ gains == pytest.approx(-0.01)
    assert _width_contrasts.weights_of("narrow", widths) @ gains == pytest.approx(gains[:2].mean())
    assert _width_contrasts.weights_of("wide", widths) @ gains == pytest.approx(gains[3:].mean())


def test_p_of_a_contrast_is_uniform_where_nothing_is_true() -> None:
    """Widths of very different numbers of starts and spreads; 2000 studies, shares within 3.3 standard errors."""
    generator = np.random.default_rng(1)
    counts, spreads = np.array([80, 40, 20, 8, 5]), np.array([0.1, 0.12, 0.03, 0.01, 0.004])
    weights = _width_contrasts.weights_of("trend", np.array(WIDTHS))
    p = np.empty(2000)
    for i in range(p.size):
        samples = [s * generator.standard_normal(n) for n, s in zip(counts, spreads, strict=True)]
        value, se = np.array([x.mean() for x in samples]), np.array([x.std(ddof=1) / x.size**0.5 for x in samples])
        p[i] = _width_contrasts.contrast(weights, value, se, counts)[3]
    for level in (0.01, 0.05, 0.5):
        assert abs(np.mean(p < level) - level) < 3.3 * np.sqrt(level * (1 - level) / p.size)


def test_holm_is_that_of_the_definition() -> None:
    np.testing.assert_allclose(_width_contrasts.holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(_width_contrasts.holm(np.array([0.6, 0.9])), [1.0, 1.0])


def test_families_without_an_effect_are_rarely_said_to_have_one() -> None:
    """60 studies of 72 statements: at a family-wise 1 %, more than 4 with a statement have probability 5e-4."""
    wrong = 0
    for seed in range(60):
        found = _contrasts.statements(study(seed=100 + seed), "accuracy on hard samples")
        wrong += any(statement.sign for statement in found)
    assert wrong <= 4


def test_equal_signs_have_an_error() -> None:
    data = study(spread=0.0).assign(learnt=lambda d: d["learnt"] * 0 + (1.0 + (d["order"] == "mixed")))
    found = _contrasts.gains(data, "sooner", "easy to hard")
    assert float(found["point"].min()) == 1.0
    assert float(found["point_se"].min()) == pytest.approx(np.sqrt(2) / (STARTS + 2))


def test_never_is_as_late_as_never() -> None:
    data = study(spread=0.0)
    data = data.assign(learnt=xr.full_like(data["learnt"], np.inf))
    assert float(np.abs(_contrasts.gains(data, "sooner", "easy to hard")["point"]).max()) == 0.0
    first = data["learnt"].where(data["order"] != "easy to hard", 3.0)
    assert float(_contrasts.gains(data.assign(learnt=first), "sooner", "easy to hard")["point"].min()) == 1.0


def test_as_many_starts_as_are_asked_for_see_the_gain_nine_times_in_ten() -> None:
    """2000 studies of a true gain of 0.01: the share that sees it is 0.9 within 3.3 standard errors."""
    spread = 0.06
    count = _study.needed_starts(spread)
    generator = np.random.default_rng(2)
    samples = 0.01 + spread * generator.standard_normal((2000, count))
    seen = stats.ttest_1samp(samples, 0.0, axis=1).pvalue < _plan.LEVEL
    assert abs(np.mean(seen) - _width_contrasts.POWER) < 3.3 * np.sqrt(0.09 / 2000)


def test_a_contrast_as_large_as_is_said_is_seen_nine_times_in_ten() -> None:
    """2000 studies of 15 starts, at the strictest level of 72 statements: 0.9 at least, within 3.3 standard errors."""
    generator, count, level = np.random.default_rng(3), 15, _width_contrasts.FAMILY / 72
    reach = _width_contrasts.smallest_seen(1.0, count - 1, level, _width_contrasts.POWER) / np.sqrt(count)
    samples = reach + generator.standard_normal((2000, count))
    seen = np.mean(stats.ttest_1samp(samples, 0.0, axis=1).pvalue < level)
    assert seen > _width_contrasts.POWER - 3.3 * np.sqrt(0.09 / 2000)
    found = _contrasts.statements(study(), "accuracy on hard samples")
    assert {one.among for one in found} == {72}


def of_budget(x: float, order: str) -> float:
    """Return a gain that depends on the budget in learning times alone."""
    return 0.1 * x * np.exp(-x) if order == "easy to hard" else 0.0


def test_curves_collapse_where_budgets_are_learning_times() -> None:
    convention, easiness = next(iter(_plan.CONVENTIONS)), next(iter(_plan.EASINESS))
    data = study(lambda K, x, order: of_budget(x, order), spread=0.01)
    found = _why.collapse(data, convention, easiness, "easy to hard")
    assert found.fixed[0] > 0.01
    assert found.ratio[2] < 0.3
    assert found.p > 0.01
    # The other way round: a gain of samples / N alone.
    data = study(lambda K, x, order: of_budget(x * 4.0 / K, order), spread=0.01)
    other = _why.collapse(data, convention, easiness, "easy to hard")
    assert other.fixed[0] < 0.005 < 0.01 < other.scaled[0]
    assert other.p < 1e-6


def test_gains_of_those_that_lack_a_coupon_are_told_from_those_of_others() -> None:
    convention, easiness = next(iter(_plan.CONVENTIONS)), next(iter(_plan.EASINESS))
    data = study()
    lacking = 0.05 * (1 - data["coupons"]) * (data["order"] == "hard to easy")
    data = data.assign(accuracy_hard=(data["accuracy_hard"] + lacking).transpose(*data["accuracy_hard"].dims))
    found = _why.tickets(data, convention, easiness, "hard to easy")
    assert found.widths == WIDTHS
    assert found.difference[0] == pytest.approx(-0.05, abs=4 * found.difference[1])
    assert found.difference[2] < 1e-6
    assert abs(found.drawn[0]) < 4 * found.drawn[1]
    assert _why.tickets(data, convention, easiness, "easy to hard").difference[2] > 1e-3


def test_a_width_learns_half_of_what_it_reaches_in_its_learning_time() -> None:
    plan = _plan.plan_of(True)
    tables = _pilot.pilot_tables(plan, 4)
    names = list(tables["axes"]["case"]["choices"])
    alphas = np.linspace(0.0, 100.0, 101)
    curve = 0.5 + 0.3 * np.clip(alphas / 59.0, 0.0, 1.0)  # half of 0.3 is reached between 29 and 30
    paths = np.broadcast_to(curve[:, None], (1, 3, len(names), alphas.size, 2)).copy()
    best = [i for i, name in enumerate(names) if name.endswith(", 0.5")]
    paths[:, :, best] += 0.05
    dims = ("engine", "start", "case", "record", "level")
    alpha = np.broadcast_to(alphas, paths.shape[:-1])
    pilot = xr.Dataset({"accuracy_path": (dims, paths), "alpha": (dims[:-1], alpha)}, {"level": ["easy", "hard"]})
    found = _pilot.pilot_results(pilot)
    assert set(found["learning_time"].values.ravel()) == {30.0}
    assert set(found["own_rate"].values.ravel()) == {0.5}


def test_a_width_that_learns_nothing_has_the_time_of_the_whole_pilot() -> None:
    names = list(_pilot.pilot_tables(_plan.plan_of(True), 4)["axes"]["case"]["choices"])
    alphas = np.linspace(0.0, 100.0, 101)
    paths = np.broadcast_to(0.48 - 1e-4 * alphas[:, None], (1, 3, len(names), alphas.size, 2))
    dims = ("engine", "start", "case", "record", "level")
    alpha = np.broadcast_to(alphas, paths.shape[:-1])
    pilot = xr.Dataset({"accuracy_path": (dims, paths), "alpha": (dims[:-1], alpha)}, {"level": ["easy", "hard"]})
    assert set(_pilot.pilot_results(pilot)["learning_time"].values.ravel()) == {100.0}


def test_orders_of_a_budget_have_the_same_samples() -> None:
    numbers = {"learning_time": 50.0, "own_rate": 0.5}
    results = xr.Dataset(
        {name: (("convention", "easiness"), np.full((2, 2), value)) for name, value in numbers.items()},
        {"convention": list(_plan.CONVENTIONS), "easiness": list(_plan.EASINESS)},
    )
    cases = list(_cases.cases_of(results))
    assert len({case.name for case in cases}) == len(cases)
    for case in cases:
        phases = case.tables["curriculum"]["phases"]
        assert sum(duration for _, duration in phases) == pytest.approx(case.budget)
        if case.order != "hard only":
            easy = sum((1.0 if level == "easy" else 0.5 * (level != "hard")) * duration for level, duration in phases)
            assert easy == pytest.approx(case.budget / 2)
    assert {case.budget for case in cases if case.clock == "learning times"} == {25.0, 50.0, 100.0, 200.0}
    assert {case.rate for case in cases if case.clock == "alpha, own rate"} == {0.5}


@pytest.mark.slow
def test_starts_draw_coupons_as_collectors_do() -> None:
    """300 starts: the share with all four is P(K) within 3.3 standard errors, for both laws of readouts."""
    plan = dataclasses.replace(_plan.plan_of(True), points={8: 128})
    for convention in _plan.CONVENTIONS:
        share = np.mean(_assemble.all_coupons(plan, 8, convention, 300))
        law = float(ts.coupon_law(8))
        assert abs(share - law) < 3.3 * np.sqrt(law * (1 - law) / 300)


@pytest.mark.parametrize("place", [0, 1])
def test_sgd_is_compared_with_theory_at_its_own_budget(place: int) -> None:
    """A gain that is the budget itself says which budget of theory stands beside a point of SGD."""
    data = study(lambda K, x, order: 0.001 * K * x if order == "easy to hard" else 0.0, spread=1e-9)
    (clock, number), x = [(("alpha", 120.0), 120.0 / time_of(8)), (("learning times", 2.0), 2.0)][place]
    coords = {"convention": _plan.SIGNS, "easiness": _plan.INSIDE, "clock": clock, "number": number}
    coords |= {"alpha": x * time_of(8), "width": 8, "dim": 500}
    order = list(_sgd.PHASES)
    accuracy = xr.DataArray(np.zeros((1, len(order), 4)), dims=("point", "order", "run"))
    accuracy[0, order.index("easy to hard")] = [0.1, 0.2, 0.3, 0.2]
    sgd = xr.Dataset({"accuracy": accuracy}, {"order": order, **{k: ("point", [v]) for k, v in coords.items()}})
    found = {each.order: each for each in _sgd_summary.compared(data, sgd)}
    assert found["easy to hard"].theory == pytest.approx(0.008 * x, abs=1e-6)
    assert found["hard to easy"].theory == pytest.approx(0.0, abs=1e-6)
    assert found["easy to hard"].value == pytest.approx(0.2)
    assert found["easy to hard"].z == pytest.approx((0.2 - 0.008 * x) / ((0.02 / 3) ** 0.5 / 2), rel=1e-4)
    assert found["easy to hard"].runs == 4


def test_points_of_several_files_keep_their_names_in_one_file(tmp_path: Path) -> None:
    """What was read from a file of "alpha" alone is saved beside longer names."""
    clocks = ("alpha", "learning times")
    for i, clock in enumerate(clocks):
        pack({f"part{i}": xr.Dataset({"accuracy": 0.5}, {"clock": clock})}, tmp_path)
    parts = [internal.load_dataset(tmp_path / f"part{i}.nc") for i in range(2)]
    pack({"whole": xr.concat(parts, "point", coords="different", compat="equals")}, tmp_path)
    assert tuple(internal.load_dataset(tmp_path / "whole.nc")["clock"].values) == clocks


SPOILT: dict[str, dict[str, Any]] = {
    "runs": {"runs": 8},
    "a width": {"width": 4},
    "a clock": {"clock": "alpha"},
    "an alpha": {},
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_file_of_another_point_of_sgd_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    point = _plan.Simulated(_plan.SIGNS, _plan.INSIDE, "learning times", 1.0, 8, 500, 16)
    coords = dataclasses.asdict(point) | {"alpha": 32.5}
    del coords["runs"]
    part = xr.Dataset({"accuracy": (("order", "run"), np.zeros((3, 16)))}, coords)
    _sgd._require_point(part, point, 32.5, tmp_path / "sgd-0.nc")
    changes = SPOILT[name]
    other, alpha = dataclasses.replace(point, **changes), 30.0 if name == "an alpha" else 32.5
    with pytest.raises(ts.InputError, match=r"sgd-0\.nc, which holds another one .*; move it away"):
        _sgd._require_point(part, other, alpha, tmp_path / "sgd-0.nc")
