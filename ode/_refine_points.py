"""Sampled averages with as many points as the requested error needs."""

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np

from teacher_student import InputError, Trajectory

from .averages import Averages, Sampled

MOST_TIMES = 64  # more points in one go, so that an accidentally large estimate of the error does not cost much


def finer_averages(averages: Averages | Sampled | None, result: Trajectory) -> Sampled | None:
    """Return averages with enough points to reach the requested error, or None.

    The error falls as S^-1/2 at least, and as S^-1 at best. So the number of points grows as S^-3/4 needs, and at least
    twofold. None means that `result` has reached the error already, that no error was requested, or that no more points
    are allowed.
    """
    if not isinstance(averages, Sampled) or averages.error is None:
        return None
    left = error_left(result)
    if not left > averages.error or averages.points == averages.most_points:
        return None
    times = 2 ** int(np.ceil(np.log2((left / averages.error) ** (4 / 3))))
    points = min(averages.points * min(max(times, 2), MOST_TIMES), averages.most_points)
    return dataclasses.replace(averages, points=points)


def warn_of_misses(averages: Averages | Sampled | None, results: Sequence[Trajectory]) -> None:
    """Warn if the largest number of points that is allowed did not suffice for the requested error.

    The warning names the line of the caller's caller.
    """
    if not isinstance(averages, Sampled) or averages.error is None:
        return
    worst = max(map(error_left, results))
    if worst > averages.error:
        missed = sum(error_left(result) > averages.error for result in results)
        whose = f" in {missed} of {len(results)} problems" if len(results) > 1 else ""
        warnings.warn(
            f"averages over {averages.most_points} points leave an error of {worst:.2g}{whose}, more than the "
            f"{averages.error:g} asked for: raise most_points or replicates",
            stacklevel=3,
        )


def error_left(result: Trajectory) -> float:
    """Return the largest standard error of a recorded generalisation error.

    It is in units of the largest generalisation error of its level.
    """
    if result.sampling_error is None:
        return 0.0
    parts = []
    for level, values in result.error.items():
        known = np.isfinite(values)  # none after a stop
        if np.any(known):
            # The floor is for a level whose error is 0 throughout: 0 / 0 is NaN, with which no comparison holds.
            parts.append(np.max(result.sampling_error.error[level][known]) / max(np.max(values[known]), 1e-300))
    return float(max(parts, default=0.0))


def require_given_points(averages: Averages | Sampled | None, caller: str, *, fields: bool = False) -> None:
    """Raise InputError where averages ask `caller` for what it cannot do.

    It cannot try again with more points. With `fields` it needs the fields themselves, not products alone.
    """
    if isinstance(averages, Sampled) and averages.error is not None:
        raise InputError(f"sampled averages of given points in {caller}", f"error={averages.error:g}", "give points=")
    if fields and isinstance(averages, Sampled) and averages.products_only:
        raise InputError(f"averages that are sampled as a whole in {caller}", "products_only=True", "leave it out")
