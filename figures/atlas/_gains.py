"""What one order of the samples gains over another: paired start by start, with standard errors."""

import dataclasses
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

import teacher_student as ts
from teacher_student import internal

from ..sweeps import on_mixture
from ._foreign_data import takes_data_of
from ._gain_names import MEASURES

CONTRASTS = (
    ("easy to hard", "mixed"),
    ("hard to easy", "mixed"),
    ("easy to hard", "hard only"),
    ("hard to easy", "hard only"),
)
FALSE_ALARM = 0.01  # of the whole family of statements
SELECTION = 1.5  # error of "best rate", in standard deviations over starts: where rates are nearly equally good
RESOLUTION = 0.01  # of mean gains in accuracy: averages over 512 points leave 0.001 to 0.005 (standard deviation)


@takes_data_of("curriculum")
def gain(
    dataset: xr.Dataset,
    measure: str,
    first: str,
    second: str,
    *,
    rate: float | None = None,
    time: str | None = None,
    test: internal.TestMixture = "hard",
) -> xr.Dataset:
    """Measure how much better the order `first` is than `second`, paired start by start.

    Arguments:
      dataset: of the recipe curriculum/xor or curriculum/committee. first, second: names of orders.
      measure: "solved" or "accuracy" (on the test samples at the end of the budget); "time": +1 for a start in which
        `first` reaches the accuracy of `time` sooner, -1 if later, 0 if equal or neither does; "best rate": accuracy,
        each order at the rate that is best for it in the other half of the starts.
      rate: which learning rate, for the other measures; None: the middle one. time: name of a time; None: the last.
      test: the level of the test samples, or a mixture of levels, {"easy": 0.5, "hard": 0.5}. Times were measured while
        the sweep ran, each on its own.
    Returns a data set of `value` (the mean over starts), `se` (its standard error) and `count` (starts).
    Raises InputError for names, levels and rates that the sweep does not have.
    """
    internal.require_name(measure, MEASURES, "measure of a gain")
    for order in (first, second):
        internal.require_name(order, dataset["order"].values.tolist(), "order of the sweep")
    dataset, level = on_mixture(dataset, internal.mixture_weights(test))
    data = dataset.isel(engine=0)
    if measure == "time" and test != "hard":
        raise ts.InputError("a measure other than time, to choose the test samples", test, "times have their own level")
    if measure == "best rate":
        accuracy = _best_rate(data["accuracy"].sel(level=level))
        apart = accuracy.sel(order=first, drop=True) - accuracy.sel(order=second, drop=True)
        result = _mean(apart)
        return result.assign(se=SELECTION * result["se"])
    rates = dataset["rate"].values
    if rate is not None and not np.any(np.isclose(rates, rate)):
        raise ts.InputError(
            "a learning rate of the sweep", rate, f"it has {', '.join(f'{value:g}' for value in rates)}"
        )
    data = data.isel(rate=rates.size // 2 if rate is None else int(np.argmin(np.abs(rates - rate))))
    if measure == "time":
        times = _time(data, time)
        later = times.sel(order=second, drop=True) - times.sel(order=first, drop=True)
        return _mean_of_signs(later.copy(data=np.sign(later.values)))
    if measure not in data:
        raise ts.InputError(f"a sweep that keeps {measure!r}", sorted(map(str, data.data_vars)))
    values = data[measure].sel(level=level)
    apart = values.sel(order=first, drop=True) - values.sel(order=second, drop=True)
    return _mean_of_signs(apart) if measure == "solved" else _mean(apart)


def _time(data: xr.Dataset, time: str | None) -> xr.DataArray:
    names = sorted(str(name) for name in data.data_vars if str(name).startswith("time_to_") and "_se" not in str(name))
    name = f"time_to_{time}" if time else (names or [""])[-1]
    internal.require_name(name, names, "time kept by the sweep")
    return data[name].where(np.isfinite(data[name]), 1e300)  # never: later than any, equal to never


def _best_rate(accuracy: xr.DataArray) -> xr.DataArray:
    """Return the accuracy of every start at the rate whose mean is best over the starts of the other parity.

    A rate that was chosen by the same starts would look better than it is (cross-fitting).
    """
    halves = []
    for parity in (0, 1):
        half, others = (accuracy.isel(start=slice(p, None, 2)) for p in (parity, 1 - parity))
        best = others.mean("start").fillna(-1.0).idxmax("rate")
        halves.append(half.sel(rate=best).drop_vars("rate"))
    return xr.concat(halves, "start", coords="minimal", compat="override").sortby("start")


def _mean(apart: xr.DataArray) -> xr.Dataset:
    count = apart.notnull().sum("start")
    se = apart.std("start", ddof=1) / np.sqrt(count)
    return xr.Dataset({"value": apart.mean("start"), "se": se, "count": count}).reset_coords(drop=True)


def _mean_of_signs(apart: xr.DataArray) -> xr.Dataset:
    """Return the mean of paired differences -1, 0 and 1, with a standard error that does not vanish if all are equal.

    Half a pair is added to each of the four outcomes of a pair (Agresti & Min 2005).
    """
    better, worse, count = (apart == 1).sum("start"), (apart == -1).sum("start"), apart.notnull().sum("start") + 2
    variance = (better + worse + 1) / count - ((better - worse) / count) ** 2
    se = np.sqrt(variance / count)
    return xr.Dataset({"value": apart.mean("start"), "se": se, "count": count - 2}).reset_coords(drop=True)


@dataclasses.dataclass(frozen=True)
class Shrinking:
    """How a gain changes from the narrowest to the widest student, in one row of a map of gains."""

    row: tuple[Any, ...]  # values of the other axes
    narrow: tuple[float, float]  # gain and standard error
    wide: tuple[float, float]
    verdict: str  # "shrinks", "grows", "no gain", "gain, no change"


@takes_data_of("curriculum")
def shrinking(found: xr.Dataset, resolution: float = RESOLUTION) -> list[Shrinking]:
    """Say for every row of a map of gains whether the gain is smaller for the widest student than for the narrowest.

    "shrinks" means: a gain > 0 at the narrowest or, where the narrowest has none, at the width where it is largest, is
    significantly larger than at the widest. "grows" means: the widest gains, and significantly more than the narrowest.
    Each is said at a family-wise false-alarm rate of 1 % (Bonferroni over rows, widths and both questions, Student's
    t), and by more than `resolution`, which the sampled averages' error, common to all starts, calls for.

    Arguments: found: of `gain`, with the dimension width. resolution: the smallest difference that counts.
    Returns a list of rows: `row` (values of the other axes), `narrow` and `wide` (gain and error) and `verdict`.
    """
    rows = [dim for dim in found["value"].dims if dim != "width"]
    stacked = found.stack(row=rows) if rows else found.expand_dims(row=[()])
    family = 2 * stacked.sizes["row"] * stacked.sizes["width"]
    return [_row(stacked.isel(row=i), family, resolution) for i in range(stacked.sizes["row"])]


def _row(row: xr.Dataset, family: int, resolution: float) -> Shrinking:
    row = row.sortby("width")
    value, se = row["value"].values, row["se"].values
    degrees = max(int(row["count"].values.min()) - 1, 1)
    threshold = stats.t.isf(FALSE_ALARM / family, degrees)
    peak = int(np.argmax(value[:-1])) if value.size > 1 else 0

    def larger(i: int, j: int) -> bool:
        return bool(value[i] - value[j] > max(threshold * np.hypot(se[i], se[j]), resolution))

    helps = value > np.maximum(threshold * se, resolution)
    if helps[peak] and larger(peak, -1):
        verdict = "shrinks" if peak == 0 else f"shrinks beyond K = {int(row['width'][peak])}"
    elif helps[-1] and larger(-1, 0):
        verdict = "grows"
    else:
        verdict = "gain, no change" if np.any(helps) else "no gain"
    label = row["row"].values.item() if "row" in row.coords else ()
    return Shrinking(
        label if isinstance(label, tuple) else (label,),
        (float(value[0]), float(se[0])),
        (float(value[-1]), float(se[-1])),
        verdict,
    )
