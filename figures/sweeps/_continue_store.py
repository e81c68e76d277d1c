"""Whether a store belongs to a sweep, and how the sweep has grown since."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import teacher_student as ts
from teacher_student import internal

from ._axes import Axis
from ._measures import Layout
from ._spec import ENGINES, Sweep
from ._stored_arrays import check_coordinates, engine_of
from ._variables import FORMAT


def check_identity(path: Path, attrs: Mapping[str, Any], sweep: Sweep) -> None:
    """Raise InputError, naming the first key that differs, unless problem, axes and format are these.

    The format stands for all that makes cells of two versions differ, so that a release that changes something else
    continues the sweeps of the one before.
    """
    if "identity" not in attrs or not isinstance(attrs.get("package_version"), str):
        raise ts.InputError("a store that a sweep wrote", f"{path}, which has no sweep in it", "choose another --out")
    if attrs.get("format", 1) != FORMAT:  # stores of format 1 do not say so
        raise ts.InputError(
            f"a store of format {FORMAT}, whose cells have starts drawn as now",
            f"{path}, of format {attrs.get('format', 1)}",
            "choose another --out, or continue it with the version that wrote it, " + attrs["package_version"],
        )
    required = "the attribute identity that a sweep wrote"
    stored, wanted = internal.read_json(attrs["identity"], required, path), json.loads(json.dumps(sweep.identity()))
    if not isinstance(stored, dict):
        raise ts.InputError(required, f"another one in {path}", "choose another --out")
    for key in [*wanted, *(key for key in stored if key not in wanted)]:
        growing = key.startswith("axes.") and key.count(".") > 1 and key not in stored  # a new choice of an axis
        if stored.get(key) != wanted.get(key) and not growing:
            values = [json.dumps(identity[key]) if key in identity else "absent" for identity in (stored, wanted)]
            raise ts.InputError(
                f"the sweep that {path} holds",
                f"another one: {key} is {values[0]} there and {values[1]} here",
                "choose another --out",
            )


def extended(path: Path, dataset: xr.Dataset, sweep: Sweep) -> tuple[Sweep, bool]:
    """Return `sweep` with the stored values of its axes, where they are the same up to rounding, and whether it grew.

    Raises InputError if a stored value is no longer on its axis.
    """
    engines = ENGINES[engine_of(path, dataset)]
    check_coordinates(path, dataset, sweep)
    missing = set(engines) - set(sweep.engines)
    if missing:
        kept = next(name for name, both in ENGINES.items() if set(both) == {*engines, *sweep.engines})
        raise ts.InputError(f"the engine {missing.pop()} that {path} has", sweep.engine, f'set engine = "{kept}"')
    axes, grown = [], engines != sweep.engines
    for axis in sweep.axes:
        stored = dataset[axis.name].values.tolist()
        labels = tuple(_stored_or_same(label, stored) for label in axis.labels)
        lost = [label for label in stored if not any(_same(label, wanted) for wanted in labels)]
        if lost:
            raise ts.InputError(
                f"all values of {axis.name} that {path} holds",
                f"none of {lost[:3]}",
                "add them, or choose another --out",
            )
        grown = grown or list(labels) != stored
        axes.append(_with_labels(axis, labels, dataset))
    return dataclasses.replace(sweep, axes=tuple(axes)), grown


def _with_labels(axis: Axis, labels: tuple[Any, ...], dataset: xr.Dataset) -> Axis:
    """Return `axis` with the given first values, and the stored ones of its other keys."""
    if axis.choices:
        return dataclasses.replace(axis, labels=labels)
    stored = dataset[axis.name].values.tolist()
    rows = []
    for label, row in zip(labels, axis.values, strict=True):
        others = row[1:]
        if label in stored:
            position = stored.index(label)
            others = tuple(dataset[key].values.tolist()[position] for key in axis.keys[1:])
            for key, new, old in zip(axis.keys[1:], row[1:], others, strict=True):
                if not _same(new, old):
                    raise ts.InputError(f"{key} = {old!r} where {axis.name} is {label!r}, as stored", repr(new))
        rows.append((label, *others))
    return dataclasses.replace(axis, labels=labels, values=tuple(rows))


def _stored_or_same(label: Any, stored: list[Any]) -> Any:
    return next((value for value in stored if _same(label, value)), label)


def _same(a: Any, b: Any) -> bool:
    """Say whether two values are equal, numbers up to rounding.

    A range that is written in another way, or read from a file, may differ in its last digit.
    """
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return bool(np.isclose(a, b, rtol=1e-12, atol=0, equal_nan=True))
    return bool(a == b)


def old_layout(dataset: xr.Dataset) -> Layout:
    """Return the layout that a store has."""
    sizes = dataset.sizes

    def names(dim: str) -> tuple[str, ...]:
        return tuple(str(name) for name in dataset[dim].values) if dim in dataset else ()

    return Layout(
        names("level"),
        names("block"),
        *(int(sizes.get(dim, 0)) for dim in ("student_unit", "latent", "run", "record")),
    )
