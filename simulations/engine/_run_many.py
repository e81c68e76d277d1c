"""`simulations.run_many`: several problems on the same samples, run by run."""

from collections.abc import Sequence
from typing import Any

from teacher_student import DIVERGENCE_BOUND, InputError, Overlaps, Problem, Trajectory
from teacher_student.internal import Usual

from ..datasets import Dataset
from ._distributions import Law
from ._plan import plan_runs
from ._run_batches import check_structure
from ._simulate import simulate
from ._weights import Weights


def run_many(
    problems: Sequence[Problem],
    dim: int,
    runs: int,
    alphas: Any,
    key: Any,
    *,
    start: Overlaps | Weights | Sequence[Overlaps] | Sequence[Weights] | None = None,
    distribution: Law = "gaussian",
    precision: str | None = None,
    test_samples: int = Usual.test_samples,
    bound: float = DIVERGENCE_BOUND,
    workers: int | None = None,
    devices: int | None = None,
    progress: bool = True,
    data: Dataset | None = None,
) -> list[Trajectory]:
    """Simulate several problems that differ in numbers only; run r of every problem sees the samples of run r.

    Differences between learning rates, variances or schedules are thus paired: their errors are far smaller than those
    of independent runs. Samples, which take most of the time of a simulation, are drawn once for all problems. Where
    schedules differ, a sample's level is drawn from the same uniform number under each one's shares. The runs of one
    problem are independent of each other; between problems they are not.

    Arguments:
      problems: n >= 1 problems of one structure and one number of phases.
      start: as in `run`, or a sequence of one such per problem; None: each run draws its own, which is the same for
        every problem whose law of starts is the same.
      dim, runs, alphas, key, distribution, precision, test_samples, bound, workers, devices, progress, data: as in
        `run`.
    Returns n trajectories with axes (runs, A), in order. Raises InputError, before computing.
    """
    if isinstance(problems, Problem):
        raise InputError("a list of problems", "one problem", "simulations.run takes one")
    problems = list(problems)
    if not problems:
        raise InputError("at least one problem", "none")
    check_structure(problems)
    starts: list[Any] = [start] * len(problems)
    if start is not None and not isinstance(start, (Overlaps, Weights)):
        starts = list(start)
    if len(starts) != len(problems):
        raise InputError(f"one start, or {len(problems)}, as many as problems", len(starts))
    plan = plan_runs(
        problems,
        starts,
        dim,
        runs,
        alphas,
        key,
        distribution=distribution,
        precision=precision,
        test_samples=test_samples,
        bound=bound,
        workers=workers,
        devices=devices,
        progress=progress,
        paired=True,
        data=data,
    )
    return simulate(plan)
