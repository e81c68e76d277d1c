"""Trajectories as tidy tables of pandas."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ._files import LONG_NAMES, STOPS, SUFFIXES, beside
from ._observables import Quantity, quantities
from ._status import Status

if TYPE_CHECKING:
    from ._trajectory import Trajectory

PER_LEVEL = ("error", "accuracy")  # come first, as in the table that `teacher-student solve` prints


def trajectory_to_data_frame(trajectory: "Trajectory") -> pd.DataFrame:
    """Return a row for each run and alpha, and a column for each scalar. See `Trajectory.to_dataframe`."""
    alphas, codes = np.asarray(trajectory.alphas, float), np.asarray(trajectory.status)
    shape = (*codes.shape, alphas.size)
    columns: dict[str, Any] = {"engine": np.array("theory" if trajectory.runs is None else "simulation", object)}
    if trajectory.runs is not None:
        columns["run"] = np.arange(1, trajectory.runs + 1)[:, None]
    columns["alpha"] = alphas
    units, long_names = {"alpha": "samples / N", "reached": STOPS["reached"]["units"]}, {"alpha": "time alpha"}
    for suffix, observables in {"": trajectory.observables, **beside(trajectory)}.items():
        for one in sorted(quantities(observables, trajectory.problem), key=_place):
            name = one.kind + suffix + one.name.removeprefix(one.kind)
            columns[name] = np.asarray(one.values, float)
            units[name], long_names[name] = "1", SUFFIXES[suffix] + LONG_NAMES[one.kind]
    columns["status"] = np.array([Status(int(code)).words for code in codes.flat], object).reshape(*codes.shape, 1)
    columns["reached"] = np.asarray(trajectory.reached, float)[..., None]
    long_names |= {name: entry["long_name"] for name, entry in STOPS.items()}
    frame = pd.DataFrame({name: np.broadcast_to(column, shape).ravel() for name, column in columns.items()})
    frame.attrs = {"units": units, "long_name": long_names}
    return frame


def _place(quantity: Quantity) -> int:
    """Return where a kind of quantity stands. Sorting keeps the order of equals."""
    return 0 if quantity.kind in PER_LEVEL else 1
