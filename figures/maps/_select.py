"""What a phase diagram shows: one number, its standard error and its status, on the axes that are left free."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

import teacher_student as ts
from teacher_student import internal

from ..sweeps import FINISHED, CellStatus, axes_of_cells, level_of_choice, normal_form, plain, variable_numbers

RATIOS = ("error", "time_to")  # contrasted by their logarithm; everything else by its difference
WORST = (
    CellStatus.PENDING,
    CellStatus.FAILED,
    CellStatus.TIMED_OUT,
    CellStatus.TOO_STIFF,
    CellStatus.DIVERGED,
    CellStatus.NOT_ASKED,
)


@dataclasses.dataclass(frozen=True)
class Contrast(internal.PublicRecord):
    """Two values of one axis of a sweep, of which a map shows how much better the first is than the second.

    axis: its name. first, second: values of the axis, numbers as a person writes them.
    """

    axis: str
    first: Any
    second: Any


def select(
    dataset: xr.Dataset,
    value: str,
    *,
    engine: str | None = None,
    at: Mapping[str, Any] | None = None,
    contrast: "Contrast | Sequence[Any] | None" = None,
    over: str | None = None,
) -> xr.Dataset:
    """Select one number of a sweep on the axes that are left free: a map, or a curve.

    Arguments:
      dataset: of `sweep` or `open_sweep`. value: a variable, such as "error" or "time_to_learned".
      engine: "theory" or "simulation"; None: the one that `at` names, or else theory where there is one.
      at: dimension -> the value to take. The engine is such a dimension, so `at={"engine": "simulation"}` chooses it.
        The level may be a mixture on which students are tested: `at={"level": {"easy": 0.5, "hard": 0.5}}`. Theory's
        standard error is then the largest that it may be, as if all levels erred alike.
      contrast: (axis, first, second): log10(second / first) of errors and times, first - second of anything else, so
        that positive means that `first` is better. Pairs are run by run in simulations, and seed by seed with `over`.
      over: an axis to average over (seeds); the standard error is then that of the mean over it.
    Returns a data set of the variables `value`, `se` (standard error), `status` (CellStatus) and `agrees` (1 where
    theory and simulation agree, 0 where not, NaN where they were not compared).
    Raises InputError for names and values that the sweep does not have, for two different engines, or if no cell is
    finished.
    """
    dataset = normal_form(dataset)
    engine, at = take_engine(dataset, engine, at)
    engine = engine or engines_of(dataset)[0]
    if isinstance(at.get("level"), Mapping) and value in dataset and "level" not in dataset[value].dims:
        remedy = "times are measured while the sweep runs, on the level that its file says"
        raise ts.InputError("a value of each level, to take it on a mixture of them", value, remedy)
    dataset, at = level_of_choice(dataset, at)
    names = [str(name) for name in dataset.data_vars if f"{name}_se" in dataset]
    if value in dataset.data_vars and value not in names:
        remedy = f"assign {value}_se, NaN where it is not known"
        raise ts.InputError(f"standard errors {value}_se beside {value}", "none", remedy)
    internal.require_name(value, names, "value of the sweep")
    axes, contrast = axes_of_cells(dataset), _as_contrast(contrast)
    for axis in [*([contrast.axis] if contrast else []), *([over] if over is not None else [])]:
        internal.require_name(axis, axes, "axis of the sweep")
    # Coordinates of the user's own may differ between the cells that are put together, and then stand in the way.
    data = dataset.sel(engine=engine).reset_coords(drop=True)
    if "level" in dataset[value].dims and "level" not in at and dataset.sizes["level"] == 1:
        at["level"] = dataset["level"].values.tolist()[0]
    for name, wanted in at.items():
        internal.require_name(name, [str(dim) for dim in dataset.sizes], "dimension of the sweep")
        if contrast is not None and name == contrast.axis:
            raise ts.InputError("a contrast and a value of different axes", name, "leave one out")
        data = data.sel({name: label_of_value(dataset, name, wanted)})
    free = [name for name in data[value].dims if name not in axes]
    if free:
        known = data[free[0]].values.tolist()
        raise ts.InputError(
            f"one value of {free[0]!r} for a map of {value}",
            "none",
            f"choose from {known}, as at={{{free[0]!r}: {known[0]!r}}} or --at {free[0]}={known[0]}",
        )
    with_runs = engine == "simulation" and "run" in data.get(f"{value}_run", xr.DataArray()).dims
    runs = variable_numbers(data, f"{value}_run") if with_runs else None
    cells = _cells(data, value).assign_attrs(dataset.attrs)
    if contrast is not None:
        cells = _contrasted(cells, runs, contrast, dataset, ratio=value.startswith(RATIOS))
    if over is not None:
        internal.require_name(over, [str(name) for name in cells["value"].dims], "axis of the sweep that is left free")
        cells = _averaged(cells, over)
    cells["value"].attrs = {"long_name": _long_name(value, at, contrast, dataset)}
    if not np.any(cells["status"].isin(FINISHED)):
        raise ts.InputError(f"at least one finished cell of {engine}", "none", "run the sweep first, or to its end")
    return cells.assign_attrs(engine=engine).reset_coords(drop=True)


def engines_of(dataset: xr.Dataset) -> list[str]:
    """Return the engines whose numbers a sweep has, theory first."""
    engines: list[str] = dataset["engine"].values.tolist()
    return engines


def take_engine(
    dataset: xr.Dataset, engine: str | None, at: Mapping[str, Any] | None
) -> tuple[str | None, dict[str, Any]]:
    """Return the engine that is asked for, by `engine` or within `at`, None for neither; and `at` without it.

    Raises InputError for an engine that the sweep does not have, or for two different ones.
    """
    choice = _as_mapping(at)
    named = choice.pop("engine", None)
    if engine is not None and named is not None and engine != named:
        raise ts.InputError("one engine", f"engine={engine!r} and at={{'engine': {named!r}}}", "leave one out")
    engine = named if engine is None else engine
    if engine is not None:
        internal.require_name(engine, engines_of(dataset), "engine of the sweep")
    return engine, choice


def _as_mapping(at: Any) -> dict[str, Any]:
    if at is not None and not isinstance(at, Mapping):
        raise ts.InputError("at as dimension -> value", repr(at), 'write at={"level": "hard"}')
    return dict(at or {})


def _as_contrast(contrast: Any) -> Contrast | None:
    if contrast is None or isinstance(contrast, Contrast):
        return contrast
    if isinstance(contrast, str) or not isinstance(contrast, Sequence) or len(contrast) != 3:
        raise ts.InputError("a contrast as (axis, first, second)", repr(contrast))
    return Contrast(*contrast)


def _cells(data: xr.Dataset, value: str) -> xr.Dataset:
    """Return value, error, status and agreement of cells, all on the same axes."""
    cells = xr.Dataset(
        {"value": variable_numbers(data, value), "se": variable_numbers(data, f"{value}_se"), "status": data["status"]}
    )
    if np.any(cells["se"].values < 0):
        raise ts.InputError(f"standard errors {value}_se >= 0", float(cells["se"].min()), "use figures.open_sweep")
    cells["agrees"] = (
        variable_numbers(data, "agrees") if "agrees" in data else xr.full_like(data["status"], np.nan, float)
    )
    if any(set(cells[name].dims) != set(cells["value"].dims) for name in cells):
        # What was averaged over an axis, or masked along one more, holds for all of its cells.
        (cells,) = xr.broadcast(cells)
    return cells


def coarse(cells: xr.Dataset, *dims: str) -> xr.Dataset:
    """Return `cells` on the lines of the grid that have a cell at all: the simulated ones of a coarser grid.

    Arguments: dims: the axes that are thinned out; none: all of them.
    """
    has_value = cells["value"].notnull()
    thinned = dims or has_value.dims
    lines = {dim: has_value.any([other for other in has_value.dims if other != dim]).values for dim in thinned}
    return cells.isel({dim: np.flatnonzero(line) for dim, line in lines.items()})


def along_theory(theory: xr.Dataset, simulation: xr.Dataset, x: str) -> xr.Dataset:
    """Return simulated cells at every value of theory along `x`: theory plus the difference, interpolated between them.

    What is interpolated is small and smooth, so a boundary may be placed between simulated cells that are far apart.
    Cells that no simulation has are marked in `interpolated`. Their errors hold those of the cells around them, and
    half of how much the difference changes between these: it may pass from one to the other early or late.
    """
    simulated = coarse(simulation)
    rows = {dim: simulated[dim] for dim in simulated["value"].dims if dim != x}
    line = theory.sel(rows)
    between = (simulated["value"] - line["value"].sel({x: simulated[x]})).sortby(x)
    apart, se = (values.interp({x: line[x]}) for values in (between, simulated["se"]))
    early, late = (between.reindex({x: line[x]}, method=method) for method in ("ffill", "bfill"))
    se = (se**2 + ((late - early) / 2) ** 2) ** 0.5
    interpolated = between.reindex({x: line[x]}).isnull()
    result = line.assign(value=line["value"] + apart, se=se, interpolated=interpolated.transpose(*line["value"].dims))
    has_value, done = result["value"].notnull(), np.int8(CellStatus.DONE)
    return result.assign(status=xr.where(has_value, done, line["status"]))  # type: ignore[no-untyped-call]  # no types


def label_of_value(dataset: xr.Dataset, name: str, wanted: Any) -> Any:
    """Return the coordinate that `wanted` means, numbers up to rounding. Raises InputError for none of them."""
    known = dataset[name].values.tolist()
    wanted = wanted.item() if isinstance(wanted, np.generic | np.ndarray) and np.ndim(wanted) == 0 else wanted
    if isinstance(wanted, (str, int, float)):
        if wanted in known:
            return known[known.index(wanted)]
        if internal.is_number(wanted) and dataset[name].dtype.kind == "f":
            near = [label for label in known if abs(label - wanted) <= 5e-3 * abs(label)]  # as a person writes it
            if len(near) == 1:
                return near[0]
    shown = known if len(known) <= 12 else f"{known[:3]} ... {known[-1]}"
    raise ts.InputError(f"a value of {name} that the sweep has", repr(wanted), f"it has {shown}")


def _contrasted(
    cells: xr.Dataset, runs: xr.DataArray | None, contrast: Contrast, dataset: xr.Dataset, *, ratio: bool
) -> xr.Dataset:
    labels = [label_of_value(dataset, contrast.axis, label) for label in (contrast.first, contrast.second)]
    first, second = (cells.sel({contrast.axis: label}, drop=True) for label in labels)
    a, b = first["value"], second["value"]
    if ratio:
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = xr.DataArray(np.log10(b / a))
        weights = 1 / (a * np.log(10)), 1 / (b * np.log(10))
    else:
        gain, weights = a - b, (xr.ones_like(a), xr.ones_like(b))
    if runs is not None:  # run r starts and draws alike in both: the error of the difference, not of each
        pair = [runs.sel({contrast.axis: label}, drop=True) * w for label, w in zip(labels, weights, strict=True)]
        apart = pair[0] - pair[1]
        se = apart.std("run", ddof=1) / np.sqrt(apart.notnull().sum("run"))
    else:
        se = np.sqrt((first["se"] * weights[0]) ** 2 + (second["se"] * weights[1]) ** 2)
    return xr.Dataset({"value": gain, "se": se} | _together(xr.concat([first, second], "pair"), "pair"))


def _averaged(cells: xr.Dataset, over: str) -> xr.Dataset:
    count = cells.sizes[over]
    if count < 2:
        raise ts.InputError(f"at least 2 values of {over} to average over", count)
    value = cells["value"].mean(over, skipna=False)
    with np.errstate(invalid="ignore"):  # of times that are never reached
        se = cells["value"].std(over, ddof=1, skipna=False) / np.sqrt(count)
    return xr.Dataset({"value": value, "se": se} | _together(cells, over))


def _together(cells: xr.Dataset, dim: str) -> dict[str, xr.DataArray]:
    """Return status and agreement of several cells together: DONE, and agreeing, if all are."""
    status, agrees = cells["status"], cells["agrees"].min(dim, skipna=False)
    result = xr.full_like(status.isel({dim: 0}, drop=True), int(CellStatus.DONE))
    for bad in reversed(WORST):
        some = (status == bad).any(dim)
        result = xr.where(some, np.int8(bad), result)  # type: ignore[no-untyped-call]  # xarray has no types for it
    return {"status": result, "agrees": agrees}


def _long_name(value: str, at: Mapping[str, Any], contrast: Contrast | None, dataset: xr.Dataset) -> str:
    level = f", {plain(at['level'])}" if "level" in at and dataset.sizes.get("level", 0) > 1 else ""
    first, second = (plain(label) for label in (contrast.first, contrast.second)) if contrast else ("", "")
    names = {"error": r"generalisation error $\epsilon_g$", "accuracy": "accuracy"}
    name = names.get(value, plain(value))
    if value.startswith("time_to_"):
        description = str(dataset[value].attrs.get("long_name", value)).partition(";")[0]
        name, level = (
            description.replace("alpha at which", r"$\alpha$ at which").replace(" first passes", "\nfirst passes"),
            "",
        )
    if contrast is None:
        return name + level
    if value.startswith(RATIOS):
        symbol = r"\epsilon_g" if value == "error" else r"\alpha"
        return rf"$\log_{{10}}\,[{symbol}$({second}) / ${symbol}$({first})$]${level}"
    return f"{name} gain of {first}\nover {second}{level}"
