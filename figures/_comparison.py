"""What comes of a comparison: trajectories, verdict, and where they were written."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import simulations
import teacher_student as ts
from teacher_student import internal

if TYPE_CHECKING:
    import numpy as np
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

    def plot(self, ax: Any = None, level: Any = None, quantities: Any = None) -> tuple[Figure, np.ndarray]:
        """Draw the whole comparison: curves and points of every quantity, and what the verdict looked at.

        Theory is lines, simulation is points with standard errors, the spread that theory predicts is shaded, and so
        are the phases of the curriculum. Below stand |z| of every deviation, measured over predicted standard
        deviations, and the shift that the simulation implies of every number. Nothing is computed again.

          comparison = figures.compare(problem, start, alphas)
          figure, axes = comparison.plot(quantities=["error", "R"])
          figure.savefig("comparison.pdf")

        Arguments:
          ax: an array of as many matplotlib Axes as there are panels; None: a new figure.
          level: one level or several of errors and accuracies; None: all.
          quantities: "error", "accuracy", "Q", "R", "readout", full names such as "Q[relevant][1,2]", or a list; None:
            all.
        Returns a matplotlib Figure and a flat array of its Axes. Raises InputError for names that are not there.
        """
        # matplotlib takes half a second to import
        from .pictures import plot_comparison

        return plot_comparison(
            self.theory, self.runs, self.agreement.to_dict(), self.bands, ax=ax, level=level, quantities=quantities
        )
