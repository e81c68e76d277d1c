"""The store of a sweep: a Zarr group on disk, one writer, cells written tile by tile, each with its status.

A tile of a variable is one chunk, which Zarr replaces as a whole; the chunk of the status is written last, so a cell
that is said to be done has all its values, whenever the process dies.
"""

import contextlib
import os
import shutil
import socket
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import xarray as xr
import zarr

import teacher_student as ts
from teacher_student import internal

from ._cell_jobs import Cell
from ._cell_status import FINISHED, CellStatus
from ._continue_store import check_identity, extended, old_layout
from ._measures import Layout
from ._spec import Sweep, tile_slices, tiles
from ._variables import Variable, attributes, coordinates, variables


class Store:
    """An open store of one sweep; only the process that holds it writes it."""

    def __init__(self, path: Path, sweep: Sweep, layout: Layout):
        self.path, self.sweep, self.layout = path, sweep, layout
        self.variables = variables(sweep)
        group = zarr.open_group(path, mode="r+", zarr_format=3)
        self.arrays: dict[str, Any] = {name: group[name] for name in self.variables}
        stored = np.asarray(self.arrays["status"][...])
        self.status: np.ndarray = _with_asked(stored, sweep)
        if not np.array_equal(stored, self.status):  # simulate_every has changed
            self.arrays["status"][...] = self.status
        self.tiles = tiles(sweep)

    def pending(self, engine: str, *, retry: Sequence[CellStatus] = ()) -> Iterator[list[tuple[int, ...]]]:
        """Give the cells still to be computed by `engine`, tile by tile; `retry`: of these statuses too."""
        status = self.status[self.sweep.engines.index(engine)]
        open_ = np.isin(status, [CellStatus.PENDING, *retry])
        for region in tile_slices(self.sweep):
            offset = [part.start for part in region]
            indices = np.argwhere(open_[region]) + offset
            if indices.size:
                yield [tuple(int(i) for i in index) for index in indices]

    def write(self, engine: str, cells: Iterable[Cell]) -> None:
        """Write cells: their values first, their status last."""
        e = self.sweep.engines.index(engine)
        by_tile: dict[tuple[int, ...], list[Cell]] = {}
        for cell in cells:
            tile = tuple(i // size for i, size in zip(cell.index, self.tiles, strict=True))
            by_tile.setdefault(tile, []).append(cell)
        for tile, members in by_tile.items():
            region = tuple(
                slice(i * size, min((i + 1) * size, n))
                for i, size, n in zip(tile, self.tiles, self.sweep.shape, strict=True)
            )
            # In this order, the status last: a process that dies in between leaves cells that are done again, never
            # ones that are said to be done and lack a value.
            for name, variable in self.variables.items():
                self._write_variable(name, variable, e, region, members)

    def _write_variable(
        self, name: str, variable: Variable, e: int, region: tuple[slice, ...], cells: Sequence[Cell]
    ) -> None:
        """Put the cells' values into the tile, beside those that are there.

        A tile is one chunk, which is read, changed and written as a whole.
        """
        tile: tuple[int | slice, ...] = (e, *region)
        status = self.status[tile]
        fresh = not np.any(np.isin(status, FINISHED))  # nothing of the tile is stored: it need not be read
        values = [(cell.index, _value(cell, name)) for cell in cells]
        if all(value is None for _, value in values):
            others = not variable.per_engine  # the other engine's to write
            if fresh or others or (name == "message" and not np.any(status == CellStatus.FAILED)):
                return
        array, region_of_array = self.arrays[name], tile if variable.per_engine else region
        if name == "status":
            block = status.copy()
        elif fresh:
            shape = (*status.shape, *array.shape[array.ndim - len(variable.trailing) :])
            block = np.full(shape, variable.fill, variable.dtype)
        else:
            block = array[region_of_array]
        for index, value in values:
            inside = tuple(i - part.start for i, part in zip(index, region, strict=True))
            block[inside] = variable.fill if value is None else value
        array[region_of_array] = block
        if name == "status":
            self.status[tile] = block

    def counts(self) -> dict[CellStatus, int]:
        """Return the number of cells of each status, over the engines."""
        return {status: int(np.sum(self.status == status)) for status in CellStatus if np.any(self.status == status)}


def _value(cell: Cell, name: str) -> Any:
    if name in ("status", "message", "reached"):
        value = getattr(cell, name)
        return value or None if name == "message" else value
    return cell.values.get(name)


@contextlib.contextmanager
def writing(path: Path, sweep: Sweep, layout: Layout) -> Iterator[Store]:
    """Open the store at `path`, made, continued or extended for `sweep`, and hold it until the end.

    Raises InputError if another process holds it, or if what is at `path` is not a store of this sweep.
    """
    with _lock(path):
        _recover(path)
        if not path.exists():
            _create(path, sweep, layout)
        else:
            sweep, layout = _continue(path, sweep, layout)
        yield Store(path, sweep, layout)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock beside the store, so that no two processes write it.

    The system frees a lock when its owner dies, so a dead owner's is no obstacle. Who holds it stands in a second file.
    """
    lock, owner = (path.with_name(f".{path.name}.{kind}") for kind in ("lock", "owner"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = filelock.FileLock(lock).acquire(timeout=0)
    except filelock.Timeout:
        who = owner.read_text().strip() if owner.exists() else "another process"
        raise ts.InputError("a store that no other process writes", f"{path}, held by {who}", "wait for it") from None
    except OSError as error:
        raise ts.InputError("a writable place for the store", f"{path} ({error.strerror})", "choose another") from error
    with held:
        owner.write_text(f"process {os.getpid()} on {socket.gethostname()}\n")
        try:
            yield
        finally:
            owner.unlink(missing_ok=True)


def _beside(path: Path) -> tuple[Path, Path]:
    """Return where a new store is built, and where the old one waits while it is replaced.

    Both lie in the store's own folder: a rename is one step only within a file system.
    """
    return path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")


def _recover(path: Path) -> None:
    """Finish or undo what a killed process left half done (see `_replace`)."""
    new, old = _beside(path)
    if not path.exists() and old.exists():
        # `_replace` was cut off between its renames: the new store is whole, or it would not have begun.
        (new if new.exists() else old).rename(path)
    # Whatever else stands there is half of a store that nobody needs: what is at `path` is whole.
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    if path.is_dir():
        for partial in path.rglob("*.partial"):  # a chunk being written
            partial.unlink()


def _replace(path: Path, new: Path) -> None:
    """Put the finished store `new` in the place of `path`; killed at any moment, `_recover` finds one of the two."""
    old = _beside(path)[1]
    if path.exists():
        path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def _create(path: Path, sweep: Sweep, layout: Layout, filled: xr.Dataset | None = None) -> None:
    """Make a store at `path`, pending everywhere but where `filled` has cells; it appears whole."""
    new = _beside(path)[0]
    coords = coordinates(sweep, layout)
    lengths = {name: coord.size for name, coord in coords.items() if coord.dims == (name,)}
    with _quiet(), _disk_errors(new):
        xr.Dataset(coords=coords, attrs=attributes(sweep)).to_zarr(new, mode="w", zarr_format=3, consolidated=False)
        group = zarr.open_group(new, mode="r+", zarr_format=3)
        chunk = dict(zip((axis.name for axis in sweep.axes), tiles(sweep), strict=True)) | {"engine": 1}
        for name, variable in variables(sweep).items():
            dims = variable.dims(sweep.axes)
            array = group.create_array(
                name,
                shape=tuple(lengths[dim] for dim in dims),
                chunks=tuple(chunk.get(dim, lengths[dim]) for dim in dims),
                chunk_key_encoding={"name": "default", "separator": "."},  # one folder a variable
                dtype=variable.dtype,
                fill_value=variable.fill,
                dimension_names=dims,
                attributes=dict(variable.attrs),
            )
            if filled is not None and name in filled:
                array[...] = filled[name].transpose(*dims).values
        status: Any = group["status"]
        status[...] = _with_asked(np.asarray(status[...]), sweep)
        zarr.consolidate_metadata(new)
        _replace(path, new)


def _with_asked(status: np.ndarray, sweep: Sweep) -> np.ndarray:
    """Return `status` with NOT_ASKED for cells that are still to be done and not wanted, and for no others."""
    wanted = np.stack([sweep.wanted(engine) for engine in sweep.engines])
    status = np.where(~wanted & (status == CellStatus.PENDING), np.int8(CellStatus.NOT_ASKED), status)
    return np.where(wanted & (status == CellStatus.NOT_ASKED), np.int8(CellStatus.PENDING), status)


def _continue(path: Path, sweep: Sweep, layout: Layout) -> tuple[Sweep, Layout]:
    """Check that `path` is a store of `sweep`; if axes or engines have grown, extend it. Raises InputError."""
    try:
        with _quiet(), xr.open_zarr(path, consolidated=True, chunks=None, zarr_format=3) as dataset:
            check_identity(path, dataset.attrs, sweep)
            sweep, grown = extended(path, dataset, sweep)
            stored = old_layout(dataset)
            layout = stored.union(layout)
            if not grown and stored == layout:
                return sweep, layout
            filled = dataset.load()  # now: the store that it is read from is about to be replaced
    except ts.InputError:
        raise
    except Exception as error:
        reason = f"{path} ({internal.first_line(error)})"
        raise ts.InputError("a store that a sweep wrote", reason, "choose another --out") from error
    indexers = {name: coord.values for name, coord in coordinates(sweep, layout).items() if coord.dims == (name,)}
    fill = {name: variable.fill for name, variable in variables(sweep).items()}
    filled = filled[[name for name in fill if name in filled]]
    labels = {name: values for name, values in indexers.items() if name in filled.dims}
    _create(path, sweep, layout, filled.reindex(labels, fill_value={name: fill[name] for name in filled.data_vars}))
    return sweep, layout


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?s).*[Cc]onsolidated metadata")
        yield


@contextlib.contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        shutil.rmtree(path, ignore_errors=True)
        raise ts.InputError(
            "room for the store", f"{path.parent} ({error.strerror})", "choose another --out"
        ) from error
