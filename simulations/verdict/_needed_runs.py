"""How many runs find a number that is off by so much, before anything is simulated."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from teacher_student import InputError, Trajectory
from teacher_student.internal import is_number, nearest

from ._predicted_means import PredictedMeans, drawn_statistics, expected_means, questions_about
from ._questions import judged
from ._shifts import Power

FEWEST_RUNS = 3  # of a verdict


def needed_runs(
    theory: Trajectory, dim: int, test_samples: int, detect: Mapping[str, float], significance: float, seed: int
) -> tuple[int, str]:
    """Return the runs at N = `dim` that find each of the shifts `detect`, and the number that needs them.

    A shift is found if the verdict disagrees with the chance CHANCE. `detect` is as in `simulations.plan`, checked.
    """
    means = expected_means(theory, dim, test_samples)
    for name in detect:
        require_seen(name, means)
    # The questions' thresholds depend on how many deviations and numbers there are, and not on the runs.
    family = judged(questions_about(means, drawn_statistics(means, seed)), None, significance, seed)
    power = Power.of(means, family, seed)
    needed: dict[str, float] = {}
    for name, shift in detect.items():
        p = means.names.index(name)
        length = float(np.linalg.norm(means.responses[:, p])) * (abs(means.values[p]) or 1.0) * shift
        # Before squaring: a tiny shift needs more runs than a number can hold.
        needed[name] = min(power.detectable(means.directions[:, p]) / max(length, 1e-100), 1e50) ** 2
    worst = max(needed, key=lambda name: needed[name])
    return max(FEWEST_RUNS, int(np.ceil(needed[worst]))), worst


def check_detect(detect: Any, theory: Trajectory) -> None:
    """Raise InputError unless `detect` gives numbers of theory's problem and start, each with a shift > 0."""
    if not isinstance(theory, Trajectory):
        raise InputError("a theory first", type(theory).__name__, "plan(ode.fluctuations(...), {name: shift})")
    fluctuations = theory.fluctuations
    if fluctuations is None or fluctuations.responses is None:
        remedy = "take theory = ode.fluctuations(...)"
        raise InputError("a theory with the joint law of its fluctuations", "one without", remedy)
    if not isinstance(detect, Mapping) or not detect:
        raise InputError('detect as {"sgd.learning_rate": 0.01, ...}', repr(detect))
    names = fluctuations.responses.names
    for name, shift in detect.items():
        if name not in names:
            raise InputError(f"a number of the problem to detect, such as {names[0]}", repr(name), nearest(name, names))
        if not is_number(shift) or not 0 < shift < np.inf:
            raise InputError(f"a shift > 0 of {name} to detect, relative to its value", repr(shift))


def require_seen(name: str, means: PredictedMeans) -> None:
    """Raise InputError for a number that no run can show."""
    if name in means.unseen:
        got = f"{name}, whose derivative is 0 in all that fluctuates"
        raise InputError("a number that moves what is compared", got, "no number of runs would show it")
