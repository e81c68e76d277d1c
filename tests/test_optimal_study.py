"""The figure of optimal orders: classes, cells and their files, data sets, text and picture."""

import dataclasses
import json
import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import figures.atlas
import teacher_student as ts
from figures.atlas.optimal_study import _computing, _study
from figures.atlas.optimal_study._cells import path_of, read_cell, write_cell
from figures.atlas.optimal_study._classes import order_of
from figures.atlas.optimal_study._found import Found
from figures.atlas.optimal_study._plan import (
    BASE,
    QUICK,
    PerceptronCell,
    Plan,
    XorCell,
    between,
    neighbours,
    on_axis,
    xor_settings,
)
from figures.atlas.optimal_study._plot import easy_share
from figures.atlas.optimal_study._summary import (
    boundaries,
    gain_of,
    gains,
    orders,
    perceptron_set,
    xor_rows,
    xor_set,
)
from teacher_student import internal

from .pages import ROOT

E, H = 1.0, 0.0
CLASSES: dict[str, list[tuple[float, float, float]]] = {
    "easy, hard": [(3, E, E), (3, H, H)],
    "hard, easy": [(3, H, H), (1, E, E), (2, 0.99, 1.0)],
    "easy, hard, easy": [(1, E, E), (3, H, H), (0.0, 0.5, 0.5), (2, E, E)],
    "easy, hard, mix, easy": [(1, E, E), (2, H, H), (2, 0.05, 0.15), (1, E, E)],
    "mixed": [(3, 0.5, 0.5), (3, 0.4, 0.6)],
    "easy, mix": [(3, E, E), (3, 0.2, 0.8)],
}


@pytest.mark.parametrize("name", CLASSES)
def test_the_class_of_an_order_says_what_it_shows_one_after_the_other(name: str) -> None:
    assert order_of(CLASSES[name]) == name


def test_a_mixed_phase_of_equal_ones_is_the_switch_inside_of_it() -> None:
    phases = [(1, E, E), (1, 0.7, 0.7), (1, H, H), (1, 0.2, 0.2), (1, 0.3, 0.3), (1, E, E)]
    assert order_of(phases, coarse=1 / 6) == "easy, hard, mix, easy"
    assert order_of(phases) == "easy, mix, hard, mix, easy"
    assert order_of([(1, E, E), (1, 0.5, 0.5), (1, E, E)], coarse=1 / 3) == "easy, mix, easy"  # no switch


def test_a_stretch_of_next_to_no_time_is_left_out() -> None:
    assert order_of([(3, E, E), (0.01, H, H), (3, E, E)]) == "easy"
    assert order_of([(3, E, E), (0.2, H, H), (3, E, E)]) == "easy, hard, easy"


def test_the_plan_has_each_point_once_and_looks_between_neighbours_on_an_axis() -> None:
    cells = Plan().perceptrons()
    assert len(cells) == len({cell.name for cell in cells}) == 2 * (5 * 7 - 4 + 1)
    for axis in BASE:
        row = on_axis(cells, axis, "hard")
        assert len(row) == 7
        assert sorted(getattr(cell, axis) for cell in row) == [getattr(cell, axis) for cell in row]
    assert between(PerceptronCell(rate=1.0), PerceptronCell(rate=4.0), "rate").rate == 2.0
    assert between(PerceptronCell(share=0.2), PerceptronCell(share=0.4), "share").share == pytest.approx(0.3)
    assert sum(1 for _ in neighbours(cells, list(BASE))) == 2 * 5 * 6


def test_the_share_of_easy_samples_is_read_off_phases() -> None:
    phases = np.array([(1.0, 1.0, 1.0), (2.0, 0.0, 0.5), (1.0, 1.0, 1.0)])
    np.testing.assert_allclose(easy_share(phases, np.array([0.1, 0.25, 0.5, 0.74, 0.9])), [1, 0, 0.25, 0.49, 1])


# ------------------------------------------------------------------------------------------------------- made-up cells


def found(cost: float, named: tuple[float, float, float], phases: Any = CLASSES["easy, hard"], **others: Any) -> Found:
    costs = dict(zip(("easy, hard", "hard, easy", "mixed"), named, strict=True))
    usual: dict[str, Any] = {
        "kkt": 1e-7,
        "slopes": 1e-6,
        "violation": 0.0,
        "to_gain": 1e-4,
        "verdict": "EXTREMAL",
        "kelley": None,
        "mixed_at_most": 0.0,
        "rates": [],
        "searches": [["mixed", cost, 7], ["easy, hard", cost + 1e-5, 5]],
        "status": "converged",
        "method": "direct",
    }
    return Found(cost, costs, costs, phases=[list(row) for row in phases], **(usual | others))


