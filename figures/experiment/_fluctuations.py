"""Spread and 1/N term of an experiment, predicted by its theory."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import time
from collections.abc import Callable

import ode
import teacher_student as ts

from ._experiment import Experiment


def predict_fluctuations(experiment: Experiment, say: Callable[[str], None]) -> ts.Trajectory | None:
    """Return theory with fluctuations at the recorded alphas, or None where they are not wanted.

    Where they cannot be had and nobody asked for them, it says so and returns None. Where somebody did, it raises
    InputError.
    """
    if not experiment.fluctuations:
        return None
    say("            fluctuations ...")
    clock = time.perf_counter()
    try:
        bands = ode.fluctuations(
            experiment.problem,
            experiment.start,
            experiment.alphas,
            averages=experiment.averages,
            rtol=experiment.rtol,
            atol=experiment.atol,
        )
    except ts.InputError as error:
        if not experiment.fluctuations_may_fail:
            raise
        say(f"            no fluctuations: {error}")
        return None
    say(f"            fluctuations at N = {experiment.dims[0]} ({time.perf_counter() - clock:.1f} s with compilation)")
    return bands
