"""Names with a meaning to matplotlib, TeX or a terminal: they are drawn and printed as what they are, or refused."""

import dataclasses
import json
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.text import Text

import figures
import ode
import teacher_student as ts
from figures.sweeps._labels import label_of
from figures.sweeps._plain_text import LONGEST, drawable, plain
from teacher_student._names import LONGEST_NAME

from . import test_phase_diagram

DRAWN = [
    r"$\input{/etc/passwd}$",
    "$_{$",
    "$",
    "$$$",
    r"$\$",
    "\\",
    "a\\",
    "_hidden",
    "% # & ~ ^ { }",
    "$x$",
    "a][1,2]",
    "1,2",
]
DRAWN += ["a.b", "error"]
REFUSED = ["", " ", "a\nb", "a\tb", "\x1b[31mred", "a\x00b", "\x7f", "\x9b31m", "a\u202eb", "\u2066a", "a\u2028b"]
REFUSED += ["\ud800", "\u200f", "\ufeff", "x" * 10_000, "a\rb", "\x08"]
UNPRINTABLE = [name for name in REFUSED if name.strip() and len(name) < 100]


def problem(name: str, block: str = "irrelevant") -> ts.Problem:
    """A small problem with a level and a block of these names."""
    variances = {"relevant": 1.0, block: 0.1}
    inputs = ts.Inputs({"relevant": 0.3, block: 0.7}, {name: variances, "other": {"relevant": 1.0, block: 1.5}})
    order = ts.Curriculum.phases((name, 1.0), ({name: 0.5, "other": 0.5}, 1.0))
    return ts.Problem(ts.Committee(inputs, 1, labels="sign"), ts.Student(1), ts.SGD(0.5, 0.1), order)


START = ts.Overlaps([[[0.25]], [[0.2]]], [[[0.01]], [[0.0]]], [[[0.3]], [[0.1]]])


@pytest.fixture(scope="module")
def solved() -> tuple[ts.Trajectory, ts.Trajectory]:
    """A theory and runs of the same numbers, whose names the tests change."""
    theory = ode.solve(problem("one"), START, np.linspace(0.25, 2, 8), with_accuracy=True)
    data = theory.to_xarray()
    values: dict[Any, Any] = {k: v.expand_dims(run=2) for k, v in data.data_vars.items() if "alpha" in v.dims}
    values |= {k: data[k].expand_dims(run=2) for k in ("status", "reached")}
    from teacher_student.result._files import fields_from_xarray

    runs = ts.Trajectory(**fields_from_xarray(data.assign(values).assign_attrs(source_engine="sgd", source_dim=100)))
    return theory, runs


def renamed(trajectory: ts.Trajectory, name: str) -> ts.Trajectory:
    seen = trajectory.observables
    levels = {kind: {name: values["one"], "other": values["other"]} for kind, values in vars_of(seen).items()}
    changed = ts.Observables(seen.overlaps, **levels)
    return dataclasses.replace(trajectory, problem=problem(name, "b" + name), observables=changed)


def vars_of(seen: ts.Observables) -> dict[str, Any]:
    return {"error": seen.error, "accuracy": seen.accuracy}


def report(name: str) -> dict[str, Any]:
    deviation = {"kind": "error", "alpha": 1.0, "z": 1.0}
    shift = {"name": f"task.inputs.variances[{name},b]", "label": f"variance of b ({name})", "value": 1.0}
    shift |= {"shift": 0.1, "standard_error": 0.1, "z": 1.0, "detectable": 0.3}
    numbers = {"threshold_z": 3.0, "worst_z": 1.0, "agrees": True, "p": 0.5}
    return {"deviations": [deviation], "shifts": [shift], **numbers}


