"""The time limit of a cell: what it may be, where it cannot be kept, and what is said of cells that timed out.

That a worker is stopped and its sweep goes on stands in test_sweep_deaths.py.
"""

import atexit
import json
import os
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import distributed
import numpy as np
import pytest

import figures
import teacher_student as ts
from figures import CellStatus
from figures.command._main import main
from figures.sweeps import _workers
from figures.sweeps._cell_jobs import Cell, CellJob
from figures.sweeps._cell_timeout import OutOfTime, as_cell_timeout, compute_within, read_cell_timeout
from figures.sweeps._checked_store import ROOT, write_attributes

from .sweep_files import BASE, same, toml

AXES = {"rate": {"sgd": {"learning_rate": [0.5, 1.0, 1.5]}}}
FILE = BASE | {"axes": AXES, "measures": {"keep": ["error"]}}


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch) -> dict[float, CellStatus]:
    """The status of the cells of each learning rate, in place of a computation; DONE where it is not said."""
    statuses: dict[float, CellStatus] = {}

    def compute(job: Any) -> list[Cell]:
        rates = [tables["sgd"]["learning_rate"] for tables in job.tables]
        pairs = [(index, statuses.get(rate, CellStatus.DONE)) for index, rate in zip(job.indices, rates, strict=True)]
        return [Cell(index, status, "" if status == CellStatus.DONE else "why") for index, status in pairs]

    monkeypatch.setattr(_workers, "compute", compute)
    return statuses


def sweep(out: Path, **options: Any) -> list[int]:
    found = figures.sweep(BASE, AXES, ["error"], out=out, workers=0, progress=False, **options)
    statuses: list[int] = found["status"].values[0].tolist()
    return statuses


@pytest.mark.parametrize("limit", [0, -1.0, float("nan"), float("inf"), 1e10, 10**400, True, "soon", [1.0]])
def test_a_limit_is_a_number_of_seconds(limit: Any, tmp_path: Path) -> None:
    with pytest.raises(ts.InputError, match=r"a cell_timeout above 0 and up to 1e\+09 seconds"):
        sweep(tmp_path / "out.zarr", cell_timeout=limit)
    assert not list(tmp_path.iterdir())


def test_the_longest_limit_is_one_that_a_thread_can_wait_for() -> None:
    assert as_cell_timeout(1e9) == 1e9 < threading.TIMEOUT_MAX


def test_the_command_line_takes_seconds_or_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [read_cell_timeout(text) for text in ("off", "OFF", "90", "1.5")] == [None, None, 90.0, 1.5]
    assert main(["sweep", str(tmp_path / "sweep.toml"), "--cell-timeout", "soon"]) == 2
    assert "a cell_timeout above 0" in capsys.readouterr().err


def test_the_command_line_names_cells_that_timed_out_and_ends_with_1(
    outcome: dict[float, CellStatus], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sweep.toml").write_text(toml(FILE))
    command = ["sweep", str(tmp_path / "sweep.toml"), "--out", str(tmp_path / "out.zarr"), "--workers", "0"]
    outcome[1.0] = CellStatus.TIMED_OUT
    assert main([*command, "--cell-timeout", "90"]) == 1
    text = capsys.readouterr().out
    assert "warning     cell_timeout = 90 s is not kept with workers=0" in text
    assert "2 done, 1 timed out; 3 computed now" in text
    assert '--retry "timed out" computes cells that timed out again' in text
    outcome.clear()
    assert main(command) == 1
    assert "0 computed now" in capsys.readouterr().out
    assert main([*command, "--retry", "timed out"]) == 0
    text = capsys.readouterr().out
    assert "cell_timeout" not in text  # nobody has asked for a limit
    assert "3 done; 1 computed now" in text
    assert figures.open_sweep(tmp_path / "out.zarr")["message"].values.tolist() == [[""] * 3]


def test_a_store_of_a_version_without_time_limits_is_continued(
    outcome: dict[float, CellStatus], tmp_path: Path
) -> None:
    """Its list of statuses is completed, so that any reader can say what a cell's number means."""
    store = tmp_path / "out.zarr"
    outcome[1.0] = CellStatus.FAILED
    failed_one = sweep(store)
    shutil.copytree(store, tmp_path / "new.zarr")
    for file, entries in (
        (store / "status" / ROOT, ()),
        (store / ROOT, ("consolidated_metadata", "metadata", "status")),
    ):
        root = table = json.loads(file.read_text())
        for entry in entries:
            table = table[entry]
        attributes = table["attributes"]
        assert attributes["flag_values"].pop() == CellStatus.TIMED_OUT
        attributes["flag_meanings"] = attributes["flag_meanings"].removesuffix(" timed_out")
        file.write_text(json.dumps(root))
    write_attributes(store, {}, checked=True)

    assert figures.open_sweep(store)["status"].attrs["flag_meanings"].endswith("not_asked")
    assert sweep(store) == failed_one == [CellStatus.DONE, CellStatus.FAILED, CellStatus.DONE]
    attributes = figures.open_sweep(store)["status"].attrs
    assert np.asarray(attributes["flag_values"]).tolist() == [int(status) for status in CellStatus]
    assert attributes["flag_meanings"].split() == [status.name.lower() for status in CellStatus]
    assert same(store, tmp_path / "new.zarr")


def test_what_a_job_raises_is_raised_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "get_worker", lambda: SimpleNamespace(address="here", nanny=None))

    def refuse(error: Exception) -> None:
        raise error

    for error in (ts.InputError("a", "b"), TimeoutError("of a network")):
        with pytest.raises(type(error)) as caught:
            compute_within(60.0, refuse, error)
        assert caught.value is error
    assert compute_within(60.0, str, 3) == compute_within(None, str, 3) == "3"


@pytest.mark.parametrize("nanny", [None, "beside"])
def test_only_a_process_that_is_started_again_is_made_to_end_at_once(
    nanny: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others may be a user's own, whose exit code is to stay."""
    at_exit: list[Any] = []
    monkeypatch.setattr(atexit, "register", lambda *call: at_exit.append(call))
    monkeypatch.setattr(distributed, "get_worker", lambda: SimpleNamespace(address="here", nanny=nanny))
    end = threading.Event()
    assert compute_within(0.01, lambda job: job.wait(), end) == OutOfTime("here")
    end.set()
    assert ((os._exit, 0) in at_exit) == (nanny is not None)


freed = threading.Event()


def wait(job: Any) -> Any:
    if job.engine == "endless":
        freed.wait()
    return [Cell(job.indices[0], CellStatus.DONE)]


def test_a_worker_that_cannot_be_started_again_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a cluster of threads, or one that somebody started without Dask's nannies."""
    monkeypatch.setattr(_workers, "compute", wait)
    endless: Any = CellJob("endless", False, ((0,), (1,)), ({}, {}), None, None, "", 1)  # type: ignore[arg-type]
    brief: Any = CellJob("theory", False, ((2,),), ({},), None, None, "", 1)  # type: ignore[arg-type]
    cluster: Any = distributed.LocalCluster(  # type: ignore[no-untyped-call]  # Dask has no types
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    )
    try:
        with (
            cluster,
            _workers.start_workers(cluster, None, 2, cell_timeout=1.0) as workers,
            pytest.warns(UserWarning, match="cannot be started again .*: a cell that timed out still runs there"),
        ):
            cells = [cell for _, group in workers.do(iter([endless, brief])) for cell in group]
    finally:
        freed.set()
    assert {cell.index: cell.status for cell in cells} == {
        (0,): CellStatus.TIMED_OUT,
        (1,): CellStatus.TIMED_OUT,
        (2,): CellStatus.DONE,
    }
