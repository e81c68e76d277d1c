"""For every number of problem and start: the shift that the runs imply, and what the verdict could have seen."""

import dataclasses

import numpy as np
from scipy import optimize, stats

from teacher_student.internal import PublicRecord, label_of

from ._measured_means import MeasuredMeans
from ._predicted_means import PredictedMeans
from ._questions import Family

CHANCE = 0.9  # with which a shift is to be found
POWER_DRAWS = 2000  # a chance of 0.9 is known to 0.007


@dataclasses.dataclass(frozen=True)
class Shift(PublicRecord):
    """By how much one number would have to differ for theory to give what was simulated, all others being right.

    Fields:
      name, label: of the number, as in `ts.Directions` and in words; one of `moved` has the name given there. value:
        what theory takes.
      shift, standard_error: of the number, in its own units. z: their ratio, standard normal where theory is right.
      detectable: the size of the smallest shift that this verdict finds with a chance of 90 %.
    """

    name: str
    label: str
    value: float
    shift: float
    standard_error: float
    z: float
    detectable: float

    @property
    def text(self) -> str:
        """The shift in words: "learning rate: +0.2 % +- 0.4 % (1.3 % would be seen)"."""
        shift, error, seen = (
            self.in_words(x, sign) for x, sign in ((self.shift, "+"), (self.standard_error, ""), (self.detectable, ""))
        )
        return f"{self.label}: {shift} +- {error} ({seen} would be seen)"

    def in_words(self, shift: float, sign: str = "") -> str:
        """Return a shift of the number as text, in per cent of its value, or as it is where the value is 0.

        Arguments: shift: in the number's own units. sign: "+" to write the sign of what is positive, too.
        """
        return f"{100 * shift / abs(self.value):{sign}.2g} %" if self.value else f"{shift:{sign}.2g}"


def predicted_shifts(means: PredictedMeans, family: Family, seed: int) -> tuple[Shift, ...]:
    """Return the shift of every number that can be seen, under the joint law.

    shift = d . xi / |d|^2 of the whitened deviations xi and their derivative d in the number.
    """
    length = np.linalg.norm(means.responses, axis=0)
    # The error of theory itself, where averages are sampled.
    widened = np.sqrt(1 + np.sum((means.scatter @ means.directions) ** 2, axis=0))
    z = means.xi @ means.directions
    power = Power.of(means, family, seed)
    return tuple(
        Shift(
            name=name,
            label=label_of(name),
            value=float(means.values[p]),
            shift=float(z[p] / length[p]),
            standard_error=float(widened[p] / length[p]),
            z=float(z[p] / widened[p]),
            detectable=power.detectable(means.directions[:, p]) / float(length[p]),
        )
        for p, name in enumerate(means.names)
    )


def measured_shifts(means: MeasuredMeans, family: Family) -> tuple[Shift, ...]:
    """Return the shift of every number that can be seen, under the estimated covariance."""
    # The question about numbers alone: a lower bound of what all questions find, and means are taken as normal.
    threshold = float(stats.t.isf(stats.norm.sf(family.threshold("numbers")), means.runs - 1))
    reach = threshold + float(stats.norm.isf(1 - CHANCE))
    return tuple(
        Shift(
            name=name,
            label=label_of(name),
            value=float(means.values[p]),
            shift=float(means.shift[p]),
            standard_error=float(means.shift_error[p]),
            z=float(means.shift[p] / means.shift_error[p]),
            detectable=float(reach * means.shift_error[p]),
        )
        for p, name in enumerate(means.names)
    )


@dataclasses.dataclass(frozen=True)
class Power:
    """The chance that a verdict disagrees where theory is off in a given direction.

    Fields: draws (n, w) of whitened deviations, what they make of z (n, m) and of the numbers' z (n, P), and the ratios
    (n,) of measured to predicted variances.
    """

    means: PredictedMeans
    family: Family
    draws: np.ndarray
    z: np.ndarray
    numbers: np.ndarray
    ratios: np.ndarray

    @staticmethod
    def of(means: PredictedMeans, family: Family, seed: int) -> "Power":
        """Return the power of the verdict `family` on `means`."""
        rng = np.random.default_rng([seed, 2])
        draws = means.draws(POWER_DRAWS, rng)
        ratios = means.drawn_ratios(POWER_DRAWS, rng)
        return Power(means, family, draws, draws @ means.columns.T, draws @ means.directions, ratios)

    def chance(self, direction: np.ndarray, size: float) -> float:
        """Return the chance of DISAGREE for a mean of `size` in a whitened direction (w,) of length 1."""
        threshold = self.family.threshold
        found = np.sum((self.draws + size * direction) ** 2, axis=1) / self.ratios > threshold("all")
        moved = self.numbers + size * (direction @ self.means.directions)
        found |= np.max(np.abs(moved), axis=1, initial=0.0) > threshold("numbers")
        # The costly one last, of those draws that nothing else has found.
        left = np.flatnonzero(~found)
        moved = self.z[left] + size * (self.means.columns @ direction)
        found[left] = np.max(np.abs(moved), axis=1, initial=0.0) > threshold("largest")
        return float(np.mean(found))

    def detectable(self, direction: np.ndarray) -> float:
        """Return the size of a mean in a whitened direction that is found with the chance CHANCE."""
        if self.chance(direction, 0.0) >= CHANCE:  # at a significance near 1
            return 0.0
        largest = 2.0
        while self.chance(direction, largest) < CHANCE:
            largest *= 2
        return float(optimize.brentq(lambda size: self.chance(direction, size) - CHANCE, 0.0, largest, xtol=0.02))
