"""Comparisons, pictures and the command line."""

from ._compare import Comparison, Interrupted, compare
from ._comparison_plot import comparison
from ._settings import Settings, load_settings, read_settings

__all__ = ["Comparison", "Interrupted", "Settings", "compare", "comparison", "load_settings", "read_settings"]
