"""Files that somebody has edited, or another program has written: one InputError in one line, whatever is in them."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import figures
import ode
import simulations
import teacher_student as ts
from figures.command._main import main
from figures.pictures import check_report
from teacher_student.internal import read_json_file
from tests import build

BYTES = {
    "empty": b"",
    "list": b"[]",
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "null": b"null",
    "number": b"3",
    "text": b'"a"',
    "deep list": b"[" * 100_000,
    "deep table": b'{"p":' * 100_000,
    "5000 digits": b'{"p":' + b"9" * 5000 + b"}",
    "a key twice": b'{"p": 1, "p": 2}',
    "Latin": b"\xff\xfe",
    "binary": bytes(range(256)),
    "half": b'{"p": 1, "agr',
    "two values": b"{} {}",
    "no keys": b"{}",
}
WRONG: tuple[Any, ...] = (None, "x", [], {}, float("nan"), float("inf"), 10**400)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Theory and runs of one problem in files, and the report of their verdict."""
    folder = tmp_path_factory.mktemp("results")
    problem = build.problem(K=1, M=1)
    start = build.overlaps(problem, 1)
    theory = ode.solve(problem, start, [1.0, 2.0])
    runs = simulations.run(problem, 60, 12, [1.0, 2.0], 0, start=start, test_samples=16, progress=False)
    theory.save(folder / "theory.nc")
    runs.save(folder / "simulation.nc")
    (folder / "report.json").write_text(simulations.agreement(theory, runs).to_json())
    return folder


def in_one_line(call: Callable[[], object]) -> str:
    with pytest.raises(ts.InputError) as raised:
        call()
    assert len(str(raised.value).splitlines()) == 1
    return str(raised.value)


@pytest.mark.parametrize("name", BYTES)
def test_what_is_no_report_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(BYTES[name])
    in_one_line(lambda: check_report(read_json_file(path, "a report")))


def test_every_number_of_a_report_that_is_shown_is_looked_at(results: Path) -> None:
    theory = ts.Trajectory.load(results / "theory.nc")
    whole = json.loads((results / "report.json").read_text())
    figures.comparison(theory, None, whole)
    for name in ("p", "threshold_z", "worst_z", "agrees"):
        for value in WRONG:
            assert name in in_one_line(partial(figures.comparison, theory, None, {**whole, name: value}))
    row = {"kind": "Q", "alpha": 1.0, "z": 0.5}
    shift = {"name": "a", "label": "a", **dict.fromkeys(("value", "detectable", "shift", "standard_error", "z"), 0.5)}
    whole["number_of_deviations"] = 1
    figures.comparison(theory, None, {**whole, "deviations": [row], "shifts": [shift]})
    for rows, right in (("deviations", row), ("shifts", shift)):
        for key in right:
            for value in (None, [], float("nan"), 1e308, 10**400):
                report = {**whole, "deviations": [row], rows: [{**right, key: value}]}
                assert rows in in_one_line(partial(figures.comparison, theory, None, report))


def test_every_other_entry_of_a_report_is_looked_at_too(results: Path) -> None:
    whole = json.loads((results / "report.json").read_text())
    check_report(whole)
    spread = {"name": "Q", **dict.fromkeys(("p", "alpha", "ratio", "low", "high", "z", "threshold_z"), 0.5)}
    question = {"name": "all", "text": "a", "statistic": 1.0, "threshold": 2.0, "p": 0.5, "size": 3}
    whole |= {"spread": spread, "questions": [question], "fixed": {"T": 0.0}, "tie_probability": {"all": 0.0}}
    whole |= {"notes": ["a"], "against": [], "unseen": ["b"]}
    check_report(whole)
    for name, value in whole.items():
        wrongs: tuple[Any, ...] = (3.5j, b"x", [[]], {"x": []}, 10**400)
        for wrong in (*wrongs, -1.5 if isinstance(value, int) else float("nan")):
            message = in_one_line(partial(check_report, {**whole, name: wrong}))
            assert name in message
    rows: dict[str, dict[str, Any]] = {"spread": spread, "questions": question, "deviations": whole["deviations"][0]}
    for name, entries in rows.items():
        for key in entries:
            row = {**entries, key: b"x"}
            assert key in in_one_line(partial(check_report, {**whole, name: row if name == "spread" else [row]}))
    assert "dims" in in_one_line(lambda: check_report({**whole, "dims": [60, 30]}))
    assert "number_of_deviations" in in_one_line(lambda: check_report({**whole, "deviations": whole["deviations"][1:]}))


