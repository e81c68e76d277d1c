"""Whether theory is to predict the spread over runs and the 1/N term."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

from typing import Any

import ode
import teacher_student as ts
from teacher_student import internal

from ._choices import Choices

CHEAP_ENTRIES = 60  # of a state: the covariance of more takes minutes


def are_required(choices: Choices) -> bool:
    """Say whether fluctuations are asked for, by themselves or by a verdict that needs them."""
    return bool(choices.fluctuations) or choices.spread == "predicted" or choices.detect is not None


def chosen_spread(choices: Choices, predicted: bool) -> str:
    """Return by which spread a comparison is judged, the sharpest one unless it is chosen.

    Arguments: predicted: whether theory predicts fluctuations, and with them the joint law of the runs.
    """
    if choices.spread is not None:
        return choices.spread
    return "predicted" if predicted and not choices.smaller_dim else "measured"


def are_predicted(problem: ts.Problem, averages: Any, choices: Choices) -> bool:
    """Say whether theory predicts fluctuations: where they are asked for, or cheap.

    Raises InputError where they are asked for and N is too small, or the averages do not allow them.
    """
    if not are_required(choices):
        entries = internal.number_of_entries(problem)
        exact = averages is None or isinstance(averages, ode.ClosedForm)
        cheap = exact and ode.missing_closed_form(problem) is None and entries <= min(CHEAP_ENTRIES, choices.dim)
        return choices.fluctuations is None and cheap
    check_fluctuations(problem, averages, choices.dim)
    return True


def check_fluctuations(problem: ts.Problem, averages: Any, dim: int) -> None:
    """Raise InputError where N is too small to expand in 1/N, or the averages cannot be expanded."""
    entries = internal.number_of_entries(problem)
    if dim < entries:
        raise ts.InputError(
            f"dim >= {entries}, the number of overlaps (fluctuations are an expansion in 1/N)",
            dim,
            "raise it, or leave the fluctuations out",
        )
    if isinstance(averages, ode.Sampled) and averages.error is not None:
        raise ts.InputError(
            "sampled averages of given points for fluctuations", f"error={averages.error:g}", "give points instead"
        )
