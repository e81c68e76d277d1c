"""Sweeps: any grid of problems, resumable, on one machine or many."""

from lazy_loader import attach_stub

# Loading everything takes seconds: a name is imported when it is first used, from where `__init__.pyi` says.
__getattr__, __dir__, _ = attach_stub(__name__, __file__)

__all__ = [
    "CELL_TIMEOUT",
    "FINISHED",
    "RETRY",
    "Axis",
    "CellStatus",
    "Summary",
    "Sweep",
    "Tls",
    "axes_of_cells",
    "bayes_accuracy",
    "encrypted",
    "load_sweep",
    "merged",
    "normal_form",
    "open_sweep",
    "read_cell_timeout",
    "read_sweep",
    "run_sweep",
    "sweep",
    "variable_numbers",
]
