"""Which precision full-weight SGD needs, so that its smallest steps are not rounded away."""

import warnings

import numpy as np

from teacher_student import Problem

TIMES = 65  # at which schedules are looked at
LEAST_STEP = 1e-5  # relative change per step, of which float32's rounding (half of 6e-8) can take 0.3 %


def usual_precision(problem: Problem, dim: int) -> str:
    """Return the precision that `run` takes for `precision=None`.

    It is "float32", or "float64" where float32 would lose part of a step. A step of gradient descent changes weights by
    eta / sqrt(N), but decay changes them by eta gamma / N, and readouts change by eta_v / N. float32 rounds a number of
    order 1 to 6e-8, so "float64" is taken if one of the last two is below 1e-5 and not 0.

    Arguments: problem: its rates are looked at. dim: dimension N.
    Returns "float32" or "float64".
    """
    return "float64" if _smallest(problem, dim) < LEAST_STEP else "float32"


def warn_of_rounding(problem: Problem, dim: int, precision: str) -> None:
    """Warn, in the name of who called `run` or `run_many`, if `precision` loses part of a step."""
    smallest = _smallest(problem, dim)
    if precision == "float32" and smallest < LEAST_STEP:
        warnings.warn(
            f"float32 rounds away part of a step of {smallest:.1g} (decay, or readout rate, over N): "
            f'leave precision out, or take "float64"',
            stacklevel=4,
        )


def _smallest(problem: Problem, dim: int) -> float:
    """Return the smallest relative change that a step makes on purpose, at any time."""
    times = np.linspace(0.0, float(problem.curriculum.end), TIMES) if problem.schedules else [0.0]
    rates = [problem.at(alpha).sgd for alpha in times]
    eta, eta_v, gamma = (
        np.array([getattr(at, name) for at in rates], float)
        for name in ("learning_rate", "readout_learning_rate", "weight_decay")
    )
    steps = np.stack([eta * gamma, eta_v, eta_v * gamma]) / dim
    return float(np.min(steps, where=steps > 0, initial=np.inf))