def sweep(level: str, choices: Sequence[str] = DRAWN) -> xr.Dataset:
    """The data set of a sweep whose levels, choices and labels have such names."""
    data = test_phase_diagram.made_up().isel(seed=slice(0, 2), x=slice(0, 6), order=[0] * len(choices))
    data = data.assign_coords(order=list(choices))
    both = xr.concat([data, data], "level").assign_coords(level=[level, "other"])
    both["status"], both["agrees"] = data["status"], data["agrees"]
    both["x"].attrs["long_name"] = label_of(f"task.levels.{level}.b")
    both["y"].attrs["long_name"] = level  # as anybody may have written it
    return both.assign_attrs(data.attrs, problem=json.dumps({"task": {}}))


def texts(figure: Figure, path: Path) -> list[str]:
    """Draw a figure and return its texts."""
    figure.savefig(path)
    return [text.get_text() for text in all_texts(figure)]


def all_texts(figure: Figure) -> list[Any]:
    return list(figure.findobj(Text))


@pytest.mark.parametrize("name", DRAWN)
def test_a_comparison_draws_a_name_as_it_is(
    name: str, solved: tuple[ts.Trajectory, ts.Trajectory], tmp_path: Path
) -> None:
    theory, runs = (renamed(one, name) for one in solved)
    shown = texts(figures.comparison(theory, runs, report(name)), tmp_path / "picture.svg")
    for wanted in (plain(name), f", {plain('b' + name)}", f"variance of b ({plain(name).strip()})", "0.5 "):
        assert any(wanted in text for text in shown), wanted
    assert not is_math_text(plain(name))
    assert plain(name).replace(r"\$", "$").replace("\\ ", "\\").strip() == name


@pytest.mark.parametrize("level", ["$_{$", "\\"])
def test_maps_and_curves_of_sweeps_draw_names_as_they_are(level: str, tmp_path: Path) -> None:
    data, few = sweep(level), sweep(level, DRAWN[:2])
    first = {"seed": 0, "level": level}
    drawings: dict[str, Callable[[], Figure]] = {
        "curves": lambda: figures.curves(data, "x", lines="order", at={**first, "y": 0.5}),
        "axis": lambda: figures.curves(data, "order", at={**first, "x": 0.0, "y": 0.5}),
        "panels": lambda: figures.phase_diagram(
            few, "x", "y", at=first, panels="order", lines={level: ([0, 1], [0, 1])}
        ),
        "names": lambda: figures.phase_diagram(few, "order", "y", at={**first, "x": 0.0}),
        "gain": lambda: figures.phase_diagram(few, "x", "y", at=first, contrast=("order", *DRAWN[:2])),
    }
    for kind, draw in drawings.items():
        shown = texts(draw(), tmp_path / "picture.svg")
        assert any(plain(level).strip() in text for text in shown), kind
        assert any(plain(DRAWN[1]) in text for text in shown), kind


def test_names_do_not_reach_tex(solved: tuple[ts.Trajectory, ts.Trajectory]) -> None:
    """TeX reads files and runs for seconds. A user may have told matplotlib to draw all texts by it."""
    name = r"\input{/etc/passwd}"
    data = sweep(name, (name, "second"))
    with mpl.rc_context({"text.usetex": True}):
        drawn = [
            figures.comparison(renamed(solved[0], name)),
            figures.curves(data, "order", at={"seed": 0, "level": name, "x": 0.0, "y": 0.5}),
            figures.phase_diagram(data, "order", "y", at={"seed": 0, "level": name, "x": 0.0}),
        ]
        for figure in drawn:
            named = [text for text in all_texts(figure) if "input" in text.get_text()]
            assert named
            assert not any(text.get_usetex() for text in named)


