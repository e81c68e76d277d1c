"""Sweeps as tidy tables of pandas."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from teacher_student import internal

from ._axes import SUFFIXES
from ._cell_status import CellStatus
from ._labelled import normal_form
from ._variables import TRAILING

LEFT_OUT = ("run", "record")  # dimensions that do not fit into the row of a cell
LAST = ("status", "message")
IN_NAMES = {dim for dims in TRAILING.values() for dim in dims} - {"block"}  # a block that is alone is not in names
PAIRS = (("student_unit", "student_unit_2"), ("latent", "latent_2"))  # of symmetric matrices


def sweep_to_data_frame(dataset: xr.Dataset) -> pd.DataFrame:
    """Return a row for each cell and engine, and a column for each scalar. See `data.sweep.to_dataframe`."""
    dataset = _of_cells(normal_form(dataset)).compute()
    rows = dataset["status"]
    columns: dict[str, xr.DataArray] = {str(name): dataset[name] for name in rows.dims}
    beside = [name for name in dataset.coords if name not in columns and name not in IN_NAMES]
    columns |= {str(name): dataset[name] for name in beside if set(dataset[name].dims) <= set(rows.dims)}
    for name in sorted(map(str, dataset.data_vars), key=_place):
        columns |= dict(_scalars(dataset, name))
    frame = pd.DataFrame({name: _column(name, column, rows) for name, column in columns.items()})
    frame.attrs = {
        entry: {name: str(column.attrs[entry]) for name, column in columns.items() if entry in column.attrs}
        for entry in ("units", "long_name")
    }
    return frame


def _of_cells(dataset: xr.Dataset) -> xr.Dataset:
    """Return `dataset` without what has several numbers for each scalar of a cell."""
    return dataset.drop_vars([name for name in dataset.variables if set(dataset[name].dims) & set(LEFT_OUT)])


def _base(name: str) -> str:
    """Return the quantity that a variable such as "error_se" is about."""
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)


def _place(name: str) -> int:
    """Return where a variable's columns stand. Sorting keeps the order of equals."""
    order = [*TRAILING, "", *LAST]
    return order.index(_base(name) if _base(name) in order else "")


def _scalars(dataset: xr.Dataset, name: str) -> Iterator[tuple[str, xr.DataArray]]:
    """Give the columns of a variable: one for each position along the dimensions that are not those of rows."""
    variable, rows = dataset[name], dataset["status"].dims
    dims = [d for d in TRAILING.get(_base(name), ()) if d not in rows and (d in variable.dims or d in variable.coords)]
    dims += [str(dim) for dim in variable.dims if dim not in rows and dim not in dims]
    labels = {dim: _labels(variable, dim) for dim in dims}
    for places in itertools.product(*(range(len(labels[dim])) for dim in dims)):
        at = {dim: labels[dim][place] for dim, place in zip(dims, places, strict=True)}
        if _is_mirrored(at, labels):
            continue
        chosen = {dim: place for dim, place in zip(dims, places, strict=True) if dim in variable.dims}
        block = at.pop("block", None)
        is_alone = len(labels.get("block", ())) == 1
        yield internal.entry_name(name, None if is_alone else block, *at.values()), variable.isel(chosen)


def _labels(variable: xr.DataArray, dim: str) -> list[Any]:
    """Return the names along a dimension, or the one that was selected; positions from 1 where it has none."""
    if dim not in variable.coords:
        return list(range(1, variable.sizes[dim] + 1))
    names: list[Any] = np.atleast_1d(variable[dim].values).tolist()
    return names


def _is_mirrored(at: dict[str, Any], labels: dict[str, list[Any]]) -> bool:
    """Say whether an entry of a symmetric matrix also stands in the upper triangle, whose column is enough."""
    return any(
        {first, second} <= set(at)
        and at[first] > at[second]
        and at[second] in labels[first]
        and at[first] in labels[second]
        for first, second in PAIRS
    )


def _column(name: str, column: xr.DataArray, rows: xr.DataArray) -> np.ndarray:
    """Return a column of numbers in double precision, and one of names, or of the values of an axis, as it is."""
    values = column.broadcast_like(rows).transpose(*rows.dims).values.ravel()
    if name == "status":
        words = {int(status): status.words for status in CellStatus}
        return np.array([words[code] for code in values.tolist()], object)
    if name == "message":
        return np.array([text if isinstance(text, str) else "" for text in values], object)  # NaN where it was masked
    is_number = values.dtype.kind in "iufb" and name not in column.coords
    return values.astype(float) if is_number else values
