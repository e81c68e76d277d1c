"""The order-parameter ODEs: averages, drift, integration, stability."""

from . import derive
from ._drift import drift
from ._fluctuations import fluctuations
from ._method import fastest_averages
from ._observe import observe
from ._rank_by_loss import rank_by_loss
from ._solve import solve
from ._solve_many import solve_many
from .averages import ClosedForm, Sampled, missing_closed_form, require_closed_form
from .stability import Critical, FixedPoint, Plateau, critical, fixed_points, known_guesses, plateau

__all__ = [
    "ClosedForm",
    "Critical",
    "FixedPoint",
    "Plateau",
    "Sampled",
    "critical",
    "derive",
    "drift",
    "fastest_averages",
    "fixed_points",
    "fluctuations",
    "known_guesses",
    "missing_closed_form",
    "observe",
    "plateau",
    "rank_by_loss",
    "require_closed_form",
    "solve",
    "solve_many",
]
