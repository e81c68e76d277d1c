"""A sweep as it is on a mixture of levels, made of what is stored of each level: nothing is computed again."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

import teacher_student as ts
from teacher_student import internal

from ._labelled import variable_numbers
from ._measures import PER_LEVEL

LINEAR = ("error", "accuracy", "means_right")  # means over samples, so that a mixture's is the mean over its levels


def on_mixture(dataset: xr.Dataset, mixture: Mapping[str, float]) -> tuple[xr.Dataset, str]:
    """Return the data set with one more level, a mixture that students are tested on, and what that level is called.

    Errors, accuracies and shares of right means are sum_l q_l z_l; `solved` is 1 where it is on all levels. The
    standard error of simulations is that of each run's own sum. That of sampled theory is sum_l q_l se_l, the largest
    that it may be: all levels share their points.

    Arguments: dataset: in normal form, with the dimension `level`. mixture: level -> weight q_l >= 0, of sum 1.
    Raises InputError for levels that the sweep does not have, and for weights that are none.
    """
    weights = internal.mixture_weights(mixture)
    if "level" not in dataset.dims:
        raise ts.InputError("a data set with its levels, to test on a mixture of them", "one without", "select none")
    known = dataset["level"].values.tolist()
    for level in weights:
        internal.require_name(level, known, "level of the sweep")
    name = internal.mixture_name(weights)
    if name in known:
        return dataset, name
    q = xr.DataArray([weights.get(level, 0.0) for level in known], {"level": known}, ["level"])
    on = {str(each): _on(dataset, str(each), q) for each in dataset.data_vars if "level" in dataset[each].dims}
    more = {each: values.expand_dims(level=[name]) for each, values in on.items()}
    wider = {each: xr.concat([dataset[each], values], "level", coords="minimal") for each, values in more.items()}
    rest = dataset.drop_dims("level")
    return rest.assign(wider).assign_attrs(dataset.attrs), name


def _on(dataset: xr.Dataset, name: str, q: xr.DataArray) -> xr.DataArray:
    """Return the variable `name` on the mixture of weights `q`."""
    base = name.removesuffix("_se").removesuffix("_run").removesuffix("_path")
    if base not in PER_LEVEL:  # of the user's own: nothing is known about it
        return xr.full_like(variable_numbers(dataset, name).isel(level=0, drop=True), np.nan, dtype=float)
    if name.endswith("_se"):
        return _standard_error(dataset, base, q)
    values = variable_numbers(dataset, name)
    if base in LINEAR:
        return _mean(values, q)
    return values.isel(level=np.flatnonzero(q.values)).min("level", skipna=False)


def _mean(values: xr.DataArray, q: xr.DataArray) -> xr.DataArray:
    """Return sum_l q_l z_l over the levels of weight > 0: others may have no value."""
    seen = np.flatnonzero(q.values)
    return (values.isel(level=seen) * q.isel(level=seen)).sum("level", skipna=False)


def _standard_error(dataset: xr.Dataset, base: str, q: xr.DataArray) -> xr.DataArray:
    stated = variable_numbers(dataset, f"{base}_se")
    bound = _mean(stated, q) if base in LINEAR else stated.isel(level=np.flatnonzero(q.values)).max("level")
    if f"{base}_run" not in dataset:
        return bound
    runs = _on(dataset, f"{base}_run", q)
    count = runs.notnull().sum("run")
    own = runs.std("run", ddof=1) / np.sqrt(count.where(count > 1))
    return bound.where(dataset["engine"] != "simulation", own)


def level_of_choice(dataset: xr.Dataset, at: Mapping[str, Any]) -> tuple[xr.Dataset, dict[str, Any]]:
    """Return a data set and a choice `at` of its dimensions, where a mixture as level has become a level by name."""
    choice = dict(at)
    if isinstance(choice.get("level"), Mapping):
        dataset, choice["level"] = on_mixture(dataset, choice["level"])
    return dataset, choice
