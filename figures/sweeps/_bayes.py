"""The best accuracy that any classifier could have in each cell of a sweep of mixtures."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

import teacher_student as ts

from ._axes import read_axes


def bayes_accuracy(dataset: xr.Dataset) -> xr.DataArray | None:
    """Return the Bayes accuracy per level on those axes of a sweep that change the task; None if it is no mixture."""
    tables = json.loads(dataset.attrs["problem"])
    if tables["task"].get("kind") != "xor":
        return None
    task_axes = {
        name: _values(dataset, name, keys)
        for name, keys in json.loads(dataset.attrs["axes"]).items()
        if name in dataset.dims and _of_task(keys)
    }
    axes = read_axes(task_axes) if task_axes else ()
    levels = dataset["level"].values.tolist()
    accuracies = np.full((*(len(axis) for axis in axes), len(levels)), np.nan)
    for index in itertools.product(*(range(len(axis)) for axis in axes)):
        cell_tables: Mapping[str, Any] = tables
        for axis, position in zip(axes, index, strict=True):
            cell_tables = axis.lay_over(cell_tables, position)
        values = ts.XorMixture(cell_tables["task"]["levels"]).bayes_accuracy()
        accuracies[index] = [values.get(level, np.nan) for level in levels]
    coords = {axis.name: dataset[axis.name] for axis in axes} | {"level": levels}
    return xr.DataArray(
        accuracies, coords, [*(axis.name for axis in axes), "level"], attrs={"long_name": "Bayes accuracy"}
    )


def _of_task(keys: Any) -> bool:
    """Say whether an axis, by its dotted names or choices, changes the task."""
    if isinstance(keys, Mapping):
        return any("task" in tables for tables in keys.values())
    return any(key.startswith("task.") for key in keys)


def _values(dataset: xr.Dataset, name: str, keys: Any) -> dict[str, Any]:
    if isinstance(keys, Mapping):
        return {"choices": {label: keys[label] for label in dataset[name].values.tolist()}}
    columns = [dataset[name], *(dataset[key] for key in keys[1:])]
    return {key: column.values.tolist() for key, column in zip(keys, columns, strict=True)}
