"""How damage of a sweep's store is found: a checksum in every chunk, and digests of everything else.

A chunk changes while a sweep is written, so it carries its own checksum, and both appear in one step. What stays as it
is has its digest in the attributes of the group: the metadata of every array, the coordinates, and the group itself.
Stores of version 0.8.0 and before have neither, and are read as they are.
"""

import contextlib
import errno
import hashlib
import itertools
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import google_crc32c
import numpy as np
import xarray as xr
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import LocalStore

import teacher_student as ts
from teacher_student import internal

from ._cell_status import FINISHED

ROOT = "zarr.json"
LARGEST_ROOT = 100_000_000  # bytes, far beyond that of the largest sweep, whose table of digests is the most of it
# Both attributes tell that a store is checked: with one of them lost, the other says that something is wrong.
CHECKS, DIGESTS = "checks", "digests"
WORDS = "crc32c of every chunk; sha256 of all other files"
COMPRESSORS = (ZstdCodec(), Crc32cCodec())  # the checksum last, over the bytes that are on the disk
REMEDY = "delete this file and start the sweep again: its cells are computed again"


@contextlib.contextmanager
def readable(file: Path) -> Iterator[None]:
    """Raise InputError, which names the file, where it may not be read."""
    try:
        yield
    except PermissionError as error:
        raise ts.InputError("a store whose files may be read", f"{file} ({error.strerror})", "change that") from error


@contextlib.contextmanager
def held_warnings() -> Iterator[None]:
    """Hold the warnings of the libraries back until a store is open; one that is refused is refused in one line.

    Zarr of 2026 repairs what it can of a damaged description and warns of it at length, before our own check refuses
    the store. Its warning that consolidated metadata are no part of the format yet is never shown.
    """
    with warnings.catch_warnings(record=True) as held:
        warnings.simplefilter("always")  # the user's own filters, which may make errors of them, judge them below
        yield
    for warning in held:
        if "onsolidated metadata is" not in str(warning.message):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


class FileStore(LocalStore):
    """A folder of which files alone are read: a pipe or a device may be anybody's, and reading it may never end."""

    async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
        """Return what the file holds. Raises InputError for what is no file, or may not be read."""
        internal.require_file(self.root / key, "the store of a sweep", "copy it again")
        with readable(self.root / key):
            return await super().get(key, prototype, byte_range)


class CheckedStore(FileStore):
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


def has_checksum(data: bytes) -> bool:
    """Return whether the bytes of a chunk end with their own checksum."""
    return len(data) > 4 and google_crc32c.value(data[:-4]) == int.from_bytes(data[-4:], "little")


def _check_chunk(path: Path, data: bytes) -> None:
    if not has_checksum(data):
        raise internal.damaged(path, REMEDY)


def check_chunks(path: Path, names: Sequence[str]) -> None:
    """Raise InputError for the first damaged chunk of these arrays."""
    for file in itertools.chain.from_iterable((path / name).glob("c.*") for name in names):
        if not file.name.endswith(".partial"):
            internal.require_file(file, "a chunk of a store", REMEDY)
            with readable(file):
                _check_chunk(file, file.read_bytes())


def write_attributes(path: Path, changes: Mapping[str, Any], *, checked: bool) -> None:
    """Change the attributes of the group at `path`, in one step; `checked`: the digests among them."""
    root = _root(path)
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
    if not os.path.lexists(path / ROOT):
        return False  # who opens the store says what is wrong
    root = _root(path)
    attributes = root["attributes"]
    if CHECKS not in attributes and DIGESTS not in attributes:
        return False
    digests = _digests(path, attributes)
    if digests.pop(ROOT, None) != _digest_of_root(root):
        raise internal.damaged(path / ROOT)
    for name, digest in digests.items():
        file = path / name
        if not file.is_file():
            raise ts.InputError("a store as it was written", f"{file}, which is lost", "copy it again")
        with readable(file):
            data = file.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise internal.damaged(file)
    return True


def _root(path: Path) -> dict[str, Any]:
    """Return what the group's own file says. Raises InputError for one that is no such file, or not of a group."""
    file = path / ROOT
    if not file.is_file():  # a folder, a link that leads nowhere, or a pipe, for which reading would wait
        raise ts.InputError("the store of a sweep", f"{file}, which is no file", "copy it again")
    if file.stat().st_size > LARGEST_ROOT:
        raise ts.InputError(f"a {ROOT} of at most {LARGEST_ROOT:,} bytes", f"{file}, of {file.stat().st_size:,}")
    try:
        root = internal.read_json_file(file, "the store of a sweep")
    except ts.InputError as error:
        raise internal.damaged(file) from error
    if not isinstance(root, dict) or not isinstance(root.get("attributes", {}), dict):
        raise internal.damaged(file)
    return {"attributes": {}} | root


def _digests(path: Path, attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests in the attributes of a group, by the names of files in it."""
    try:
        digests = internal.read_json(attributes.get(DIGESTS), "digests", path)
    except ts.InputError as error:
        raise internal.damaged(path / ROOT) from error
    if not isinstance(digests, dict) or any(Path(name).is_absolute() or ".." in Path(name).parts for name in digests):
        raise internal.damaged(path / ROOT)
    return digests


def _digest_of_root(root: Mapping[str, Any]) -> str:
    attributes = {name: value for name, value in root["attributes"].items() if name != DIGESTS}
    return hashlib.sha256(json.dumps({**root, "attributes": attributes}).encode()).hexdigest()


def opened(path: Path, *, checked: bool) -> FileStore:
    """Return the store at `path` to be read."""
    return (CheckedStore if checked else FileStore)(path, read_only=True)


def require_decodable(path: Path, dataset: xr.Dataset) -> None:
    """Raise InputError, which names the file, for an array of which a finished cell cannot be read as it is described.

    It is for stores without digests: in others an edited description is found by them. One cell of each array is read,
    since a store may be larger than memory.

    Arguments: path: of the store. dataset: as it was opened, with nothing but coordinates and status loaded.
    """
    status = dataset["status"]
    finished = np.argwhere(np.isin(status.values, FINISHED))
    cell = dict(zip(map(str, status.dims), finished[0] if len(finished) else [0] * status.ndim, strict=True))
    for name, variable in dataset.variables.items():
        try:
            if variable.size:
                variable.isel({dim: int(cell.get(str(dim), 0)) for dim in variable.dims}).values  # noqa: B018
        except ts.InputError:
            raise
        except Exception as error:  # Zarr's, NumPy's and xarray's own
            reason = f"{path / str(name) / ROOT}, which does not describe its chunks ({internal.first_line(error)})"
            raise ts.InputError("a store as it was written", reason, "copy it again") from error


Chunks = Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]]  # name of an array -> its dimensions, its chunks' shape
Lost = tuple[int, tuple[slice, ...], Path]  # engine, region of the axes, file


def chunks_of(path: Path, dataset: xr.Dataset) -> Chunks:
    """Return the chunks of every variable of a sweep's data set, which was opened from the store at `path`."""
    # From the store itself: until 2025.12 xarray forgets the chunks of texts.
    group = zarr.open_group(path, mode="r", zarr_format=3)
    return {
        str(name): (tuple(map(str, variable.dims)), tuple(cast("zarr.Array[Any]", group[str(name)]).chunks))
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
