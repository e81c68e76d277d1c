"""Measures of a gain, by name. On their own, since the command line names them before anything is loaded."""

from typing import Any

MEASURES = {  # name -> axis label of a gain in it
    "solved": "gain in P(all four means right)",
    "accuracy": "gain in accuracy on hard samples",
    "time": "P(faster) $-$ P(slower) to the accuracy",
    "best rate": "gain in accuracy, each at its best rate",
}


def label_of_gain(measure: str, test: Any = "hard") -> str:
    """Return the axis label of a gain that is measured on a level, or on a mixture of levels."""
    from teacher_student import internal

    tested_on = internal.mixture_name(internal.mixture_weights(test))
    return MEASURES[measure].replace("on hard samples", f"on {tested_on} samples")
