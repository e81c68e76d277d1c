"""The plan of a simulation: all that `run` and `run_many` were asked for, checked and resolved once."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from teacher_student import InputError, Overlaps, Problem, Source
from teacher_student.internal import as_key, key_words, make_room, refuse_fork, require_memory, require_name, to_times

from ..datasets import Dataset
from ._chain import span_of
from ._check_run import check_run, check_sizes
from ._coordinates import FullWeights, Space
from ._distributions import Law
from ._given_inputs import GivenInputs, check_dim
from ._keys import Keys, random_starts, run_keys
from ._memory import memory, memory_of_records
from ._precision import usual_precision, warn_of_rounding
from ._run_batches import Group, default_workers, devices_for, own_groups, paired_groups, shared_groups
from ._weights import Weights, overlaps_of_runs

KEPT = ("weights",)  # what a trajectory can keep beside its observables
Start = Overlaps | Weights | None


@dataclasses.dataclass(frozen=True, eq=False)
class RunPlan:
    """What `simulate` computes: nothing in it is left to choose, to check or to look up.

    Fields:
      problems: one, or several that differ in numbers only and whose runs see the same samples.
      starts: what trajectories record as their starts, per problem.
      origins: what runs start from, with leading axes (problems, runs).
      dim, runs: N, and the number of runs of each problem. steps: (A,) after which to record, increasing.
      keys: of each run. space: the coordinates of inputs and weights. dtype: of the weights.
      groups: which runs are stepped together. devices: those that share each group.
      test_blocks: blocks of inputs for every measured error. bound: on Q_kk, as in `run`.
      workers, progress: as in `run`. keep_weights: whether trajectories keep their last weights.
      source: what trajectories say of how they were made.
    """

    problems: tuple[Problem, ...]
    starts: tuple[Overlaps, ...]
    origins: Overlaps | Weights
    dim: int
    runs: int
    steps: np.ndarray
    keys: Keys
    space: Space
    dtype: np.dtype
    groups: list[Group]
    devices: tuple[jax.Device, ...]
    test_blocks: np.int32
    bound: float
    workers: int | None
    progress: bool
    keep_weights: bool
    source: Source


def plan_runs(
    problems: Sequence[Problem],
    starts: Sequence[Start],
    dim: int,
    runs: int,
    alphas: Any,
    key: Any,
    *,
    distribution: Law,
    precision: str | None,
    test_samples: int,
    bound: float,
    workers: int | None,
    devices: int | None,
    progress: bool,
    method: str = "weights",
    inputs: str = "own",
    keep: str | None = None,
    paired: bool = False,
    data: Dataset | None = None,
) -> RunPlan:
    """Return the plan of `runs` runs of each problem, from as many starts; nothing is simulated yet.

    Arguments: as in `run`. paired: whether run r of every problem sees the same samples, as in `run_many`.
    Raises InputError for anything that could not be computed.
    """
    refuse_fork()
    if data is not None:
        check_dim(data, dim)  # first: another N than that of the data may have too few dimensions for its blocks
    for problem in problems:
        check_sizes(problem, dim, runs, precision or "float64", inputs, workers)
    precision = precision or _usual_precision(problems, dim, method)
    for problem, start in zip(problems, starts, strict=True):
        check_run(
            problem,
            dim,
            runs,
            alphas,
            start,
            precision,
            test_samples,
            method,
            inputs,
            distribution,
            workers,
            bound,
            data,
        )
    _check_kept(keep, method)
    _check_kind_of_starts(starts)
    make_room()
    chosen_devices = devices_for(devices)
    for problem in problems:
        _check_records(problem, runs * len(problems), alphas)
    recorded = tuple(_overlaps_at_start(p, dim, start, key, runs) for p, start in zip(problems, starts, strict=True))
    # Runs of paired problems share their samples, as those of `inputs="shared"` do.
    need = memory(
        problems[0],
        dim,
        precision=precision,
        workers=workers,
        runs=len(problems) * runs,
        inputs="shared" if paired else inputs,
        keep=keep,
        method=method,
        alphas=alphas,
        data=data,
    )
    require_memory(need, "these runs", "lower the dimension, the width, the runs or the workers")
    if method == "overlaps":
        space: Space = span_of(problems[0], recorded[0], dim)
    else:
        space = FullWeights.of(problems[0], dim, distribution)
        if data is not None:
            space = GivenInputs.from_data(problems[0], data, precision)
        _check_blocks(problems, space, dim)
        for problem in problems:
            warn_of_rounding(problem, dim, precision)
    test_blocks = space.blocks_holding(test_samples)
    tests = int(test_blocks) * space.block_steps
    shared, law = None if inputs == "own" else inputs, space.unusual_distribution
    return RunPlan(
        problems=tuple(problems),
        starts=recorded,
        origins=_origins(starts, recorded, runs),
        dim=dim,
        runs=runs,
        steps=_steps(alphas, problems[0], dim),
        keys=run_keys(key, runs),
        space=space,
        dtype=np.dtype(precision),
        groups=_groups(problems, runs, space, inputs, workers, len(chosen_devices), paired=paired),
        devices=chosen_devices,
        test_blocks=test_blocks,
        bound=bound,
        workers=workers,
        progress=progress,
        keep_weights=keep == "weights",
        source=Source("sgd", method, precision, dim, key_words(as_key(key)), tests, inputs=shared, distribution=law),
    )


def _check_records(problem: Problem, runs: int, alphas: Any) -> None:
    """Raise InputError if what is recorded of all runs does not fit into memory.

    It is looked at before starts and keys are drawn, of which there is one for each run.
    """
    remedy = "ask for fewer runs or alphas, or make several calls with keys of their own"
    require_memory(memory_of_records(problem, runs, np.size(alphas)), f"the records of {runs:,} runs", remedy)


def one_per_run(start: Overlaps, runs: int) -> Overlaps:
    """Return `start` with a leading axis of runs."""
    shared = np.ndim(start.readout) == 1
    starts: Overlaps = jax.tree.map(
        lambda x: np.broadcast_to(x, (runs, *np.shape(x))) if shared else np.asarray(x), start
    )
    return starts


def _usual_precision(problems: Sequence[Problem], dim: int, method: str) -> str:
    """Return the precision of all: "float64" for the chain of the overlaps, and where one of the problems needs it."""
    return "float64" if method == "overlaps" else max(usual_precision(problem, dim) for problem in problems)


def _check_kept(keep: Any, method: str) -> None:
    if keep is None:
        return
    require_name(keep, KEPT, "thing to keep of a run")
    if method == "overlaps":
        raise InputError('keep=None with method="overlaps" (it has no weights)', f"keep={keep!r}")


def _check_kind_of_starts(starts: Sequence[Start]) -> None:
    if len({isinstance(start, Weights) for start in starts}) > 1:
        raise InputError("starts of one kind", "weights and overlaps", "take measure_overlaps(...) of the weights")


def _check_blocks(problems: Sequence[Problem], space: Space, dim: int) -> None:
    """Raise InputError unless the inputs of all problems are cut into blocks of the same sizes."""
    for problem in problems:
        if (sizes := problem.inputs.sizes(dim, problem.task.latents)) != space.counts:
            raise InputError("problems with blocks of the same sizes", f"{space.counts} and {sizes} at N = {dim}")


def _overlaps_at_start(problem: Problem, dim: int, start: Start, key: Any, runs: int) -> Overlaps:
    """Return the overlaps at alpha = 0: one for all runs, or one per run (leading axis)."""
    if start is None:
        return random_starts(problem, dim, key, runs)
    return overlaps_of_runs(problem, start) if isinstance(start, Weights) else start


def _origins(starts: Sequence[Start], recorded: Sequence[Overlaps], runs: int) -> Overlaps | Weights:
    """Return what runs start from, with leading axes (problems, runs): their weights where these are given."""
    given = isinstance(starts[0], Weights)  # then all of them are weights
    each: Sequence[Any] = starts if given else [one_per_run(start, runs) for start in recorded]
    origins: Overlaps | Weights = jax.tree.map(lambda *x: np.stack(x), *each)
    return origins


def _steps(alphas: Any, problem: Problem, dim: int) -> np.ndarray:
    """Return the steps after which to record. They are rounded, not cut off: 0.29 * 100 is 28.999999999999996."""
    return np.unique(np.rint(to_times(alphas, problem) * dim).astype(np.int64))


def _groups(
    problems: Sequence[Problem],
    runs: int,
    space: Space,
    inputs: str,
    workers: int | None,
    devices: int,
    *,
    paired: bool,
) -> list[Group]:
    """Return which runs are stepped together: as many as a thread takes, or on an accelerator `workers`."""
    sharing = space.sharing(problems[0].student.width)
    if paired:
        return paired_groups(len(problems), runs, min(sharing, -(-len(problems) // devices)) * devices)
    together = sharing if inputs == "shared" else space.together
    at_once = together if jax.default_backend() == "cpu" else default_workers(workers)
    return (shared_groups if inputs == "shared" else own_groups)(runs, at_once * devices)
