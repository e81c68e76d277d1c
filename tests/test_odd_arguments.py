"""Arguments of the Python interface that nobody means: each is refused in one line, before anything is computed."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import figures
import ode
import teacher_student as ts
from figures.running import write_picture

from . import build, test_phase_diagram
from .sweep_files import BASE

SEEDS = {"seed": {"seed": [0, 1]}}
LONG = 10**5000  # an integer that Python does not print


@pytest.mark.parametrize("dim", [10**400, 100.0, "a", None, float("nan"), np.float32(0.5), -0.0, 0, True])
def test_a_dimension_of_a_start_is_a_whole_number(dim: Any) -> None:
    with pytest.raises(ts.InputError, match="dim"):
        ts.random_overlaps(build.problem(), dim, 0)


def test_a_start_of_an_astronomic_dimension_costs_nothing() -> None:
    start = ts.random_overlaps(build.problem(), 10**15, 0)
    assert np.all(np.isfinite(start.Q))


@pytest.mark.parametrize("key", [jnp.array(0.5), jnp.zeros(2), jnp.zeros((), jnp.uint32)])
def test_a_key_is_a_key(key: Any) -> None:
    with pytest.raises(ts.InputError, match="or a JAX key"):
        ts.random_overlaps(build.problem(), 100, key)


@pytest.mark.parametrize("measures", [5, float("inf"), True, None, np.float64(3.0), np.array(["error"])])
def test_measures_are_a_table_or_names(measures: Any) -> None:
    with pytest.raises(ts.InputError, match="or names to keep"):
        figures.read_sweep(BASE | {"axes": SEEDS, "measures": measures})


@pytest.mark.parametrize("axes", [np.array([1.0, 2.0]), 5, "rate", [], None, {}])
def test_axes_are_a_table(axes: Any) -> None:
    with pytest.raises(ts.InputError, match="at least one axis"):
        figures.read_sweep(BASE | {"axes": axes})


@pytest.mark.parametrize(
    "values",
    [
        [LONG, 1],
        [LONG, "a"],
        {"from": LONG, "to": 2.0, "count": 3},
        {"from": 0, "to": LONG},
        {"from": 1, "to": 2, "count": LONG},
    ],
)
def test_integers_too_long_to_print_are_refused(values: Any) -> None:
    with pytest.raises(ts.InputError) as caught:
        figures.read_sweep(BASE | {"axes": {"rate": {"sgd.learning_rate": values}}})
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", ["value", "se", "pair", "status"])
def test_no_axis_has_the_name_of_what_pictures_make(name: str) -> None:
    with pytest.raises(ts.InputError, match="axis name"):
        figures.read_sweep(BASE | {"axes": {name: {"seed": [0, 1]}}})


@pytest.mark.parametrize("name", ["value", "se", "pair"])
def test_no_dimension_is_renamed_to_what_pictures_make(name: str) -> None:
    data = test_phase_diagram.made_up().rename(order=name)
    for draw in (partial(figures.select, value="error"), figures.curves, figures.phase_diagram):
        with pytest.raises(ts.InputError, match="dimensions other than value, se"):
            draw(data)


def test_standard_errors_are_not_negative() -> None:
    data: xr.Dataset = test_phase_diagram.made_up()
    with pytest.raises(ts.InputError, match="error_se >= 0"):
        figures.curves(data.assign(error_se=-data["error_se"] - 1.0), "x", lines="y", at={"seed": 0, "order": "first"})


@pytest.mark.parametrize("table", ["start", "simulation", "record"])
def test_keys_that_are_numbers_are_refused(table: str) -> None:
    with pytest.raises(ts.InputError, match="known keys"):
        figures.read_experiment(BASE | {table: {"a": {}, 1: 2}})


def test_a_table_in_place_of_a_number_is_refused() -> None:
    with pytest.raises(ts.InputError, match="phase"):
        figures.read_experiment(BASE | {"curriculum": {"phases": [["easy", {"a": 1, 1: 2}]]}})


@pytest.mark.parametrize(("Q", "R"), [(1.0, 1e308), (1e308, 1e308), (-1e308, 0.0)])
def test_an_impossible_start_of_huge_numbers_is_refused_as_one_of_small_numbers_is(Q: float, R: float) -> None:
    one = ts.Committee(ts.Inputs({"all": 1.0}), width=1)
    problem = ts.Problem(one, ts.Student(1), ts.SGD(0.5), ts.Curriculum.single("all", 1.0))
    start = ts.Overlaps(np.full((1, 1, 1), Q), np.full((1, 1, 1), R), np.ones((1, 1, 1)))
    with pytest.raises(ts.InputError, match="positive semidefinite"):
        ode.solve(problem, start, [1.0])


@pytest.mark.parametrize("name", ["abc123", "real.pdf"])
def test_a_link_gets_the_format_of_its_own_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"old")
    os.symlink(tmp_path / name, tmp_path / "picture.png")
    write_picture(Figure(), tmp_path / "picture.png", force=True)
    assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "picture.png").is_symlink()
