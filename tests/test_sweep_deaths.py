"""Sweeps that are killed, and workers that die: in the end the store holds the bytes of an undisturbed one."""

import copy
import dataclasses
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import numpy as np
import psutil
import pytest
import xarray as xr

import figures
from figures import CellStatus
from figures.sweeps import _workers
from figures.sweeps._cell_jobs import CellJob

from . import build
from .as_users import HANGS
from .sweep_files import BASE, same, toml

pytestmark = pytest.mark.slow  # most of its time is compilation

MOMENTS = (1, 180)  # the openings of files to write, and renamings, before which a kill strikes
RATES = {"sgd": {"learning_rate": np.linspace(0.05, 4.0, 24).tolist()}}
VARIANCES = {"task": {"levels": {"hard": {"irrelevant": np.linspace(0.1, 3.0, 20).tolist()}}}}
CELLS = 24 * 20
SWEEP = BASE | {"measures": {"keep": ["error"]}, "sweep": {"tile": 4}}
LARGE = SWEEP | {"axes": {"rate": RATES, "variance": VARIANCES}}
SMALL = SWEEP | {
    "axes": {"rate": {"sgd": {"learning_rate": RATES["sgd"]["learning_rate"][:18]}}, "variance": VARIANCES}
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Processes of this file share compiled programs, so that a restart costs little."""
    cache = tmp_path_factory.mktemp("compiled")
    names = ("MIN_COMPILE_TIME_SECS", "MIN_ENTRY_SIZE_BYTES")
    changes = {f"JAX_PERSISTENT_CACHE_{name}": "0" for name in names} | {"JAX_COMPILATION_CACHE_DIR": str(cache)}
    return os.environ | changes


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    folder: Path = tmp_path_factory.mktemp("undisturbed")
    run = start(folder, LARGE, environment, "--workers", "0")
    assert run.wait(timeout=HANGS) == 0
    return folder / "out.zarr"


def start(folder: Path, tables: dict[str, Any], environment: dict[str, str], *options: str) -> subprocess.Popen[str]:
    """The command line's sweep of `tables` into folder/out.zarr."""
    file = folder / "sweep.toml"
    file.write_text(toml(tables))
    code = "import sys; from figures.command._main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "sweep", str(file), "--out", str(folder / "out.zarr"), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def done(store: Path) -> int:
    """Number of cells done so far; 0 if there is no store yet."""
    try:
        return int(np.sum(figures.open_sweep(store)["status"].values == CellStatus.DONE))
    except Exception:  # being replaced
        return 0


@pytest.mark.long("20")
@pytest.mark.parametrize("kills", [3, 20])
def test_killed_many_times_the_store_is_the_same_bit_for_bit(
    kills: int, tmp_path: Path, undisturbed: Path, environment: dict[str, str]
) -> None:
    """A kill strikes before a file of the store is opened or renamed, so that most strike within a write.

    Half of them strike a sweep whose axis is then extended, so that an extension is struck too.
    """
    zygote = subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.zygote"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[1],
    )

    def sweep(tables: dict[str, Any], killed_at: int | None) -> int:
        (tmp_path / "sweep.toml").write_text(toml(tables))
        arguments = [killed_at, "sweep", str(tmp_path / "sweep.toml"), "--out", str(tmp_path / "out.zarr")]
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        print(json.dumps([*arguments, "--workers", "0"]), file=zygote.stdin, flush=True)
        return int(zygote.stdout.readline())

    moments, progress = random.Random(7), []
    with zygote:
        for kill in range(kills):
            assert sweep(SMALL if kill < kills // 2 else LARGE, moments.randint(*MOMENTS)) == signal.SIGKILL
            progress.append(done(tmp_path / "out.zarr"))
        assert sweep(LARGE, None) == 0
        assert zygote.stdin is not None
        zygote.stdin.close()
    assert progress == sorted(progress)
    struck = {cells for cells in progress if 0 < cells < CELLS}
    assert len(struck) >= kills // 2, progress  # the kills did strike half way
    assert same(tmp_path / "out.zarr", undisturbed)


@pytest.mark.long
def test_local_workers_one_of_them_killed_give_the_same_data(
    tmp_path: Path, undisturbed: Path, environment: dict[str, str]
) -> None:
    run = start(tmp_path, LARGE, environment, "--workers", "2")
    killed = False
    while run.poll() is None:
        time.sleep(0.1)
        if not killed and 0 < done(tmp_path / "out.zarr") < CELLS:
            workers = [each for each in psutil.Process(run.pid).children() if "spawn_main" in " ".join(each.cmdline())]
            workers[-1].kill()
            killed = True
    assert killed
    assert run.returncode == 0
    assert same(tmp_path / "out.zarr", undisturbed)


@pytest.mark.long
def test_a_given_scheduler_gives_the_same_data(tmp_path: Path, undisturbed: Path, environment: dict[str, str]) -> None:
    """A scheduler and a worker as a cluster would start them, with Dask's own commands."""
    address = tmp_path / "scheduler.json"
    dask_command = [sys.executable, "-m", "dask"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    scheduler = subprocess.Popen(
        [*dask_command, "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(address)], **quiet
    )
    worker = None
    try:
        while not address.exists():
            time.sleep(0.1)
        where = json.loads(address.read_text())["address"]
        worker = subprocess.Popen(
            [*dask_command, "worker", where, "--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path)],
            **quiet,
        )
        run = start(tmp_path, LARGE, environment, "--scheduler", where)
        assert run.wait(timeout=HANGS) == 0
        assert same(tmp_path / "out.zarr", undisturbed)
        scheduler.kill()
        scheduler.wait()
        assert start(tmp_path, LARGE, environment, "--scheduler", where, "--retry", "failed").wait(timeout=HANGS) == 0
    finally:
        for process in (scheduler, worker):
            if process is not None:
                process.kill()


def test_a_worker_that_dies_with_a_finished_job_has_it_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job is over and its worker dead before the cells are fetched."""
    monkeypatch.setattr(_workers, "compute", place_and_process)
    with _workers.start_workers(None, 2, 8) as cluster:
        assert isinstance(cluster, _workers.Cluster)
        client = cluster.client

        def jobs() -> Iterator[Any]:
            yield 1
            futures = list(client.futures)
            while not (holders := client.who_has().get(futures[0])):
                time.sleep(0.02)
            (pid,) = client.run(os.getpid, workers=list(holders)).values()
            os.kill(pid, signal.SIGKILL)
            while client.futures[futures[0]].status == "finished":
                time.sleep(0.001)
            killed.append(pid)

        killed: list[int] = []
        ((job, (place, pid)),) = build.unchecked(cluster.do(jobs()))
    assert (job, place) == (1, 1)
    assert pid not in killed


def place_and_process(job: Any) -> Any:
    return job, os.getpid()


def die(x: Any) -> Any:
    """An activation that ends the process that solves with it, if that is a worker."""
    if multiprocessing.parent_process() is not None:
        os._exit(1)
    return x


def test_a_cell_that_kills_its_worker_fails_alone(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        if name.startswith("JAX_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    base = copy.deepcopy(BASE)
    base["student"]["activation"] = "erf"
    axes = {"unit": {"student.activation": ["erf", f"{__name__}:die", "linear"]}}
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        found = figures.sweep(base, axes, ["error"], workers=1, progress=False)
    assert found["status"].values.tolist() == [[CellStatus.DONE, CellStatus.FAILED, CellStatus.DONE]]
    assert "its worker died" in str(found["message"].values[0, 1])
    alone = figures.sweep(base, {"unit": {"student.activation": ["erf"]}}, ["error"], workers=0, progress=False)
    np.testing.assert_array_equal(found["error"].values[:, 0], alone["error"].values[:, 0])


def loop(x: Any) -> Any:
    """An activation whose solve never ends, if that is in a worker, and while the file that ENDLESS names is there."""
    if multiprocessing.parent_process() is not None:
        while os.path.exists(os.environ["ENDLESS"]):
            time.sleep(0.1)
    return x


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], tmp_path: Path) -> Path:
    """The file that keeps `loop` going; removed, `loop` is linear."""
    for name, value in environment.items():
        if name.startswith("JAX_"):
            monkeypatch.setenv(name, value)
    file = tmp_path / "endless"
    file.touch()
    monkeypatch.setenv("ENDLESS", str(file))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    return file


@pytest.mark.long
def test_a_cell_without_end_times_out_alone_and_can_be_tried_again(endless: Path, tmp_path: Path) -> None:
    """It shares its tile with others, which are done when the tile is computed again cell by cell."""
    base = copy.deepcopy(BASE)
    base["student"]["activation"] = "erf"
    units = {"unit": {"student.activation": ["erf", f"{__name__}:loop", "linear"]}}

    def sweep(**options: Any) -> xr.Dataset:
        return figures.sweep(base, units, ["error"], out=tmp_path / "out.zarr", progress=False, **options)

    found = sweep(workers=1, cell_timeout=30)
    assert found["status"].values.tolist() == [[CellStatus.DONE, CellStatus.TIMED_OUT, CellStatus.DONE]]
    assert found["message"].values.tolist() == [["", "it was not done within 30 s", ""]]
    alone = figures.sweep(base, {"unit": {"student.activation": ["erf"]}}, ["error"], workers=0, progress=False)
    np.testing.assert_array_equal(found["error"].values[:, 0], alone["error"].values[:, 0])

    endless.unlink()
    assert sweep(workers=0)["status"].values[0, 1] == CellStatus.TIMED_OUT  # kept, not computed again
    mended = sweep(workers=0, retry=["timed out"])
    assert mended["status"].values.tolist() == [[CellStatus.DONE] * 3]
    assert mended["message"].values.tolist() == [[""] * 3]
    linear = mended["error"].values[0, 1:]
    np.testing.assert_allclose(linear[0], linear[1], rtol=1e-3)


def process(job: Any) -> Any:
    """The process that does a job; the job "endless" never ends."""
    while job.engine == "endless":
        pass
    return [os.getpid()]


def test_a_worker_whose_job_timed_out_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.setattr(_workers, "compute", process)
    job: Any = CellJob("endless", False, ((0,),), ({},), None, None, "", 1)  # type: ignore[arg-type]
    with _workers.start_workers(None, 1, 8, cell_timeout=2.0) as cluster:
        assert isinstance(cluster, _workers.Cluster)
        (before,) = cluster.client.run(os.getpid).values()
        ((_, (cell,)),) = cluster.do(iter([job]))
        ((_, (after,)),) = cluster.do(iter([dataclasses.replace(job, engine="theory")]))
    assert cell.status == CellStatus.TIMED_OUT
    assert after != before
    assert not psutil.pid_exists(build.unchecked(before))
