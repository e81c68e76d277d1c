"""Comparisons, pictures and the command line."""

from lazy_loader import attach_stub

import teacher_student  # noqa: F401  # it sets XLA_FLAGS, before JAX computes anything

# Loading everything takes seconds: a name is imported when it is first used, from where `__init__.pyi` says.
__getattr__, __dir__, _ = attach_stub(__name__, __file__)

__all__ = [
    "CellStatus",
    "Comparison",
    "Contrast",
    "Experiment",
    "Interrupted",
    "MeasuredGain",
    "ProtocolCheck",
    "Settings",
    "Summary",
    "Sweep",
    "atlas",
    "boundary",
    "check_protocol",
    "compare",
    "comparison",
    "curves",
    "load_experiment",
    "load_settings",
    "load_sweep",
    "make_experiment",
    "open_sweep",
    "phase_diagram",
    "plot",
    "read_experiment",
    "read_settings",
    "read_sweep",
    "run_sweep",
    "select",
    "style",
    "sweep",
]
