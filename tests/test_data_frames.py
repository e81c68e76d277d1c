"""Results as tables of pandas: one row an observation, and each number in the column that bears its name."""

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import figures
import ode
import teacher_student as ts
from figures.sweeps import normal_form
from figures.sweeps._spec import check_sweep
from figures.sweeps._variables import attributes, coordinates, variables

from . import build
from .sweep_files import BASE
from .test_plots import ALPHAS, made_up, verdict, with_bands

NAME = re.compile(r"^(?P<variable>\w+?)(?P<tags>(\[[^]]*\])*)$")
INDEXED = {  # by the first letters of a variable's name, written down apart from what is tested
    "error": ("level",),
    "accuracy": ("level",),
    "Q": ("student_unit", "student_unit_2"),
    "R": ("student_unit", "latent"),
    "T": ("latent", "latent_2"),
    "readout": ("student_unit",),
}


def read(dataset: xr.Dataset, column: str) -> xr.DataArray:
    """Read the numbers that a column's name means, such as "R_se[relevant][2,1]", from a labelled data set."""
    match = NAME.match(column)
    assert match is not None
    variable = dataset[match["variable"]]
    tags: list[Any] = re.findall(r"\[([^]]*)\]", match["tags"])
    kind = match["variable"].partition("_")[0]
    if not tags:
        return variable
    if kind in ("error", "accuracy"):
        return variable.sel(level=tags[0])
    if "block" in variable.dims:
        variable = variable.sel(block=tags.pop(0)) if len(tags) > 1 else variable.isel(block=0)
    return variable.sel(dict(zip(INDEXED[kind], map(int, tags[0].split(",")), strict=True)))


