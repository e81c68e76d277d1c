"""Mixtures of levels on which a student is tested, whatever it is shown."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._errors import InputError, require_name
from .._numbers import as_numbers, check_at_least

TestMixture = str | Mapping[str, float]


def mixture_weights(mixture: Any, what: str = "a test mixture") -> dict[str, float]:
    """Return the weight q_l >= 0 of each level of a mixture; a level's name stands for that level alone.

    Raises InputError for what is neither a name nor weights >= 0 that sum to 1.
    """
    if isinstance(mixture, str):
        return {mixture: 1.0}
    if not isinstance(mixture, Mapping) or not mixture or not all(isinstance(level, str) for level in mixture):
        raise InputError(f"a level's name or {{level: weight, ...}} in {what}", repr(mixture))
    values = np.asarray(as_numbers(list(mixture.values()), f"weights of {what}"), float)
    check_at_least(values, 0.0, f"weights of {what}")
    if abs(float(np.sum(values)) - 1) > 1e-9:
        raise InputError(f"weights of {what} that sum to 1", f"a sum of {float(np.sum(values)):.12g}")
    return {level: float(weight) for level, weight in zip(mixture, values, strict=True)}


def mixture_name(weights: Mapping[str, float]) -> str:
    """Return a mixture in words, such as "0.5 easy + 0.5 hard"."""
    return " + ".join(f"{weight:.4g} {level}" if weight != 1 else level for level, weight in weights.items() if weight)


def of_mixture(by_level: Mapping[str, Any], weights: Mapping[str, float], what: str = "a test mixture") -> np.ndarray:
    """Return the mean sum_l q_l z_l over a mixture of what is linear in the inputs' law, such as an error.

    Raises InputError for a level that `by_level` does not have.
    """
    for level in weights:
        require_name(level, by_level, f"level in {what}")
    return np.asarray(sum(weight * np.asarray(by_level[level]) for level, weight in weights.items() if weight))
