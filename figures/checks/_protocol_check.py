"""What a check of a protocol says: predicted and measured gains, verdicts, and the agreement of theory with runs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

import simulations
import teacher_student as ts
from teacher_student.internal import PublicRecord, plot

if TYPE_CHECKING:  # half a second to import: only who draws needs it
    from matplotlib.figure import Figure

CONFIRMED, UNSEEN, CONTRADICTED = "confirmed", "too small to see with these runs", "contradicted"


@dataclasses.dataclass(frozen=True)
class MeasuredGain(PublicRecord):
    """By how much the optimum's cost is below that of one other protocol, by theory and by simulation.

    Fields:
      name: of the other protocol. stated: the gain of the Optimum, in the limit of large N.
      predicted: the gain that theory expects of these runs. predicted_error: its standard error, or 0.
      measured: the mean over runs of the difference of costs. standard_error: of it.
      low, high: its interval. With those of all other protocols it holds with the chance 1 - significance.
      visible: the smallest gain that as many runs see 9 times in 10.
      verdict: "confirmed", "too small to see with these runs" or "contradicted".
    """

    name: str
    stated: float
    predicted: float
    predicted_error: float
    measured: float
    standard_error: float
    low: float
    high: float
    visible: float
    verdict: str

    def _words(self) -> str:
        return f"MeasuredGain({self.name}: {self.measured:+.3g}, predicted {self.predicted:+.3g}, {self.verdict})"


@dataclasses.dataclass(frozen=True)
class ProtocolCheck(PublicRecord):
    """Simulations of an optimal protocol beside others.

    Fields:
      criterion: the cost, in words. dim: N. runs: of each protocol. significance: chance of "contradicted" for any of
      the gains where theory is right.
      gains: over each other protocol.
      agreement: of the optimum's theory with its own simulation.
      costs: protocol -> (R,) cost of each run; "optimum" is the first.
      trajectories: protocol -> its simulation.
      paired: whether run r saw the same samples under all protocols.
      finite_size: whether predictions have their 1/N term. notes: what a reader should know beside.
    """

    criterion: str
    dim: int
    runs: int
    significance: float
    gains: tuple[MeasuredGain, ...]
    agreement: simulations.Agreement
    costs: dict[str, np.ndarray]
    trajectories: dict[str, ts.Trajectory]
    paired: bool
    finite_size: bool
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The answer in one line: how many gains are confirmed, cannot be seen and are contradicted, by name."""
        parts = []
        for word in (CONFIRMED, UNSEEN, CONTRADICTED):
            names = [gain.name for gain in self.gains if gain.verdict == word]
            if names:
                parts.append(f"{word} over {'; '.join(names)}")
        return ". ".join(["gain " + ", ".join(parts), f"Theory and simulation of the optimum {self.agreement.answer}"])

    @property
    def confirmed(self) -> bool:
        """Whether every gain is confirmed."""
        return bool(self.gains) and all(gain.verdict == CONFIRMED for gain in self.gains)

    def describe(self) -> str:
        """Return predicted and measured gains in a table, the verdicts, and the agreement in a line."""
        how = "on the same samples" if self.paired else "on samples of their own"
        level = f"{100 * (1 - self.significance):g} %"
        width = max(14, *(len(gain.name) + 2 for gain in self.gains))
        rows = [
            f"SGD at N = {self.dim}, {self.runs} runs of each protocol {how}; cost: {self.criterion}",
            f"{'gain over':<{width}}{'predicted':>12}{'measured +- s.e.':>25}{level + ' interval':>25}"
            f"{'visible':>10}  verdict",
        ]
        for gain in self.gains:
            measured = f"{gain.measured:+.3e} +- {gain.standard_error:.1e}"
            interval = f"{gain.low:+.3e} to {gain.high:+.3e}"
            rows.append(
                f"{gain.name:<{width}}{gain.predicted:>+12.3e}{measured:>25}{interval:>25}{gain.visible:>10.1e}"
                f"  {gain.verdict}"
            )
        term = "theory with its 1/N term" if self.finite_size else "theory for N -> infinity"
        together = f" together (Bonferroni over {len(self.gains)})" if len(self.gains) > 1 else ""
        rows.append(f"predicted: {term}. Intervals hold{together} with {level}; visible: 9 times in 10")
        rows.append(f"theory of the optimum and its simulation: {self.agreement.verdict}")
        return "\n".join([*rows, *(f"note: {note}" for note in self.notes)])

    def __str__(self) -> str:
        return self.describe()

    def _words(self) -> str:
        return f"ProtocolCheck({self.verdict})"

    def plot(self) -> tuple[Figure, np.ndarray]:
        """Draw the measured gain over each other protocol with its interval, beside the predicted one.

        Returns a matplotlib Figure and an array of its one Axes.
        """
        return plot(self)
