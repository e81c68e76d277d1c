"""What lies beside results is the user's: no store removes it, and pipes and devices are neither read nor replaced."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import figures
import ode
import teacher_student as ts
from figures.command._main import main
from figures.sweeps import _checked_store, _store

from . import build
from .sweep_files import BASE, toml

RATES = {"rate": {"sgd.learning_rate": [0.5, 1.0, 1.5]}}
SEEDS = {"seed": {"seed": [0, 1, 2, 3]}}
MORE = {"rate": {"sgd.learning_rate": [0.5, 1.0, 1.5, 2.0]}}


def sweep(out: Path, axes: dict[str, Any] = RATES) -> xr.Dataset:
    return figures.sweep(BASE, axes, ["error"], workers=0, out=out, progress=False, tile=1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("finished") / "s.zarr"
    sweep(out)
    return out


@pytest.fixture
def store(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "s.zarr"))


@pytest.fixture(scope="module")
def theory() -> ts.Trajectory:
    problem = build.problem()
    return ode.solve(problem, build.overlaps(problem), [0.0, 0.1])


# ---- folders that look like a part of a store


@pytest.mark.parametrize("name", ["seed/0", "error/c.0.0", "status/zarr.json", "rate/c/0", "error/x.partial"])
def test_a_folder_that_looks_like_a_part_of_a_store_is_refused_and_stays(name: str, tmp_path: Path) -> None:
    file = tmp_path / "results" / name
    file.parent.mkdir(parents=True)
    file.write_text("precious")
    with pytest.raises(ts.InputError, match="a store that a sweep wrote"):
        sweep(tmp_path / "results", SEEDS)
    assert file.read_text() == "precious"


def test_chunks_that_another_writes_below_a_folder_are_left_alone(store: Path, tmp_path: Path) -> None:
    """In a folder that is no store, and in a store that lies below another one."""
    partial = f"error/c.0.0.{'0' * 32}.partial"
    below = [tmp_path / "parent" / "other.zarr" / partial, store / "other.zarr" / partial]
    for file in below:
        file.parent.mkdir(parents=True)
        file.write_text("half")
    own = store / partial
    own.write_text("half")
    with pytest.raises(ts.InputError, match="a store that a sweep wrote"):
        sweep(tmp_path / "parent")
    sweep(store)
    assert all(file.exists() for file in below)
    assert not own.exists()


@pytest.mark.parametrize("name", ["notes.txt", "error/mine.csv", "other.zarr/error/c.0.0"])
def test_a_store_that_would_be_written_anew_must_not_have_other_files(name: str, store: Path) -> None:
    """With more values on an axis all of its folder is replaced, and what a user keeps there would go with it."""
    (store / name).parent.mkdir(exist_ok=True, parents=True)
    (store / name).write_text("precious")
    with pytest.raises(ts.InputError, match=rf"without other files in its folder; got: .*{name}; move it elsewhere"):
        sweep(store, MORE)
    assert (store / name).read_text() == "precious"
    (store / name).unlink()
    for folder in (store / name).relative_to(store).parents[:-1]:
        if not list((store / folder).iterdir()):
            (store / folder).rmdir()
    assert sweep(store, MORE).sizes["rate"] == 4


def test_of_a_store_deleted_meanwhile_only_what_bears_its_checksum_goes(
    tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, honest = tmp_path / "s.zarr", _store.Store.write
    written: list[str] = []

    def write(self: Any, engine: str, cells: Any) -> None:
        if written:
            for file in list(out.rglob("zarr.json")):
                file.unlink()
            for name in ("error/c.0.9", "rate/c/0", "status/notes"):  # in the place of chunks, and of a coordinate
                (out / name).write_text("precious")
        written.append(engine)
        honest(self, engine, cells)

    with monkeypatch.context() as patched:
        patched.setattr(_store.Store, "write", write)
        with pytest.raises(ts.InputError, match="was deleted or moved meanwhile"):
            sweep(out)
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert left == {"error/c.0.9", "rate/c/0", "status/notes"}


# ---- paths that can be no store


@pytest.mark.parametrize("out", ["/", "/.", "/..", "//", "/".join(["d"] * 2000)])
def test_a_path_that_can_be_no_store_is_bad_input(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.toml").write_text(toml(BASE | {"axes": {"rate": {"sgd": {"learning_rate": [0.5]}}}}))
    assert main(["sweep", "s.toml", "--out", out, "--workers", "0"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


def test_a_path_of_thousands_of_folders_is_bad_input_everywhere(tmp_path: Path, theory: ts.Trajectory) -> None:
    deep = tmp_path / "/".join(["d"] * 1500)
    for call in (
        lambda: theory.save(deep),
        lambda: ts.Trajectory.load(deep),
        lambda: figures.open_sweep(deep),
    ):
        with pytest.raises(ts.InputError, match="a path of at most 250 folders"):
            call()


# ---- what is no file


def other_kinds(folder: Path) -> dict[str, Path]:
    """Things that are no files, and links to them."""
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("/dev/zero")
    (folder / "link to a pipe").symlink_to(folder / "pipe")
    return {"a pipe": folder / "pipe", "a device": folder / "link", "a pipe ": folder / "link to a pipe"}


def put(kind: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero") if kind == "a device" else os.mkfifo(path)


def test_pipes_and_devices_are_not_replaced_by_files(
    tmp_path: Path, theory: ts.Trajectory, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind, path in other_kinds(tmp_path).items():
        mode = path.stat().st_mode
        with pytest.raises(ts.InputError, match=f"the path of a file; got: .*which is {kind.strip()};"):
            theory.save(path, force=True)
        picture = path.rename(path.with_suffix(".pdf"))
        assert main(["derive", "--pdf", str(picture), "--force"]) == 2
        assert f"which is {kind.strip()}" in capsys.readouterr().err
        assert picture.stat().st_mode == mode
        picture.rename(path)
    put("a pipe", tmp_path / "theory.nc")
    (tmp_path / "p.toml").write_text(toml(BASE))
    assert main(["solve", str(tmp_path / "p.toml"), "--out", str(tmp_path), "--force"]) == 2
    assert (tmp_path / "theory.nc").is_fifo()


@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_results_that_are_pipes_or_devices_are_refused_and_not_waited_for(
    kind: str, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(call: Callable[[], object]) -> None:
        with pytest.raises(ts.InputError, match=f"which is {kind}|which is no file|which is lost"):
            call()

    put(kind, tmp_path / "theory.nc")
    refused(lambda: ts.Trajectory.load(tmp_path / "theory.nc"))
    (tmp_path / "simulation.nc").touch()
    assert main(["figure", "comparison", str(tmp_path), "--save", str(tmp_path / "c.png")]) == 2
    assert f"which is {kind}" in capsys.readouterr().err
    for name in ("error/c.0.0.0", "rate/c/0", "error/zarr.json", "zarr.json"):
        whole = (store / name).read_bytes()
        put(kind, store / name)
        refused(lambda: figures.open_sweep(store).load())
        refused(lambda: sweep(store))
        (store / name).unlink()
        (store / name).write_bytes(whole)


@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_nor_are_those_in_a_store_without_digests(kind: str, store: Path) -> None:
    """As the stores of version 0.8.0 and before are."""
    attributes = _checked_store._root(store)
    for name in (_checked_store.CHECKS, _checked_store.DIGESTS):
        del attributes["attributes"][name]
    (store / "zarr.json").write_text(json.dumps(attributes))
    figures.open_sweep(store).load()
    for name in ("error/c.0.0.0", "rate/c/0"):
        whole = (store / name).read_bytes()
        put(kind, store / name)
        with pytest.raises(ts.InputError, match=f"which is {kind}"):
            figures.open_sweep(store).load()
        (store / name).unlink()
        (store / name).write_bytes(whole)


@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_a_report_that_is_a_pipe_is_refused(kind: str, tmp_path: Path) -> None:
    from figures.command._draw import _report

    put(kind, tmp_path / "report.json")
    with pytest.raises(ts.InputError, match=f"a report.json that `compare` wrote; got: .*which is {kind};"):
        _report(tmp_path / "report.json")
