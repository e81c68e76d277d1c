"""Stores of sweeps that somebody has edited, or another program has written: one line, and the store stays as it is."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

import figures
import teacher_student as ts
from figures.command._main import main
from figures.sweeps import _store

from .sweep_files import BASE

RATES = {"rate": {"sgd.learning_rate": [0.5, 1.0]}}
JSON: tuple[Any, ...] = (
    None,
    3,
    [1],
    {"a": 1},
    "",
    "null",
    "3",
    "[[",
    "[" * 20_000,
    '{"a": 1, "a": 2}',
    "NaN",
    "9" * 6000,
)


def sweep(out: Path) -> xr.Dataset:
    return figures.sweep(BASE, RATES, ["error"], workers=0, out=out, progress=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("finished") / "s.zarr"
    sweep(out)
    return out


@pytest.fixture(scope="module")
def dataset(finished: Path) -> xr.Dataset:
    """What the store says, without the digests that tell of every change."""
    data: xr.Dataset = xr.open_zarr(finished, consolidated=True, chunks=None, zarr_format=3).load()
    for variable in data.variables.values():
        variable.encoding = {}
    data.attrs = {name: value for name, value in data.attrs.items() if name not in ("checks", "digests")}
    return data


def contents(path: Path) -> dict[str, str]:
    files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def refused(call: Callable[[], object], path: Path) -> str:
    """Return the one line in which a call refuses the store at `path`, which it leaves as it is."""
    before = contents(path)
    with pytest.raises(ts.InputError) as raised:
        call()
    assert len(str(raised.value).splitlines()) == 1
    assert contents(path) == before
    return str(raised.value)


def without(name: str) -> Callable[[xr.Dataset], xr.Dataset]:
    return lambda data: data.drop_vars(name)


def retyped(name: str, kind: Any) -> Callable[[xr.Dataset], xr.Dataset]:
    return lambda data: data.assign({name: data[name].astype(kind)})


EDITED: dict[str, Callable[[xr.Dataset], xr.Dataset]] = {
    **{f"without {name}": without(name) for name in ("status", "error", "reached", "engine", "level", "rate")},
    "whole numbers": retyped("error", int),
    "half the digits": retyped("error", "f4"),
    "complex numbers": retyped("error", complex),
    "words": retyped("error", str),
    "a status of complex numbers": retyped("status", complex),
    "a status in a wider type": retyped("status", "i8"),
    "a status that is none": lambda data: data.assign(status=data["status"] * 0 + 99),
    "another order of dimensions": lambda data: data.transpose(),
    "another name of an axis": lambda data: data.rename(rate="eta"),
    "one cell": lambda data: data.isel(rate=0),
    "one engine": lambda data: data.isel(engine=0),
    "a variable of fewer dimensions": lambda data: data.assign(error=data["error"].isel(level=0, drop=True)),
    "a further dimension": lambda data: data.expand_dims(more=2),
    "no cells": lambda data: data.isel(rate=slice(0, 0)),
    "values twice": lambda data: xr.concat([data, data], "rate"),
    "words along an axis": lambda data: data.assign_coords(rate=["a", "b"]),
    "another engine": lambda data: data.assign_coords(engine=["quantum"]),
    "other levels": lambda data: data.assign_coords(level=["x", "y"]),
    "numbers that are rescaled": lambda data: data.assign(error=data["error"].assign_attrs(scale_factor=2.0)),
    "of another program": lambda data: xr.Dataset({"temperature": ("time", [1.0, 2.0])}),
}


@pytest.mark.parametrize("name", EDITED)
def test_an_edited_store_is_not_continued(name: str, dataset: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "s.zarr"
    EDITED[name](dataset).to_zarr(path, zarr_format=3)
    refused(lambda: sweep(path), path)
    with contextlib.suppress(ts.InputError):  # other numbers may be looked at
        figures.open_sweep(path)


def test_a_copy_by_xarray_is_continued(dataset: xr.Dataset, tmp_path: Path) -> None:
    big_endian = dataset.assign(error=dataset["error"].astype(">f8"))
    big_endian.to_zarr(tmp_path / "s.zarr", zarr_format=3)
    np.testing.assert_array_equal(sweep(tmp_path / "s.zarr")["error"], dataset["error"])


@pytest.mark.parametrize("name", ["identity", "axes", "versions", "later_versions", "package_version", "format"])
def test_an_attribute_that_no_sweep_wrote_is_refused(name: str, dataset: xr.Dataset, tmp_path: Path) -> None:
    texts = [value for value in JSON if not (name == "package_version" and isinstance(value, str))]
    for number, value in enumerate(texts):
        path = tmp_path / f"{number}.zarr"
        dataset.assign_attrs({name: value}).to_zarr(path, zarr_format=3)
        refused(partial(sweep, path), path)


CHUNKS = ("chunk_grid", "configuration", "chunk_shape")
DESCRIBED: dict[str, tuple[tuple[str, ...], Any]] = {
    "chunks of length 0": (CHUNKS, [0, 0, 0]),
    "a chunk of length 0": (CHUNKS, [1, 0, 2]),
    "smaller chunks": (CHUNKS, [1, 1, 1]),
    "larger chunks": (CHUNKS, [5, 7, 9]),
    "endless chunks": (CHUNKS, [1, 2**62, 2]),
    "half the digits": (("data_type",), "float32"),
    "a word as a factor": (("attributes", "scale_factor"), "x"),
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_an_array_that_is_not_described_as_its_chunks_are_is_refused(
    name: str, dataset: xr.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a copy by xarray, without digests. Its numbers are read when they are used, but this is said at once."""
    path = tmp_path / "s.zarr"
    dataset.to_zarr(path, zarr_format=3)
    described = json.loads((path / "error" / "zarr.json").read_text())
    place = described
    *keys, last = DESCRIBED[name][0]
    for key in keys:
        place = place[key]
    place[last] = DESCRIBED[name][1]
    root = json.loads((path / "zarr.json").read_text())
    root["consolidated_metadata"]["metadata"]["error"] = described
    for file, text in ((path / "error" / "zarr.json", described), (path / "zarr.json", root)):
        file.write_text(json.dumps(text))
    for call in (figures.open_sweep, sweep):
        assert f"{path}/error/zarr.json" in refused(partial(call, path), path)
    assert main(["figure", "curves", str(path), "--at", "level=easy", "--save", str(tmp_path / "a.png")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


ROOTS = {
    "empty": b"",
    "a list": b"[]",
    "null": b"null",
    "deep": b"[" * 100_000,
    "5000 digits": b"9" * 5000,
    "Latin": b"\xff\xfe",
    "no keys": b"{}",
    "attributes that are none": b'{"zarr_format": 3, "node_type": "group", "attributes": "checks"}',
    "digests that are none": b'{"zarr_format": 3, "node_type": "group", "attributes": {"checks": 1, "digests": "[["}}',
    "digests of others": b'{"zarr_format": 3, "node_type": "group", "attributes": {"digests": "{\\"../a\\": 3}"}}',
    "consolidated into a number": b'{"zarr_format": 3, "node_type": "group", "consolidated_metadata": 3}',
    "another format": b'{"zarr_format": 4, "node_type": "group", "attributes": {}}',
}


@pytest.mark.parametrize("name", ROOTS)
def test_a_group_that_is_none_is_refused(name: str, finished: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(finished, tmp_path / "s.zarr"))
    (path / "zarr.json").write_bytes(ROOTS[name])
    refused(lambda: sweep(path), path)
    refused(lambda: figures.open_sweep(path), path)


def test_what_is_no_file_in_place_of_the_groups_own_is_refused(finished: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(finished, tmp_path / "s.zarr"))
    root = path / "zarr.json"
    for make in (
        root.mkdir,
        partial(root.symlink_to, "nowhere"),
        partial(root.symlink_to, root),
        partial(os.mkfifo, root),
    ):
        if root.is_dir():
            root.rmdir()
        else:
            root.unlink()
        make()
        assert "zarr.json" in refused(lambda: figures.open_sweep(path), path)
        assert "zarr.json" in refused(lambda: sweep(path), path)
    root.unlink()
    with root.open("wb") as file:
        file.truncate(2_000_000_000)  # takes no room, and would be read into memory
    with pytest.raises(ts.InputError, match="at most 100,000,000 bytes"):
        figures.open_sweep(path)


def test_stores_of_other_layouts_are_refused(finished: Path, tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "empty", mode="w", zarr_format=3)
    zarr.open_group(tmp_path / "old", mode="w", zarr_format=2)
    zarr.create_array(tmp_path / "array", shape=(3,), dtype="f8")
    zarr.open_group(tmp_path / "nested", mode="w", zarr_format=3)
    shutil.copytree(finished, tmp_path / "nested" / "inner")
    (tmp_path / "file").write_text("a")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("a")
    for name in ("empty", "old", "array", "nested", "file", "folder"):
        for call in (sweep, figures.open_sweep):
            refused(partial(call, tmp_path / name), tmp_path / name)


def test_without_the_look_at_its_arrays_an_edited_store_would_be_continued(
    dataset: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_store, "check_arrays", lambda *_: None)
    EDITED["whole numbers"](dataset).to_zarr(tmp_path / "s.zarr", zarr_format=3)
    assert sweep(tmp_path / "s.zarr")["error"].dtype == int
