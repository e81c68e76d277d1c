"""The best accuracy that any classifier could have in each cell of a sweep of mixtures."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

import teacher_student as ts
from teacher_student import internal

from ._axes import read_axes
from ._labelled import axes_in_attributes, scalar_or_column


def bayes_accuracy(dataset: xr.Dataset) -> xr.DataArray | None:
    """Return the Bayes accuracy per level on those axes of a sweep that change the task.

    It is None for what is no mixture, and where the data set no longer says which tasks it is about: an axis of the
    task may have been renamed, or left out.
    """
    tables = _problem_tables(dataset)
    levels = scalar_or_column(dataset, "level")
    if tables["task"].get("kind") != "xor" or levels is None:
        return None
    task_axes = {
        name: _values(dataset, name, keys) for name, keys in axes_in_attributes(dataset).items() if _of_task(keys)
    }
    if None in task_axes.values():
        return None
    axes = read_axes(task_axes) if task_axes else ()
    accuracies = np.full((*(len(axis) for axis in axes), len(levels)), np.nan)
    for index in itertools.product(*(range(len(axis)) for axis in axes)):
        cell_tables: Mapping[str, Any] = tables
        for axis, position in zip(axes, index, strict=True):
            cell_tables = axis.lay_over(cell_tables, position)
        values = ts.XorMixture(cell_tables["task"]["levels"]).bayes_accuracy()
        accuracies[index] = [values.get(level, np.nan) for level in levels]
    coords = {axis.name: list(axis.labels) for axis in axes} | {"level": levels}
    return xr.DataArray(
        accuracies, coords, [*(axis.name for axis in axes), "level"], attrs={"long_name": "Bayes accuracy"}
    )


def _of_task(keys: Any) -> bool:
    """Say whether an axis, by its dotted names or choices, changes the task."""
    if isinstance(keys, Mapping):
        return any("task" in tables for tables in keys.values())
    return any(key.startswith("task.") for key in keys)


def _values(dataset: xr.Dataset, name: str, keys: Any) -> dict[str, Any] | None:
    """Return the values of an axis as `read_axes` takes them; None where they are not in the data set."""
    labels = scalar_or_column(dataset, name)
    if labels is None:
        return None
    if isinstance(keys, Mapping):
        known = all(label in keys for label in labels)
        return {"choices": {label: keys[label] for label in labels}} if known else None
    columns = [labels, *(scalar_or_column(dataset, key) for key in keys[1:])]
    return None if None in columns else dict(zip(keys, columns, strict=True))


def _problem_tables(dataset: xr.Dataset) -> dict[str, Any]:
    required = "the attribute problem that a sweep wrote"
    if "problem" not in dataset.attrs:
        raise ts.InputError(required, "none", "use figures.open_sweep")
    tables = internal.read_json(dataset.attrs["problem"], required, "another one")
    if not isinstance(tables, dict) or not isinstance(tables.get("task"), dict):
        raise ts.InputError(required, repr(tables), "use figures.open_sweep")
    return tables
