"""`simulations.plan`: which simulation would find that a theory is off by so much, and what it costs."""

import dataclasses
import html
from collections.abc import Mapping, Sequence

import numpy as np

from teacher_student import InputError, Trajectory
from teacher_student.internal import PublicRecord, Usual, as_count, is_number

from .engine import memory, recordable_alphas
from .verdict import check_detect, needed_runs

DIMS = (200, 500, 1000, 2000, 5000)
MOST_RUNS = 1_000_000  # beyond this nobody simulates, and the mean's own terms of order 1/N^2 are what is seen
STEP = (4.9e-9, 0.48e-9)  # seconds of a step: each input dimension, each of them and unit (docs/benchmarks.md)
CHAIN, CHAIN_TEST = 10e-6, 0.3e-6  # seconds of a step, and of a test sample, of the chain of the overlaps, at K = 2


@dataclasses.dataclass(frozen=True)
class PlannedSimulation(PublicRecord):
    """One way to find what is to be detected.

    Fields:
      dim: the dimension N. runs: how many are needed. needed_for: the number that needs so many.
      steps: of all runs together. seconds: of one core with full weights, on the machine of docs/benchmarks.md.
      seconds_of_chain: the same with method="overlaps". memory: bytes with full weights.
    """

    dim: int
    runs: int
    needed_for: str
    steps: float
    seconds: float
    seconds_of_chain: float
    memory: int


@dataclasses.dataclass(frozen=True)
class Plan(PublicRecord):
    """What finds the shifts that are to be detected with a chance of 90 %.

    Fields:
      detect: the relative error of each number. significance: of the verdict.
      simulations: one way for each dimension N.
    """

    detect: dict[str, float]
    significance: float
    simulations: tuple[PlannedSimulation, ...]

    @property
    def cheapest(self) -> PlannedSimulation:
        """The simulation that takes the least time with full weights."""
        return min(self.simulations, key=lambda one: one.seconds)

    @property
    def table(self) -> str:
        """The rows as text."""
        wanted = ", ".join(f"{name} {100 * shift:g} % off" for name, shift in self.detect.items())
        head = f"{'N':>7}{'runs':>9}{'steps':>11}{'weights':>12}{'memory':>11}{'chain':>12}   needed for"
        rows = [
            f"{one.dim:>7}{one.runs:>9}{one.steps:>11.2g}{_time(one.seconds):>12}{one.memory / 2**20:>7.0f} MiB"
            f"{_time(one.seconds_of_chain):>12}   {one.needed_for}"
            for one in self.simulations
        ]
        title = f"to find {wanted}, 9 times in 10, at significance {self.significance:g} (one core)"
        return "\n".join([title, head, "-" * len(head), *rows])

    def _drawn(self) -> str:
        return f"<pre>{html.escape(self.table)}</pre>"

    def _words(self) -> str:
        return f"Plan({self.cheapest.runs} runs at N = {self.cheapest.dim}; print plan.table)"


def plan(
    theory: Trajectory,
    detect: Mapping[str, float],
    *,
    dims: Sequence[int] = DIMS,
    test_samples: int = Usual.test_samples,
    significance: float = Usual.significance,
    seed: int = 0,
) -> Plan:
    """Say how many runs, at which dimension and cost, would find that a theory is off. Nothing is simulated.

    A theory whose number has the relative error `detect[name]` is found if `agreement(..., spread="predicted")` says
    DISAGREE, with a chance of 90 %, each of the numbers being off alone. The chance follows from the joint law of the
    fluctuations and the derivative of the trajectory in the number.

    Arguments:
      theory: a trajectory of `ode.fluctuations`, at the alphas that are to be compared (alpha = samples / N). Those at
        which the expansion in 1/N does not hold (`Trajectory.breakdown`) have no verdict, and find nothing.
      detect: the relative error of each number by its name, such as {"sgd.learning_rate": 0.01}; the names are those of
        `theory.fluctuations.responses.names`. Of a number that is 0 it is the error itself.
      dims: dimensions N to choose from. test_samples: on which every error is measured.
      significance: of the verdict. seed: of its draws.
    Returns a Plan.
    Raises InputError for numbers that the problem does not have or that no comparison can see, and for dimensions below
    the number of overlaps, or at which the expansion holds nowhere.
    Source: Rao 1948 (score tests).
    """
    check_detect(detect, theory)
    test_samples = as_count(test_samples, "test_samples")
    if not is_number(significance) or not 0 < significance < 1:
        raise InputError("a significance between 0 and 1", repr(significance))
    if isinstance(dims, (int, np.integer)) or not len(dims):
        raise InputError("dims as a sequence of dimensions N", repr(dims), "dims=(200, 1000)")
    assert theory.fluctuations is not None  # `check_detect` has seen to it
    for dim in dims:
        theory.fluctuations.check_dim(as_count(dim, "dimension N"))
    rows = []
    for dim in dims:
        runs, worst = needed_runs(_where_it_holds(theory, dim), dim, test_samples, detect, significance, seed)
        if runs > MOST_RUNS:
            got = f"{worst} {100 * detect[worst]:g} % off, which needs {runs:.2g} runs at N = {dim}"
            raise InputError(f"a shift that at most {MOST_RUNS} runs find", got, "ask for a larger shift")
        rows.append(_costs(theory, dim, runs, test_samples, worst))
    return Plan(dict(detect), significance, tuple(rows))


def _where_it_holds(theory: Trajectory, dim: int) -> Trajectory:
    """Return theory at the alphas on which there is a verdict. Raises InputError if there are none."""
    end = theory.breakdown(dim)
    if end is None:
        return theory
    if end.holds_to is None:
        remedy = "raise the dimensions, or take earlier alphas"
        raise InputError("an expansion in 1/N that holds at some alpha, to plan with", end.text, remedy)
    alphas = np.asarray(theory.alphas)
    return theory.at(alphas[alphas < end.alpha])


def _costs(theory: Trajectory, dim: int, runs: int, test_samples: int, worst: str) -> PlannedSimulation:
    _, K, M = theory.problem.shape
    last = recordable_alphas(np.asarray(theory.alphas), dim)[-1]
    steps = float(last * dim * runs)
    # A test sample is drawn like a training sample, and costs as much.
    tests = float(runs * test_samples * np.size(theory.alphas))
    seconds = (steps + tests) * dim * (STEP[0] + STEP[1] * (K + M))
    of_chain = (steps * CHAIN + tests * CHAIN_TEST) * max(1.0, K / 2)
    return PlannedSimulation(dim, runs, worst, steps, seconds, of_chain, memory(theory.problem, dim, runs=runs))


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.2g} min" if seconds < 5400 else f"{seconds / 3600:.2g} h"
