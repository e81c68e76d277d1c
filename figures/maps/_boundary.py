"""Where a map passes a contour, changes most steeply, or starts to diverge: one point per row, with its interval."""

from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import norm

import teacher_student as ts
from teacher_student import internal

from ..sweeps import CellStatus
from ._scales import is_log

NORMAL_95 = 1.959964  # half width of a 95 % interval in standard errors
DRAWS = 400  # of a map with noise, for the interval of its steepest change


def boundary(found: xr.Dataset, x: str, y: str, where: float | str = 0.0) -> xr.Dataset:
    """Find the first position along `x`, for each `y`, at which a map of `select` passes a boundary.

    A contour is passed between two cells that are clearly on different sides of it: exact ones, or ones whose distance
    from it, in standard errors, is beyond the 5 % point of the row's largest. Between neighbours the position is
    interpolated linearly (on a logarithmic axis by the logarithm). Over unclear cells in between it is that of a
    weighted straight line. Cells without a value are passed over.

    Arguments:
      found: the map, a data set of `select`. x, y: its two axes; x has numbers.
      where: a number (the contour that is passed), "steepest" (the largest change per step of x on the axis' own scale)
        or "diverged" (the first diverged cell after a done one).
    Returns a data set over y of
      `position`, NaN where there is none;
      `low` and `high`, its 95 % interval, NaN where errors are not known. For a contour it follows from the errors of
        the cells around it as if they were common to all (cells of one seed share them; independent errors do less),
        and exact cells leave none: `low` = `high` = `position`. For "steepest" it follows from the cells' errors, and
        holds the two cells around it at least; for "diverged" it is these two;
      `cell_low` and `cell_high`, the cells around it;
      `crossings`, how often the row passes the contour in all (the others are further along x).
    Raises InputError.
    """
    _check_map(found, x, y)
    check_where(where)
    if found[x].dtype.kind not in "if":
        raise ts.InputError(f"numbers along {x} for a boundary", found[x].values.tolist()[:3])
    grid = found.sortby(x).transpose(y, x)
    scale = np.log if is_log(grid[x].values) else np.asarray
    xs = np.asarray(scale(grid[x].values), float)
    rng = np.random.default_rng(0)
    rows = []
    for v, se, status in zip(grid["value"].values, grid["se"].values, grid["status"].values, strict=True):
        asked = np.asarray(status) != CellStatus.NOT_ASKED
        cells = xs[asked], np.asarray(v, float)[asked], np.asarray(se, float)[asked]
        if not isinstance(where, str):
            rows.append(_contour_crossing(*cells, where))
        elif where == "steepest":
            rows.append(_steepest(*cells, rng))
        else:
            rows.append(_diverged(cells[0], np.asarray(status)[asked]))
    back = np.exp if scale is np.log else np.asarray
    names = ("position", "low", "high", "cell_low", "cell_high")
    columns = dict(zip(names, back(np.array([row[:5] for row in rows], float)).T, strict=True))
    line = xr.Dataset({name: (y, column, found[x].attrs) for name, column in columns.items()}, {y: found[y]})
    return line.assign(crossings=(y, np.array([row[5] for row in rows], int)))


def _check_map(found: xr.Dataset, x: str, y: str) -> None:
    """Raise InputError unless `found` is a map over the axes `x` and `y` and no others."""
    if not isinstance(found, xr.Dataset) or not {"value", "se", "status"} <= set(found):
        raise ts.InputError("a map, as figures.select returns it", type(found).__name__, "call figures.select first")
    free = [str(dim) for dim in found["value"].dims]
    for name in (x, y):
        internal.require_name(name, free, "free axis of the map")
    if len(free) != 2 or x == y or any(set(found[name].dims) != set(free) for name in ("se", "status")):
        raise ts.InputError("a map over two axes, x and y", free, "fix others with at, contrast or over")


