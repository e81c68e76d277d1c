"""Damage is found: flipped bytes, cut and lost files, stores that are deleted, and what killed processes leave."""

import contextlib
import importlib.metadata
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
import xarray as xr

import figures
import ode
import teacher_student as ts
from figures import CellStatus
from figures.command._draw import _report
from figures.sweeps import _checked_store, _store
from teacher_student import _seals, internal
from teacher_student.result import _files

from . import build
from .sweep_files import BASE, same, toml

KILLS = int(os.environ.get("TEST_KILLS", "2"))  # of each command
RATES = {"rate": {"sgd.learning_rate": [0.5, 1.0, 1.5, 2.0, 2.5]}}


@pytest.fixture(scope="module")
def theory() -> ts.Trajectory:
    problem = build.problem()
    return ode.solve(problem, build.overlaps(problem), [0.5, 1.0, 1.5])


@pytest.fixture
def saved(theory: ts.Trajectory, tmp_path: Path) -> Path:
    return theory.save(tmp_path / "theory.nc")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a finished sweep, which no test changes."""
    out: Path = tmp_path_factory.mktemp("finished") / "s.zarr"
    sweep(out)
    return out


@pytest.fixture
def store(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "s.zarr"))


def sweep(out: Path, axes: Any = RATES) -> xr.Dataset:
    return figures.sweep(BASE, axes, ["error"], workers=0, tile=2, out=out, progress=False)


def content(data: xr.Dataset) -> str:
    """All numbers, names and attributes, as one text."""
    return json.dumps(data.load().to_dict(), default=str)


def flip(path: Path, place: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(bytes(data))


def is_said(read: Callable[[], object], path: Path) -> bool:
    """Whether reading raises one line that names the path."""
    try:
        read()
    except ts.InputError as error:
        text = str(error)
    else:
        return False
    return path.name in text and "\n" not in text


def test_every_flipped_bit_of_a_file_is_said_or_changes_nothing(saved: Path) -> None:
    good, choose, said = saved.read_bytes(), random.Random(3), 0
    reference = content(ts.Trajectory.load(saved).to_xarray())
    flips = [(choose.randrange(len(good)), choose.randrange(8)) for _ in range(60)]
    flips += [(len(good) - back, 0) for back in range(1, _seals.LENGTH + 1)]  # the seal itself
    for place, bit in flips:
        flip(saved, place, bit)
        if is_said(lambda: ts.Trajectory.load(saved), saved):
            said += 1
        else:
            assert content(ts.Trajectory.load(saved).to_xarray()) == reference
        saved.write_bytes(good)
    assert said >= 60 + 64


def test_without_the_seal_a_flipped_number_would_be_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = ts.Trajectory.load(saved).overlaps.Q.tobytes()
    flip(saved, saved.read_bytes().index(number[:8]) + 1, 0)
    assert is_said(lambda: ts.Trajectory.load(saved), saved)
    monkeypatch.setattr(_files, "check_seal", lambda path: None)
    assert ts.Trajectory.load(saved).overlaps.Q.tobytes() != number


def test_a_file_that_was_cut_is_said(saved: Path) -> None:
    good, choose = saved.read_bytes(), random.Random(4)
    lengths = [choose.randrange(len(good)) for _ in range(40)]
    for length in [0, 1, *lengths, len(good) - 1, len(good) - 30]:
        saved.write_bytes(good[:length])
        assert is_said(lambda: ts.Trajectory.load(saved), saved), length


def test_a_file_without_a_seal_is_read_as_before(saved: Path) -> None:
    reference = content(ts.Trajectory.load(saved).to_xarray())
    saved.write_bytes(saved.read_bytes()[: -_seals.LENGTH])
    assert content(ts.Trajectory.load(saved).to_xarray()) == reference
    with xr.open_dataset(saved) as data:  # and others read one that has it
        assert data.load().attrs
    damaged = saved.with_name("damaged.nc")
    good, choose = saved.read_bytes(), random.Random(5)
    for _ in range(20):  # of the words of an attribute: what reads them must not raise its own error
        damaged.write_bytes(good)
        flip(damaged, good.index(b'"learning_rate"') + choose.randrange(-60, 60), choose.randrange(7))
        with contextlib.suppress(ts.InputError):
            ts.Trajectory.load(damaged)


def test_a_flipped_bit_of_a_report_is_said_or_changes_nothing(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    deviations = [{"kind": "Q", "alpha": 1.0, "z": 1.5}]
    sound = {"agrees": True, "p": 0.5, "worst_z": 1.5, "threshold_z": 4.0, "deviations": deviations}
    text = internal.sealed_json(json.dumps(sound, indent=1))
    for place in range(len(text)):
        report.write_text(text)
        flip(report, place, 1)
        if not is_said(lambda: _report(report), report):
            left = _report(report)
            assert {name: left[name] for name in sound} == sound, place
    for length in range(len(text) - 1):
        report.write_text(text[:length])
        assert is_said(lambda: _report(report), report), length


def test_every_flipped_bit_of_a_store_is_said(store: Path) -> None:
    choose, reference = random.Random(6), content(figures.open_sweep(store))
    for file in sorted(path for path in store.rglob("*") if path.is_file()):
        good = file.read_bytes()
        for length in (0, len(good) // 2, len(good) - 1):
            file.write_bytes(good[:length])
            assert is_said(lambda: figures.open_sweep(store).load(), file), (file, length)
        for _ in range(12):
            file.write_bytes(good)
            flip(file, choose.randrange(len(good)), choose.randrange(8))
            # White space in a table of JSON may change and say nothing else.
            assert is_said(lambda: figures.open_sweep(store).load(), file) or (
                content(figures.open_sweep(store)) == reference
            )
        file.write_bytes(good)
    flip(store / "error" / "c.0.1.0", 3, 0)
    before = content(figures.open_sweep(store)[["status"]])
    with pytest.raises(ts.InputError, match=r"error/c\.0\.1\.0, which is damaged.*; delete this file and start"):
        sweep(store)
    assert content(figures.open_sweep(store)[["status"]]) == before


def test_without_digests_a_changed_attribute_of_a_store_would_be_read(store: Path) -> None:
    root = store / "zarr.json"
    root.write_text(root.read_text().replace('"long_name": "status of', '"long_name": "statUs of', 1))
    assert is_said(lambda: figures.open_sweep(store), root)
    attributes = json.loads(root.read_text())
    for name in (_checked_store.CHECKS, _checked_store.DIGESTS):  # as a store of version 0.8.0
        del attributes["attributes"][name]
    root.write_text(json.dumps(attributes))
    assert figures.open_sweep(store)["status"].attrs["long_name"].startswith("statUs")


def test_chunks_that_are_lost_are_said_and_computed_again(store: Path, finished: Path) -> None:
    for name in ("error", "message", "reached", "status"):
        (store / name / "c.0.1.0").unlink(missing_ok=True)
        (store / name / "c.0.1").unlink(missing_ok=True)
        if name == "status":  # of cells that are said to be done by nothing, nothing is lost
            assert figures.open_sweep(store)["status"].values.tolist() == [[1, 1, 0, 0, 1]]
        else:
            with pytest.raises(ts.InputError, match=rf"{name}/c\.0\.1.*, which is lost; start its sweep again"):
                figures.open_sweep(store)
            with pytest.warns(UserWarning, match="is lost; its cells are computed again"):
                sweep(store)
        assert (sweep(store)["status"] == CellStatus.DONE).all()
        assert same(store, finished)
    shutil.rmtree(store / "rate")
    with pytest.raises(ts.InputError, match=r"rate/c/0, which is lost"):
        sweep(store)


@pytest.mark.parametrize("lost", ["all", "metadata"])
def test_a_store_that_is_deleted_meanwhile_ends_its_sweep(
    lost: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, honest = tmp_path / "s.zarr", _store.Store.write
    written: list[int] = []

    def write(self: Any, engine: str, cells: Any) -> None:
        if len(written) == 1:
            for file in [out] if lost == "all" else list(out.rglob("zarr.json")):
                shutil.rmtree(file) if file.is_dir() else file.unlink()
        written.append(1)
        honest(self, engine, cells)

    with monkeypatch.context() as patched:
        patched.setattr(_store.Store, "write", write)
        with pytest.raises(ts.InputError, match="was deleted or moved meanwhile; start the sweep again"):
            sweep(out)
    assert not out.exists()  # nothing is left that the next start would have to refuse
    sweep(out)
    assert same(out, finished)


def test_other_versions_are_said_and_recorded(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, later = ts.versions(), ts.versions() | {"numpy": "99.0"}
    honest = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0" if name == "numpy" else honest(name))
    sweep(store)  # nothing is computed, so nothing is said
    for more in ([0.5, 1.0, 1.5, 2.0, 2.5, 3.0], [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]):
        axes = {"rate": {"sgd.learning_rate": more}}
        if len(more) == 6:
            with pytest.warns(UserWarning, match=rf"numpy {first['numpy']} \(now 99\.0\); both are recorded"):
                sweep(store, axes)
        else:
            sweep(store, axes)
        attributes = figures.open_sweep(store).attrs
        assert json.loads(attributes["versions"]) == first
        assert json.loads(attributes["later_versions"]) == [later]


def test_what_a_dead_writer_left_is_removed_and_nothing_else(theory: ts.Trajectory, tmp_path: Path) -> None:
    own = [".theory.nc.new", ".theory.nc.old", "notes.partial", ".theory-01234567.nc", ".teacher-student-1.unfinished"]
    for name in own:
        (tmp_path / name).write_text("my own")
    dead, live = (tmp_path / f".teacher-student-{i:032x}.unfinished" for i in (1, 2))
    for folder in (dead, live):
        folder.mkdir()
        (folder / "theory.nc").write_text("half")
    with filelock.FileLock(live / ".teacher-student.lock"):
        theory.save(tmp_path / "theory.nc")
        assert live.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*own, "theory.nc", live.name])
    theory.save(tmp_path / "theory.nc", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*own, "theory.nc"])


def test_a_sweep_leaves_files_of_the_users_own_alone(store: Path, finished: Path) -> None:
    own = [store.with_name(".s.zarr.new"), store.with_name(".s.zarr.old"), store / "my notes.partial"]
    for path in own:
        path.write_text("my own")
    sweep(store, {"rate": {"sgd.learning_rate": RATES["rate"]["sgd.learning_rate"][:5]}})
    assert all(path.read_text() == "my own" for path in own)


@pytest.mark.slow  # it computes the same many times
def test_killed_at_any_moment_files_and_stores_are_whole_and_nothing_is_left(tmp_path: Path) -> None:
    """A kill strikes before a file is made, opened to be written, or renamed."""
    names = ("MIN_COMPILE_TIME_SECS", "MIN_ENTRY_SIZE_BYTES")
    cache = {f"JAX_PERSISTENT_CACHE_{name}": "0" for name in names}
    zygote = subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.zygote"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | cache | {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")},
        cwd=Path(__file__).parents[1],
    )
    small = BASE | {"record": {"count": 3}}
    (tmp_path / "p.toml").write_text(toml(small | {"theory": {"fluctuations": False}}))
    (tmp_path / "s.toml").write_text(toml(BASE | {"axes": {"rate": {"sgd": {"learning_rate": [0.5, 1.0, 1.5, 2.0]}}}}))
    commands = {
        "solve": (["solve", str(tmp_path / "p.toml"), "--force"], (1, 16)),
        "compare": (["compare", str(tmp_path / "p.toml"), "--quiet", "--force"], (1, 28)),
        "sweep": (["sweep", str(tmp_path / "s.toml"), "--workers", "0"], (1, 60)),
    }

    def run(name: str, folder: str, killed_at: int | None) -> int:
        out = tmp_path / folder / f"{name}.zarr" if name == "sweep" else tmp_path / folder / name
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        print(json.dumps([killed_at, *commands[name][0], "--out", str(out)]), file=zygote.stdin, flush=True)
        return int(zygote.stdout.readline())

    choose, struck = random.Random(11), 0
    with zygote:
        for name, (_, moments) in commands.items():
            whole = run(name, "whole", None)
            for _ in range(KILLS):
                struck += run(name, "killed", choose.randint(*moments)) == signal.SIGKILL
                for file in (tmp_path / "killed").rglob("*.nc"):
                    if ".unfinished" not in str(file):
                        ts.Trajectory.load(file)
            assert run(name, "killed", None) == whole
        assert zygote.stdin is not None
        zygote.stdin.close()
    assert struck >= KILLS
    left = {path.relative_to(tmp_path / "killed") for path in (tmp_path / "killed").rglob("*")}
    assert left == {path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*")}
    assert same(tmp_path / "killed" / "sweep.zarr", tmp_path / "whole" / "sweep.zarr")
    for name in ("compare/theory.nc", "compare/simulation.nc", "solve/theory.nc"):
        one, two = (ts.Trajectory.load(tmp_path / folder / name) for folder in ("killed", "whole"))
        np.testing.assert_array_equal(one.overlaps.Q, two.overlaps.Q)
