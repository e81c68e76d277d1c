"""Named figures: gains, frontiers and odds against data whose answer is known; recipes that can be read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import figures
import ode
import teacher_student as ts
from figures import atlas
from figures.experiment._starts import SharedStarts
from figures.sweeps import _spec

pytestmark = pytest.mark.slow  # most of its time is compilation

ORDERS = ["easy to hard", "hard to easy", "mixed", "hard only"]
ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(0)


def maps(gains: Any, starts: int = 200, noise: float = 0.05) -> xr.Dataset:
    """A made-up sweep over rate, width, budget, order and start: easy-to-hard gains gains[width] over all others.

    Starts differ by much more than the gain, so that only a paired comparison can see it.
    """
    widths, budgets, rates = [4, 8, 16], [30.0, 60.0], [0.1, 0.2, 0.5]
    shape = (1, len(rates), len(widths), len(budgets), len(ORDERS), starts, 1)
    common = RNG.normal(0.7, 0.2, size=(1, 1, len(widths), 1, 1, starts, 1))
    values = common + noise * RNG.normal(size=shape)
    values[:, :, :, :, 0] += np.asarray(gains)[None, None, :, None, None, None]
    values[:, 2, :, :, 2] += 0.3  # mixed is better at its best rate, the last
    dims = ("engine", "rate", "width", "budget", "order", "start", "level")
    times = np.where(values > 0.9, np.inf, 100 * (1 - values))[..., 0]
    coords = {"engine": ["theory"], "rate": rates, "width": widths, "budget": budgets, "order": ORDERS}
    coords |= {"start": np.arange(starts), "level": ["hard"]}
    return xr.Dataset({"accuracy": (dims, values), "time_to_it": (dims[:-1], times)}, coords)


def test_gains_are_paired_and_their_errors_honest() -> None:
    gains = np.array([0.05, 0.02, 0.0])
    found = atlas.gain(maps(gains), "accuracy", "easy to hard", "mixed")
    z = (found["value"] - xr.DataArray(gains, dims="width")) / found["se"]
    assert float(np.abs(z).max()) < 4
    assert found["se"].values == pytest.approx(0.05 * np.sqrt(2 / 200), rel=0.25)


def test_each_order_gets_its_own_best_rate() -> None:
    found = atlas.gain(maps([0.1, 0.1, 0.1]), "best rate", "easy to hard", "mixed")
    z = (found["value"] - (0.1 - 0.3)) / found["se"]
    assert float(np.abs(z).max()) < 4


def test_the_best_of_equal_rates_is_not_flattered() -> None:
    """With rates that do not matter, choosing the best of them must not favour the order with more noise."""
    data = maps([0.0, 0.0, 0.0], starts=20)
    data["accuracy"][:, 2, :, :, 2] -= 0.3
    noisy = RNG.normal(size=data["accuracy"].sel(order="hard only").shape)
    data["accuracy"].loc[{"order": "hard only"}] = data["accuracy"].sel(order="hard only") + 0.5 * noisy
    found = atlas.gain(data, "best rate", "hard only", "easy to hard")
    assert float(np.abs(found["value"] / found["se"]).max()) < 4


def test_times_are_compared_by_who_is_first_and_never_is_last() -> None:
    data = maps([0.0, 0.0, 0.0])
    times = data["time_to_it"]
    times.loc[{"order": "easy to hard"}] = 1.0
    times.loc[{"order": "mixed"}] = np.inf
    times.loc[{"order": "hard only"}] = np.inf
    assert (atlas.gain(data, "time", "easy to hard", "mixed")["value"] == 1.0).all()
    data["time_to_it"].loc[{"order": "easy to hard"}] = np.inf
    never = atlas.gain(data, "time", "easy to hard", "mixed")
    assert (never["value"] == 0.0).all()
    assert never["se"].values == pytest.approx(1 / 202)  # (0 + 0 + 1) / 202 pairs


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ((0.1, 0.05, 0.0), "shrinks"),
        ((0.0, 0.1, 0.0), "shrinks beyond K = 8"),
        ((0.0, 0.05, 0.1), "grows"),
        ((0.0, 0.0, 0.0), "no gain"),
        ((0.1, 0.1, 0.1), "gain, no change"),
        ((-0.1, -0.05, 0.0), "no gain"),
    ],
)
def test_whether_a_gain_shrinks_with_width(gains: Any, verdict: str) -> None:
    found = atlas.gain(maps(gains), "accuracy", "easy to hard", "mixed")
    assert {each.verdict for each in atlas.shrinking(found)} == {verdict}


def test_no_gain_is_seldom_called_one() -> None:
    """Family-wise 1 %: over 60 maps without a gain, three or more with a false statement have probability 0.02."""
    alarms = 0
    for _ in range(60):
        rows = atlas.shrinking(atlas.gain(maps([0.0, 0.0, 0.0], starts=24), "accuracy", "easy to hard", "mixed"))
        alarms += any(each.verdict != "no gain" for each in rows)
    assert alarms <= 3


def test_odds_have_wilson_intervals() -> None:
    solved = xr.DataArray([[1.0, 1.0, 0.0, np.nan], [0.0, 0.0, 0.0, 0.0]], dims=("width", "start"))
    found = atlas.success(solved)
    assert found["p"].values.tolist() == [0.5, 0.0]
    z2, n = 1.959964**2, 4
    centre, half = 0.5, 1.959964 * np.sqrt(0.25 / n + z2 / (4 * n * n)) / (1 + z2 / n)
    assert [float(found["low"][0]), float(found["high"][0])] == pytest.approx([centre - half, centre + half], abs=1e-5)


def frontier_data() -> xr.Dataset:
    """A sweep of the mixture: budget of 100 starts are above the target at K = 4, none at K = 8."""
    tables = {
        "task": {"kind": "xor", "levels": {"hard": {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.1}}}
    }
    budgets = [20.0, 40.0, 80.0, 100.0]
    values = np.zeros((1, 1, 2, 4, 2, 100, 1))
    for b, budget in enumerate(budgets):
        values[0, 0, 0, b, :, : int(budget), 0] = 0.95
    dims = ("engine", "rate", "width", "budget", "order", "start", "level")
    coords = {"engine": ["theory"], "rate": [0.2], "width": [4, 8], "budget": budgets, "order": ["mixed", "hard only"]}
    coords |= {"start": np.arange(100), "level": ["hard"]}
    axes: dict[str, Any] = {
        "rate": ["sgd.learning_rate"],
        "width": ["student.width"],
        "budget": ["curriculum.duration"],
    }
    axes |= {"order": {name: {"curriculum": {"order": "mixed"}} for name in ("mixed", "hard only")}}
    axes |= {"start": ["start.number"]}
    attrs = {"problem": json.dumps(tables), "axes": json.dumps(axes)}
    return xr.Dataset({"accuracy": (dims, values)}, coords, attrs)


def test_frontier_is_where_nine_starts_in_ten_succeed() -> None:
    found = atlas.frontier(frontier_data())
    expected = np.exp(np.log(80) + 0.5 * np.log(100 / 80))
    assert found["budget"].sel(width=4).values == pytest.approx([expected, expected])
    assert np.isinf(found["budget"].sel(width=8)).all()
    assert (found["low"] <= found["budget"]).all()
    assert (found["high"] >= found["budget"]).all()
    assert (found["low"].sel(width=4) <= 80.0).all()  # no finer than the grid
    assert (found["high"].sel(width=4) >= 100.0).all()
    assert atlas.multiply_adds(4, 10.0) == 80.0


def test_recipes_are_sweeps_that_could_start() -> None:
    for name in ("lottery", "curriculum", "cost"):
        for quick in (False, True):
            for recipe in atlas.recipes(name, quick=quick):
                last = tuple(length - 1 for length in recipe.sweep.shape)
                for index in (tuple(0 for _ in last), last):
                    averages = _spec.experiment_at(recipe.sweep, index, SharedStarts()).averages
                    assert not isinstance(averages, ode.Sampled) or averages.replicates == 1
                assert recipe.minutes > 0


def test_a_complete_store_is_drawn_without_computing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data made by a tiny version of the lottery; drawing again must not sweep."""
    tiny = {
        "width": {"student.width": [2]},
        "start": {"start.number": [0, 1]},
    }
    recipe = next(each for each in atlas.recipes("lottery", quick=True) if each.name == "theory")
    tables = dict(recipe.sweep.tables) | {"curriculum": {"phases": [["all", 1.0]]}}
    sweep = figures.read_sweep({**tables, "axes": tiny, "measures": {"keep": ["accuracy", "means_right"]}})
    figures.run_sweep(sweep, tmp_path / "theory.zarr", workers=0, progress=False, say=lambda line: None)
    monkeypatch.setattr("figures.atlas._recipes.run_sweep", None)  # would raise if it were called
    data = atlas.stores("lottery", tmp_path, only=["theory"], say=lambda line: None)["theory"]
    assert atlas.odds(data)["p"].values.tolist() == [0.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: atlas.gain(maps([0.0] * 3), "acuracy", "mixed", "mixed"), "did you mean 'accuracy'"),
        (lambda: atlas.gain(maps([0.0] * 3), "accuracy", "mixd", "mixed"), "did you mean 'mixed'"),
        (lambda: atlas.gain(maps([0.0] * 3), "accuracy", "mixed", "mixed", rate=7.0), "it has 0.1, 0.2, 0.5"),
        (lambda: atlas.stores("lottery", ROOT / "docs" / "atlas" / "cost"), "an empty or new folder"),
        (lambda: atlas.gain(maps([0.0] * 3), "solved", "mixed", "mixed"), "a sweep that keeps 'solved'"),
        (lambda: atlas.gain(maps([0.0] * 3), "time", "mixed", "mixed", time="at"), "time kept by the sweep"),
        (lambda: atlas.named_figure("lotery", "x"), "did you mean 'lottery'"),
        (lambda: atlas.frontier(frontier_data(), advantage=1.2), "an advantage between 0 and 1"),
    ],
)
def test_bad_input_is_one_clear_line(make: Any, message: str) -> None:
    with pytest.raises(ts.InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


SHIPPED = {
    "lottery": ("0.693 [0.652, 0.732]", "0.530 [0.461, 0.598]", "0.540 [0.471, 0.608]", "0.297 [0.225, 0.381]"),
    "tickets": ("n=4 0.952 +- 0.002", "n=4 0.931 +- 0.006", "n=4 0.967 +- 0.001", "1.000 [0.943, 1.000]"),
    "curriculum": ("+0.014 +- 0.012", "+0.223 +- 0.003", "+0.095 +- 0.008", "-0.038 +- 0.010", "+0.034 +- 0.012"),
    "width": ("+0.1512 +- 0.0031", "+0.0062 +- 0.0006", "-0.0042 +- 0.0004 (p = 2e-12)", "+0.0106 +- 0.0009"),
    "images": ("-0.0132 +- 0.0028 (p = 0.00066)", "+0.0388 +- 0.0073 (p = 7.6e-05)", "+0.0056 +- 0.0013 (p = 0.0015)"),
    "cost": ("74.64 [40, 80]", "149.3 [80, 160]", "79.62 [40, inf]"),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_data_are_drawn_and_say_what_the_readme_quotes(name: str, tmp_path: Path) -> None:
    drawn = atlas.named_figure(name, ROOT / "docs" / "atlas" / name, task="xor" if name == "curriculum" else None)
    for number in SHIPPED[name]:
        assert number in drawn.caption
    drawn.figure.savefig(tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").stat().st_size > 10_000


def test_theory_and_simulation_agree_on_pruning_in_the_shipped_data() -> None:
    data = xr.load_dataset(ROOT / "docs" / "atlas" / "tickets" / "tickets.nc")
    assert bool(data["agrees"])
    rewound = data["success"].sel(engine="theory", setting="readout fixed", short=4, candidate="rewound, means")
    assert float(rewound) == 1.0
