"""The pictures of a sweep that a user may want to see next, as commands that need no more to be chosen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ..sweeps import FINISHED, axes_of_cells, normal_form
from ._next_steps import Step

FIRST = ("error", "accuracy")  # what is drawn of several numbers


def draw_sweep(store: str, dataset: xr.Dataset) -> list[Step]:
    """Return the step that draws a sweep's data set: a map of its first two axes, or curves over its only one.

    Every other axis stays at its first value, and the last level is taken, at which most curricula end. Without a
    finished cell or a number to draw there is none.
    """
    dataset = normal_form(dataset)
    values = _drawable_values(dataset)
    if not values or not np.any(dataset["status"].isin(FINISHED)):
        return []
    axes = axes_of_cells(dataset)
    long = [name for name in axes if dataset.sizes[name] > 1] or axes[:1]
    free = long[:2]
    fixed = {name: _first(dataset, name) for name in axes if name not in free}
    value = values[0]
    if "level" in dataset[value].dims and dataset.sizes["level"] > 1:
        fixed["level"] = dataset["level"].values.tolist()[-1]
    words = ["--x", free[0], *(["--y", free[1]] if len(free) > 1 else [])]
    words += [word for name, label in fixed.items() for word in ("--at", f"{name}={label}")]
    words += [] if value == "error" else ["--value", value]
    kind = "phase-diagram" if len(free) > 1 else "curves"
    purpose = "a map of the cells" if len(free) > 1 else "a curve through the cells"
    return [(purpose, ["teacher-student", "figure", kind, store, *words])]


def _drawable_values(dataset: xr.Dataset) -> Sequence[str]:
    """Return the numbers that a picture can show, each with its standard error, those of `FIRST` in front."""
    known = {"engine", "level", *axes_of_cells(dataset)}
    names = [str(name) for name, variable in dataset.data_vars.items() if {*variable.dims} <= known]
    values = [name for name in names if f"{name}_se" in dataset]
    return sorted(values, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))


def _first(dataset: xr.Dataset, name: str) -> Any:
    return dataset[name].values.tolist()[0]
