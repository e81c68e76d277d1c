"""Where a map passes a contour, changes most steeply, or starts to diverge: points of each row with intervals."""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.stats import norm

import teacher_student as ts
from teacher_student import internal

from ..sweeps import CellStatus
from ._scales import is_log

NORMAL_95 = 1.959964  # half width of a 95 % interval in standard errors
DRAWS = 400  # of a map with noise, for the interval of its steepest change
UP, DOWN, NO_DIRECTION = 1, -1, 0


class Crossing(NamedTuple):
    """One place of a row, on the axis' own scale: position, its interval, the cells around it, and the direction."""

    position: float
    low: float
    high: float
    cell_low: float
    cell_high: float
    direction: int


NOWHERE = Crossing(np.nan, np.nan, np.nan, np.nan, np.nan, NO_DIRECTION)
PLACES = Crossing._fields[:-1]


class Row(NamedTuple):
    """The cells of one row: places along x, values, standard errors, and which cells were neither run nor solved."""

    xs: np.ndarray
    v: np.ndarray
    se: np.ndarray
    skipped: np.ndarray


def boundary(found: xr.Dataset, x: str, y: str, where: float | str = 0.0, *, all_crossings: bool = False) -> xr.Dataset:
    """Find the positions along `x`, for each `y`, at which a map of `select` passes a boundary.

    A contour is passed between two cells that are clearly on different sides of it: exact ones, or ones whose distance
    from it, in standard errors, is beyond the 5 % point of the row's largest. The position is interpolated linearly
    between the cells around it (on a logarithmic axis by the logarithm). Where unclear cells lie between, it is the
    mean of the places at which the values, joined by straight lines, pass the contour.

    Arguments:
      found: the map, a data set of `select`. x, y: its two axes; x has numbers.
      where: a number (the contour that is passed), "steepest" (the largest change per step of x on the axis' own scale)
        or "diverged" (the first diverged cell after a done one).
      all_crossings: return each crossing of a contour, along a dimension `crossing`; False: the first one along x.
    Returns a data set over y of
      `position`, NaN where there is none;
      `low` and `high`, its 95 % interval, NaN where errors are not known. For a contour between two clear neighbours it
        follows from their errors as if they were common to both (cells of one seed share them; independent errors do
        less), and exact cells leave none: `low` = `high` = `position`. It knows nothing of what lies between two cells,
        where the position is interpolated: a coarse grid misses a dip that is narrower than its cells. Where a cell
        between was skipped (not run, or without a value) or is unclear, the interval is all that is between the two
        clear cells. For "steepest" it follows from the cells' errors, and holds the two cells around it at least; for
        "diverged" it is these two;
      `cell_low` and `cell_high`, the clear cells around it;
      `direction`: 1 where the value rises through the contour along x, -1 where it falls, 0 for anything else. Two
        branches of a boundary, as of theory and simulation, are the same one only if their directions are;
      `crossings`, how often the row passes the contour in all.
    Raises InputError.
    """
    _check_map(found, x, y)
    check_where(where)
    if found[x].dtype.kind not in "if":
        raise ts.InputError(f"numbers along {x} for a boundary", found[x].values.tolist()[:3])
    grid = found.sortby(x).transpose(y, x)
    scale = np.log if is_log(grid[x].values) else np.asarray
    rng = np.random.default_rng(0)
    rows = [
        _crossings(row, status, where, rng) for row, status in _rows(grid, np.asarray(scale(grid[x].values), float))
    ]
    counts = np.array([len(row) for row in rows], int)
    shown = max(1, counts.max(initial=0)) if all_crossings else 1
    padded = [[*row[:shown], *[NOWHERE] * (shown - len(row))] for row in rows]
    table = np.array(padded, float).reshape(len(rows), shown, len(NOWHERE))
    back = np.exp if scale is np.log else np.asarray
    dims = (y, "crossing")
    line = xr.Dataset(
        {name: (dims, back(table[..., i]), found[x].attrs) for i, name in enumerate(PLACES)}, {y: found[y]}
    )
    line = line.assign(direction=(dims, table[..., -1].astype(int)), crossings=(y, counts))
    return line if all_crossings else line.isel(crossing=0)


def unclear_cells(found: xr.Dataset, x: str, y: str, contour: float) -> xr.DataArray:
    """Return how many standard errors the cells are from `contour` that `boundary` cannot put on a side of it.

    Every other cell is NaN. The result has the axes (y, x), with x ascending.
    """
    grid = found.sortby(x).transpose(y, x)
    apart = np.full(grid["value"].shape, np.nan)
    for line, (row, _) in zip(apart, _rows(grid, np.asarray(grid[x].values, float)), strict=True):
        off, has_value = np.abs(row.v - contour), np.isfinite(row.v) & (row.se > 0)
        unclear = has_value & ~_is_clear(row, contour)
        line[unclear] = off[unclear] / row.se[unclear]
    return xr.DataArray(apart, {y: grid[y], x: grid[x]}, (y, x))