def check_where(where: Any) -> None:
    """Raise InputError unless `where` is a finite number, "steepest" or "diverged"."""
    if isinstance(where, str):
        internal.require_name(where, ("steepest", "diverged"), "boundary (or a contour, a number)")
    elif not internal.is_number(where) or not np.isfinite(where):
        raise ts.InputError("a finite contour as boundary", repr(where))


Row = tuple[float, float, float, float, float, int]  # position, low, high, cell_low, cell_high, crossings
NONE: Row = (np.nan, np.nan, np.nan, np.nan, np.nan, 0)


def _diverged(xs: np.ndarray, status: np.ndarray) -> Row:
    first = np.flatnonzero((status[:-1] == CellStatus.DONE) & (status[1:] == CellStatus.DIVERGED))
    if not first.size:
        return NONE
    low, high = xs[first[0]], xs[first[0] + 1]
    return (low + high) / 2, low, high, low, high, 1


def _contour_crossing(xs: np.ndarray, v: np.ndarray, se: np.ndarray, contour: float) -> Row:
    has_value = ~np.isnan(v)
    xs, off, se = xs[has_value], v[has_value] - contour, se[has_value]
    known = bool(np.all(np.isfinite(se)))
    if not known:
        se = np.zeros_like(se)
    # A row has many cells: at 95 % for each, some would be on the wrong side by chance, and turn the row back.
    clear = np.flatnonzero(np.abs(off) > norm.ppf(1 - 0.025 / max(off.size, 1)) * se)
    turns = np.flatnonzero(np.diff(np.sign(off[clear])))
    if not turns.size:
        return NONE
    a, b = clear[turns[0]], clear[turns[0] + 1]
    zone = slice(a, b + 1)
    if not np.all(np.isfinite(off[[a, b]])):  # a time that is never reached on one side
        return (xs[a] + xs[b]) / 2, xs[a], xs[b], xs[a], xs[b], turns.size
    if np.all(se[zone] == 0):
        zero = np.flatnonzero(off[zone] == 0)
        share = off[a] / (off[a] - off[b])
        position = xs[a + zero[0]] if zero.size else xs[a] + share * (xs[b] - xs[a])
        edges = (position, position) if known else (np.nan, np.nan)
        return position, *edges, xs[a], xs[b], turns.size
    # One exact cell beside uncertain ones must not have an infinite weight.
    weights = 1 / np.maximum(se[zone], 1e-3 * se[zone].max())
    slope, start = np.polyfit(xs[zone] - xs[a], off[zone], 1, w=weights)
    # The line may cut the contour outside the two clear cells, between which it is known to lie.
    position = float(np.clip(xs[a] - start / slope, xs[a], xs[b]))
    half = NORMAL_95 * np.sqrt(np.mean(se[zone] ** 2)) / abs(slope)
    return position, max(position - half, xs[a]), min(position + half, xs[b]), xs[a], xs[b], turns.size


def _steepest(xs: np.ndarray, v: np.ndarray, se: np.ndarray, rng: np.random.Generator) -> Row:
    with np.errstate(invalid="ignore"):  # beside a time that is never reached
        slopes = np.abs(np.diff(v) / np.diff(xs))
    if not np.isfinite(slopes).any():
        return NONE
    i = int(np.argmax(np.where(np.isfinite(slopes), slopes, -1.0)))
    low, high = xs[i], xs[i + 1]
    noise = rng.standard_normal((DRAWS, v.size)) * np.where(np.isfinite(se), se, 0.0)
    with np.errstate(invalid="ignore"):
        drawn = np.abs(np.diff(v + noise, axis=1) / np.diff(xs))
    positions = np.where(np.isfinite(drawn), drawn, -1.0).argmax(axis=1)
    edges = np.quantile(xs[positions], 0.025), np.quantile(xs[positions + 1], 0.975)
    return (low + high) / 2, min(low, edges[0]), max(high, edges[1]), low, high, 1
