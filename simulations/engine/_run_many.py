"""`simulations.run_many`: several problems on the same samples, run by run."""

from collections.abc import Sequence
from typing import Any

from teacher_student import DIVERGENCE_BOUND, InputError, Overlaps, Problem, Trajectory
from teacher_student.internal import make_room

from ._check_run import check_run, check_sizes
from ._coordinates import FullWeights
from ._memory import check_memory, memory
from ._precision import usual_precision, warn_of_rounding
from ._run import Call, Distribution, one_per_run, simulate, start_overlaps
from ._run_batches import check_structure, devices_for, paired_groups


def run_many(
    problems: Sequence[Problem],
    dim: int,
    runs: int,
    alphas: Any,
    key: Any,
    *,
    start: Overlaps | Sequence[Overlaps] | None = None,
    distribution: Distribution = "gaussian",
    precision: str | None = None,
    test_samples: int = 256,
    bound: float = DIVERGENCE_BOUND,
    workers: int | None = None,
    devices: int | None = None,
    progress: bool = True,
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
      dim, runs, alphas, key, distribution, precision, test_samples, bound, workers, devices, progress: as in `run`.
    Returns n trajectories with axes (runs, A), in order. Raises InputError, before computing.
    """
    if isinstance(problems, Problem):
        raise InputError("a list of problems", "one problem", "simulations.run takes one")
    problems = list(problems)
    if not problems:
        raise InputError("at least one problem", "none")
    check_structure(problems)
    if precision is None:
        check_sizes(problems[0], dim, runs, "float64", "own", workers)
        precision = max(usual_precision(problem, dim) for problem in problems)  # "float64" if one of them needs it
    starts = [start] * len(problems) if start is None or isinstance(start, Overlaps) else list(start)
    if len(starts) != len(problems):
        raise InputError(f"one start, or {len(problems)}, as many as problems", len(starts))
    for problem, start_of_problem in zip(problems, starts, strict=True):
        check_run(
            problem,
            dim,
            runs,
            alphas,
            start_of_problem,
            precision,
            test_samples,
            "weights",
            "own",
            distribution,
            workers,
            bound,
        )
    space = FullWeights.of(problems[0], dim, distribution)
    for problem in problems[1:]:
        if (sizes := problem.inputs.sizes(dim, problem.task.latents)) != space.counts:
            raise InputError("problems with blocks of the same sizes", f"{space.counts} and {sizes} at N = {dim}")
    make_room()
    chosen_devices = devices_for(devices)
    need = memory(problems[0], dim, precision=precision, workers=workers, runs=len(problems) * runs, inputs="shared")
    check_memory(need, "lower the dimension, the width or the workers")
    for problem in problems:
        warn_of_rounding(problem, dim, precision)
    size = min(space.sharing(problems[0].student.width), -(-len(problems) // len(chosen_devices)))
    groups = paired_groups(len(problems), runs, size * len(chosen_devices))
    recorded_starts = [
        start_overlaps(problem, dim, start_of_problem, key, runs)
        for problem, start_of_problem in zip(problems, starts, strict=True)
    ]
    origins = [one_per_run(start_of_problem, runs) for start_of_problem in recorded_starts]
    call = Call(dim, runs, alphas, key, precision, test_samples, bound, workers, progress, False)
    source = {"distribution": space.unusual_distribution}
    results = simulate(problems, recorded_starts, origins, space, groups, chosen_devices, call, "weights", source)
    return [trajectory for trajectory, _ in results]
