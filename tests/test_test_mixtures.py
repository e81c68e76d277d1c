"""A sweep, and what is drawn of it, on any mixture of levels that students are tested on."""

import copy
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import figures
import teacher_student as ts
from figures import atlas
from figures.command._main import main
from figures.sweeps import on_mixture

from .sweep_files import BASE, toml

pytestmark = pytest.mark.slow  # most of its time is compilation

HALF = {"easy": 0.5, "hard": 0.5}
UNEVEN = {"hard": 0.75, "easy": 0.25}
ATLAS = Path(__file__).parents[1] / "docs" / "atlas"


def tables() -> dict[str, Any]:
    sweep = copy.deepcopy(BASE)
    sweep["record"] = {"count": 20}
    sweep["sweep"] = {"engine": "both"}
    sweep["agreement"] = {"spread": "measured"}
    sweep["measures"] = {"keep": ["error", "accuracy"], "trajectories": True, "time_to": {}}
    for name, level in (("hard", "hard"), ("half", HALF), ("as_hard", {"easy": 0.0, "hard": 1.0})):
        sweep["measures"]["time_to"][name] = {"value": "error", "level": level, "threshold": 0.1}
    sweep["axes"] = {"rate": {"sgd.learning_rate": [0.5, 1.0]}}
    return sweep


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixture")
    (folder / "sweep.toml").write_text(toml(tables()))
    spec = figures.load_sweep(folder / "sweep.toml")
    figures.run_sweep(spec, folder / "out.zarr", workers=0, progress=False, say=lambda line: None)
    return folder / "out.zarr"


@pytest.fixture(scope="module")
def data(store: Path) -> xr.Dataset:
    return figures.open_sweep(store).load()


@pytest.mark.parametrize("value", ["error", "accuracy"])
def test_a_mixture_is_the_mean_over_its_levels(data: xr.Dataset, value: str) -> None:
    for engine in ("theory", "simulation"):
        easy, hard = (figures.select(data, value, engine=engine, at={"level": level}) for level in ("easy", "hard"))
        mixed = figures.select(data, value, engine=engine, at={"level": UNEVEN})
        np.testing.assert_allclose(mixed["value"], 0.25 * easy["value"] + 0.75 * hard["value"], rtol=1e-14)


def test_the_error_of_a_simulated_mixture_is_that_of_each_runs_own_sum(data: xr.Dataset) -> None:
    mixed = figures.select(data, "error", engine="simulation", at={"level": HALF})
    runs = 0.5 * data["error_run"].sel(level="easy", drop=True) + 0.5 * data["error_run"].sel(level="hard", drop=True)
    np.testing.assert_allclose(mixed["se"], runs.std("run", ddof=1) / np.sqrt(runs.sizes["run"]), rtol=1e-12)
    levels = [figures.select(data, "error", engine="simulation", at={"level": level})["se"] for level in HALF]
    assert np.all(mixed["se"] <= (0.5 * levels[0] + 0.5 * levels[1]) * (1 + 1e-9))


def test_paths_and_runs_are_mixed_too(data: xr.Dataset) -> None:
    wider, name = on_mixture(data, UNEVEN)
    assert name == "0.75 hard + 0.25 easy"
    assert wider["level"].values.tolist() == ["easy", "hard", name]
    for variable in ("error_path", "accuracy_run", "error_se"):
        assert wider[variable].sizes["level"] == 3
        xr.testing.assert_identical(wider[variable].sel(level=["easy", "hard"]).load(), data[variable])
    path = 0.25 * data["error_path"].sel(level="easy") + 0.75 * data["error_path"].sel(level="hard")
    np.testing.assert_allclose(wider["error_path"].sel(level=name), path, rtol=1e-14)
    assert set(wider) == set(data)
    assert wider.attrs == data.attrs


def test_one_level_alone_is_that_level(data: xr.Dataset) -> None:
    wider, name = on_mixture(data, {"easy": 0.0, "hard": 1.0})
    assert name == "hard"
    assert wider is data


