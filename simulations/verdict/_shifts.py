"""For every number of problem and start: the shift that the simulation implies, and what the verdict could have seen."""

import dataclasses

import numpy as np
from scipy import optimize

from teacher_student.internal import label_of

from ._means import Seen
from ._questions import Family, Means

CHANCE = 0.9  # with which a shift is to be found
POWER_DRAWS = 2000  # a chance of 0.9 is known to 0.007


@dataclasses.dataclass(frozen=True)
class Shift:
    """By how much one number would have to differ for theory to give what was simulated, all others being right.

    Fields:
      name, label: of the number, as in `ts.Directions` and in words. value: what theory takes.
      shift, standard_error: of the number, in its own units. z: their ratio, standard normal where theory is right.
      detectable: the size of the smallest shift that the verdict finds with a chance of 90 %.
    """

    name: str
    label: str
    value: float
    shift: float
    standard_error: float
    z: float
    detectable: float

    @property
    def relative(self) -> bool:
        """Whether shifts are stated in units of the value; those of a number that is 0 are not."""
        return self.value != 0

    @property
    def text(self) -> str:
        """The shift in words: "learning rate: +0.2 % +- 0.4 %"."""
        return f"{self.label}: {self.in_words(self.shift, '+')} +- {self.in_words(self.standard_error)}"

    def in_words(self, shift: float, sign: str = "") -> str:
        """Return a shift as text, relative to the value where there is one."""
        if self.relative:
            return f"{100 * shift / abs(self.value):{sign}.2g} %"
        return f"{shift:{sign}.2g}"


def shifts_of(seen: Seen, family: Family, seed: int) -> tuple[Shift, ...]:
    """Return the shift of every number that can be seen, with what would have been found."""
    means = seen.means
    length = np.linalg.norm(seen.responses, axis=0)
    widened = np.sqrt(1 + np.sum((means.scatter @ means.numbers) ** 2, axis=0))
    z = means.xi @ means.numbers
    power = Power.of(means, family, seed)
    return tuple(
        Shift(
            name=name,
            label=label_of(name),
            value=float(seen.values[p]),
            shift=float(z[p] / length[p]),
            standard_error=float(widened[p] / length[p]),
            z=float(z[p] / widened[p]),
            detectable=power.detectable(means.numbers[:, p]) / float(length[p]),
        )
        for p, name in enumerate(seen.names)
    )


@dataclasses.dataclass(frozen=True)
class Power:
    """The chance that a verdict disagrees where theory is off in a given direction.

    Fields: draws (n, w) of whitened deviations, and what they make of z (n, m) and of the numbers' z (n, P).
    thresholds: of the questions "largest", "all" and "numbers".
    """

    means: Means
    draws: np.ndarray
    z: np.ndarray
    numbers: np.ndarray
    thresholds: dict[str, float]

    @staticmethod
    def of(means: Means, family: Family, seed: int) -> "Power":
        """Return the power of the verdict that gave `family`."""
        draws = means.draws(POWER_DRAWS, np.random.default_rng([seed, 2]))
        thresholds = {question.name: question.threshold for question in family.questions}
        return Power(means, draws, draws @ means.columns.T, draws @ means.numbers, thresholds)

    def chance(self, direction: np.ndarray, size: float) -> float:
        """Return the chance of DISAGREE for a mean of `size` in a whitened direction (w,) of length 1."""
        found = np.sum((self.draws + size * direction) ** 2, axis=1) > self.thresholds["all"]
        if "numbers" in self.thresholds:
            moved = self.numbers + size * (direction @ self.means.numbers)
            found |= np.max(np.abs(moved), axis=1) > self.thresholds["numbers"]
        # The costly one last, of those draws that nothing else has found.
        left = np.flatnonzero(~found)
        moved = self.z[left] + size * (self.means.columns @ direction)
        found[left] = np.max(np.abs(moved), axis=1, initial=0.0) > self.thresholds["largest"]
        return float(np.mean(found))

    def detectable(self, direction: np.ndarray) -> float:
        """Return the size of a mean in a whitened direction that is found with the chance CHANCE."""
        largest = 2.0
        while self.chance(direction, largest) < CHANCE:
            largest *= 2
        return float(optimize.brentq(lambda size: self.chance(direction, size) - CHANCE, 0.0, largest, xtol=0.02))
