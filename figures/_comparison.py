"""What comes of a comparison: trajectories, verdict, and where they were written."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import simulations
import teacher_student as ts
from teacher_student import internal

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def load_pictures() -> None:
    """Load what draws, which takes half a second: beside other work nobody waits for it."""
    from .pictures import _comparison_plot  # noqa: F401


@dataclasses.dataclass(frozen=True)
class Comparison(internal.PublicRecord):
    """The results of `compare`.

    theory: the trajectory of the ODEs, with alphas between the recorded alphas. runs: that of the simulation at N.
    smaller: that at the second dimension, or None. agreement: the verdict. paths: what was written, by name.
    bands: theory with fluctuations at the recorded alphas (None without). plan: what chose the number of runs, where
    something was to be detected (None: the number was given).
    """

    theory: ts.Trajectory
    runs: ts.Trajectory
    smaller: ts.Trajectory | None
    agreement: simulations.Agreement
    paths: dict[str, Path]
    bands: ts.Trajectory | None = None
    plan: simulations.Plan | None = None

    @property
    def table(self) -> str:
        """The verdict's table: a row for each question, each number's implied shift, and each quantity."""
        return self.agreement.table

    @property
    def report(self) -> str:
        """What report.json holds: the agreement's fields, and the plan where there was one, as JSON."""
        if self.plan is None:
            return self.agreement.to_json()
        return json.dumps(self.agreement.to_dict() | {"plan": dataclasses.asdict(self.plan)}, indent=1, allow_nan=False)

    def plot(self) -> Figure:
        """Draw theory as lines, simulation as points, and the z of every deviation, as `figures.comparison` does.

        Returns a matplotlib Figure, of the data at hand: nothing is computed again.
        """
        from .pictures import comparison  # matplotlib takes half a second to import

        return comparison(self.theory, self.runs, self.agreement.to_dict(), self.bands)
