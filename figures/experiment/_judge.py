"""The verdict on an experiment, by what its theory and simulations gave."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import simulations
import teacher_student as ts

from ._experiment import Experiment


def judge(
    experiment: Experiment,
    theory: ts.Trajectory,
    runs: ts.Trajectory,
    smaller: ts.Trajectory | None,
    bands: ts.Trajectory | None,
) -> tuple[simulations.Agreement, simulations.Agreement | None]:
    """Return the verdict that is asked for, and the one with spread and 1/N term of theory (None without these)."""
    significance = experiment.significance
    predicted = (
        None if bands is None else simulations.agreement(bands, runs, spread="predicted", significance=significance)
    )
    if experiment.spread == "predicted":
        assert predicted is not None  # the experiment has been checked
        return predicted, predicted
    return simulations.agreement(theory, runs, smaller, significance=significance, seed=experiment.seed), predicted
