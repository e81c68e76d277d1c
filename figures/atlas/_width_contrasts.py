"""Contrasts of gains over widths: of narrow students, of wide ones, and a trend; with p-values for all of a family."""

import numpy as np
from scipy import stats
from scipy.optimize import brentq

QUESTIONS = ("narrow", "wide", "trend")
FAMILY, POWER = 0.01, 0.9  # false alarms of all statements together; how often a contrast is to be seen


class Tested:
    """What is said of a contrast: a statement's dataclass has its numbers, with p after Holm as `adjusted`.

    among: the number of statements that hold together.
    """

    value: float
    se: float
    degrees: float
    adjusted: float
    among: int

    @property
    def sign(self) -> int:
        """+1 or -1 where it is told from 0 at the false-alarm rate of all statements together; else 0."""
        return int(np.sign(self.value)) if self.adjusted <= FAMILY else 0

    @property
    def seen_from(self) -> float:
        """The contrast that is told from 0 with probability POWER at least, whatever the other statements are.

        The level is that of the strictest step of Holm's test, FAMILY over the number of statements.
        """
        return smallest_seen(self.se, self.degrees, FAMILY / self.among, POWER)


def in_words(signs: tuple[int, int, int]) -> str:
    """Return what the signs of the three contrasts say together; 0 is a contrast that is not told from 0."""
    if signs[0] and signs[1] == -signs[0]:
        return (
            "helps narrow students, and harms wide ones"
            if signs[0] > 0
            else "harms narrow students, and helps wide ones"
        )
    if signs[0] > 0:
        change = {-1: "and the gain shrinks with width", 0: "and no trend is seen", 1: "and the gain grows with width"}
        return f"helps narrow students, {change[signs[2]]}"
    if signs[0] < 0:
        change = {-1: "and more with width", 0: "and no trend is seen", 1: "and the harm shrinks with width"}
        return f"harms narrow students, {change[signs[2]]}"
    if signs[1]:
        known = "" if signs[2] == signs[1] else ", with no trend that is seen"
        return f"{'helps' if signs[1] > 0 else 'harms'} wide students alone{known}"
    return "no effect is seen" if not signs[2] else "changes with width, with no effect seen at either end"


def weights_of(question: str, widths: np.ndarray) -> np.ndarray:
    """Return the weights of the widths in a contrast.

    narrow, wide: the mean of the two narrowest, or widest, widths (of one, where there are fewer than four).
    trend: the least-squares slope against log2 K, a change per doubling of the width.
    """
    x = np.log2(widths) - np.mean(np.log2(widths))
    if question == "trend":
        slope: np.ndarray = x / max(np.sum(x**2), 1e-300)
        return slope
    number = 2 if widths.size >= 4 else 1
    weights = np.zeros(widths.size)
    weights[np.argsort(x)[:number] if question == "narrow" else np.argsort(x)[-number:]] = 1 / number
    return weights


def contrast(
    weights: np.ndarray, value: np.ndarray, se: np.ndarray, count: np.ndarray
) -> tuple[float, float, float, float]:
    """Return value, standard error, degrees of freedom (Welch and Satterthwaite) and p of sum_K c_K gain_K."""
    parts = (weights * se) ** 2
    variance = float(np.sum(parts))
    if not variance > 0:  # there are too few starts, or too few widths
        return np.nan, np.nan, np.nan, 1.0
    degrees = variance**2 / float(np.sum(parts**2 / np.maximum(count - 1, 1)))
    total, error = float(weights @ value), float(np.sqrt(variance))
    return total, error, degrees, float(2 * stats.t.sf(abs(total) / error, degrees))


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values that hold for all together.

      p~_(i) = max_{j <= i} min(1, (m - j + 1) p_(j))

    Source: Holm 1979.
    """
    order = np.argsort(p)
    steps = np.minimum(1.0, (p.size - np.arange(p.size)) * p[order])
    adjusted = np.empty(p.size)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def smallest_seen(se: float, degrees: float, level: float, power: float) -> float:
    """Return the contrast that is told from 0 with the probability `power`, by a two-sided t test at `level`.

    It is `se` times the offset at which a noncentral t passes the test's limit with that probability.
    """
    if not np.isfinite(degrees):  # there are too few starts
        return np.nan
    limit = float(stats.t.isf(level / 2, degrees))
    offset = brentq(lambda offset: float(stats.nct.sf(limit, degrees, offset)) - power, 0.0, 10 * limit + 10)
    return float(offset) * se