def test_mathematics_of_a_label_stays_and_what_cannot_be_read_becomes_text() -> None:
    assert drawable(r"variance $\Delta$ (hard)") == r"variance $\Delta$ (hard)"
    assert drawable("a\nb $x$") == "a\nb $x$"
    assert drawable(r"$\nonsense{$") == r"\$\nonsense{\$"
    assert drawable("\x1b[31m") == r"\x1b[31m"
    assert label_of("task.levels.$x$.b") == r"variance $\Delta$ (\$x\$, b)"
    assert len(plain("x" * 10_000)) == LONGEST


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_no_terminal_shows_is_refused_in_one_line(name: str) -> None:
    makers = (
        lambda: ts.Inputs({"a": 1.0}, {name: {"a": 1.0}}),
        lambda: ts.Inputs({name: 1.0}),
        lambda: ts.XorMixture({name: {"separation": 1.0, "plane_variance": 1.0, "rest_variance": 1.0}}),
        lambda: ts.problem_from_tables(tables(name)),
        lambda: figures.read_sweep({"axes": {"order": {"choices": {name: {"seed": 1}}}}}),
        lambda: figures.read_sweep({"axes": {name: {"sgd.learning_rate": [1.0]}}}),
    )
    for make in makers:
        with pytest.raises(ts.InputError, match="printable") as caught:
            make()
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 5000


def tables(name: str) -> dict[str, Any]:
    task = {"fractions": {"a": 1.0}, "width": 1, "levels": {name: {"a": 1.0}}}
    return ts.problem_to_tables(problem("one")) | {"task": task, "curriculum": {"phases": [[name, 1.0]]}}


def test_the_longest_name_is_taken_and_a_number_is_none() -> None:
    assert ts.Inputs({"x" * LONGEST_NAME: 1.0}).block_names == ("x" * LONGEST_NAME,)
    with pytest.raises(ts.InputError, match="printable"):
        ts.Inputs({1: 1.0})  # type: ignore[dict-item]


@pytest.mark.parametrize("name", UNPRINTABLE)
def test_an_old_result_with_such_a_name_is_read_with_its_characters_spelt_out(
    name: str, solved: tuple[ts.Trajectory, ts.Trajectory], tmp_path: Path
) -> None:
    if any(unicodedata.category(letter) == "Cs" for letter in name):
        pytest.skip("no file can hold a surrogate by itself")
    data = solved[0].to_xarray()
    text = json.dumps(json.loads(data.attrs["problem"])).replace('"one"', json.dumps(name))
    foreign = data.assign_attrs(problem=text, source_method=f"method {name}", source_precision=name)
    foreign.assign_coords(level=[name.replace("\x00", ""), "other"]).to_netcdf(tmp_path / "old.nc", engine="netcdf4")
    theory = ts.Trajectory.load(tmp_path / "old.nc")
    spelt = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in name)
    assert theory.problem.inputs.level_names == (spelt, "other")
    assert repr(theory).isprintable()
    assert set(theory.error) == {spelt, "other"}
    texts(figures.comparison(theory), tmp_path / "picture.png")


@pytest.mark.parametrize("name", UNPRINTABLE)
def test_errors_spell_out_what_they_quote(name: str) -> None:
    error = ts.InputError(f"one of {name}", name, f"try {name}")
    assert str(error).isprintable()


def test_a_foreign_store_is_opened_with_its_texts_spelt_out(tmp_path: Path) -> None:
    data = test_phase_diagram.made_up().isel(seed=slice(0, 2))
    name = "\x1b[2Jgone"
    axes = json.dumps({"order": {name: {}, "second": {}}})
    foreign = data.assign_coords(order=[name, "second"]).assign_attrs(title=name, axes=axes)
    foreign["x"].attrs["long_name"] = name
    foreign.to_zarr(tmp_path / "foreign.zarr", zarr_format=3, consolidated=True)
    opened = figures.open_sweep(tmp_path / "foreign.zarr")
    assert opened["order"].values.tolist() == [r"\x1b[2Jgone", "second"]
    assert list(json.loads(opened.attrs["axes"])["order"]) == [r"\x1b[2Jgone", "second"]
    assert "\x1b" not in repr(opened)
    assert "\x1b" not in str(opened["x"].attrs)
