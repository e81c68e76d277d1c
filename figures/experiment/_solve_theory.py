"""The theory of an experiment, solved for a smooth line through its recorded times."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import itertools
import time
from collections.abc import Callable

import numpy as np

import ode
import teacher_student as ts
from teacher_student import internal

from ._experiment import Experiment


def solve_theory(experiment: Experiment, say: Callable[[str], None]) -> ts.Trajectory:
    """Solve the ODEs to the recorded alphas, with alphas between them for a smooth line; what is done is said."""
    say("theory      solving ...")
    clock = time.perf_counter()
    theory = ode.solve(
        experiment.problem,
        experiment.start,
        with_alphas_between(experiment.alphas),
        averages=experiment.averages,
        rtol=experiment.rtol,
        atol=experiment.atol,
    )
    steps = int(np.sum(theory.stats["num_steps"]))
    say(
        f"            {theory.source.method}, {steps} steps, {internal.ending(theory)} "
        f"({time.perf_counter() - clock:.1f} s with compilation)"
    )
    return theory


def with_alphas_between(alphas: np.ndarray) -> np.ndarray:
    """Return the recorded alphas, the start, and alphas between them, so that theory is drawn as a smooth line."""
    knots = np.concatenate([[0.0], alphas])
    return np.concatenate([[0.0], *(np.linspace(a, b, 9)[1:] for a, b in itertools.pairwise(knots) if b > a)])
