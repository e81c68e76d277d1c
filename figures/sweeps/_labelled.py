"""A sweep's data set in its normal form, whatever a user has done to it: selected, squeezed, joined or masked."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import teacher_student as ts
from teacher_student import internal

from ._axes import SELECTED
from ._cell_status import CellStatus

ENGINES = ("theory", "simulation")
AGAIN = "use figures.open_sweep"


def normal_form(dataset: Any) -> xr.Dataset:
    """Return a sweep's data set as pictures read it.

    The engine is a dimension, also where one was selected; every dimension has its values, each once; a cell that a
    mask or another grid has left without a status is one that was not asked for. Axes are the dimensions of `status`.

    Arguments: dataset: of `sweep` or `open_sweep`, after anything that xarray can do.
    Raises InputError for what is no longer, or never was, the data set of a sweep.
    """
    if not isinstance(dataset, xr.Dataset):
        raise ts.InputError("the data set of a sweep (xarray.Dataset)", type(dataset).__name__, AGAIN)
    axes_in_attributes(dataset)
    if "status" not in dataset.data_vars:
        raise _no_sweep(dataset)
    dataset = _with_engine(_unstacked(dataset))
    for name in map(str, dict.fromkeys([*dataset["status"].dims, *({"level"} & set(dataset.dims))])):
        _check_values(dataset, name)
        dataset = dataset if name in dataset.xindexes else dataset.set_xindex(name)
    engines = dataset["engine"].values.tolist()
    for engine in engines:
        internal.require_name(engine, ENGINES, "engine of a sweep's data set")
    result: xr.Dataset = dataset.assign(status=_status(dataset["status"]))
    return result


def axes_in_attributes(dataset: xr.Dataset) -> dict[str, Any]:
    """Return name -> dotted names, or choices, of the axes that a sweep's data set began with. Raises InputError."""
    if not isinstance(dataset, xr.Dataset) or "axes" not in dataset.attrs:
        raise _no_sweep(dataset)
    required = "the attribute axes that a sweep wrote"
    axes = internal.read_json(dataset.attrs["axes"], required, "another one")
    if not isinstance(axes, dict) or not all(_is_axis(entry) for entry in axes.values()):
        raise ts.InputError(required, repr(axes), AGAIN)
    return axes


def _no_sweep(dataset: Any) -> ts.InputError:
    """Return the error for what has not all that a sweep has, with the way back to it."""
    attributes = getattr(dataset, "attrs", {})
    remedy = AGAIN
    if "source_engine" in attributes:
        remedy = "a Trajectory, which Trajectory.load reads from a file, has methods plot and to_dataframe"
    elif "axes" in attributes:
        remedy = 'keep the status, as in data[["error", "error_se", "status"]]'
    elif "status" in dataset:
        remedy = f"keep the attributes by keep_attrs=True, or {AGAIN}"
    return ts.InputError("the data set of a sweep", "one without axes and status", remedy)


def _is_axis(entry: Any) -> bool:
    """Say whether `entry` has an axis' dotted names, or the tables of its choices."""
    if isinstance(entry, dict):
        return all(isinstance(tables, dict) for tables in entry.values())
    return isinstance(entry, list) and bool(entry) and all(isinstance(key, str) for key in entry)


def _unstacked(dataset: xr.Dataset) -> xr.Dataset:
    """Return `dataset` with axes that were stacked into one side by side again."""
    if not any(isinstance(index, pd.MultiIndex) for index in dataset.indexes.values()):
        return dataset
    try:
        unstacked: xr.Dataset = dataset.unstack()
        return unstacked
    except Exception as error:  # xarray's and pandas' own, of points that are there twice, say
        raise ts.InputError("stacked axes that can be unstacked", internal.first_line(error), AGAIN) from error


def _with_engine(dataset: xr.Dataset) -> xr.Dataset:
    """Return `dataset` with the dimension `engine`; the variables that have none are those that both share."""
    if "engine" in dataset["status"].dims:
        return dataset
    if "engine" not in dataset.coords or dataset["engine"].ndim:
        remedy = "select it without drop=True, or " + AGAIN
        raise ts.InputError("the data set of a sweep with its engine", "one without", remedy)
    return dataset.expand_dims("engine")


def _check_values(dataset: xr.Dataset, name: str) -> None:
    """Raise InputError unless the dimension `name` has finite values or names, each once, and a name of its own."""
    if name in SELECTED:
        required = f"dimensions other than {', '.join(SELECTED)}, which pictures make of a sweep"
        raise ts.InputError(required, name, "rename it")
    if name not in dataset.coords:
        raise ts.InputError(f"a data set with the values of {name}", "one without", "keep its coordinate")
    column = dataset[name].values
    if not column.size:
        raise ts.InputError("at least one cell", f"no value of {name}")
    if not _are_finite(column):
        raise ts.InputError(f"finite numbers or names along {name}", column.tolist())
    values = column.tolist()
    if len({_hashable(value) for value in values}) < len(values):
        raise ts.InputError(f"each value of {name} once", values, "choose one of them")


def _are_finite(column: np.ndarray) -> bool:
    if column.dtype.kind in "iufb":
        return bool(np.all(np.isfinite(column)))
    return column.dtype.kind in "UTO" and all(
        isinstance(value, (str, int, float)) and value == value for value in column
    )


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (str, int, float)) else repr(value)


def _status(status: xr.DataArray) -> xr.DataArray:
    """Return the states of the cells as CellStatus, those that are missing as NOT_ASKED. Raises InputError."""
    known = np.array([int(one) for one in CellStatus])
    column = status.values
    if column.dtype.kind not in "iufb":
        raise ts.InputError("numbers of CellStatus as status", f"values of type {column.dtype}", AGAIN)
    column = np.where(np.isnan(column), int(CellStatus.NOT_ASKED), column)
    if np.any(column % 1):
        remedy = "mask the others first, by data.where(data.status == 1), or average by over="
        required = "cells of one status, to average or interpolate them"
        raise ts.InputError(required, "cells that ended differently", remedy)
    if not np.all(np.isin(column, known)):
        raise ts.InputError(f"numbers of CellStatus as status, {known.tolist()}", np.unique(column).tolist(), AGAIN)
    return status.copy(data=column.astype(np.int8))


def axes_of_cells(dataset: xr.Dataset) -> list[str]:
    """Return the dimensions along which the cells of a data set in normal form lie."""
    return [str(name) for name in dataset["status"].dims if name != "engine"]


def variable_numbers(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return the variable `name` as numbers. Raises InputError for one that has none."""
    variable = dataset[name].compute()
    if variable.dtype.kind not in "iufb":
        raise ts.InputError(f"numbers as {name}", f"values of type {variable.dtype}", AGAIN)
    return variable


def scalar_or_column(dataset: xr.Dataset, name: str) -> list[Any] | None:
    """Return the values of a coordinate, also of one that was selected; None where there is none."""
    if name not in dataset.coords:
        return None
    values: list[Any] = np.atleast_1d(dataset[name].values).tolist()
    return values
