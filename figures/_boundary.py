"""Where a map passes a level, changes most steeply, or starts to diverge: one point per row, with its interval."""

from typing import Any

import numpy as np
import xarray as xr

import teacher_student as ts

from .sweeps import CellStatus

NORMAL_95 = 1.959964  # half width of a 95 % interval in standard errors
DRAWS = 400  # of a map with noise, for the interval of its steepest change


def boundary(found: xr.Dataset, x: str, y: str, where: Any = 0.0) -> xr.Dataset:
    """The first place along `x`, for each `y`, at which a map of `select` passes a boundary.

    Arguments: where: a number (the level that is passed), "steepest" (the largest change per step of x on the axis'
    own scale) or "diverged" (the first diverged cell after a done one).
    Returns a data set over y: `position`, interpolated between cells; `low` and `high`, its 95 % interval: for a level
    the places around it where the cells' own 95 % intervals contain the level, up to the end of the row, for
    "steepest" from the cells' errors and at least the two cells around it, for "diverged" these two cells;
    `cell_low` and `cell_high`, the two cells around it. NaN where there is none. Raises InputError.
    """
    for name in (x, y):
        ts.require_name(name, [str(dim) for dim in found["value"].dims], "free axis of the map")
    if isinstance(where, str):
        ts.require_name(where, ("steepest", "diverged"), "boundary (or a level, a number)")
    if found[x].dtype.kind not in "if":
        raise ts.InputError(f"numbers along {x} for a boundary", found[x].values.tolist()[:3])
    grid = found.sortby(x).transpose(y, x)
    scale = np.log if is_log(grid[x].values) else np.asarray
    xs = np.asarray(scale(grid[x].values), float)
    rng = np.random.default_rng(0)
    rows = [
        _row(xs, np.asarray(v, float), np.asarray(se, float), np.asarray(status), where, rng)
        for v, se, status in zip(grid["value"].values, grid["se"].values, grid["status"].values, strict=True)
    ]
    back = np.exp if scale is np.log else np.asarray
    names = ("position", "low", "high", "cell_low", "cell_high")
    columns = dict(zip(names, back(np.array(rows, float)).T, strict=True))
    return xr.Dataset({name: (y, column, found[x].attrs) for name, column in columns.items()}, {y: found[y]})


def is_log(values: np.ndarray) -> bool:
    """Whether positive values are spaced evenly by their logarithm, and not themselves."""
    values = np.asarray(values)
    if values.dtype.kind not in "if" or values.size < 3 or np.min(values) <= 0:
        return False
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(np.allclose(ratios, ratios[0], rtol=1e-6) and not np.allclose(steps, steps[0], rtol=1e-6))


NONE = (np.nan,) * 5


def _row(xs: np.ndarray, v: np.ndarray, se: np.ndarray, status: np.ndarray, where: Any, rng: Any) -> tuple[float, ...]:
    if isinstance(where, str) and where == "diverged":
        first = np.flatnonzero((status[:-1] == CellStatus.DONE) & (status[1:] == CellStatus.DIVERGED))
        if not first.size:
            return NONE
        low, high = xs[first[0]], xs[first[0] + 1]
        return (low + high) / 2, low, high, low, high
    if isinstance(where, str):
        return _steepest(xs, v, se, rng)
    off = v - where
    passed = np.flatnonzero(np.isfinite(off[:-1]) & np.isfinite(off[1:]) & (np.sign(off[:-1]) != np.sign(off[1:])))
    if not passed.size:
        return NONE
    i = passed[0]
    share = off[i] / (off[i] - off[i + 1])
    position = xs[i] + share * (xs[i + 1] - xs[i])
    half = NORMAL_95 * ((1 - share) * se[i] + share * se[i + 1])
    excess = np.abs(off) - NORMAL_95 * se  # above 0: the level is outside the cell's interval
    low = _reach(position, half, xs[i::-1], excess[i::-1])
    high = _reach(position, half, xs[i + 1 :], excess[i + 1 :])
    return position, low, high, xs[i], xs[i + 1]


def _reach(position: float, half: float, xs: np.ndarray, excess: np.ndarray) -> float:
    """How far from the crossing, towards xs[0], xs[1] ..., the cells' intervals still contain the level."""
    before, inside = position, -half
    for x, outside in zip(xs, excess, strict=True):
        if not np.isfinite(outside):
            return before
        if outside > 0:
            return float(before + (x - before) * inside / (inside - outside))
        before, inside = x, outside
    return before


def _steepest(xs: np.ndarray, v: np.ndarray, se: np.ndarray, rng: Any) -> tuple[float, ...]:
    slopes = np.abs(np.diff(v) / np.diff(xs))
    if not np.isfinite(slopes).any():
        return NONE
    i = int(np.nanargmax(slopes))
    low, high = xs[i], xs[i + 1]
    noise = rng.standard_normal((DRAWS, v.size)) * np.where(np.isfinite(se), se, 0.0)
    drawn = np.nan_to_num(np.abs(np.diff(v + noise, axis=1) / np.diff(xs)), nan=-1.0).argmax(axis=1)
    edges = np.quantile(xs[drawn], 0.025), np.quantile(xs[drawn + 1], 0.975)
    return (low + high) / 2, min(low, edges[0]), max(high, edges[1]), low, high
