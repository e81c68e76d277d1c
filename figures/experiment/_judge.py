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
    options = dict(significance=experiment.significance, seed=experiment.seed)
    if experiment.spread == "predicted" and bands is not None:
        return simulations.agreement(bands, runs, spread="predicted", **options)
    # With fluctuations theory also says how it answers to every number, which gives the implied shifts.
    verdict = simulations.agreement(bands or theory, runs, smaller, **options)
    if experiment.spread == "predicted":
        return dataclasses.replace(verdict, notes=(NOT_PREDICTED, *verdict.notes))
    return verdict


def planned(experiment: Experiment, bands: ts.Trajectory | None, say: Callable[[str], None]) -> Experiment:
    """Return the experiment with as many runs as find what it is to detect; what that costs is said.

    Raises InputError for a number that the problem does not have, or that no comparison can see.
    """
    if experiment.detect is None:
        return experiment
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
    return dataclasses.replace(experiment, runs=plan.simulations[0].runs)
