"""An experiment: everything that theory, simulation and verdict of one problem need, as data."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import ode
import simulations
import teacher_student as ts
from teacher_student import internal

from ._choices import Choices, check_choices, require_runs
from ._dims import recorded_alphas
from ._which_fluctuations import check_fluctuations

if TYPE_CHECKING:
    import jax


@dataclasses.dataclass(frozen=True)
class Experiment(internal.PublicRecord):
    """What `figures.compare` compares: every number is resolved, nothing is drawn or computed when it is asked.

    Made by `load_experiment` and `read_experiment` from a file or its tables, by `make_experiment` from Python, and
    changed by `dataclasses.replace`; `figures.Settings` is its earlier name.

    Fields:
      problem, start: what is learned, and from which overlaps: the same in theory and in every run.
      alphas: recorded times (alpha = samples / N), whole numbers of steps in every simulated dimension.
      wanted_alphas: the times asked for, before they were moved to such steps.
      averages: of the theory: ode.ClosedForm(), ode.Sampled(...), ode.Averages of one's own, or None (closed forms).
      rtol, atol: tolerances of the ODE solver (None: the usual ones).
      fluctuations: whether theory predicts spread and 1/N term; fluctuations_may_fail: whether to go on without where
        they cannot be had, because they are only cheap and nobody asked for them.
      dims: dimensions N to simulate, the larger first; a smaller one measures the 1/N term. (): theory alone.
      run_keys: a JAX key for the simulation at each of `dims`. runs, precision ("float32", "float64", None: the usual
        one at that N) and test_samples: of every simulation.
      significance: chance of "disagree" where theory is right. spread: over runs, "measured" or "predicted".
      detect: relative errors of numbers that are to be found, by which the number of runs is chosen (None: `runs`).
      seed: of the verdict's sign flips; in an experiment of a file all keys follow from it too.
    """

    problem: ts.Problem
    start: ts.Overlaps
    alphas: np.ndarray
    wanted_alphas: np.ndarray
    averages: ode.Averages | ode.Sampled | None = None
    rtol: float | None = None
    atol: float | None = None
    fluctuations: bool = False
    fluctuations_may_fail: bool = False
    dims: tuple[int, ...] = ()
    run_keys: tuple[jax.Array, ...] = ()
    runs: int = Choices.runs
    precision: str | None = None
    test_samples: int = Choices.test_samples
    significance: float = Choices.significance
    spread: str = "measured"
    detect: Mapping[str, float] | None = None
    seed: int = Choices.seed


def check_experiment(experiment: Any) -> None:
    """Raise InputError unless everything that `experiment` asks for could start; nothing is computed."""
    if not isinstance(experiment, Experiment):
        raise ts.InputError("a ts.Problem or a figures.Experiment", type(experiment).__name__)
    check_theory(experiment)
    _check_one_start(experiment)
    if experiment.dims:
        _check_simulations(experiment)


def check_theory(experiment: Experiment) -> None:
    """Raise InputError unless the problem has the averages and the times that are asked for."""
    check_averages(experiment.averages, experiment.problem)
    internal.check_alphas(experiment.wanted_alphas, experiment.problem)


def check_averages(averages: Any, problem: ts.Problem) -> None:
    """Raise InputError unless `averages` supply what the theory of `problem` needs; None: what is usual does."""
    internal.check_problem(problem)
    if averages is None or isinstance(averages, ode.Sampled):
        return
    if not isinstance(averages, ode.Averages):
        required = "averages=ode.ClosedForm(), ode.Sampled(...) or ode.Averages of your own"
        raise ts.InputError(required, type(averages).__name__)
    averages.check(problem)


def require_comparable(experiment: Experiment) -> None:
    """Raise InputError for an experiment that theory and simulation cannot be compared in."""
    require_runs(experiment.runs)
    if not experiment.dims:
        raise ts.InputError("an experiment with a simulation", "dims = ()", "read it with simulated=True")


def _check_one_start(experiment: Experiment) -> None:
    if not isinstance(experiment.start, ts.Overlaps):
        remedy = "take ts.random_overlaps(problem, dim, key)"
        raise ts.InputError("a start of ts.Overlaps", type(experiment.start).__name__, remedy)
    with internal.about_entry("start"):
        internal.check_overlaps(experiment.start, experiment.problem)
    if np.ndim(experiment.start.readout) != 1:
        raise ts.InputError("one start", f"leading axes {np.shape(experiment.start.readout)[:-1]}")


def _check_simulations(experiment: Experiment) -> None:
    problem, dims = experiment.problem, experiment.dims
    if len(dims) > 2 or len(experiment.run_keys) != len(dims):
        raise ts.InputError("one or two dims, with as many run_keys", f"{len(dims)} and {len(experiment.run_keys)}")
    for dim in dims:
        precision = experiment.precision or simulations.usual_precision(problem, dim)
        with _explaining_smaller(dim, dims[0]):
            simulations.check_run(
                problem, dim, experiment.runs, experiment.alphas, experiment.start, precision, experiment.test_samples
            )
    if list(dims) != sorted(set(dims), reverse=True):
        raise ts.InputError("dims that decrease", dims)
    if not np.array_equal(recorded_alphas(experiment.alphas, dims, problem, every=True), experiment.alphas):
        raise ts.InputError(
            f"alphas of whole numbers of steps at N = {dims}", list(experiment.alphas), "use figures.make_experiment"
        )
    _check_verdict(experiment)


@contextlib.contextmanager
def _explaining_smaller(dim: int, largest: int) -> Iterator[None]:
    """Say of InputErrors raised inside what a smaller dimension is for, which nobody may have named."""
    try:
        yield
    except ts.InputError as error:
        if dim < largest:
            what = f"the smaller N = {dim} that measures the 1/N term"
            error.args = (str(error).replace(f"N = {dim}", what, 1),)
        raise


def _check_verdict(experiment: Experiment) -> None:
    """Raise InputError unless significance, spread, tolerances, seed and fluctuations fit each other."""
    dims = experiment.dims
    choices = Choices(
        dims[0],
        dims[1] if len(dims) > 1 else None,
        rtol=experiment.rtol,
        atol=experiment.atol,
        fluctuations=experiment.fluctuations,
        significance=experiment.significance,
        spread=experiment.spread,
        detect=experiment.detect,
        seed=experiment.seed,
    )
    check_choices(choices)
    for name in experiment.detect or ():
        numbers = ts.Directions.of(experiment.problem, experiment.start).names
        internal.require_name(name, numbers, "number of the problem to detect")
    if experiment.fluctuations and not experiment.fluctuations_may_fail:
        check_fluctuations(experiment.problem, experiment.averages, dims[0])