def test_the_command_says_what_is_wrong_with_a_report(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("theory.nc", "simulation.nc"):
        (tmp_path / name).write_bytes((results / name).read_bytes())
    (tmp_path / "report.json").mkdir()
    assert main(["figure", "comparison", str(tmp_path), "--save", str(tmp_path / "a.png")]) == 2
    assert "a report.json that `compare` wrote" in capsys.readouterr().err


def changed(name: str, value: Any) -> Callable[[xr.Dataset], xr.Dataset]:
    return lambda data: data.assign_attrs({name: value})


def of_the_problem(**entries: Any) -> Callable[[xr.Dataset], xr.Dataset]:
    return lambda data: data.assign_attrs(problem=json.dumps({**json.loads(data.attrs["problem"]), **entries}))


TRAJECTORIES: dict[str, Callable[[xr.Dataset], xr.Dataset]] = {
    **{f"problem {text[:8]!r}": changed("problem", text) for text in ("", "{", "[]", "null", "3", "[" * 50_000)},
    "problem with a key twice": changed("problem", '{"task": 1, "task": 2}'),
    "problem of numbers": changed("problem", 3),
    "engine of numbers": changed("source_engine", [1, 2]),
    **{f"no {name}": of_the_problem(**{name: None}) for name in ("task", "student", "sgd", "curriculum")},
    "student of width 0": of_the_problem(student={"width": 0}),
    "no attributes": lambda data: data.drop_attrs(),
    "without Q": lambda data: data.drop_vars("Q"),
    "without half of the start": lambda data: data.drop_vars("start_R"),
    "words": lambda data: data.assign(Q=data["Q"].astype(str)),
    "other dimensions": lambda data: data.rename(alpha="time"),
    "backwards": lambda data: data.assign(R=(data["R"].dims[::-1], data["R"].values.T)),
    "one alpha": lambda data: data.isel(alpha=0),
    "a status that is none": lambda data: data.assign(status=data["status"] * 0 + 7),
    "status NaN": lambda data: data.assign(status=data["status"] * np.nan),
    "of another program": lambda data: xr.Dataset({"temperature": ("time", [1.0, 2.0])}),
}


@pytest.mark.parametrize("which", ["theory", "simulation"])
@pytest.mark.parametrize("name", TRAJECTORIES)
def test_a_trajectory_file_that_was_edited_is_refused_in_one_line(
    name: str, which: str, results: Path, tmp_path: Path
) -> None:
    data = TRAJECTORIES[name](xr.load_dataset(results / f"{which}.nc"))
    data.to_netcdf(tmp_path / "edited.nc")
    in_one_line(lambda: ts.Trajectory.load(tmp_path / "edited.nc"))


def test_a_file_of_another_program_is_no_sweep_and_no_data_of_a_named_figure(tmp_path: Path) -> None:
    other = xr.Dataset({"temperature": ("time", [1.0, 2.0])})
    other.to_zarr(tmp_path / "other.zarr", zarr_format=3)
    for figure in ("phase-diagram", "curves"):
        assert main(["figure", figure, str(tmp_path / "other.zarr"), "--save", str(tmp_path / "a.png")]) == 2
    (tmp_path / "tickets").mkdir()
    other.to_netcdf(tmp_path / "tickets" / "tickets.nc")
    assert "data of the figure tickets" in in_one_line(
        lambda: figures.atlas.named_figure("tickets", tmp_path / "tickets")
    )
