"""A sweep as a map or as curves, whichever its free axes ask for."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import teacher_student as ts
from teacher_student import internal

from ..maps import Contrast, select
from ..sweeps import normal_form
from ._curves import plot_curves
from ._phase_diagram import plot_map

OF_CURVES = ("lines",)
VALUES = ("measure", "quantity", "quantities", "variable", "metric", "z")  # what other plots call `value`
OF_MAPS = ("y", "panels", "boundary", "engine", "limits", "known")


def plot_sweep(
    dataset: xr.Dataset,
    x: str | None = None,
    y: str | None = None,
    value: str = "error",
    *,
    level: str | Mapping[str, float] | None = None,
    at: Mapping[str, Any] | None = None,
    contrast: "Contrast | Sequence[Any] | None" = None,
    over: str | None = None,
    ax: Any = None,
    **options: Any,
) -> tuple[Figure, np.ndarray]:
    """Draw a sweep. See `data.sweep.plot`."""
    dataset = normal_form(dataset)
    at = dict(at or {}) | ({} if level is None else {"level": level})
    choice: dict[str, Any] = {"at": at, "contrast": contrast, "over": over, "ax": ax}
    for name in sorted(set(options) - {*OF_CURVES, *OF_MAPS}):
        raise ts.InputError("a known argument of data.sweep.plot", f"{name}=", _remedy(name, options[name]))
    of_a_map = y is not None or any(options.get(name) is not None for name in OF_MAPS)
    if of_a_map and options.get("lines") is not None:
        raise ts.InputError("lines, of curves, or what a map has", [name for name in options if name != "lines"])
    if not of_a_map and options.get("lines") is None:
        free = select(dataset, value, at=at, contrast=contrast, over=over)["value"].dims
        of_a_map = len(free) > 1
    if not of_a_map:
        return plot_curves(dataset, x, value, lines=options.get("lines"), **choice)
    known = options.pop("known", None)
    options.pop("lines", None)
    return plot_map(dataset, x, y, value, lines=known, **options, **choice)


def _remedy(name: str, given: Any) -> str:
    """Return which argument is meant by one that is not there."""
    known = ("x", "y", "value", "level", "at", "contrast", "over", "ax", *OF_CURVES, *OF_MAPS)
    return f"did you mean value={internal.one_line(repr(given))}?" if name in VALUES else internal.nearest(name, known)
