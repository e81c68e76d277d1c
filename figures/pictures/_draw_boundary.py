"""Boundaries in a phase diagram: contours with their band, or one position per row with its interval."""

import itertools
from typing import Any

import matplotlib.patheffects as effects
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from scipy.interpolate import RegularGridInterpolator

from ..maps import NORMAL_95, along_theory, boundary, coarse, is_log

FINE = 10  # points per cell and axis on which line and band are drawn
BAND: Any = {"alpha": 0.55}
GREY = "0.65"  # of a band: seen on dark tiles and on white ones
# A black line is lost on a dark map, and is not with a white casing.
CASING: Any = [effects.Stroke(linewidth=2.6, foreground="white"), effects.Normal()]


def draw_boundary(axes: Axes, cells: xr.Dataset, x: str, y: str, where: float | str) -> set[str]:
    """Draw the boundary of a map whose dimensions are (y, x), within the limits that the axes have.

    Returns what there is to see of it: "line" and "band", or nothing where the boundary lies outside the map.
    """
    if any(cells[name].dtype.kind not in "if" for name in (x, y)):
        return set()
    limits = axes.get_xlim(), axes.get_ylim()
    drawn: set[str] = set()
    if isinstance(where, str):
        drawn = _draw_rows(axes, boundary(cells, x, y, where), y)
    elif min(cells["value"].shape) >= 2:
        drawn = _draw_contour(axes, cells, x, y, where)
    axes.set(xlim=limits[0], ylim=limits[1])
    return drawn


def mark_boundary(axes: Axes, theory: xr.Dataset, marks: xr.Dataset, x: str, y: str, where: float | str | None) -> bool:
    """Draw the simulated boundary on each simulated row, along theory, with its 95 % interval; say if there is one."""
    cells = coarse(marks)
    numbers = all(cells[name].dtype.kind in "if" for name in (x, y))
    if where is None or isinstance(where, str) or not numbers or min(cells["value"].shape) < 2:
        return False
    limits = axes.get_xlim(), axes.get_ylim()
    # Every branch: the first crossing of a row may be of another one than theory's, of which a contour has all.
    line = boundary(along_theory(theory, marks, x), x, y, where, all_crossings=True).stack(place=(y, "crossing"))
    line = line.isel(place=np.flatnonzero(np.isfinite(line["position"])))
    if not line.sizes["place"]:
        return False
    sides = [np.abs(line["position"] - line[side]) for side in ("low", "high")]
    axes.errorbar(line["position"], line[y], xerr=sides, fmt="D", ms=3, c="black", mfc="white", lw=0.8, zorder=5)
    axes.set(xlim=limits[0], ylim=limits[1])
    return True


def _draw_rows(axes: Axes, line: xr.Dataset, y: str) -> set[str]:
    rows = line[y].values
    for part in _unbroken(line):
        axes.fill_betweenx(rows[part], line["low"][part], line["high"][part], color=GREY, lw=0, **BAND)
        alone = part.stop - part.start == 1
        style: Any = {"marker": "." if alone else "", "c": "black", "lw": 1.2, "path_effects": CASING}
        axes.plot(line["position"][part], rows[part], "-", **style)
    return {"line", "band"} if np.any(np.isfinite(line["position"].values)) else set()


def _unbroken(line: xr.Dataset) -> list[slice]:
    """Return the rows between which a boundary moves by at most five cells."""
    position = line["position"].values
    jump = np.abs(np.diff(position)) > 5 * (line["cell_high"] - line["cell_low"]).values[1:]
    ends = [0, *(np.flatnonzero(jump | ~np.isfinite(np.diff(position))) + 1), position.size]
    return [slice(a, b) for a, b in itertools.pairwise(ends) if np.isfinite(position[a])]


def _draw_contour(axes: Axes, data: xr.Dataset, x: str, y: str, contour: float) -> set[str]:
    """Draw line and band of one interpolation, so that the band lies around the line."""
    lines = [_refined(data[name].values) for name in (y, x)]
    points = np.stack(np.meshgrid(*(fine for _, fine, _ in lines), indexing="ij"), axis=-1)
    coarse_ = [cells for cells, _, _ in lines]
    off, se = (
        RegularGridInterpolator(coarse_, np.asarray(data[name].values, float))(points) for name in ("value", "se")
    )
    off = np.ma.masked_invalid(off - contour)
    if off.count() == 0 or not off.min() <= 0 <= off.max():
        return set()
    drawn = set()
    (up, right) = (drawn for _, _, drawn in lines)
    excess = np.ma.masked_invalid(np.abs(off) - NORMAL_95 * se)
    if np.any(se > 0) and excess.min() < 0 < excess.max():
        axes.contourf(right, up, excess, [float(excess.min()), 0.0], colors=[GREY], **BAND)
        drawn.add("band")
    line = axes.contour(right, up, off, [0.0], colors=["black"], linewidths=1.2)
    line.set_path_effects(CASING)
    return drawn | ({"line"} if any(len(path) for path in line.get_paths()) else set())


def _refined(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cells and a finer grid on the axis' own scale, and the finer grid as drawn."""
    cells = np.log(values) if is_log(values) else np.asarray(values, float)
    parts = [np.linspace(a, b, FINE, endpoint=False) for a, b in itertools.pairwise(cells)]
    fine = np.concatenate([*parts, cells[-1:]])
    return cells, fine, np.exp(fine) if is_log(values) else fine