def _rows(grid: xr.Dataset, xs: np.ndarray) -> list[tuple[Row, np.ndarray]]:
    """Return each row of a map whose dimensions are (y, x), with the status of its cells."""
    v, se, status = (np.asarray(grid[name].values) for name in ("value", "se", "status"))
    skipped = grid["interpolated"].values if "interpolated" in grid else np.zeros(v.shape, bool)
    return [
        (Row(xs, v[i].astype(float), se[i].astype(float), skipped[i] | np.isnan(v[i].astype(float))), status[i])
        for i in range(len(v))
    ]


def _crossings(row: Row, status: np.ndarray, where: float | str, rng: np.random.Generator) -> list[Crossing]:
    if not isinstance(where, str):
        return _contour_crossings(row, where)
    asked = status != CellStatus.NOT_ASKED
    if where == "steepest":
        return _steepest(row.xs[asked], row.v[asked], row.se[asked], rng)
    return _diverged(row.xs[asked], status[asked])


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


def _diverged(xs: np.ndarray, status: np.ndarray) -> list[Crossing]:
    first = np.flatnonzero((status[:-1] == CellStatus.DONE) & (status[1:] == CellStatus.DIVERGED))
    if not first.size:
        return []
    low, high = xs[first[0]], xs[first[0] + 1]
    return [Crossing((low + high) / 2, low, high, low, high, NO_DIRECTION)]


def _errors_known(row: Row) -> bool:
    return bool(np.all(np.isfinite(row.se[~np.isnan(row.v)])))


def _is_clear(row: Row, contour: float) -> np.ndarray:
    """Say of each cell whether it is on one side of the contour beyond doubt. Without errors, those not on it are."""
    has_value = ~np.isnan(row.v)
    se = np.where(has_value, row.se, 0.0) if _errors_known(row) else np.zeros(row.v.size)
    # A row has many cells: at 95 % for each, some would be on the wrong side by chance, and turn the row back.
    factor = norm.ppf(1 - 0.025 / max(int(has_value.sum()), 1))
    return np.asarray(has_value & (np.abs(np.where(has_value, row.v - contour, 0.0)) > factor * se))


def _contour_crossings(row: Row, contour: float) -> list[Crossing]:
    clear = np.flatnonzero(_is_clear(row, contour))
    turns = np.flatnonzero(np.diff(np.sign(row.v[clear] - contour)))
    return [_contour_crossing(row, contour, clear[turn], clear[turn + 1]) for turn in turns]


def _contour_crossing(row: Row, contour: float, a: int, b: int) -> Crossing:
    """Return the crossing between the cells `a` and `b`, which are clearly on different sides of the contour."""
    xs, off, cells = row.xs, row.v - contour, slice(a, b + 1)
    around = (float(xs[a]), float(xs[b]), UP if off[b] > 0 else DOWN)
    if not np.all(np.isfinite(off[[a, b]])):  # a time that is never reached on one side
        return Crossing((xs[a] + xs[b]) / 2, xs[a], xs[b], *around)
    has_value = ~np.isnan(off[cells])
    position = _mean_passage(xs[cells][has_value], off[cells][has_value])
    if not _errors_known(row):
        return Crossing(position, np.nan, np.nan, *around)
    exact = not np.any(row.se[cells][has_value])
    if np.any(row.skipped[cells]) or (b - a > 1 and not exact):
        # Nothing but the two clear cells is known: a straight line over the cells between them may be far off.
        return Crossing(position, xs[a], xs[b], *around)
    half = 0.0
    if not exact:
        half = NORMAL_95 * np.sqrt(np.mean(row.se[[a, b]] ** 2)) * (xs[b] - xs[a]) / abs(off[b] - off[a])
    return Crossing(position, max(position - half, xs[a]), min(position + half, xs[b]), *around)


def _mean_passage(xs: np.ndarray, off: np.ndarray) -> float:
    """Return the mean of the places at which `off`, joined by straight lines, is 0; an infinite one joins nothing."""
    with np.errstate(invalid="ignore"):
        turns = np.flatnonzero((off[:-1] * off[1:] < 0) & np.isfinite(off[:-1] * off[1:]))
    places = [*xs[off == 0], *(xs[i] + off[i] / (off[i] - off[i + 1]) * (xs[i + 1] - xs[i]) for i in turns)]
    return float(np.mean(places)) if places else float(xs[0] + xs[-1]) / 2


def _steepest(xs: np.ndarray, v: np.ndarray, se: np.ndarray, rng: np.random.Generator) -> list[Crossing]:
    with np.errstate(invalid="ignore"):  # beside a time that is never reached
        slopes = np.abs(np.diff(v) / np.diff(xs))
    if not np.isfinite(slopes).any():
        return []
    i = int(np.argmax(np.where(np.isfinite(slopes), slopes, -1.0)))
    low, high = xs[i], xs[i + 1]
    noise = rng.standard_normal((DRAWS, v.size)) * np.where(np.isfinite(se), se, 0.0)
    with np.errstate(invalid="ignore"):
        drawn = np.abs(np.diff(v + noise, axis=1) / np.diff(xs))
    positions = np.where(np.isfinite(drawn), drawn, -1.0).argmax(axis=1)
    edges = np.quantile(xs[positions], 0.025), np.quantile(xs[positions + 1], 0.975)
    return [Crossing((low + high) / 2, min(low, edges[0]), max(high, edges[1]), low, high, NO_DIRECTION)]