def test_the_time_to_an_error_on_a_mixture_lies_between_those_of_its_levels(data: xr.Dataset) -> None:
    theory = data.sel(engine="theory")
    np.testing.assert_array_equal(theory["time_to_hard"], theory["time_to_as_hard"])
    assert np.all(theory["time_to_half"] < theory["time_to_hard"])
    assert "0.5 easy + 0.5 hard" in theory["time_to_half"].attrs["long_name"]


BAD: list[tuple[Any, str]] = [
    ({"easy": 0.5, "hard": 0.4}, "sum to 1; got: a sum of 0.9"),
    ({"easy": 1.5, "hard": -0.5}, "weights of a test mixture >= 0"),
    ({"easy": 0.5, "herd": 0.5}, "did you mean 'hard'"),
    ({}, r"a level's name or \{level: weight, ...\}"),
    ({"easy": float("nan"), "hard": 1.0}, "weights of a test mixture"),
    ({"easy": "half", "hard": 1.0}, "weights of a test mixture"),
]


@pytest.mark.parametrize(("mixture", "message"), BAD)
def test_a_mixture_that_is_none_is_refused(data: xr.Dataset, mixture: Any, message: str) -> None:
    with pytest.raises(ts.InputError, match=message):
        figures.select(data, "error", at={"level": mixture})


@pytest.mark.parametrize("level", [{"easy": 0.5, "hard": 0.4}, {"easy": 1.0, "nope": 0.0}, {}, [0.5, 0.5]])
def test_a_time_on_a_mixture_that_is_none_is_refused_before_anything_is_computed(level: Any, tmp_path: Path) -> None:
    sweep = tables()
    sweep["measures"]["time_to"]["half"]["level"] = level
    with pytest.raises(ts.InputError, match=r"measures\.time_to"):
        figures.run_sweep(figures.read_sweep(sweep), tmp_path / "out.zarr", workers=0, progress=False)
    assert not (tmp_path / "out.zarr").exists()


def test_maps_and_curves_take_a_mixture(data: xr.Dataset, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure, axes = data.sweep.plot("rate", level=HALF)
    assert "0.5 easy + 0.5 hard" in axes[0].get_ylabel()
    plt.close(figure)
    picture = store.parent / "curves.png"
    assert main(["figure", "curves", str(store), "--test", "easy=0.5,hard=0.5", "--save", str(picture)]) == 0
    assert picture.stat().st_size > 5000
    assert main(["figure", "curves", str(store), "--test", "easy=0.5,hard=0.6", "--save", str(picture)]) == 2
    assert "sum to 1" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["figure", "curves", str(store), "--test", "easy=half", "--save", str(picture)])
    assert ended.value.code == 2
    both = ["--test", "hard", "--at", "level=hard", "--save", str(picture)]
    assert main(["figure", "curves", str(store), *both]) == 2
    assert "--test or --at level" in capsys.readouterr().err


def test_gains_of_the_shipped_atlas_on_a_mixture() -> None:
    shipped = xr.open_dataset(ATLAS / "curriculum" / "xor.nc")
    pair = ("easy to hard", "mixed")
    easy, hard, half = (atlas.gain(shipped, "accuracy", *pair, test=test) for test in ("easy", "hard", HALF))
    np.testing.assert_allclose(half["value"], (easy["value"] + hard["value"]) / 2, atol=1e-14)
    xr.testing.assert_identical(hard, atlas.gain(shipped, "accuracy", *pair))
    assert "on 0.5 easy + 0.5 hard samples" in atlas.curriculum_text(shipped, test=HALF)
    with pytest.raises(ts.InputError, match="times have their own level"):
        atlas.gain(shipped, "time", *pair, test=HALF)
    with pytest.raises(ts.InputError, match="level of the sweep"):
        atlas.gain(shipped, "accuracy", *pair, test={"medium": 1.0})


def test_the_cost_on_easy_samples_is_no_higher_than_on_hard_ones() -> None:
    """Budgets to 85 % of each Bayes advantage, of the shipped data; on the mixture the target is the mixture's."""
    shipped = xr.open_dataset(ATLAS / "cost" / "xor.nc")
    kinds = atlas.frontier(shipped, test=HALF)["easiness"].values.tolist()
    assert kinds == atlas.frontier(shipped)["easiness"].values.tolist()
    text = atlas.cost_text(shipped, test=HALF)
    assert "on 0.5 easy + 0.5 hard samples" in text
