"""The variables of a sweep's data set: their dimensions, types and descriptions."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

import teacher_student as ts
from teacher_student import internal

from ._axes import Axis
from ._cell_status import CellStatus
from ._labels import label_of
from ._measures import OVERLAPS, PER_LEVEL, Layout, Measures
from ._plain_text import plain
from ._spec import Sweep

# Of stores. It goes up with each release after which a cell of the same sweep has other numbers or lies elsewhere in
# the store: cells of both kinds must not mix. 1: until version 0.5. 2: starts are drawn in NumPy.
FORMAT = 2

TRAILING = {
    "error": ("level",),
    "accuracy": ("level",),
    "means_right": ("level",),
    "solved": ("level",),
    "Q": ("block", "student_unit", "student_unit_2"),
    "R": ("block", "student_unit", "latent"),
    "T": ("block", "latent", "latent_2"),
    "readout": ("student_unit",),
}


LONG_NAMES = internal.LONG_NAMES | {
    "means_right": "share of the clusters' means with the right sign of the output",
    "solved": "1 if all means are right, else 0",
}


@dataclasses.dataclass(frozen=True)
class Variable:
    """A variable of the data set.

    trailing: its dimensions after the axes. per_engine: whether each engine has its own. attrs, dtype: as stored.
    fill: the value of cells that have none.
    """

    trailing: tuple[str, ...]
    per_engine: bool
    attrs: Mapping[str, Any]
    dtype: Any = np.float64
    fill: Any = np.nan

    def dims(self, axes: tuple[Axis, ...]) -> tuple[str, ...]:
        """Return all dimensions, in order."""
        return (*(("engine",) if self.per_engine else ()), *(axis.name for axis in axes), *self.trailing)


def variables(sweep: Sweep) -> dict[str, Variable]:
    """Return every variable by name; the status comes last, because it is what declares a cell done."""
    measures, result = sweep.measures, {}

    def add(name: str, trailing: tuple[str, ...], long_name: str, units: str = "1", per_engine: bool = True) -> None:
        result[name] = Variable(trailing, per_engine, {"long_name": long_name, "units": units})

    for name in _kept(measures):
        add(name, TRAILING[name], f"{LONG_NAMES[name]}, at the last recorded alpha")
        add(f"{name}_se", TRAILING[name], f"standard error of {name}: of sampled averages (theory), of the run mean")
        if measures.trajectories:
            add(f"{name}_path", ("record", *TRAILING[name]), f"{LONG_NAMES[name]}, at every recorded alpha")
    if measures.trajectories:
        add("alpha", ("record",), "time alpha of each record", "samples / N")
    for name, time_to in measures.time_to.items():
        level = plain(internal.mixture_name(time_to.tested_on))
        description = f"alpha at which the {time_to.value} of level {level} first passes {time_to.threshold:g}"
        add(f"time_to_{name}", (), f"{description}; inf: never", "samples / N")
        add(f"time_to_{name}_se", (), f"standard error of time_to_{name} (jackknife over the runs)", "samples / N")
    if "simulation" in sweep.engines:
        for name in measures.time_to:
            description = (
                f"jackknife pseudo-values of time_to_{name}: their mean and spread over runs are its mean and error"
            )
            add(f"time_to_{name}_run", ("run",), description, "samples / N", per_engine=False)
        for name in _kept(measures):
            if name in PER_LEVEL:
                add(f"{name}_run", ("run", *TRAILING[name]), f"{LONG_NAMES[name]}, of each run", per_engine=False)
        add("diverged_runs", (), "number of runs that diverged", per_engine=False)
    if sweep.engine == "both":
        add("agreement_z", (), "largest |z| of theory against simulation in the cell", per_engine=False)
        add("agreement_p", (), "family-wise p-value of theory against simulation in the cell", per_engine=False)
        add("agrees", (), "1 if theory and simulation agree (see [agreement]), else 0", per_engine=False)
    add("reached", (), "alpha at which it stopped (the last recorded one, unless it diverged)", "samples / N")
    meanings = {"long_name": "explanation of a failed cell"}
    result["message"] = Variable((), True, meanings, np.dtypes.StringDType(), "")
    flags = {
        "long_name": "status of the cell",
        "flag_values": [int(status) for status in CellStatus],
        "flag_meanings": " ".join(status.name.lower() for status in CellStatus),
    }
    result["status"] = Variable((), True, flags, np.int8, int(CellStatus.PENDING))
    return result


def _kept(measures: Measures) -> list[str]:
    kept = {*measures.keep, *(OVERLAPS if "overlaps" in measures.keep else ())}
    kept |= {"solved"} if "means_right" in kept else set()
    return [name for name in TRAILING if name in kept]


def coordinates(sweep: Sweep, layout: Layout) -> dict[str, xr.Variable]:
    """Return the coordinates of every dimension; numbers that change with an axis' first have one each beside it."""

    def text(dim: str, names: Any) -> xr.Variable:
        return xr.Variable((dim,), np.array(list(names), dtype=object))

    def numbers(dim: str, count: int, long_name: str) -> xr.Variable:
        return xr.Variable((dim,), np.arange(1, count + 1), {"long_name": long_name})

    result = {"engine": text("engine", sweep.engines)}
    for axis in sweep.axes:
        result[axis.name] = _along(axis, axis.labels, axis.keys[0] if axis.keys else axis.name)
        for column, key in enumerate(axis.keys[1:], start=1):
            result[key] = _along(axis, tuple(row[column] for row in axis.values), key)
    result["level"] = text("level", layout.levels)
    if "overlaps" in sweep.measures.keep:
        result["block"] = text("block", layout.blocks)
        for name, count in (("student_unit", layout.student), ("latent", layout.latents)):
            result[name] = numbers(name, count, name.replace("_", " "))
            result[f"{name}_2"] = numbers(f"{name}_2", count, name.replace("_", " "))
    if layout.runs:
        result["run"] = numbers("run", layout.runs, "simulated run")
    if sweep.measures.trajectories:
        result["record"] = numbers("record", layout.records, "number of the record")
    return result


def _along(axis: Axis, values: tuple[Any, ...], key: str) -> xr.Variable:
    attrs = {"long_name": label_of(key), "dotted_name": key}
    if isinstance(values[0], str):
        return xr.Variable((axis.name,), np.array(values, dtype=object), attrs)
    return xr.Variable((axis.name,), np.asarray(values), attrs)


def attributes(sweep: Sweep) -> dict[str, Any]:
    """Return the attributes of the data set: the whole problem, the sweep, conventions, seed and versions."""
    axes = {axis.name: list(axis.keys) or dict(zip(axis.labels, axis.choices, strict=True)) for axis in sweep.axes}
    return {
        "title": f"sweep over {', '.join(axis.name for axis in sweep.axes)}",
        "problem": json.dumps(sweep.tables),
        "axes": json.dumps(axes),
        "measures": json.dumps(dataclasses.asdict(sweep.measures)),
        "identity": json.dumps(sweep.identity()),
        "seed": sweep.tables.get("seed", 0),
        "conventions": internal.CONVENTIONS,
        "package_version": ts.__version__,
        "format": FORMAT,
        "versions": json.dumps(ts.versions()),
    }
