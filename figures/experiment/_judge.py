"""The verdict on an experiment, by what its theory and simulations gave."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
from collections.abc import Callable

import simulations
import teacher_student as ts

from ._experiment import Experiment

NOT_PREDICTED = "no fluctuations are predicted: judged by the measured spread, without a 1/N term"


def judge(
    experiment: Experiment,
    theory: ts.Trajectory,
    runs: ts.Trajectory,
    smaller: ts.Trajectory | None,
    bands: ts.Trajectory | None,
) -> simulations.Agreement:
    """Return the verdict, by the spread of the experiment; by the measured one where theory could not predict any.

    Arguments: bands: theory with fluctuations at the recorded alphas, or None.
    """
    spread = experiment.spread if bands is not None else "measured"
    verdict = simulations.agreement(
        _with_law(theory, bands),
        runs,
        smaller,
        spread=spread,
        significance=experiment.significance,
        seed=experiment.seed,
    )
    if spread == experiment.spread:
        return verdict
    return dataclasses.replace(verdict, notes=(NOT_PREDICTED, *verdict.notes))


def _with_law(theory: ts.Trajectory, bands: ts.Trajectory | None) -> ts.Trajectory:
    """Return the theory that is shown, with the joint law of the runs and the responses to every number, if known."""
    if bands is None:
        return theory
    at_recorded = theory.at(bands.alphas)
    return dataclasses.replace(at_recorded, fluctuations=bands.fluctuations, integrator_error=bands.integrator_error)


def planned(
    experiment: Experiment, bands: ts.Trajectory | None, say: Callable[[str], None]
) -> tuple[Experiment, simulations.Plan | None]:
    """Return the experiment with as many runs as find what it is to detect, and the plan; what that costs is said.

    Raises InputError for a number that the problem does not have, or that no comparison can see.
    """
    if experiment.detect is None:
        return experiment, None
    if bands is None:
        raise ts.InputError("a theory that predicts fluctuations, to detect a shift", "one that could not")
    dims = (experiment.dims[0],)
    plan = simulations.plan(
        bands,
        experiment.detect,
        dims=dims,
        test_samples=experiment.test_samples,
        significance=experiment.significance,
        seed=experiment.seed,
    )
    say(plan.table)
    return dataclasses.replace(experiment, runs=plan.simulations[0].runs), plan