def perceptrons() -> xr.Dataset:
    """A share axis on which the order changes between 0.2 and 0.5, and one point with rates of its own."""
    made = {}
    for judged in ("mixture", "hard"):
        made[PerceptronCell(share=0.2, judged=judged)] = found(0.2, (0.2, 0.25, 0.22))
        made[PerceptronCell(judged=judged)] = found(
            0.15, (0.17, 0.19, 0.16), CLASSES["easy, hard, mix, easy"], kelley=-0.01
        )
        made[PerceptronCell(share=0.9, judged=judged)] = found(0.1, (0.14, 0.13, 0.12), CLASSES["easy, mix"])
    tuned = PerceptronCell(tuned=True)
    made[tuned] = found(0.11, (0.111, 0.14, 0.13), rates=[4.0, 2.0, 1.0])
    return with_attributes(perceptron_set(made))


def xors(gain: float = 0.02, noise: float = 0.001) -> xr.Dataset:
    generator = np.random.default_rng(0)
    made = {}
    for cell in Plan().xors():
        error = np.array([0.3 - gain, 0.3, 0.5, 0.4])[:, None, None, None] + np.zeros((4, 2, 2, 3))
        error[:, :, 1] = 1 - error[:, :, 1]
        error += noise * generator.normal(size=error.shape)
        made[cell] = found(0.3 - gain, (0.3, 0.5, 0.4), evaluated=error.tolist())
    return with_attributes(xor_set(made)).assign_attrs(setting=json.dumps(xor_settings()))


def with_attributes(data: xr.Dataset) -> xr.Dataset:
    return data.assign_attrs(base=json.dumps(BASE), plan=json.dumps(dataclasses.asdict(Plan())))


def test_boundaries_lie_between_the_neighbours_whose_orders_differ() -> None:
    data = perceptrons()
    first, *others = [each for each in boundaries(data) if each.judged == "mixture"]
    assert (first.axis, first.low, first.high, first.below) == ("share", 0.2, 0.5, "easy, hard")
    assert [(each.low, each.high) for each in others] == [(0.5, 0.9)]
    assert orders(data)[1] == "easy, hard, mix, easy"
    np.testing.assert_allclose(gains(data)[:3], [0.0, 0.01, 0.02])


@pytest.mark.parametrize(("gain", "verdict"), [(0.02, "gains"), (0.0, "no gain seen"), (-0.02, "loses")])
def test_the_gain_of_other_points_has_an_interval_over_starts(gain: float, verdict: str) -> None:
    for _, _, row in xor_rows(xors(gain)):
        measured = gain_of(row, "error", "other", "easy, hard")
        assert measured.verdict == verdict
        assert measured.mean == pytest.approx(gain, abs=0.003)
        assert gain_of(row, "accuracy", "own", "easy, hard").mean == pytest.approx(gain, abs=0.003)


def test_text_and_picture_are_made_of_the_data_alone(tmp_path: Path) -> None:
    text = figures.atlas.optimal_text(perceptrons(), xors())
    for words in (
        "share of easy samples 0.35 +- 0.15: easy, hard | easy, hard, mix, easy",
        "16.7%, from 0.12000 to 0.10000",
        "rates 4.00 2.00 1.00; gain 0.001000",
        "With its own rates another named order is best in 0 of 1 points",
        "Certificates of all 7 optima: EXTREMAL (7)",
        "(gains)",
    ):
        assert words in text
    figures.atlas.optimal(perceptrons(), xors()).savefig(tmp_path / "optimal.png")
    assert (tmp_path / "optimal.png").stat().st_size > 10_000


def test_costs_of_other_cells_give_another_text() -> None:
    data = perceptrons()
    shuffled = data.assign(cost=("cell", data["cost"].values[::-1]))
    assert figures.atlas.optimal_text(data, xors()) != figures.atlas.optimal_text(shuffled, xors())
    other = xors()
    turned = other.assign(evaluated=other["evaluated"].copy(data=other["evaluated"].values[:, ::-1]))
    assert figures.atlas.optimal_text(data, other) != figures.atlas.optimal_text(data, turned)


# --------------------------------------------------------------------------------------------------------------- files


def test_a_cell_is_read_as_it_was_written(tmp_path: Path) -> None:
    for cell in (PerceptronCell(rate=1.0), XorCell("in the plane", 4, 0)):
        assert read_cell(tmp_path, cell, QUICK) is None
        written = found(0.1, (0.2, 0.3, 0.4))
        write_cell(tmp_path, cell, QUICK, written)
        assert read_cell(tmp_path, cell, QUICK) == written


