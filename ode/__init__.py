"""The order-parameter ODEs: averages, drift, integration, stability."""

from lazy_loader import attach_stub

import teacher_student  # noqa: F401  # it sets XLA_FLAGS, before JAX computes anything

# Loading everything takes seconds: a name is imported when it is first used, from where `__init__.pyi` says.
__getattr__, __dir__, _ = attach_stub(__name__, __file__)

__all__ = [
    "Averages",
    "ClosedForm",
    "ClusterObservables",
    "Critical",
    "FixedPoint",
    "Plateau",
    "Sampled",
    "StepAverages",
    "add_closed_form",
    "critical",
    "derive",
    "drift",
    "fastest_averages",
    "fixed_points",
    "fluctuations",
    "known_guesses",
    "missing_closed_form",
    "observe",
    "observe_clusters",
    "optimize",
    "plateau",
    "protocols",
    "rank_by_loss",
    "require_closed_form",
    "solve",
    "solve_many",
]
