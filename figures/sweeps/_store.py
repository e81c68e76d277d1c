"""The store of a sweep: a Zarr group on disk, one writer, cells written tile by tile, each with its status.

A tile of a variable is one chunk, which Zarr replaces as a whole; the chunk of the status is written last, so a cell
that is said to be done has all its values, whenever the process dies.
"""

import contextlib
import json
import os
import shutil
import socket
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
from ._cell_status import FINISHED, WITHOUT_VALUES, CellStatus
from ._checked_store import (
    COMPRESSORS,
    ROOT,
    FileStore,
    WrittenStore,
    check_chunks,
    held_warnings,
    is_checked,
    lost_chunks,
    opened,
    require_decodable,
    write_attributes,
)
from ._continue_store import check_identity, extended, old_layout
from ._labelled import normal_form
from ._measures import Layout
from ._spec import Sweep, tile_slices, tiles
from ._store_files import remove_partial, remove_remains, require_no_others
from ._stored_arrays import check_arrays, recorded_versions
from ._variables import Variable, attributes, coordinates, variables


class Store:
    """An open store of one sweep; only the process that holds it writes it."""

    def __init__(self, path: Path, sweep: Sweep, layout: Layout):
        self.path, self.sweep, self.layout = path, sweep, layout
        self.variables = variables(sweep)
        checked = is_checked(path)
        # A chunk is written even where it has nothing but NaN: of one that is not there, it is known that it was lost.
        with zarr.config.set({"array.write_empty_chunks": True}):
            group = zarr.open_group(WrittenStore(path) if checked else FileStore(path), mode="r+", zarr_format=3)
            self.arrays: dict[str, Any] = {name: group[name] for name in self.variables}
        self.attrs: dict[str, Any] = dict(group.attrs)
        self._folder = path.stat()
        stored = np.asarray(self.arrays["status"][...])
        self.status: np.ndarray = _with_asked(stored, sweep)
        self.lost: list[Path] = []
        if checked:
            check_chunks(path, list(self.variables))
            self._reopen_lost()
        if not np.array_equal(stored, self.status):  # simulate_every has changed, or chunks are lost
            self._write_status(stored)
        self.tiles = tiles(sweep)

    def _reopen_lost(self) -> None:
        """Make cells pending again whose chunks are lost, so that they are computed again."""
        chunks = {name: (array.metadata.dimension_names, array.chunks) for name, array in self.arrays.items()}
        axes = [axis.name for axis in self.sweep.axes]
        for e, region, file in list(lost_chunks(self.path, chunks, axes, self.sweep.engines, self.status)):
            cells = self.status[e][region]
            cells[np.isin(cells, FINISHED)] = CellStatus.PENDING
            self.lost.append(file)

    def _write_status(self, stored: np.ndarray) -> None:
        """Write the chunks of the status in which it differs from what is stored."""
        array = self.arrays["status"]
        for index in np.ndindex(*(-(-n // size) for n, size in zip(array.shape, array.chunks, strict=True))):
            region = tuple(slice(i * size, (i + 1) * size) for i, size in zip(index, array.chunks, strict=True))
            if not np.array_equal(stored[region], self.status[region]):
                array[region] = self.status[region]

    def require_there(self) -> None:
        """Raise InputError if the store was deleted, moved or replaced since it was opened."""
        if not self._is_there():
            # Where the folder is still the one that was opened, the deletion met a chunk that was being written, and
            # has left it. What lies elsewhere, or was put there since, is not this process's.
            if self._is_same_folder() and not (self.path / ROOT).exists():
                remove_remains(self.path, self.variables, self.attrs)
            raise ts.InputError(
                "the store, until its sweep is done",
                f"{self.path}, which was deleted or moved meanwhile",
                "start the sweep again",
            )

    def _is_there(self) -> bool:
        return self._is_same_folder() and all((self.path / name / ROOT).exists() for name in ("", *self.variables))

    def _is_same_folder(self) -> bool:
        try:
            folder = self.path.stat()
        except OSError:
            return False
        return (folder.st_dev, folder.st_ino) == (self._folder.st_dev, self._folder.st_ino)

    def note_versions(self) -> str:
        """Record the versions of what computes from now on, if they are not those before. Return a line about them."""
        now = ts.versions()
        first, later = recorded_versions(self.path, self.attrs)
        if now in [first, *later]:
            return ""
        changes = {"later_versions": json.dumps([*later, now])}
        write_attributes(self.path, changes, checked=is_checked(self.path))
        before = [first, *later][-1]
        names = [name for name in sorted({*now, *before}) if now.get(name) != before.get(name)]
        changed = ", ".join(f"{name} {before.get(name, 'absent')} (now {now.get(name, 'absent')})" for name in names)
        return f"the store was computed with {changed or 'other versions'}; both are recorded in it"

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
        self.require_there()

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
            others = not variable.per_engine and self.sweep.engines[e] != "simulation"  # the other engine's to write
            written = not fresh and name == "message" and not np.any(np.isin(status, WITHOUT_VALUES))
            if others or written:
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
    path = internal.target(internal.as_path(path))
    if not path.name:
        raise ts.InputError("the path of a store", f"{path}, the root of all folders", "choose a folder in it")
    with _lock(path):
        _recover(path)
        if not path.exists():
            _create(path, sweep, layout)
        else:
            sweep, layout = _continue(path, sweep, layout)
        remove_partial(path, variables(sweep))
        yield Store(path, sweep, layout)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock beside the store, so that no two processes write it.

    The system frees a lock when its owner dies, so a dead owner's is no obstacle. Who holds it stands in a second file.
    Both lie beside what a link leads to: through it or not, there is one writer.
    """
    path = internal.target(internal.as_path(path))
    lock, owner = (path.with_name(f".{path.name}.{kind}") for kind in ("lock", "owner"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        internal.require_file(owner, "a writable place for the store")
        held = filelock.FileLock(lock).acquire(timeout=0)
    except filelock.Timeout:
        who = owner.read_text(errors="replace").strip() if owner.exists() else "another process"
        raise ts.InputError("a store that no other process writes", f"{path}, held by {who}", "wait for it") from None
    except (OSError, NotImplementedError) as error:  # the latter of a file system without locks
        reason = f"{path} ({getattr(error, 'strerror', None) or internal.first_line(error)})"
        raise ts.InputError("a writable place for the store", reason, "choose another") from error
    with held:
        owner.write_text(f"process {os.getpid()} on {socket.gethostname()}\n")
        try:
            yield
        finally:
            owner.unlink(missing_ok=True)


def _beside(path: Path) -> tuple[Path, Path]:
    """Return where a new store is built, and where the old one waits while it is replaced.

    Both lie beside the store: a rename is one step only within a file system. Only who holds the lock makes and removes
    them, and their names are no user's.
    """
    return (
        path.with_name(f".{path.name}.teacher-student.new"),
        path.with_name(f".{path.name}.teacher-student.old"),
    )


def _recover(path: Path) -> None:
    """Finish or undo what a killed process left half done (see `_replace`)."""
    new, old = _beside(path)
    if not path.exists() and old.exists() and new.exists():
        # `_replace` was cut off between its renames: the new store is whole, or it would not have begun.
        new.rename(path)
    # Whatever else stands there is half of a store that nobody needs: what is at `path` is whole, or the user has
    # deleted it since.
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)


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
    with held_warnings(), _disk_errors(new):
        attrs = attributes(sweep)
        if filled is not None:  # its cells stay what they are
            attrs |= {name: filled.attrs[name] for name in ("versions", "later_versions") if name in filled.attrs}
        xr.Dataset(coords=coords, attrs=attrs).to_zarr(new, mode="w", zarr_format=3, consolidated=False)
        group = zarr.open_group(new, mode="r+", zarr_format=3)
        chunk = dict(zip((axis.name for axis in sweep.axes), tiles(sweep), strict=True)) | {"engine": 1}
        for name, variable in variables(sweep).items():
            dims = variable.dims(sweep.axes)
            group.create_array(
                name,
                shape=tuple(lengths[dim] for dim in dims),
                chunks=tuple(chunk.get(dim, lengths[dim]) for dim in dims),
                chunk_key_encoding={"name": "default", "separator": "."},  # one folder a variable
                compressors=COMPRESSORS,
                dtype=variable.dtype,
                fill_value=variable.fill,
                dimension_names=dims,
                attributes=dict(variable.attrs),
            )
        if filled is not None:
            _fill(new, sweep, filled)
        status: Any = group["status"]
        status[...] = _with_asked(np.asarray(status[...]), sweep)
        zarr.consolidate_metadata(new)
        write_attributes(new, {}, checked=True)
        _replace(path, new)


def _fill(new: Path, sweep: Sweep, filled: xr.Dataset) -> None:
    """Write the tiles of `filled` in which a cell is finished, each of them whole, as `Store.write` does."""
    with zarr.config.set({"array.write_empty_chunks": True}):
        group = zarr.open_group(new, mode="r+", use_consolidated=False)
        arrays: dict[str, Any] = {name: group[name] for name in variables(sweep)}
    kinds = variables(sweep)
    values = {name: filled[name].transpose(*kinds[name].dims(sweep.axes)).values for name in kinds if name in filled}
    for e, engine in enumerate(sweep.engines):
        for region in tile_slices(sweep):
            if not np.isin(values["status"][e][region], FINISHED).any():
                continue
            for name, kind in kinds.items():
                place: Any = (e, *region) if kind.per_engine else region
                if kind.per_engine or engine == "simulation":
                    array = arrays[name]
                    array[place] = values[name][place] if name in values else np.full_like(array[place], kind.fill)


def _with_asked(status: np.ndarray, sweep: Sweep) -> np.ndarray:
    """Return `status` with NOT_ASKED for cells that are still to be done and not wanted, and for no others."""
    wanted = np.stack([sweep.wanted(engine) for engine in sweep.engines])
    status = np.where(~wanted & (status == CellStatus.PENDING), np.int8(CellStatus.NOT_ASKED), status)
    return np.where(wanted & (status == CellStatus.NOT_ASKED), np.int8(CellStatus.PENDING), status)


def _continue(path: Path, sweep: Sweep, layout: Layout) -> tuple[Sweep, Layout]:
    """Check that `path` is a store of `sweep`; if axes or engines have grown, extend it. Raises InputError."""
    try:
        checked = is_checked(path)
        store = opened(path, checked=checked)
        with held_warnings(), xr.open_zarr(store, consolidated=True, chunks=None, zarr_format=3) as dataset:
            check_identity(path, dataset.attrs, sweep)
            normal_form(dataset)
            if not checked:
                require_decodable(path, dataset)
            recorded_versions(path, dataset.attrs)
            sweep, grown = extended(path, dataset, sweep)
            check_arrays(path, zarr.open_group(store, mode="r", zarr_format=3), dataset, sweep, layout)
            stored = old_layout(dataset)
            layout = stored.union(layout)
            # A status that the store's version did not know must be explained in it before a cell has it.
            known = np.size(dataset["status"].attrs.get("flag_values", ())) == len(CellStatus)
            if not grown and stored == layout and known:
                return sweep, layout
            arrays = [str(name) for name in dataset.variables]
            filled = dataset.load()  # now: the store that it is read from is about to be replaced
    except ts.InputError:
        raise
    except Exception as error:
        reason = f"{path} ({internal.first_line(error)})"
        raise ts.InputError("a store that a sweep wrote", reason, "choose another --out") from error
    remove_partial(path, arrays)
    require_no_others(path, arrays)
    indexers = {name: coord.values for name, coord in coordinates(sweep, layout).items() if coord.dims == (name,)}
    fill = {name: variable.fill for name, variable in variables(sweep).items()}
    filled = filled[[name for name in fill if name in filled]]
    labels = {name: values for name, values in indexers.items() if name in filled.dims}
    _create(path, sweep, layout, filled.reindex(labels, fill_value={name: fill[name] for name in filled.data_vars}))
    return sweep, layout


@contextlib.contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        shutil.rmtree(path, ignore_errors=True)
        raise ts.InputError(
            "room for the store", f"{path.parent} ({error.strerror})", "choose another --out"
        ) from error