SPOILT: dict[str, Callable[[str], str]] = {
    "cut": lambda text: text[: len(text) // 2],
    "another number": lambda text: text.replace('"cost": 0.1', '"cost": 0.2'),
    "of another program": lambda text: '{"temperature": 3}',
    "a list": lambda text: "[1, 2]",
    "no text": lambda text: "\x00\x01",
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_file_that_is_damaged_or_no_cell_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    cell = PerceptronCell()
    write_cell(tmp_path, cell, QUICK, found(0.1, (0.2, 0.3, 0.4)))
    path = path_of(tmp_path, cell)
    path.write_text(SPOILT[name](path.read_text()))
    with pytest.raises(ts.InputError) as raised:
        read_cell(tmp_path, cell, QUICK)
    assert "\n" not in str(raised.value)
    assert path.name in str(raised.value)


def test_a_cell_of_other_sizes_or_of_another_point_is_not_taken(tmp_path: Path) -> None:
    cell, other = PerceptronCell(), PerceptronCell(rate=1.0)
    write_cell(tmp_path, cell, QUICK, found(0.1, (0.2, 0.3, 0.4)))
    with pytest.raises(ts.InputError, match="of other sizes"):
        read_cell(tmp_path, cell, Plan())
    shutil.copy(path_of(tmp_path, cell), path_of(tmp_path, other))
    with pytest.raises(ts.InputError, match="of another one"):
        read_cell(tmp_path, other, QUICK)


# ------------------------------------------------------------------------------------------------------- computed cells

SMALL = dataclasses.replace(
    QUICK, axes={"rate": (1.0,)}, phases=3, widths=((4, 1),), xor_phases=2, xor_points=64, xor_steps=1, fresh_points=64
)


@pytest.mark.long
def test_the_study_computes_what_is_lacking_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_study, "plan_of", lambda quick, seed=0: SMALL)
    count: list[Any] = []
    real = _computing.computed

    def counted(cell: Any, plan: Plan) -> Found:
        count.append(cell)
        return real(cell, plan)

    monkeypatch.setattr(_computing, "computed", counted)
    said: list[str] = []
    options: dict[str, Any] = {"progress": False, "say": said.append}

    def interrupted(folder: Path, cell: Any, plan: Plan, result: Found) -> None:
        write_cell(folder, cell, plan, result)
        raise KeyboardInterrupt

    monkeypatch.setattr(_computing, "write_cell", interrupted)
    with pytest.raises(KeyboardInterrupt):
        figures.atlas.optimal_data(tmp_path, **options)
    monkeypatch.setattr(_computing, "write_cell", write_cell)
    assert len(list((tmp_path / "cells").iterdir())) == 1
    data = figures.atlas.optimal_data(tmp_path, **options)
    assert len(count) == len(set(count)) == data.sizes["cell"] == 2
    assert "1 of 2 best orders are lacking" in said[-1]
    again = figures.atlas.optimal_data(tmp_path, **options)
    assert len(count) == 2
    xr.testing.assert_identical(data, again)
    assert np.all(gains(data) >= -1e-9)
    assert np.all(data["kkt"].values < 1e-3)
    xor = figures.atlas.optimal_data(tmp_path, part="xor", **options)
    assert xor["evaluated"].shape == (2, 4, 2, 2, SMALL.replicates)
    assert np.all(np.isfinite(xor["evaluated"].values))
    figures.atlas.optimal_text(data, xor)


@pytest.mark.long
def test_processes_give_what_this_one_gives(tmp_path: Path) -> None:
    cell = PerceptronCell(rate=1.0, judged="hard")
    results = []
    for workers in (0, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        results.append(_computing.completed(folder, [cell], SMALL, workers, False)[cell])
    assert results[0].named == pytest.approx(results[1].named, rel=1e-9)
    assert results[0].cost == pytest.approx(results[1].cost, rel=1e-9)
    assert not multiprocessing.active_children()


def test_a_part_that_there_is_not_and_a_folder_of_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ts.InputError, match="did you mean 'perceptron'"):
        figures.atlas.optimal_data(tmp_path, part="perceptrn")
    (tmp_path / "letters").write_text("dear")
    with pytest.raises(ts.InputError, match="data of the figure optimal"):
        figures.atlas.named_figure("optimal", tmp_path)


# -------------------------------------------------------------------------------------------------------- shipped data


def shipped(part: str) -> xr.Dataset:
    return internal.load_dataset(ROOT / "docs" / "atlas" / "optimal" / f"{part}.nc")


def test_the_shipped_base_point_is_that_of_mignacco_and_mori() -> None:
    data = shipped("perceptron")
    at = {name: data[name].values == value for name, value in BASE.items()}
    here = np.all(list(at.values()), axis=0) & (data["judged"].values == "mixture") & ~data["tuned"].values.astype(bool)
    (index,) = np.flatnonzero(here)
    assert float(data["cost"][index]) == pytest.approx(0.14684127, abs=2e-8)
    assert data["named_cost"].values[index] == pytest.approx([0.1558618, 0.1628201, 0.1527775], abs=1e-7)
    assert orders(data)[index] == "easy, hard, mix, easy"


def test_no_shipped_optimum_is_worse_than_a_named_order() -> None:
    data = shipped("perceptron")
    assert np.all(gains(data) >= -1e-9)
    assert float(np.mean([verdict != "REJECTED" for verdict in data["verdict"].values])) > 0.9
