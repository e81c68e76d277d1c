"""Sweeps: any grid of problems, resumable, on one machine or many."""

from ._axes import Axis
from ._bayes import bayes_accuracy
from ._cells import FINISHED, CellStatus
from ._dotted import merged
from ._run import RETRY, Summary, axes_of, open_sweep, run_sweep, sweep
from ._spec import Sweep, load_sweep, read_sweep

__all__ = [
    "FINISHED",
    "RETRY",
    "Axis",
    "CellStatus",
    "Summary",
    "Sweep",
    "axes_of",
    "bayes_accuracy",
    "load_sweep",
    "merged",
    "open_sweep",
    "read_sweep",
    "run_sweep",
    "sweep",
]