def differing(frame: pd.DataFrame, dataset: xr.Dataset, rows: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return the columns whose numbers are not those that their names mean."""
    like = xr.DataArray(np.zeros([dataset.sizes[dim] for dim in rows]), {d: dataset[d] for d in rows}, rows)
    wanted = {name: read(dataset, name).broadcast_like(like).transpose(*rows).values.ravel() for name in columns}
    return [name for name in columns if not np.array_equal(frame[name], wanted[name], equal_nan=True)]


def swapped(frame: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    return frame.rename(columns={one: other, other: one})


def numbers_of(frame: pd.DataFrame, *others: str) -> list[str]:
    return [name for name in frame.columns if name not in ("engine", "status", "message", *others)]


# Trajectories


def diverged(trajectory: ts.Trajectory, *, first: bool = False) -> ts.Trajectory:
    """The trajectory, which has diverged after alpha = 1; of runs, the first alone if asked for."""
    late = np.asarray(trajectory.alphas) > 1.0
    late = late & (np.arange(trajectory.runs) == 0)[:, None] if first and trajectory.runs is not None else late
    stopped = late.any(axis=-1) | np.zeros(np.shape(trajectory.status), bool)

    def cut(values: Any) -> Any:
        return np.where(np.expand_dims(late, list(range(late.ndim, np.ndim(values)))), np.nan, values)

    return dataclasses.replace(
        trajectory,
        observables=jax.tree.map(cut, trajectory.observables),
        status=np.where(stopped, int(ts.Status.DIVERGED), 0),
        reached=np.where(stopped, 1.0, 2.0),
    )


TRAJECTORIES: dict[str, Callable[[], ts.Trajectory]] = {
    "theory": made_up,
    "width 1": lambda: made_up(1, 1),
    "width 5": lambda: made_up(5, 4, accuracy=True),
    "with fluctuations": lambda: with_bands(made_up(accuracy=True)),
    "runs": lambda: made_up(runs=4),
    "one run": lambda: made_up(2, 2, runs=1),
    "diverged": lambda: diverged(made_up()),
    "a diverged run": lambda: diverged(made_up(runs=3), first=True),
}


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_a_trajectory_has_its_numbers_in_the_columns_of_their_names(name: str) -> None:
    trajectory = TRAJECTORIES[name]()
    frame, dataset = trajectory.to_dataframe(), trajectory.to_xarray()
    rows = ["alpha"] if trajectory.runs is None else ["run", "alpha"]
    columns = numbers_of(frame, "run")
    assert len(frame) == len(ALPHAS) * (trajectory.runs or 1)
    assert frame.index.equals(pd.RangeIndex(len(frame)))
    assert differing(frame, dataset, rows, columns) == []
    assert all(frame[column].dtype == np.float64 for column in columns)
    assert set(frame["engine"]) == {"theory" if trajectory.runs is None else "simulation"}
    assert trajectory.runs is None or frame["run"].drop_duplicates().tolist() == list(range(1, trajectory.runs + 1))


@pytest.mark.parametrize("pair", [("R[relevant][1,2]", "R[relevant][2,1]"), ("Q[relevant][1,2]", "Q[irrelevant][1,2]")])
def test_sabotage_columns_that_are_swapped_are_found(pair: tuple[str, str]) -> None:
    theory = made_up()
    frame = swapped(theory.to_dataframe(), *pair)
    assert sorted(differing(frame, theory.to_xarray(), ["alpha"], numbers_of(frame))) == sorted(pair)


def test_columns_have_the_names_of_quantities_errors_first() -> None:
    theory = made_up(accuracy=True)
    columns = theory.to_dataframe().columns.tolist()
    names = [one.name for one in ts.quantities(theory.observables, theory.problem)]
    assert sorted(columns) == sorted(["engine", "alpha", *names, "status", "reached"])
    assert columns[2:6] == ["error[easy]", "error[hard]", "accuracy[easy]", "accuracy[hard]"]
    assert made_up(1, 1, runs=2).to_dataframe().columns[:3].tolist() == ["engine", "run", "alpha"]


def test_a_single_block_is_not_in_names() -> None:
    order = ts.Curriculum.single("hard", 1.0)
    problem = build.problem(blocks=1, K=2, M=1, curriculum=order)
    frame = ode.solve(problem, ts.random_overlaps(problem, 100, 0), [0.0, 1.0]).to_dataframe()
    assert {"Q[1,2]", "R[2,1]", "readout[2]", "error[hard]"} <= set(frame.columns)


def test_what_is_stated_of_a_quantity_stands_under_its_name_in_the_data_set() -> None:
    frame = with_bands(made_up()).to_dataframe()
    assert (frame["Q_variance[relevant][1,2]"] == 1.0).all()
    assert (frame["error_shift[hard]"] == 0.0).all()
    assert frame.attrs["long_name"]["R_variance[relevant][1,2]"].startswith("N times the variance over runs of ")


def test_units_and_long_names_are_those_of_the_data_set() -> None:
    theory = made_up()
    frame, dataset = theory.to_dataframe(), theory.to_xarray()
    for entry in ("units", "long_name"):
        for name, text in frame.attrs[entry].items():
            assert dataset[name.partition("[")[0]].attrs[entry] == text, name
    assert set(frame.attrs["units"]) == set(numbers_of(frame))
    assert json.loads(json.dumps(frame.attrs)) == frame.attrs  # which Parquet and Feather want


def test_a_run_that_diverged_is_named_and_has_no_numbers_after() -> None:
    frame = diverged(made_up(runs=3), first=True).to_dataframe()
    assert frame.groupby("run")["status"].first().tolist() == ["diverged", "ok", "ok"]
    assert frame.groupby("run")["reached"].first().tolist() == [1.0, 2.0, 2.0]
    assert frame[frame["error[hard]"].isna()]["run"].unique().tolist() == [1]
    kept = frame[frame["status"] == "ok"]
    assert kept["error[hard]"].notna().all()


def test_a_stop_that_is_too_stiff_is_said_in_words() -> None:
    stopped = dataclasses.replace(made_up(), status=np.asarray(int(ts.Status.TOO_STIFF)))
    assert set(stopped.to_dataframe()["status"]) == {"too stiff"}


def test_a_result_that_no_file_can_hold_has_a_table() -> None:
    problem = build.problem(K=1, M=1, student=lambda x: x, curriculum=ts.Curriculum.single("hard", 1.0))
    theory = dataclasses.replace(made_up(1, 1), problem=problem)
    with pytest.raises(ts.InputError):
        theory.to_xarray()
    assert theory.to_dataframe()["error[hard]"].tolist() == list(theory.error["hard"])


def test_tables_of_theory_and_runs_fit_together_and_can_be_reshaped() -> None:
    both = pd.concat([made_up().to_dataframe(), made_up(runs=4).to_dataframe()])
    mean = both.groupby(["engine", "alpha"])["error[hard]"].mean()
    assert mean.index.get_level_values("engine").unique().tolist() == ["simulation", "theory"]
    wide = both.pivot_table(index="alpha", columns="engine", values="error[hard]")
    assert wide.shape == (len(ALPHAS), 2)
    of_runs = made_up(runs=4).to_dataframe().pivot(index="alpha", columns="run", values="Q[relevant][1,1]")
    np.testing.assert_array_equal(of_runs.values.T, made_up(runs=4).overlaps.Q[:, :, 0, 0, 0])
    long = made_up().to_dataframe().melt(["engine", "alpha", "status", "reached"], var_name="quantity")
    assert set(long["quantity"]) == {one.name for one in ts.quantities(made_up().observables, made_up().problem)}


# Verdicts


def test_a_verdict_has_a_row_for_each_deviation() -> None:
    agreement = verdict(made_up())
    frame = agreement.to_dataframe()
    assert len(frame) == len(agreement.deviations) > 0
    for row, one in zip(frame.to_dict("records"), agreement.deviations, strict=True):
        wanted = dataclasses.asdict(one)
        assert [row[name] for name in ("name", "kind", "alpha", "theory", "z")] == [
            wanted[name] for name in ("name", "kind", "alpha", "theory", "z")
        ]
    assert list(frame) == [field.name for field in dataclasses.fields(agreement.deviations[0])]
    assert all(frame[name].dtype == np.float64 for name in frame.columns[2:])
    assert frame.attrs["units"]["alpha"] == "samples / N"
    worst = frame.loc[frame.groupby("name")["z"].apply(lambda z: z.abs().idxmax())]
    assert worst["z"].abs().max() == abs(agreement.worst.z)


def test_a_verdict_where_nothing_fluctuates_has_a_table_without_rows() -> None:
    frame = dataclasses.replace(verdict(made_up()), deviations=()).to_dataframe()
    assert list(frame) == list(verdict(made_up()).to_dataframe())
    assert len(frame) == 0
    assert frame["z"].dtype == np.float64


# Sweeps

AXES = {
    "rate": {"sgd.learning_rate": [0.5, 1.0, 1e4], "task.noise": [0.1, 0.2, 0.3]},
    "width": {"student.width": [1, 3]},
}
AXIS_COLUMNS = ("rate", "width", "task.noise")


@pytest.fixture(scope="module")
def dataset() -> xr.Dataset:
    """What a sweep's store holds when all is done, with a made-up number of its own in every place."""
    task = {**BASE["task"], "width": 2, "support": ["relevant", "irrelevant"]}
    tables = {"task": task, "record": {"count": 2}, "sweep": {"engine": "both"}}
    measures = {"keep": ["error", "accuracy", "overlaps"], "trajectories": True}
    sweep = figures.read_sweep({**BASE, **tables, "axes": AXES, "measures": measures})
    layout, _ = check_sweep(sweep)
    data = xr.Dataset(coords=coordinates(sweep, layout), attrs=attributes(sweep))
    rng = np.random.default_rng(0)
    for name, variable in variables(sweep).items():
        dims = variable.dims(sweep.axes)
        numbers: Any = rng.random([data.sizes[dim] for dim in dims])
        if name in ("status", "message"):
            numbers = np.full(numbers.shape, 1 if name == "status" else "", object if name == "message" else np.int8)
        data[name] = (dims, numbers, variable.attrs)
    return data


@pytest.fixture(scope="module")
def computed() -> xr.Dataset:
    """A sweep of theory, of which the cell with the largest rate diverges."""
    rates = {"rate": {"sgd.learning_rate": [0.5, 1.0, 1e4]}}
    return figures.sweep(BASE, rates, ["error"], workers=0, progress=False)


def test_a_sweep_has_its_numbers_in_the_columns_of_their_names(dataset: xr.Dataset) -> None:
    frame = dataset.sweep.to_dataframe()
    columns = numbers_of(frame, *AXIS_COLUMNS)
    assert len(frame) == 2 * 3 * 2
    assert differing(frame, dataset, ["engine", "rate", "width"], columns) == []
    assert all(frame[column].dtype == np.float64 for column in columns)
    assert frame["width"].dtype.kind == "i"
    pairs = ["1,1", "1,2", "1,3", "2,2", "2,3", "3,3"]
    assert [name for name in columns if name.startswith("Q[")] == [
        f"Q[{block}][{pair}]" for block in ("relevant", "irrelevant") for pair in pairs
    ]
    assert {"error_se[hard]", "T[relevant][1,2]", "readout_se[3]", "agreement_p", "reached"} <= set(columns)
    assert frame.columns[:6].tolist() == ["engine", "rate", "width", "task.noise", "error[easy]", "error[hard]"]


@pytest.mark.parametrize("pair", [("R[relevant][1,2]", "R[relevant][2,1]"), ("error[easy]", "error[hard]")])
def test_sabotage_columns_of_a_sweep_that_are_swapped_are_found(pair: tuple[str, str], dataset: xr.Dataset) -> None:
    frame = swapped(dataset.sweep.to_dataframe(), *pair)
    found = differing(frame, dataset, ["engine", "rate", "width"], numbers_of(frame, *AXIS_COLUMNS))
    assert sorted(found) == sorted(pair)


def test_rows_of_a_sweep_say_how_cells_ended(computed: xr.Dataset) -> None:
    frame = computed.sweep.to_dataframe()
    assert set(frame[frame["rate"] == 1e4]["status"]) == {"diverged"}
    assert set(frame[frame["rate"] < 1e4]["status"]) == {"done"}
    assert frame[frame["status"] == "diverged"]["error[hard]"].isna().all()
    assert set(frame["message"]) == {""}
    late = int(figures.CellStatus.TIMED_OUT)
    failed = computed.assign(status=computed["status"] * 0 + late, message=computed["message"] + "why")
    assert set(failed.sweep.to_dataframe()["status"]) == {"timed out"}
    assert set(failed.sweep.to_dataframe()["message"]) == {"why"}


def test_what_changes_with_an_axis_stands_beside_it(dataset: xr.Dataset) -> None:
    frame = dataset.sweep.to_dataframe()
    assert frame.groupby("rate")["task.noise"].unique().explode().tolist() == [0.1, 0.2, 0.3]
    own = dataset.assign_coords(label=("rate", ["a", "b", "c"])).sweep.to_dataframe()
    assert own.groupby("label")["rate"].first().tolist() == [0.5, 1.0, 1e4]


def test_units_and_long_names_of_a_sweep(dataset: xr.Dataset) -> None:
    attributes = dataset.sweep.to_dataframe().attrs
    assert attributes["units"]["reached"] == "samples / N"
    assert attributes["units"]["Q_se[relevant][1,2]"] == "1"
    assert attributes["long_name"]["rate"] == r"learning rate $\eta$"
    assert attributes["long_name"]["error[hard]"] == dataset["error"].attrs["long_name"]
    assert json.loads(json.dumps(attributes)) == attributes


def test_a_sweep_can_be_pivoted_and_grouped(dataset: xr.Dataset) -> None:
    frame = dataset.sweep.to_dataframe()
    theory = frame[frame["engine"] == "theory"].pivot(index="rate", columns="width", values="error[hard]")
    np.testing.assert_array_equal(theory.values, dataset["error"].sel(engine="theory", level="hard").values)
    assert frame.groupby(["engine", "status"]).size().sum() == len(frame)


SAME: dict[str, tuple[Callable[[xr.Dataset], xr.Dataset], Callable[[pd.DataFrame], Any]]] = {  # rows of the whole table
    "one engine": (lambda data: data.sel(engine="theory"), lambda f: f["engine"] == "theory"),
    "one value": (lambda data: data.sel(rate=1.0), lambda f: f["rate"] == 1.0),
    "one cell": (lambda data: data.isel(rate=0, width=1, engine=1), lambda f: f.index == 7),
    "squeezed": (lambda data: data.isel(rate=[1], engine=[0]).squeeze(), lambda f: f.index.isin([2, 3])),
    "some": (lambda data: data.isel(rate=[2, 0]), lambda f: f["rate"] != 1.0),
    "transposed": (lambda data: data.transpose(), lambda f: f.index >= 0),
    "stacked": (lambda data: data.stack(cell=("rate", "width")), lambda f: f.index >= 0),
    "in chunks": (lambda data: data.chunk({"rate": 1}), lambda f: f.index >= 0),
    "joined": (
        lambda data: xr.concat([data.isel(rate=[1]), data.isel(rate=[0, 2])], "rate", data_vars="minimal"),
        lambda f: f.index >= 0,
    ),
    "without names of units": (lambda data: data.drop_vars(["student_unit", "latent_2"]), lambda f: f.index >= 0),
    "upside down": (lambda data: data.isel(student_unit=slice(None, None, -1)), lambda f: f.index >= 0),
}


@pytest.mark.parametrize("name", SAME)
def test_what_xarray_selects_is_some_rows_of_the_table(name: str, dataset: xr.Dataset) -> None:
    change, chosen = SAME[name]
    whole = dataset.sweep.to_dataframe()
    keys = ["engine", "rate", "width"]
    selected = change(dataset).sweep.to_dataframe()
    assert set(selected.columns) == set(whole.columns)
    for one in (whole, selected):
        one.attrs = {}
    wanted = whole[chosen(whole)].sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(selected[whole.columns].sort_values(keys, ignore_index=True), wanted)


def test_a_selected_level_unit_or_block_stays_in_its_name(dataset: xr.Dataset) -> None:
    whole = dataset.sweep.to_dataframe()
    hard = dataset.sel(level="hard").sweep.to_dataframe()
    assert [name for name in hard if name.startswith("error")] == ["error[hard]", "error_se[hard]"]
    unit = dataset.sel(student_unit=2, student_unit_2=1).sweep.to_dataframe()
    assert [name for name in unit if name.startswith("Q[relevant]")] == ["Q[relevant][2,1]"]
    assert unit["R[irrelevant][2,1]"].equals(whole["R[irrelevant][2,1]"])
    block = dataset.sel(block="irrelevant").sweep.to_dataframe()
    assert set(block["block"]) == {"irrelevant"}
    assert block["R[2,1]"].equals(whole["R[irrelevant][2,1]"])
    run = dataset.isel(run=1).sweep.to_dataframe()
    np.testing.assert_array_equal(
        run["error_run[hard]"][:6], dataset["error_run"].isel(run=1).sel(level="hard").values.ravel()
    )


def test_masked_cells_are_rows_that_were_not_asked_for(dataset: xr.Dataset) -> None:
    frame = dataset.where(dataset.rate > 0.7).sweep.to_dataframe()
    masked = frame[frame["rate"] == 0.5]
    assert set(masked["status"]) == {"not asked"}
    assert set(masked["message"]) == {""}
    assert masked["error[hard]"].isna().all()
    by_level = dataset.where(dataset["error"] > 0.5).sweep.to_dataframe()
    assert len(by_level) == 24
    expected = dataset["error"].where(dataset["error"] > 0.5).values.ravel()
    np.testing.assert_array_equal(by_level["error"], expected)


def test_values_of_ones_own_are_columns(dataset: xr.Dataset) -> None:
    gain = (dataset["error"].sel(level="easy", drop=True) / dataset["error"].sel(level="hard", drop=True)).transpose()
    frame = dataset.assign(gain=gain).sweep.to_dataframe()
    np.testing.assert_array_equal(frame["gain"], gain.transpose("engine", "rate", "width").values.ravel())


def test_single_runs_and_records_stay_in_the_data_set(dataset: xr.Dataset) -> None:
    assert {"error_run", "error_path", "alpha"} <= set(dataset.data_vars)
    columns = dataset.sweep.to_dataframe().columns
    assert not [name for name in columns if "_run" in name and name != "diverged_runs"]
    assert not [name for name in columns if "_path" in name or name in ("alpha", "run", "record")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.drop_attrs(), "keep the attributes by keep_attrs=True"),
        (lambda data: data[["error"]], "keep the status, as in data["),
        (
            lambda data: made_up().to_xarray(),
            "a Trajectory, which Trajectory.load reads from a file, has methods plot",
        ),
        (
            lambda data: data.isel(rate=slice(1, 3)).mean("rate"),
            "mask the others first, by data.where(data.status == 1)",
        ),
        (lambda data: data.isel(rate=slice(1, 3)).interp(rate=[1.0, 5.0]), "got: cells that ended differently"),
        (lambda data: data.isel(engine=0, drop=True), "with its engine"),
    ],
    ids=range(6),
)
def test_what_is_no_sweep_any_more_says_the_way_back(
    change: Callable[[xr.Dataset], xr.Dataset], words: str, computed: xr.Dataset
) -> None:
    data = change(computed)
    for ask in (normal_form, lambda data: data.sweep.to_dataframe(), lambda data: data.sweep.plot()):
        with pytest.raises(ts.InputError) as raised:
            ask(data)
        assert words in str(raised.value)
        assert len(str(raised.value).splitlines()) == 1


def test_a_value_without_errors_says_what_is_missing(dataset: xr.Dataset) -> None:
    gain = dataset["error"].sel(level="easy", drop=True)
    with pytest.raises(ts.InputError, match="required: standard errors gain_se beside gain; got: none; assign gain_se"):
        dataset.assign(gain=gain).sweep.plot(value="gain")
    figure, _ = dataset.assign(gain=gain, gain_se=gain * np.nan).sweep.plot(value="gain")
    figure.draw_without_rendering()


def test_a_trajectory_opens_in_xarray_with_units_and_long_names() -> None:
    dataset = made_up(accuracy=True).to_xarray()
    assert [name for name in dataset.data_vars if "long_name" not in dataset[name].attrs] == []
    assert dataset["status"].attrs["flag_meanings"] == "ok diverged too_stiff"
    assert dataset["reached"].attrs["units"] == "samples / N"
