"""Comparisons, pictures and the command line."""

from . import atlas
from ._boundary import boundary
from ._compare import Comparison, Interrupted, compare
from ._comparison_plot import comparison
from ._curves import curves
from ._map import Contrast, select
from ._phase_diagram import phase_diagram
from ._settings import Settings, load_settings, read_settings
from .sweeps import CellStatus, Summary, Sweep, load_sweep, open_sweep, read_sweep, run_sweep, sweep

__all__ = [
    "CellStatus",
    "Comparison",
    "Contrast",
    "Interrupted",
    "Settings",
    "Summary",
    "Sweep",
    "atlas",
    "boundary",
    "compare",
    "comparison",
    "curves",
    "load_settings",
    "load_sweep",
    "open_sweep",
    "phase_diagram",
    "read_settings",
    "read_sweep",
    "run_sweep",
    "select",
    "sweep",
]
