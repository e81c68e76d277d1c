"""How damage of a sweep's store is found: a checksum in every chunk, and digests of everything else.

A chunk changes while a sweep is written, so it carries its own checksum, and both appear in one step. What stays as it
is has its digest in the attributes of the group: the metadata of every array, the coordinates, and the group itself.
Stores of version 0.8.0 and before have neither, and are read as they are.
"""

import errno
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import xarray as xr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import LocalStore

import teacher_student as ts
from teacher_student import internal

from ._cell_status import FINISHED

ROOT = "zarr.json"
# Both attributes tell that a store is checked: with one of them lost, the other says that something is wrong.
CHECKS, DIGESTS = "checks", "digests"
WORDS = "crc32c of every chunk; sha256 of all other files"
COMPRESSORS = (ZstdCodec(), Crc32cCodec())  # the checksum last, over the bytes that are on the disk
REMEDY = "delete this file and start the sweep again: its cells are computed again"


class CheckedStore(LocalStore):
    """A folder whose chunks are compared with their checksums when they are read."""

    async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
        """Return what the file holds. Raises InputError, which names it, if it is a chunk that is damaged."""
        found = await super().get(key, prototype, byte_range)
        if found is not None and byte_range is None and _is_chunk(key):
            _check_chunk(self.root / key, found.to_bytes())
        return found


class WrittenStore(CheckedStore):
    """A checked folder that is written to, and not made again where it has gone."""

    async def set(self, key: str, value: Any) -> None:
        """Write a file. Raises FileNotFoundError if its folder has been deleted, which Zarr would make again."""
        if not (self.root / key).parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "it was deleted", str(self.root / key))
        await super().set(key, value)


def _is_chunk(key: str) -> bool:
    return key.rpartition("/")[2].startswith("c.")  # of cells; a coordinate's chunks are called otherwise


def _check_chunk(path: Path, data: bytes) -> None:
    if len(data) < 4 or google_crc32c.value(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise internal.damaged(path, REMEDY)


def check_chunks(path: Path, names: Sequence[str]) -> None:
    """Raise InputError for the first damaged chunk of these arrays."""
    for file in itertools.chain.from_iterable((path / name).glob("c.*") for name in names):
        if not file.name.endswith(".partial"):
            _check_chunk(file, file.read_bytes())


def write_attributes(path: Path, changes: Mapping[str, Any], *, checked: bool) -> None:
    """Change the attributes of the group at `path`, in one step; `checked`: the digests among them."""
    root = json.loads((path / ROOT).read_text(encoding="utf-8"))
    root["attributes"] |= changes
    if checked:
        _seal(path, root)
    internal.write_whole(path / ROOT, lambda file: file.write_text(json.dumps(root, indent=2)), force=True)


def _seal(path: Path, root: dict[str, Any]) -> None:
    """Put the digests of all that does not change into the attributes of `root`."""
    root["attributes"][CHECKS] = WORDS
    files = (file for file in sorted(path.rglob("*")) if file.is_file() and not _is_chunk(file.name))
    names = [name for name in (str(file.relative_to(path)) for file in files) if name != ROOT]
    digests = {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in names}
    root["attributes"][DIGESTS] = json.dumps(digests | {ROOT: _digest_of_root(root)})


def is_checked(path: Path) -> bool:
    """Return whether the store has checksums. Raises InputError if what they cover but chunks is damaged."""
    try:
        root = json.loads((path / ROOT).read_text(encoding="utf-8"))
        attributes = root["attributes"]
    except OSError:
        return False  # who opens the store says what is wrong
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise internal.damaged(path / ROOT) from error
    if CHECKS not in attributes and DIGESTS not in attributes:
        return False
    try:
        digests = dict(json.loads(attributes[DIGESTS]))
        right = digests.pop(ROOT) == _digest_of_root(root)
    except (ValueError, KeyError, TypeError) as error:
        raise internal.damaged(path / ROOT) from error
    if not right:
        raise internal.damaged(path / ROOT)
    for name, digest in digests.items():
        file = path / name
        if not file.is_file():
            raise ts.InputError("a store as it was written", f"{file}, which is lost", "copy it again")
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise internal.damaged(file)
    return True


def _digest_of_root(root: Mapping[str, Any]) -> str:
    attributes = {name: value for name, value in root["attributes"].items() if name != DIGESTS}
    return hashlib.sha256(json.dumps({**root, "attributes": attributes}).encode()).hexdigest()


def opened(path: Path, *, checked: bool) -> LocalStore:
    """Return the store at `path` to be read."""
    return (CheckedStore if checked else LocalStore)(path, read_only=True)


Chunks = Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]]  # name of an array -> its dimensions, its chunks' shape
Lost = tuple[int, tuple[slice, ...], Path]  # engine, region of the axes, file


def chunks_of(dataset: xr.Dataset) -> Chunks:
    """Return the chunks of every variable of a sweep's data set that has been opened and not loaded."""
    return {
        str(name): (tuple(map(str, variable.dims)), tuple(variable.encoding["chunks"]))
        for name, variable in dataset.data_vars.items()
    }


def lost_chunks(
    path: Path, chunks: Chunks, axes: Sequence[str], engines: Sequence[str], status: np.ndarray
) -> Iterator[Lost]:
    """Give every chunk that is not there although a cell in it is finished."""
    finished = np.isin(status, FINISHED)
    for name, (dims, shape) in chunks.items():
        there = {file.name for file in (path / name).glob("c.*")}
        sizes = dict(zip(dims, shape, strict=True))
        per_engine = dims[:1] == ("engine",)
        trailing = ".0" * (len(dims) - len(axes) - per_engine)
        for e, engine in enumerate(engines):
            if not per_engine and engine != "simulation":  # what has no engine is of the simulations
                continue
            counts = [-(-n // sizes[axis]) for n, axis in zip(status.shape[1:], axes, strict=True)]
            for index in itertools.product(*map(range, counts)):
                region = tuple(
                    slice(i * sizes[axis], (i + 1) * sizes[axis]) for i, axis in zip(index, axes, strict=True)
                )
                file = "c." + ".".join(map(str, (e, *index) if per_engine else index)) + trailing
                if file not in there and finished[e][region].any():
                    yield e, region, path / name / file
