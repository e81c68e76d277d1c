"""Whether the arrays of a store are those that a sweep of it writes: anybody may have edited it since.

A cell is written into arrays of this type and shape. Where one differs, a number would be rounded, lie in another place
or be read as something else, or the sweep would end in the middle of its work.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

import teacher_student as ts
from teacher_student import internal

from ._cell_status import CellStatus
from ._measures import Layout
from ._spec import ENGINES, Sweep
from ._variables import coordinates, variables

REMEDY = "choose another --out"
REQUIRED = "a store as a sweep wrote it"
RESCALING = ("scale_factor", "add_offset")  # attributes by which xarray reads other numbers than those that are stored


def engine_of(path: Path, dataset: xr.Dataset) -> str:
    """Return the word for the engines that a store has. Raises InputError for others."""
    names = _column(path, dataset, "engine")
    for word, engines in ENGINES.items():
        if names == list(engines):
            return word
    raise ts.InputError(f"{path} with the engines of a sweep, such as {list(ENGINES['both'])}", names, REMEDY)


def check_coordinates(path: Path, dataset: xr.Dataset, sweep: Sweep) -> None:
    """Raise InputError unless every axis has its values in the store, each dotted name of it one for each cell."""
    for axis in sweep.axes:
        for name in (axis.name, *axis.keys[1:]):
            _column(path, dataset, name, dim=axis.name)
    _column(path, dataset, "level")


def check_arrays(path: Path, group: Any, dataset: xr.Dataset, sweep: Sweep, layout: Layout) -> None:
    """Raise InputError, naming the first array that is not as `sweep` writes it, with the store's engines and lengths.

    Arguments: layout: the names that cells of this sweep have; the store may have fewer, of axes that have grown since.
    """
    stored = dataclasses.replace(sweep, engine=engine_of(path, dataset))
    for name in coordinates(stored, layout):
        if name in dataset.dims:
            _column(path, dataset, name)
    for name, known in (("level", layout.levels), ("block", layout.blocks)):
        names = _column(path, dataset, name) if name in dataset.coords else []
        if not set(names) <= set(known):
            raise ts.InputError(f"{path} with the {name}s of its problem, {list(known)}", names, REMEDY)
    for name, variable in variables(stored).items():
        array, dims = group.get(name), variable.dims(stored.axes)
        if not isinstance(array, zarr.Array):
            raise ts.InputError(REQUIRED, f"{path}, which has no array {name!r}", REMEDY)
        _check_array(path, array, name, dims, tuple(dataset.sizes.get(dim, 0) for dim in dims), variable.dtype)
    status = np.unique(np.asarray(group.get("status")[...]))  # an array, as was just checked
    if not np.all(np.isin(status, list(CellStatus))):
        raise ts.InputError(f"numbers of CellStatus as status in {path}", status.tolist(), REMEDY)


def _check_array(path: Path, array: Any, name: str, dims: tuple[str, ...], shape: tuple[int, ...], dtype: Any) -> None:
    wanted, got = np.dtype(dtype), array.dtype
    if (got.kind, got.itemsize) != (wanted.kind, wanted.itemsize):  # in whatever order its bytes are
        raise ts.InputError(f"{name} in {path} of type {wanted}", got, REMEDY)
    if array.metadata.dimension_names != dims or array.shape != shape:
        found = f"{array.metadata.dimension_names} of lengths {array.shape}"
        raise ts.InputError(f"{name} in {path} along {dims} of lengths {shape}", found, REMEDY)
    for attribute in RESCALING:
        if attribute in array.attrs:
            raise ts.InputError(REQUIRED, f"{name} in {path} with the attribute {attribute}", REMEDY)


def _column(path: Path, dataset: xr.Dataset, name: str, dim: str | None = None) -> list[Any]:
    """Return the values of a coordinate along its dimension. Raises InputError where there are none."""
    if name not in dataset.coords or dataset[name].dims != (dim or name,):
        raise ts.InputError(REQUIRED, f"{path}, which has no values of {name}", REMEDY)
    values: list[Any] = dataset[name].values.tolist()
    return values


def recorded_versions(path: Path, attrs: Mapping[str, Any]) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return the versions of what computed a store at first, and those of later starts. Raises InputError."""
    first, later = (
        internal.read_json(attrs.get(name, default), f"the attribute {name} that a sweep wrote", path)
        for name, default in (("versions", None), ("later_versions", "[]"))
    )
    if not isinstance(later, list) or not all(map(_is_texts, [first, *later])):
        raise ts.InputError("versions as a sweep records them", f"others in {path}", REMEDY)
    return first, later


def _is_texts(table: Any) -> bool:
    return isinstance(table, dict) and all(isinstance(text, str) for text in table.values())
