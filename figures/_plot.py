"""`figures.plot`: the picture of anything that can be drawn, by its type."""

from functools import singledispatch
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import ode
import simulations
import teacher_student as ts

from ._comparison import Comparison
from .checks import ProtocolCheck
from .pictures import (
    plot_comparison,
    plot_curriculum,
    plot_protocol,
    plot_protocol_check,
    plot_sweep,
    plot_trajectory,
    plot_verdict,
)


@singledispatch
def plot(thing: Any, **options: Any) -> tuple[Figure, np.ndarray]:
    """Draw a trajectory, a verdict, a comparison, a curriculum, an optimal protocol or the data set of a sweep.

    Each has a method that does the same, with its arguments: `theory.plot()`, `agreement.plot()`, `comparison.plot()`,
    `curriculum.plot()`, `best.plot()`, `best.check(...).plot()`, `data.sweep.plot()`.

    Arguments: thing: what to draw. options: of its own method, such as ax, level and quantities.
    Returns a matplotlib Figure and a flat array of its Axes.
    Raises InputError for what cannot be drawn.
    """
    kinds = "a Trajectory, Agreement, Comparison, Curriculum, Optimum, ProtocolCheck or the data set of a sweep"
    raise ts.InputError(kinds, type(thing).__name__)


plot.register(ts.Trajectory, plot_trajectory)
plot.register(ts.Curriculum, plot_curriculum)
plot.register(xr.Dataset, plot_sweep)
plot.register(ode.protocols.Optimum, plot_protocol)
plot.register(ProtocolCheck, plot_protocol_check)


@plot.register
def _(thing: simulations.Agreement, **options: Any) -> tuple[Figure, np.ndarray]:
    return plot_verdict(thing.to_dict(), **options)


@plot.register
def _(thing: Comparison, **options: Any) -> tuple[Figure, np.ndarray]:
    return plot_comparison(thing.theory, thing.runs, thing.agreement.to_dict(), thing.bands, **options)
