"""Maps, boundaries and curves: right numbers on made-up cells, known boundaries on shipped data, and what is drawn."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

import figures
import teacher_student as ts
from figures import CellStatus
from figures.command._main import main
from figures.pictures._sweep_plot import plot_sweep

from . import build

SHIPPED = Path(__file__).parents[1] / "docs" / "phase_diagrams"
X, Y, SEEDS, RUNS = np.linspace(0.0, 1.0, 21), np.linspace(0.5, 1.5, 5), 40, 16


def made_up(seed: int = 0, noise: float = 0.05) -> xr.Dataset:
    """error = 3 + tanh(4 (x - y / 2)) + noise of each seed, by theory; simulated on every fifth x, in RUNS runs."""
    rng = np.random.default_rng(seed)
    shape = (X.size, Y.size, SEEDS, 2)
    exact = 3 + np.tanh(4 * (X[:, None] - Y / 2))[:, :, None, None] + np.array([0.0, 0.25])
    theory = exact + noise * rng.standard_normal((X.size, Y.size, SEEDS, 1))
    shared = rng.standard_normal((X.size, Y.size, SEEDS, 1, RUNS))  # run r is alike in both orders
    runs = exact[..., None] + noise * (shared + 0.1 * rng.standard_normal((*shape, RUNS)))
    asked = (np.arange(X.size) % 5 == 0)[:, None, None, None]
    simulated = np.where(asked, runs.mean(axis=-1), np.nan)
    se = np.where(asked, runs.std(axis=-1, ddof=1) / np.sqrt(RUNS), np.nan)
    status = np.full((2, *shape), CellStatus.DONE, np.int8)
    status[1][~np.broadcast_to(asked, shape)] = CellStatus.NOT_ASKED
    axes = ("x", "y", "seed", "order")
    coords = {"x": X, "y": Y, "seed": np.arange(SEEDS), "order": ["first", "second"], "level": ["hard"]}
    return xr.Dataset(
        {
            "error": (("engine", *axes, "level"), np.stack([np.broadcast_to(theory, shape), simulated])[..., None]),
            "error_se": (("engine", *axes, "level"), np.stack([np.zeros(shape), se])[..., None]),
            "error_run": ((*axes, "run", "level"), np.where(asked[..., None], runs, np.nan)[..., None]),
            "status": (("engine", *axes), status),
            "agrees": (axes, np.where(asked, 1.0, np.nan) * np.ones(shape)),
        },
        {"engine": ["theory", "simulation"], **coords},
        {"axes": json.dumps({axis: [axis] for axis in axes})},
    )


AT = {"order": "first"}


def test_select_averages_over_seeds_with_its_standard_error() -> None:
    data = made_up()
    found = figures.select(data, "error", at=AT, over="seed")
    values = data["error"].sel(engine="theory", order="first", level="hard")
    np.testing.assert_allclose(found["value"], values.mean("seed"))
    np.testing.assert_allclose(found["se"], values.std("seed", ddof=1) / np.sqrt(SEEDS))
    assert found["value"].dims == ("x", "y")
    assert np.all(found["status"] == CellStatus.DONE)


def test_contrasts_are_paired_run_by_run_and_seed_by_seed() -> None:
    """What is common to both orders drops out of the error of their contrast."""
    data = made_up()
    found = figures.select(data, "error", contrast=("order", "first", "second"), engine="simulation")
    cell = found.isel(x=5, y=2, seed=3)
    a, b = (
        data["error_run"].sel(order=order, level="hard").isel(x=5, y=2, seed=3).values for order in ("first", "second")
    )
    np.testing.assert_allclose(cell["value"], np.log10(b.mean() / a.mean()))
    apart = (a / a.mean() - b / b.mean()) / np.log(10)
    np.testing.assert_allclose(cell["se"], apart.std(ddof=1) / np.sqrt(RUNS))
    unpaired = np.hypot(a.std(ddof=1) / a.mean(), b.std(ddof=1) / b.mean()) / np.log(10) / np.sqrt(RUNS)
    assert cell["se"] < 0.7 * unpaired
    theory = figures.select(data, "error", contrast=("order", "first", "second"), over="seed")
    logs: Any = np.log10(data["error"].sel(engine="theory", level="hard"))
    gain = logs.sel(order="second") - logs.sel(order="first")
    np.testing.assert_allclose(theory["value"], gain.mean("seed"))
    np.testing.assert_allclose(theory["se"], gain.std("seed", ddof=1) / np.sqrt(SEEDS))
    assert (figures.select(data, "error", contrast=("order", "first", "second"), over="seed")["value"] > 0).all()


def test_an_engine_within_at_is_the_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The engine is a dimension of the data set, so that `at` is where a user names it."""
    data = made_up()
    runs = figures.select(data, "error", at=AT | {"engine": "simulation"}, over="seed")
    xr.testing.assert_identical(runs, figures.select(data, "error", at=AT, over="seed", engine="simulation"))
    assert runs.attrs["engine"] == "simulation"
    assert figures.select(data, "error", at=AT, over="seed").attrs["engine"] == "theory"
    alone = data.sel(engine=["simulation"])
    assert figures.select(alone, "error", at=AT, over="seed").attrs["engine"] == "simulation"
    choice: dict[str, Any] = {"at": AT | {"engine": "simulation"}, "over": "seed"}
    (axes, _) = figures.phase_diagram(data, "x", "y", **choice).axes
    assert not any(len(np.asarray(each.get_offsets())) == 25 for each in axes.collections)  # tiles, and no circles
    (axes,) = figures.curves(data, "x", at={"y": 1.0, "order": "first", "engine": "simulation"}, over="seed").axes
    assert len(axes.containers) == 1  # points with their errors
    figure, _ = plot_sweep(data, "x", at={"y": 1.0, "order": "first", "engine": "theory"}, over="seed")
    assert not figure.axes[0].containers
    for call in (figures.select, figures.phase_diagram):
        given: dict[str, Any] = {"value": "error", "engine": "theory", **choice}
        with pytest.raises(ts.InputError, match="one engine; got: engine='theory' and at="):
            call(data, **given)
        with pytest.raises(ts.InputError, match="did you mean 'theory'"):
            call(data, value="error", at=AT | {"engine": "theroy"}, over="seed")
    store = str(SHIPPED / "curriculum_gain.zarr")
    gain = ["--contrast", "order", "easy to hard", "mixed", "--boundary", "0", "--save", str(tmp_path / "a.png")]
    command = ["figure", "phase-diagram", store, "--at", "level=hard", *gain, "--at", "engine=simulation"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "boundary of simulation" in printed
    assert "boundary of theory" not in printed
    assert main([*command, "--engine", "theory"]) == 2
    assert "one engine; got: engine='theory'" in capsys.readouterr().err


def test_labels_are_exact_before_they_are_near() -> None:
    data = made_up().assign_coords(seed=2_000_000 + np.arange(SEEDS))
    found = figures.select(data, "error", at={"seed": 2_000_001, "order": "first"})
    values = data["error"].sel(engine="theory", order="first", level="hard").isel(seed=1)
    np.testing.assert_array_equal(found["value"], values)
    near = figures.select(data, "error", at={"x": 0.3001, "order": "first"}, over="seed")
    np.testing.assert_allclose(
        near["value"], data["error"].sel(engine="theory", order="first", level="hard").isel(x=6).mean("seed")
    )
    with pytest.raises(ts.InputError, match="a value of x that the sweep has"):
        figures.select(data, "error", at={"x": 0.31, "order": "first"})


def test_a_contrast_disagrees_only_where_its_own_cells_do() -> None:
    data = made_up()
    third = data.sel(order=["first"]).assign_coords(order=["third"])
    data["agrees"][5, 2, :, 1] = 0.0
    third["agrees"][5, 3] = 0.0
    data = xr.concat([data, third], "order").assign_attrs(data.attrs)
    found = figures.select(data, "error", contrast=("order", "first", "second"), over="seed", engine="simulation")
    assert (float(found["agrees"][5, 2]), float(found["agrees"][5, 3])) == (0.0, 1.0)


def test_cells_together_are_as_bad_as_the_worst() -> None:
    data = made_up()
    data["status"][0, 3, 1, 7, 0] = CellStatus.DIVERGED
    data["status"][0, 4, 1, 7, 1] = CellStatus.PENDING
    status = figures.select(data, "error", at=AT, over="seed")["status"]
    assert int(status[3, 1]) == CellStatus.DIVERGED
    assert int(status[4, 1]) == CellStatus.DONE
    contrast = figures.select(data, "error", contrast=("order", "first", "second"), over="seed")["status"]
    assert (int(contrast[3, 1]), int(contrast[4, 1])) == (CellStatus.DIVERGED, CellStatus.PENDING)


def test_the_interval_of_a_level_covers_it_95_times_in_100() -> None:
    """tanh is nearly straight between cells, so the crossing at x = y / 2 is covered as often as stated."""
    hits, count = 0, 0
    for seed in range(60):
        found = figures.select(made_up(seed, noise=0.3), "error", at=AT, over="seed")
        line = figures.boundary(found, "x", "y", 3.0)
        truth = line["y"] / 2
        hits += int(np.sum((line["low"] < truth) & (truth < line["high"])))
        count += line.sizes["y"]
        assert np.all((line["cell_low"] <= line["position"]) & (line["position"] <= line["cell_high"]))
    low, high = 0.95 * count - 4 * np.sqrt(count * 0.95 * 0.05), count
    assert low <= hits <= high


@pytest.mark.parametrize(("cells", "se"), [(21, 0.2), (101, 0.2), (401, 0.2), (401, 0.05)])
@pytest.mark.parametrize("common", [False, True])
def test_the_interval_holds_on_grids_finer_than_the_noise(cells: int, se: float, common: bool) -> None:
    """Steps between cells far below their errors, independent or common to the row: covered at least as stated."""
    rng, xs, rows = np.random.default_rng(1), np.linspace(0, 10, cells), 300
    noise = rng.standard_normal((rows, 1 if common else cells)) * np.ones(cells)
    value = 0.3 * (xs - 4.13) + se * noise
    found = xr.Dataset({"value": (("y", "x"), value)}, {"x": xs, "y": np.arange(rows)})
    found = found.assign(se=xr.full_like(found["value"], se), status=xr.ones_like(found["value"], dtype=np.int8))
    line = figures.boundary(found, "x", "y", 0.0)
    hits = int(np.sum((line["low"] <= 4.13) & (line["high"] >= 4.13)))
    assert hits >= 0.95 * rows - 3 * np.sqrt(rows * 0.95 * 0.05)
    assert abs(float(line["position"].mean()) - 4.13) < 4 * se / 0.3 / np.sqrt(rows)
    # Between the nearest cells that are clear at 5 % of the whole row; what lies between may be any curve.
    clear, step = norm.ppf(1 - 0.025 / cells) * se / 0.3, 10 / (cells - 1)
    assert float((line["high"] - line["low"]).mean()) < 2 * (clear + step)


def test_a_simulated_boundary_is_placed_along_theory() -> None:
    """On every fifth cell of a curved map a straight line would miss the crossing by far."""
    from figures.maps._select import along_theory

    xs, y, rng = np.linspace(0.0, 4.0, 41), np.arange(3), np.random.default_rng(0)
    exact = np.exp(2 * xs)[None] * np.ones((3, 1))
    noise, asked = 0.05 * rng.standard_normal((3, 41)), np.tile(np.arange(41) % 10 == 0, (3, 1))
    done = np.full((3, 41), CellStatus.DONE, np.int8)
    coords = {"x": xs, "y": y}
    theory = xr.Dataset(
        {"value": (("y", "x"), exact), "se": (("y", "x"), 0 * exact), "status": (("y", "x"), done)}, coords
    )
    simulated = xr.Dataset(
        {
            "value": (("y", "x"), np.where(asked, exact + noise, np.nan)),
            "se": (("y", "x"), np.where(asked, 0.05, np.nan)),
            "status": (("y", "x"), np.where(asked, done, np.int8(CellStatus.NOT_ASKED))),
        },
        coords,
    )
    line = figures.boundary(along_theory(theory, simulated, "x"), "x", "y", 4.0)
    np.testing.assert_allclose(line["position"], np.log(4.0) / 2, atol=0.03)
    # The clear cells around it, of which none was simulated: at 0.7 the map is 4.055 with an error of 0.05 at least.
    np.testing.assert_allclose(line["low"], 0.6)
    np.testing.assert_allclose(line["high"], 0.8)


def two_branches(rows: int, every: int) -> tuple[xr.Dataset, xr.Dataset, np.ndarray]:
    """A map that falls through 0.01 and rises again, steeply: theory, runs at some cells, and where the runs' means do.

    The runs' means lie above theory by a tenth to a fifth, as at small N; their errors are those of a few runs.
    """
    rng = np.random.default_rng(0)
    bottom = np.linspace(0.45, 0.75, rows)[:, None]

    def exact(xs: np.ndarray, share: float) -> np.ndarray:
        u = np.log(xs / bottom)
        return np.asarray((0.004 + np.where(u < 0, 0.009, 0.03) * u**2) * (1 + share * (1 + u / 4)))

    xs, fine = np.geomspace(0.2, 2.0, 9), np.geomspace(0.15, 2.5, 40_001)
    side = np.sign(exact(fine * np.ones((rows, 1)), 0.15) - 0.01)
    truth = np.array([fine[np.flatnonzero(np.diff(row))] for row in side])
    asked = np.tile(np.arange(9) % every == 0, (rows, 1))
    se = 0.05 * exact(xs, 0.15)
    runs = exact(xs, 0.15) + se * rng.standard_normal((rows, 9))
    coords, done = {"x": xs, "y": np.arange(rows)}, np.full((rows, 9), CellStatus.DONE, np.int8)
    status = np.where(asked, done, np.int8(CellStatus.NOT_ASKED))
    columns = (
        {"value": exact(xs, 0.0), "se": 0 * se, "status": done},
        {"value": np.where(asked, runs, np.nan), "se": np.where(asked, se, np.nan), "status": status},
    )
    theory, simulated = (
        xr.Dataset({name: (("y", "x"), cells) for name, cells in each.items()}, coords) for each in columns
    )
    return theory, simulated, truth


@pytest.mark.parametrize("every", [2, 4])
@pytest.mark.parametrize("along", [True, False])
def test_each_branch_of_a_boundary_is_covered_where_cells_were_skipped(every: int, along: bool) -> None:
    """Falling and rising crossings, each in its own interval, as often as stated: no other branch is taken for it."""
    from figures.maps import along_theory

    rows = 200
    theory, simulated, truth = two_branches(rows, every)
    assert truth.shape == (rows, 2)
    cells = along_theory(theory, simulated, "x") if along else simulated
    line = figures.boundary(cells, "x", "y", 0.01, all_crossings=True)
    for direction, place in ((-1, truth[:, :1]), (1, truth[:, 1:])):
        branch = line["direction"].values == direction
        count = int(branch.sum())
        covered = (line["low"].values <= place) & (place <= line["high"].values)
        assert count >= rows / 2
        assert np.sum(branch & covered) >= 0.95 * count - 3 * np.sqrt(count * 0.95 * 0.05)
    assert line["crossings"].max() <= 2


def test_all_crossings_are_listed_with_their_directions() -> None:
    found = row([-1.0, 2.0, -2.0, 2.0], all_crossings=True)
    np.testing.assert_allclose(found["position"], [1 / 3, 1.5, 2.5])
    assert found["direction"].values.tolist() == [1, -1, 1]
    assert row([1.0, 1.0], all_crossings=True).sizes["crossing"] == 1
    assert np.isnan(row([1.0, 1.0], all_crossings=True)["position"]).all()
    skipped = row([-1.0, np.nan, 2.0, 3.0], se=0.1)
    assert (float(skipped["low"]), float(skipped["high"])) == (0.0, 2.0)
    unclear = row([-1.0, 0.1, 3.0], se=0.1)
    assert (float(unclear["low"]), float(unclear["high"])) == (0.0, 2.0)
    assert float(unclear["position"]) == pytest.approx(1 / 1.1)


def row(values: list[float], se: float = 0.0, where: Any = 0.0, statuses: Any = None, **options: Any) -> xr.Dataset:
    """The boundary of one row of cells at x = 0, 1, 2 ..."""
    shape = (("y", "x"), [values])
    found = xr.Dataset({"value": shape}, {"x": np.arange(float(len(values))), "y": [0]})
    done = np.full(len(values), CellStatus.DONE, np.int8) if statuses is None else np.asarray(statuses, np.int8)
    found = found.assign(se=xr.full_like(found["value"], se, dtype=float), status=(("y", "x"), [done]))
    return figures.boundary(found, "x", "y", where, **options).isel(y=0)


def test_gaps_zeros_touches_and_infinities() -> None:
    nan, inf = np.nan, np.inf
    for values, position, crossings in (
        ([-1.0, 1.0], 0.5, 1),
        ([-3.0, 0.0, 1.0], 1.0, 1),
        ([1.0, 0.0, 1.0], nan, 0),
        ([-1.0, nan, 3.0, -1.0], 0.5, 2),
        ([-1.0, -1.0, nan, nan], nan, 0),
        ([-1.0, 2.0, -2.0, 2.0], 1 / 3, 3),
        ([-2.0, -1.0, inf], 1.5, 1),
    ):
        found = row(values)
        np.testing.assert_allclose(found["position"], position, err_msg=str(values))
        assert int(found["crossings"]) == crossings
    unknown = row([-1.0, 1.0], nan)
    assert float(unknown["position"]) == 0.5
    assert np.isnan(unknown["low"])
    assert np.isnan(row([-0.1, 0.1], 1.0)["position"])  # noise, not a boundary
    asked = [CellStatus.DONE, CellStatus.NOT_ASKED, CellStatus.DIVERGED]
    assert float(row([1.0, nan, nan], where="diverged", statuses=asked)["cell_high"]) == 2.0


def test_steepest_and_diverged_boundaries() -> None:
    data = made_up(noise=0.0)
    found = figures.select(data, "error", at=AT, over="seed")
    line = figures.boundary(found, "x", "y", "steepest")
    assert np.all(np.abs(line["position"] - line["y"] / 2) <= 0.05)
    noisy = figures.boundary(figures.select(made_up(noise=1.0), "error", at=AT, over="seed"), "x", "y", "steepest")
    assert np.all(noisy["high"] - noisy["low"] > line["high"] - line["low"])
    found["status"][12:, 0] = CellStatus.DIVERGED
    edge = figures.boundary(found, "x", "y", "diverged")
    assert (float(edge["cell_low"][0]), float(edge["cell_high"][0])) == (X[11], X[12])
    assert np.isnan(edge["position"][1:]).all()
    nothing = figures.boundary(found, "x", "y", 17.0)
    assert np.isnan(nothing["position"]).all()


def test_logarithmic_axes_are_interpolated_by_their_logarithm() -> None:
    data = made_up(noise=0.0).assign_coords(x=np.geomspace(0.01, 100, X.size))
    line = figures.boundary(figures.select(data, "error", at=AT, over="seed"), "x", "y", 3.0)
    np.testing.assert_allclose(line["position"], 10 ** (4 * line["y"] / 2 - 2), rtol=0.02)


def test_the_shipped_divergence_boundary_is_the_critical_rate() -> None:
    """A linear student diverges above eta_c = 2 / (rho_r Delta_r + rho_i Delta_i), within one cell of the map."""
    found = figures.select(
        figures.open_sweep(SHIPPED / "learning_rate.zarr"), "error", at={"level": "hard", "units": "linear"}
    )
    line = figures.boundary(found, "learning_rate", "hard_variance", "diverged")
    critical = 2 / (0.3 + 0.7 * line["hard_variance"])
    inside = critical < float(found["learning_rate"][-1])
    assert int(inside.sum()) > 30
    assert np.all(((line["cell_low"] <= critical) & (critical <= line["cell_high"]))[inside])
    assert np.isnan(line["position"][~inside]).all()
    erf = figures.select(
        figures.open_sweep(SHIPPED / "learning_rate.zarr"), "error", at={"level": "hard", "units": "erf"}
    )
    assert np.all(erf["status"] == CellStatus.DONE)


def test_the_shipped_gain_of_simulation_is_that_of_theory() -> None:
    """Every simulated contrast against theory's, in its own standard errors: Bonferroni at 1 % over 81 cells."""
    from scipy import stats

    data = figures.open_sweep(SHIPPED / "curriculum_gain.zarr").load()
    choice: dict[str, Any] = {"at": {"level": "hard"}, "contrast": ("order", "easy to hard", "mixed")}
    theory, simulation = (figures.select(data, "error", engine=engine, **choice) for engine in ("theory", "simulation"))
    asked = simulation["status"] == CellStatus.DONE
    assert int(asked.sum()) == 81
    t = ((simulation["value"] - theory["value"]) / simulation["se"]).values[asked.values]
    assert np.max(np.abs(t)) < stats.t.ppf(1 - 0.01 / 81 / 2, 15)
    assert np.nanmin(theory["value"]) < -0.3 < 0.1 < np.nanmax(theory["value"])
    assert int(data["agrees"].sum()) == 162


@pytest.mark.parametrize("name", ["learning_rate", "curriculum_gain"])
def test_shipped_data_belong_to_their_sweep_files_and_are_small(name: str, tmp_path: Path) -> None:
    spec = figures.load_sweep(SHIPPED / f"{name}.toml")
    attrs = figures.open_sweep(SHIPPED / f"{name}.zarr").attrs
    assert json.loads(attrs["identity"]) == json.loads(json.dumps(spec.identity()))
    assert sum(path.stat().st_size for path in (SHIPPED / f"{name}.zarr").rglob("*") if path.is_file()) < 2**21


def test_a_diagram_shows_every_kind_of_cell(tmp_path: Path) -> None:
    data = made_up().sel(seed=0, order="first", drop=True)
    data.attrs["axes"] = json.dumps({"x": ["x"], "y": ["y"]})
    kinds = (
        CellStatus.DIVERGED,
        CellStatus.PENDING,
        CellStatus.FAILED,
        CellStatus.TOO_STIFF,
        CellStatus.TIMED_OUT,
    )
    for index, status in enumerate(kinds):
        data["status"][0, 2 * index : 2 * index + 2, 1] = status
    data["agrees"][10, 2] = 0.0
    figure = figures.phase_diagram(data, boundary=3.0, lines={"y / 2": (Y / 2, Y)})
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == [
        "diverged",
        "too stiff",
        "timed out",
        "failed",
        "not done",
        "contour 3",
        "y / 2",
        "simulation",
        "simulation, theory within 2 s.e.",
        "its boundary, 95 %",
        "disagrees with theory",
    ]
    axes = figure.axes[0]
    hatches = {patch.get_hatch() for patch in axes.collections if patch.get_hatch()}
    assert len(hatches) == 4
    circles = [each for each in axes.collections if len(np.asarray(each.get_offsets())) > 1]
    marks, hollow = circles
    theory, simulation = (data["error"].sel(engine=name, level="hard").values for name in ("theory", "simulation"))
    far = np.abs(simulation - theory) > 2 * data["error_se"].sel(engine="simulation", level="hard").values
    np.testing.assert_allclose(np.sort(build.given(marks.get_array())), np.sort(simulation[far]))
    assert len(np.asarray(hollow.get_offsets())) == 25 - np.sum(far)
    assert np.size(hollow.get_facecolor()) == 0
    tiles = next(each for each in axes.collections if np.size(build.unchecked(each.get_array())) == 105)
    assert tiles.norm is marks.norm
    for kind in ("png", "pdf"):
        figure.savefig(tmp_path / f"d.{kind}")
        assert (tmp_path / f"d.{kind}").stat().st_size > 5000


def test_panels_and_curves_and_what_they_refuse(tmp_path: Path) -> None:
    data = made_up()
    three = figures.phase_diagram(data, "x", "y", over="seed", panels="order", boundary="steepest")
    assert [each.get_title(loc="left") for each in three.axes[:2]] == ["(a) first", "(b) second"]
    curves = figures.curves(data, "x", lines="order", at={"y": 1.0}, over="seed")
    assert [text.get_text() for text in build.given(curves.axes[0].get_legend()).get_texts()] == [
        "first",
        "second",
        "theory",
        "simulation",
    ]
    assert curves.axes[0].get_ylabel().startswith("generalisation error")
    for call, message in (
        (lambda: figures.phase_diagram(data, "x", "y"), "two free axes; got"),
        (lambda: figures.phase_diagram(data, "x", "z", over="seed", at=AT), "axis of the sweep that is left free"),
        (lambda: figures.phase_diagram(data, value="eror"), "did you mean 'error'"),
        (lambda: figures.phase_diagram(data, at={"order": "frist"}), "a value of order that the sweep has"),
        (lambda: figures.phase_diagram(data, at={"odrer": "first"}), "did you mean 'order'"),
        (lambda: figures.phase_diagram(data, contrast=("order", "first", "third"), over="seed"), "a value of order"),
        (lambda: figures.select(data, "error", engine="theroy"), "did you mean 'theory'"),
        (lambda: figures.phase_diagram(data, over="seed", at=AT, boundary="stepest"), "did you mean 'steepest'"),
        (lambda: figures.curves(data, "x", at=AT, over="seed"), "one free axis beside"),
        (lambda: figures.phase_diagram(xr.Dataset({"x": 1.0})), "the data set of a sweep"),
    ):
        with pytest.raises(ts.InputError, match=message):
            call()


def test_the_command_line_draws_the_shipped_diagrams(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "gain.png"
    gain = [
        "--at",
        "level=hard",
        "--contrast",
        "order",
        "easy to hard",
        "mixed",
        "--boundary",
        "0",
        "--x",
        "easy_share",
    ]
    command = ["figure", "phase-diagram", str(SHIPPED / "curriculum_gain.zarr"), *gain, "--save", str(picture)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "boundary of theory: easy_share at which error contrast passes 0" in printed
    assert "boundary of simulation" in printed
    assert "outside the map" not in printed
    assert printed.splitlines()[-1] == f"wrote {picture}"
    assert main(command) == 0  # a picture may be written over
    capsys.readouterr()
    gain[gain.index("--boundary") + 1] = "5"
    assert main([*command[:3], *gain, "--save", str(picture)]) == 0
    printed = capsys.readouterr().out
    assert (
        printed.count("no row passes 5: the boundary lies outside the map, and is not drawn (the values go from") == 2
    )
    rate = ["--panels", "units", "--at", "level=hard", "--boundary", "diverged"]
    store = str(SHIPPED / "learning_rate.zarr")
    assert (
        main(["figure", "phase-diagram", store, *rate, "--x", "learning_rate", "--save", str(tmp_path / "r.pdf")]) == 0
    )
    assert "[2, 2.1]" in capsys.readouterr().out
    for wrong, message in (
        (["--at", "level"], "--at NAME=VALUE"),
        (["--at", "level=hard", "--boundary", "steep"], "a number as boundary"),
        (["--at", "hard_variance=x"], "a number as value of hard_variance"),
    ):
        assert main(["figure", "phase-diagram", store, *wrong, "--save", str(tmp_path / "w.png")]) == 2
        assert message in capsys.readouterr().err
