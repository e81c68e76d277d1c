"""An experiment from Python: objects of one's own, nothing in a file."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
from typing import Any, Unpack

import numpy as np

import teacher_student as ts
from teacher_student import internal

from ._choices import ChoiceArguments, Choices, check_choices, check_simulated, choices_of
from ._dims import recorded_alphas, simulated_dims
from ._experiment import Experiment, check_averages, check_experiment
from ._keys import run_keys
from ._usual_averages import usual_averages
from ._which_fluctuations import are_predicted, are_required, chosen_spread


def make_experiment(
    problem: ts.Problem, start: ts.Overlaps, alphas: Any, **choices: Unpack[ChoiceArguments]
) -> Experiment:
    """Make the experiment that compares theory and simulation of `problem`; nothing is solved or simulated yet.

    Arguments:
      problem, start: what is learned, and from which overlaps (one start, the same for theory and every run).
      alphas: increasing times to record (alpha = samples / N) within the curriculum, moved to whole numbers of steps.
      choices: by name, with what is usual:
        dim (1000): dimension N of the simulation. runs (32): independent students, at least 3.
        smaller_dim (None): a second dimension, to measure the 1/N term. None: no second one where theory predicts the
          term, else a divisor of N; 0: none.
        averages (None): of the theory, ode.ClosedForm(), ode.Sampled(...) or ode.Averages of one's own; None: closed
          forms where there are, else sampled.
        rtol (None), atol (None): tolerances of the ODE solver; None: usual ones.
        fluctuations (None): whether theory predicts spread and 1/N term; None: where cheap.
        precision (None): "float32" or "float64" of the simulation; None: the usual one at each N.
        test_samples (256): per measured error.
        significance (0.01): chance of "disagree" where theory is right.
        spread (None): over runs, "measured" or "predicted" (no second dimension then); None: predicted where theory
          predicts fluctuations and no smaller_dim is given, which is the sharper one.
        detect (None): relative errors that are to be found, such as {"sgd.learning_rate": 0.01}; as many runs are taken
          as find them 9 times in 10, in place of `runs`.
        seed (0): all that is random follows from it, as from a file's.
    Returns an Experiment. Raises InputError for anything that could not be computed.
    """
    chosen = choices_of(choices)
    check_choices(chosen)
    check_simulated(chosen)
    _check_one_problem(problem, start, alphas)
    averages = choices.get("averages")
    check_averages(averages, problem)
    internal.check_alphas(alphas, problem)
    wanted = np.asarray(internal.to_times(alphas, problem), float)
    averages = usual_averages(problem, chosen.seed) if averages is None else averages
    experiment = assemble(problem, start, wanted, averages, chosen)
    check_experiment(experiment)
    return experiment


def assemble(
    problem: ts.Problem,
    start: ts.Overlaps,
    wanted: np.ndarray,
    averages: Any,
    choices: Choices,
    *,
    every: bool = True,
    number: int | None = None,
) -> Experiment:
    """Put a simulated experiment together from what it is made of, whose choices have been checked.

    Arguments: every: whether each of the `wanted` times is to be recorded, as in `recorded_alphas`. number: which of
    the seed's independent runs. Raises InputError for dimensions, times or fluctuations that there cannot be.
    """
    predicted = are_predicted(problem, averages, choices)
    spread = chosen_spread(choices, predicted)
    dims = simulated_dims(dataclasses.replace(choices, spread=spread))
    return Experiment(
        problem,
        start,
        recorded_alphas(wanted, dims, problem, every=every),
        wanted,
        averages,
        choices.rtol,
        choices.atol,
        fluctuations=predicted,
        fluctuations_may_fail=not are_required(choices),
        dims=dims,
        run_keys=run_keys(len(dims), choices.seed, number),
        runs=choices.runs,
        precision=choices.precision,
        test_samples=choices.test_samples,
        significance=choices.significance,
        spread=spread,
        detect=choices.detect,
        seed=choices.seed,
    )


def _check_one_problem(problem: Any, start: Any, alphas: Any) -> None:
    internal.check_problem(problem)
    if not internal.is_known((problem, start, alphas)):
        raise ts.InputError("plain numbers to compare", "traced ones", "call it outside jit, grad and vmap")
    internal.check_one_problem(problem, "compare")
