"""Comparisons, pictures and the command line."""

from ._compare import Comparison, Interrupted, compare
from ._comparison_plot import comparison
from ._settings import Settings, load_settings, read_settings
from .sweeps import CellStatus, Summary, Sweep, load_sweep, open_sweep, read_sweep, run_sweep, sweep

__all__ = [
    "CellStatus",
    "Comparison",
    "Interrupted",
    "Settings",
    "Summary",
    "Sweep",
    "compare",
    "comparison",
    "load_settings",
    "load_sweep",
    "open_sweep",
    "read_settings",
    "read_sweep",
    "run_sweep",
    "sweep",
]
