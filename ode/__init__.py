"""The order-parameter ODEs: averages, drift, integration."""

from . import derive
from ._drift import drift
from ._observe import observe
from ._rank_by_loss import rank_by_loss
from ._solve import solve
from ._solve_many import solve_many
from .averages import ClosedForm, Sampled, missing_closed_form, require_closed_form

__all__ = [
    "ClosedForm",
    "Sampled",
    "derive",
    "drift",
    "missing_closed_form",
    "observe",
    "rank_by_loss",
    "require_closed_form",
    "solve",
    "solve_many",
]
