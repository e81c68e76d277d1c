"""`data.sweep`: what the data set of a sweep can do beyond what any data set of xarray can."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from teacher_student import internal

from ._data_frame import sweep_to_data_frame

# Who opens or draws a sweep takes it from here, which gives data sets their `data.sweep`, wherever they come from.
from ._labelled import normal_form as normal_form

if TYPE_CHECKING:  # half a second to import: only who draws needs it
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure


@xr.register_dataset_accessor("sweep")  # type: ignore[no-untyped-call]  # xarray has no types for it
class SweepAccessor:
    """What `figures.sweep` and `figures.open_sweep` give their data sets, as `data.sweep`."""

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    def plot(
        self,
        x: str | None = None,
        y: str | None = None,
        value: str = "error",
        *,
        level: str | Mapping[str, float] | None = None,
        at: Mapping[str, Any] | None = None,
        contrast: "Sequence[Any] | None" = None,
        over: str | None = None,
        lines: str | None = None,
        panels: str | None = None,
        boundary: float | str | None = None,
        engine: str | None = None,
        limits: tuple[float, float] | None = None,
        known: Mapping[str, tuple[Any, ...]] | None = None,
        ax: Any = None,
        **others: Any,
    ) -> "tuple[Figure, np.ndarray]":
        """Draw a map where two axes of the sweep are left free, and curves where one is, or where `lines` is given.

          data = figures.open_sweep("STORE.zarr")
          figure, axes = data.sweep.plot("learning_rate", "variance", level="hard", boundary=0.01)
          figure, axes = data.sweep.plot("learning_rate", lines="variance", level="hard")

        Arguments:
          x, y: names of axes, to the right and upwards; None: those left free. value: a variable, such as "error".
          level: one level, or a mixture {level: weight} of those that students are tested on.
          at: dimension -> the value to take.
          contrast, over: as in `figures.select`.
          lines: an axis with a curve for each of its values. panels: an axis with a map for each of its values.
          boundary, engine, limits: of maps, as in `figures.phase_diagram`. known: its `lines`, known curves on a map.
          ax: matplotlib Axes to draw into, one for each map; None: a new figure.
          others: none; another name is answered with the nearest of these.
        Returns a matplotlib Figure and a flat array of its Axes. Raises InputError for names that the sweep does not
        have, for other arguments, and where more axes are free than can be drawn.
        """
        choice = {"level": level, "at": at, "contrast": contrast, "over": over, "ax": ax}
        drawn = {"lines": lines, "panels": panels, "boundary": boundary, "engine": engine, "limits": limits}
        return internal.plot(self._dataset, x=x, y=y, value=value, known=known, **choice, **drawn, **others)

    def to_dataframe(self) -> "pd.DataFrame":
        """Return a tidy table of pandas: a row for each cell of each engine, and a column for each scalar.

          frame = data.sweep.to_dataframe()
          frame.pivot(index="rate", columns="variance", values="error[hard]")

        The columns are

          engine: "theory" or "simulation".
          the axes, and what changes along with them; also an axis of which one value was selected.
          error[hard], error_se[hard] and so on: what was measured, and its standard error, of each level.
          Q[relevant][1,2], R[relevant][1,1], T[1,1], readout[1]: overlaps, named as in `ts.quantities`.
          time_to_learned, agreement_p, reached and so on: named as in the data set.
          message: why a cell failed.
          status: "done", "diverged", "too stiff", "failed", "timed out", "pending" or "not asked".

        Q and T have their upper triangles. What both engines share, such as agreement_p, stands in the rows of both.
        Values of single runs and records at several alphas do not fit into the row of a cell: the data set has them, as
        in `data["error_run"].to_dataframe()`.

        A row is one observation and has all of its numbers side by side, so that a value has its standard error and its
        status in the same row. A table with a row for each number is
        `frame.melt(["engine", "rate", "variance", "message", "status"])`.

        `frame.attrs["units"]` and `frame.attrs["long_name"]` have the unit and the meaning of the columns.

        Returns a pandas DataFrame. Raises InputError for what is no longer the data set of a sweep.
        """
        return sweep_to_data_frame(self._dataset)
