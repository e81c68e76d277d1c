"""A sweep's data set after anything that xarray can do to it: every figure draws, or refuses in one line."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import figures
import teacher_student as ts
from figures.sweeps import _labelled
from figures.sweeps._axes import read_axes
from tests.sweep_files import BASE

RATES, VARIANCES = [0.5, 1.0, 2.0], [0.5, 1.0]
HARD = {"level": "hard"}


@pytest.fixture(scope="module")
def dataset() -> xr.Dataset:
    axes = {"rate": {"sgd.learning_rate": RATES}, "variance": {"task.levels.hard.irrelevant": VARIANCES}}
    simulation = {"dim": 60, "smaller_dim": 30, "runs": 3, "test_samples": 16}
    tables = {**BASE, "simulation": simulation, "record": {"count": 2}}
    return figures.sweep(tables, axes, engine="both", workers=0, progress=False)


FIGURES: dict[str, Callable[[xr.Dataset], Any]] = {
    "map": lambda data: figures.phase_diagram(data, at=HARD),
    "map with contour": lambda data: figures.phase_diagram(data, at=HARD, boundary=0.3),
    "map with rows": lambda data: figures.phase_diagram(data, at=HARD, boundary="steepest"),
    "curves": lambda data: figures.curves(data, "rate", lines="variance", at=HARD),
    "contrast": lambda data: figures.curves(data, contrast=("variance", *VARIANCES), at=HARD),
    "mean": lambda data: figures.curves(data, over="variance", at=HARD),
    "numbers": lambda data: figures.select(data, "accuracy", at=HARD),
    "boundary": lambda data: figures.boundary(figures.select(data, "error", at=HARD), "rate", "variance", 0.3),
    "boundary of no map": lambda data: figures.boundary(data, "rate", "variance", 0.3),
}

DRAWN: dict[str, Callable[[xr.Dataset], Any]] = {  # by the first figure at least
    "one engine": lambda data: data.sel(engine="theory"),
    "the other engine": lambda data: data.isel(engine=1),
    "squeezed": lambda data: data.isel(engine=[0]).squeeze(),
    "engines in another order": lambda data: data.isel(engine=[1, 0]),
    "transposed": lambda data: data.transpose(),
    "backwards": lambda data: data.isel(rate=slice(None, None, -1)),
    "in another order": lambda data: data.isel(rate=[2, 0, 1]),
    "one value of an axis": lambda data: data.isel(rate=[1]),
    "one cell": lambda data: data.isel(rate=[0], variance=[1]),
    "renamed": lambda data: data.rename(rate="eta"),
    "joined": lambda data: xr.concat([data.isel(rate=[0]), data.isel(rate=[1, 2])], "rate"),
    "stacked": lambda data: data.stack(cell=("rate", "variance")),
    "stacked with the engine": lambda data: data.stack(cell=("engine", "rate")),
    "loaded": lambda data: data.load(),
    "in chunks": lambda data: data.chunk({"rate": 1}),
    "with a coordinate more": lambda data: data.assign_coords(label=("rate", ["a", "b", "c"]), day=3.0),
    "masked": lambda data: data.where(data.rate > 0.7),
    "masked by numbers": lambda data: data.where(data["error"] > 0.01),
    "filled": lambda data: data.fillna(0.0),
    "on other values": lambda data: data.reindex(rate=[0.5, 0.7, 2.0]),
    "shifted": lambda data: data.shift(rate=1),
    "without an index": lambda data: data.reset_index("rate"),
    "without agreement": lambda data: data.drop_vars(["agrees", "error_run", "message"]),
    "never": lambda data: data.assign(error=data["error"] * np.inf),
    "from a dict": lambda data: xr.Dataset.from_dict(data.to_dict()),
}
REFUSED: dict[str, tuple[Callable[[xr.Dataset], Any], str]] = {  # by every figure
    "no cell": (lambda data: data.isel(rate=[]), "at least one cell; got: no value of rate"),
    "a value twice": (lambda data: data.isel(rate=[0, 0, 1]), "each value of rate once"),
    "0 and -0": (lambda data: data.assign_coords(rate=[-0.0, 0.0, 1.0]), "each value of rate once"),
    "NaN": (lambda data: data.assign_coords(rate=[np.nan, 1.0, 2.0]), "finite numbers or names along rate"),
    "infinity": (lambda data: data.assign_coords(rate=[np.inf, 1.0, 2.0]), "finite numbers or names along rate"),
    "complex": (lambda data: data.assign_coords(rate=[1j, 2j, 3j]), "finite numbers or names along rate"),
    "without values": (lambda data: data.drop_vars("rate"), "a data set with the values of rate"),
    "without engine": (lambda data: data.isel(engine=0, drop=True), "with its engine"),
    "of another engine": (lambda data: data.assign_coords(engine=["a", "b"]), "a known engine"),
    "without attributes": (lambda data: data.drop_attrs(), "without axes and status"),
    "half an attribute": (lambda data: data.assign_attrs(axes='{"rate"'), "the attribute axes that a sweep wrote"),
    "another attribute": (lambda data: data.assign_attrs(axes='{"rate": 3}'), "the attribute axes that a sweep wrote"),
    "without status": (lambda data: data.drop_vars("status"), "without axes and status"),
    "words as status": (lambda data: data.assign(status=data.status.astype(str)), "numbers of CellStatus as status"),
    "unknown status": (lambda data: data.assign(status=data.status * 0 + 99), "numbers of CellStatus as status"),
    "an array": (lambda data: data["error"], "the data set of a sweep (xarray.Dataset)"),
    "a path": (lambda data: "sweep.zarr", "the data set of a sweep (xarray.Dataset)"),
}


def draw(figure: Callable[[Any], Any], data: Any) -> bool:
    """Whether `figure` draws `data`; it is refused in one line otherwise."""
    try:
        drawn = figure(data)
    except ts.InputError as error:
        return "\n" in str(error) and pytest.fail(f"more than one line: {error}")
    if isinstance(drawn, Figure):
        drawn.draw_without_rendering()
    return True


@pytest.mark.filterwarnings("ignore:.*is_all_dates.*")
@pytest.mark.parametrize("name", DRAWN)
def test_what_xarray_makes_of_a_sweep_is_drawn_or_refused(name: str, dataset: xr.Dataset) -> None:
    data = DRAWN[name](dataset)
    drawn = {figure for figure, function in FIGURES.items() if draw(function, data)}
    assert "map" in drawn
    assert "boundary of no map" not in drawn


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sweep_any_more_is_refused_by_every_figure(name: str, dataset: xr.Dataset) -> None:
    change, words = REFUSED[name]
    data = change(dataset)
    with pytest.raises(ts.InputError) as raised:
        figures.phase_diagram(data, at=HARD)
    assert words in str(raised.value)
    assert not any(draw(FIGURES[figure], data) for figure in ("curves", "numbers", "boundary", "boundary of no map"))


def test_a_selected_engine_and_another_order_change_no_number(dataset: xr.Dataset) -> None:
    wanted = figures.select(dataset, "error", at=HARD)
    assert wanted["value"].notnull().all()
    for name in ("one engine", "transposed", "stacked", "in chunks", "loaded", "with a coordinate more"):
        value = figures.select(DRAWN[name](dataset), "error", at=HARD)["value"]
        xr.testing.assert_equal(wanted["value"], value.transpose(*wanted["value"].dims))


def test_cells_that_a_mask_leaves_out_were_not_asked_for(dataset: xr.Dataset) -> None:
    status = figures.select(dataset.where(dataset.rate > 0.7), "error", at=HARD)["status"]
    assert status.dtype == np.int8
    assert (status.sel(rate=0.5) == figures.CellStatus.NOT_ASKED).all()
    assert (status.sel(rate=1.0) == figures.CellStatus.DONE).all()


def test_messages_are_texts_that_xarray_can_put_together(dataset: xr.Dataset) -> None:
    assert dataset["message"].dtype == object
    for changed in (dataset.where(dataset.rate > 0.7), dataset.fillna(0.0), dataset.reindex(rate=[0.5, 0.7])):
        assert {value for value in changed["message"].values.ravel() if value == value} == {""}


@pytest.mark.parametrize("rate", [10**400, "0.5", [0.5], np.nan, 1j, None, {}], ids=range(7))
def test_a_value_that_no_axis_has_is_refused(rate: Any, dataset: xr.Dataset) -> None:
    with pytest.raises(ts.InputError, match="a value of rate that the sweep has"):
        figures.curves(dataset, at={**HARD, "rate": rate})


@pytest.mark.parametrize("where", [np.nan, np.inf, "middle", True, [0.1], 10**400, 1j], ids=range(7))
def test_a_boundary_is_a_finite_number_or_one_of_two_words(where: Any, dataset: xr.Dataset) -> None:
    for figure in (
        lambda: figures.phase_diagram(dataset, at=HARD, boundary=where),
        lambda: figures.boundary(figures.select(dataset, "error", at=HARD), "rate", "variance", where),
    ):
        with pytest.raises(ts.InputError, match="boundary"):
            figure()


def axis(values: Any) -> tuple[Any, ...]:
    return read_axes({"rate": {"sgd.learning_rate": values}})[0].labels


def test_minus_zero_is_zero_on_an_axis() -> None:
    assert [str(value) for value in axis([-0.0, 0.5])] == ["0.0", "0.5"]
    assert str(axis({"from": -0.0, "to": 1.0, "count": 2})[0]) == "0.0"
    with pytest.raises(ts.InputError, match="each value once"):
        axis([-0.0, 0.0])


def test_numbers_of_any_library_are_values_of_an_axis() -> None:
    import jax.numpy as jnp
    import pandas as pd

    for values in (
        [np.float64(0.5), np.array(1.0)],
        pd.Series([0.5, 1.0]),
        xr.DataArray([0.5, 1.0]),
        jnp.array([0.5, 1]),
    ):
        assert axis(values) == (0.5, 1.0)
        assert all(type(value) is float for value in axis(values))


@pytest.mark.parametrize(
    "values",
    [
        *([float("nan"), 1.0], [np.inf], [True, 1], [None], [1j], [b"a"], [10**400, 0.5], [2**63], [slice(1)]),
        *({1.0, 2.0}, "abc", 3, np.array(3.0), np.ones((2, 2)), np.ma.array([1.0, 2.0], mask=[False, True])),
        *({"from": 0, "to": 10**400, "count": 3}, {"from": 0, "to": np.nan, "count": 3}),
        *({"from": -1e308, "to": 1e308, "count": 3}, {"from": 0, "to": 1, "count": True}),
    ],
    ids=repr,
)
def test_what_is_no_value_of_an_axis_is_refused_in_one_line(values: Any) -> None:
    with pytest.raises(ts.InputError) as raised:
        axis(values)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    "values",
    [range(10**9), range(10**30), {"from": 0, "to": 10**9}, {"from": 0, "to": 1, "count": 10**12}, range(10**9, 0, -1)],
    ids=repr,
)
def test_an_axis_too_long_for_memory_is_refused_before_it_is_made(values: Any) -> None:
    with pytest.raises(ts.InputError, match=r"at most 10,000,000 values of the axis .* stay in memory"):
        axis(values)


def test_a_grid_too_large_for_memory_is_refused() -> None:
    axes = {
        name: {key: {"from": 0.1, "to": 1, "count": 3000}}
        for name, key in (("a", "seed"), ("b", "sgd.learning_rate"), ("c", "task.noise"))
    }
    with pytest.raises(ts.InputError, match=r"a grid of at most 10,000,000 cells .* got: 27,000,000,000"):
        read_axes(axes)


def test_sabotage_without_the_look_at_its_values_a_sweep_with_a_value_twice_is_drawn(
    dataset: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_what_is_no_sweep_any_more_is_refused_by_every_figure("a value twice", dataset)
    monkeypatch.setattr(_labelled, "_check_values", lambda *_: None)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        test_what_is_no_sweep_any_more_is_refused_by_every_figure("a value twice", dataset)
