"""`simulations.run`: many independent finite-size runs, recorded at given alphas."""

import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, overload

import jax
import numpy as np

from teacher_student import DIVERGENCE_BOUND, InputError, Overlaps, Problem, Source, Trajectory
from teacher_student.internal import as_key, key_words, make_room, to_times, unnamed, with_level_names

from ._advance import Schedule, blocks_holding, schedule
from ._chain import span_of
from ._check_run import check_run, check_sizes
from ._coordinates import FullWeights, Space
from ._divergence import limits, mark_divergence
from ._ensemble import Ensemble, default_workers, run_all
from ._host import to_float_on_host
from ._keys import random_starts, run_keys
from ._memory import check_memory, memory
from ._precision import usual_precision, warn_of_rounding
from ._run_batches import Group, devices_for, own_groups, shared_groups, stacked
from ._weights import Weights, overlaps_of_runs

Distribution = str | Callable[..., jax.Array]


@overload
def run(
    problem: Problem,
    dim: int,
    runs: int,
    alphas: Any,
    key: Any,
    *,
    start: Overlaps | Weights | None = ...,
    method: str = ...,
    inputs: str = ...,
    distribution: Distribution = ...,
    precision: str | None = ...,
    test_samples: int = ...,
    bound: float = ...,
    workers: int | None = ...,
    devices: int | None = ...,
    progress: bool = ...,
    keep_weights: Literal[False] = ...,
) -> Trajectory: ...


@overload
def run(
    problem: Problem,
    dim: int,
    runs: int,
    alphas: Any,
    key: Any,
    *,
    start: Overlaps | Weights | None = ...,
    method: str = ...,
    inputs: str = ...,
    distribution: Distribution = ...,
    precision: str | None = ...,
    test_samples: int = ...,
    bound: float = ...,
    workers: int | None = ...,
    devices: int | None = ...,
    progress: bool = ...,
    keep_weights: Literal[True],
) -> tuple[Trajectory, Weights]: ...


def run(
    problem: Problem,
    dim: int,
    runs: int,
    alphas: Any,
    key: Any,
    *,
    start: Overlaps | Weights | None = None,
    method: str = "weights",
    inputs: str = "own",
    distribution: Distribution = "gaussian",
    precision: str | None = None,
    test_samples: int = 256,
    bound: float = DIVERGENCE_BOUND,
    workers: int | None = None,
    devices: int | None = None,
    progress: bool = True,
    keep_weights: bool = False,
) -> Trajectory | tuple[Trajectory, Weights]:
    """Simulate online SGD on `runs` independent students of dimension N = `dim`, by their weights or their overlaps.

    For Gaussian inputs (with cluster means) the overlaps are a Markov chain of their own: method "overlaps" draws its
    steps with exactly the law that they have in full-weight SGD, at every N, in a time that does not depend on N.

    Memory: workers x (K + M) x N x bytes for weights, 3 workers x 2^20 x bytes (N, if larger) for blocks of inputs,
    and the recorded overlaps; see `memory`. Weights given as a start or kept take runs x (K + M) x N numbers more,
    for as long as they are used. Ctrl-C stops at the next compiled call (about half a second) and
    returns the finished runs with a warning.

    Arguments:
      problem: what is learned, by whom and how, of known numbers.
      dim: the dimension N of the inputs. runs: independent students, n >= 1.
      alphas: (A,) increasing times; each is recorded at the nearest step, and `Trajectory.alphas` says which.
      key: seed or JAX key. Run r depends on the key and r alone, not on the number of runs, workers or alphas.
      start: overlaps that every run's weights have exactly, or one start per run (leading axis); None: each run
        draws its own with `random_overlaps(problem, dim, ...)`. Only runs with one start compare with `ode.solve`.
        Or `Weights` with a leading axis of runs, from which each run goes on: alpha and the curriculum begin at 0
        again, and so do the samples if the key is the one that made these weights: give another.
      method: "weights", full-weight SGD, or "overlaps", the chain of the overlaps (no `Weights` to start from or keep).
      inputs: "own" samples of each run, or "shared" ones: all runs see the samples of run 0 and place their weights in
        its random directions (one teacher for all), as for paired comparisons of starts, which is many times faster.
        For learning rates and schedules: `run_many`. Shared runs are not independent, and `agreement` refuses them.
      distribution: of the inputs' components around their means: "gaussian", "rademacher", "uniform", or a function
        (key, shape, dtype) -> numbers of mean 0 and variance 1; blocks and levels give them their variances. Theory is
        about the first, and about the others as far as it is universal.
      precision: "float32" or "float64"; None: float32 for weights, where it loses nothing of decay and of the readouts'
        steps (`usual_precision`). The chain is float64 only: float32 would lose its increments, which are of order 1/N.
      test_samples: fresh inputs per level, run and alpha for error and accuracy, at least: whole blocks are taken, and
        `Trajectory.source.test_samples` says how many.
      bound: a run whose Q_kk passes this many times the largest of 1, Q_kk at the start and T_mm has diverged.
      workers: threads on a CPU, runs at once on an accelerator; None: all cores, 32.
      devices: how many of `jax.local_devices()` share the runs (by `jax.shard_map`); None: all.
      progress: a progress bar.
      keep_weights: also return the weights at the last alpha, as they are (those of a diverged run too).
    Returns a Trajectory with axes (runs, A), or (Trajectory, Weights with a leading axis of runs). A run that diverges
    has its status, and NaN from then on.
    Raises InputError before computing; KeyboardInterrupt if Ctrl-C came before any run had finished.
    Source: Saad & Solla 1995; Goldt et al. 2019 (the step, see `sgd_step`).
    """
    check_sizes(problem, dim, runs, precision or "float64", inputs, workers)
    if precision is None:
        precision = "float64" if method == "overlaps" else usual_precision(problem, dim)
    check_run(problem, dim, runs, alphas, start, precision, test_samples, method, inputs, distribution, workers, bound)
    if keep_weights and method == "overlaps":
        raise InputError('keep_weights=False with method="overlaps" (it has no weights)', "keep_weights=True")
    make_room()
    chosen_devices = devices_for(devices)
    recorded_starts = start_overlaps(problem, dim, start, key, runs)
    space = (
        span_of(problem, recorded_starts, dim) if method == "overlaps" else FullWeights.of(problem, dim, distribution)
    )
    at_once = space.sharing(problem.student.width) if inputs == "shared" else space.together
    groups = (shared_groups if inputs == "shared" else own_groups)(
        runs, _at_once(space, at_once, workers) * len(chosen_devices)
    )
    if method == "weights":
        need = memory(
            problem, dim, precision=precision, workers=workers, runs=runs, inputs=inputs, keep_weights=keep_weights
        )
        check_memory(need, "lower the dimension, the width or the workers")
        warn_of_rounding(problem, dim, precision)
    origins = jax.tree.map(np.asarray, start) if isinstance(start, Weights) else one_per_run(recorded_starts, runs)
    call = Call(dim, runs, alphas, key, precision, test_samples, bound, workers, progress, keep_weights)
    source = {"inputs": None if inputs == "own" else inputs, "distribution": space.unusual_distribution}
    ((trajectory, weights),) = simulate(
        [problem], [recorded_starts], [origins], space, groups, chosen_devices, call, method, source
    )
    return trajectory if weights is None else (trajectory, weights)


class Call(NamedTuple):
    """The arguments that `run` and `run_many` have in common."""

    dim: int
    runs: int
    alphas: Any
    key: Any
    precision: str
    test_samples: int
    bound: float
    workers: int | None
    progress: bool
    keep_weights: bool


def simulate(
    problems: Sequence[Problem],
    recorded_starts: Sequence[Overlaps],
    origins: Sequence[Overlaps | Weights],
    space: Space,
    groups: list[Group],
    devices: tuple[jax.Device, ...],
    call: Call,
    method: str,
    source: dict[str, Any],
) -> list[tuple[Trajectory, Weights | None]]:
    """Return the trajectory of every problem, and its last weights if they are kept.

    Arguments: recorded_starts: what trajectories record as their starts, per problem. origins: what runs start from,
    per problem, with a leading axis of runs.
    """
    from tqdm import tqdm  # only a run needs it

    # Rounded, not cut off: 0.29 * 100 is 28.999999999999996.
    steps = np.unique(np.rint(to_times(call.alphas, problems[0]) * call.dim).astype(np.int64))
    dtype = np.dtype(call.precision)
    with jax.enable_x64(call.precision == "float64"):
        members = [_numbers(problem, call.dim, dtype) for problem in problems]
        (problem, phases), differ = stacked(members) if len(problems) > 1 else (members[0], ())
        ensemble = Ensemble(problem, phases, space, blocks_holding(call.test_samples, space), differ, devices)
    total = len(problems) * call.runs * int(steps[-1])
    starts = jax.tree.map(lambda *x: np.stack(x), *origins)
    keys = run_keys(call.key, call.runs)
    label = f"SGD N={call.dim}"
    with tqdm(total=total, unit="step", unit_scale=True, disable=not call.progress, desc=label, leave=False) as bar:
        finished = run_all(ensemble, groups, keys, starts, steps, dtype, call.workers, bar.update, call.keep_weights)
    # A run counts if it is finished in every problem: what is paired must stay paired.
    done = [r for r in range(call.runs) if all((p, r) in finished for p in range(len(problems)))]
    if len(done) < call.runs:
        if not done:
            raise KeyboardInterrupt
        warnings.warn(f"interrupted: {len(done)} of {call.runs} runs finished and are returned", stacklevel=3)
    described = Source(
        "sgd", method, call.precision, call.dim, key_words(as_key(call.key)), _tests(call.test_samples, space), **source
    )
    results = []
    for p, problem in enumerate(problems):
        observables = jax.tree.map(lambda *x: np.stack(x).astype(np.float64), *(finished[p, r][0] for r in done))
        observables = with_level_names(observables, problem)
        # By each run's own start, before runs that Ctrl-C left out are dropped: positions are numbers of runs.
        bounds = limits(one_per_run(recorded_starts[p], call.runs), call.bound)[done]
        observables, status, reached = mark_divergence(observables, steps / call.dim, bounds)
        start = (
            recorded_starts[p]
            if np.ndim(recorded_starts[p].readout) == 1
            else jax.tree.map(operator.itemgetter(done), recorded_starts[p])
        )
        stats = {"steps": np.full(len(done), steps[-1])}
        trajectory = Trajectory(problem, start, steps / call.dim, observables, status, reached, stats, None, described)
        weights = None
        if call.keep_weights:
            weights = jax.tree.map(lambda *x: np.stack(x), *(finished[p, r][1] for r in done))
        results.append((trajectory, weights))
    return results


def _numbers(problem: Problem, dim: int, dtype: np.dtype) -> tuple[Problem, Schedule]:
    """Return what compiled programs know of `problem`, on the host.

    Its names are left out, and its phases filled up to one of a few counts: other names and phases need no compilation.
    """
    compiled = unnamed(problem)
    return to_float_on_host(compiled, dtype), schedule(compiled, dim)


def _at_once(space: Space, together: int, workers: int | None) -> int:
    """Return the runs in one compiled call: as many as a thread steps together, or on an accelerator `workers`."""
    return together if jax.default_backend() == "cpu" else default_workers(workers)


def start_overlaps(problem: Problem, dim: int, start: Overlaps | Weights | None, key: Any, runs: int) -> Overlaps:
    """Return the overlaps at alpha = 0: one for all runs, or one per run (leading axis)."""
    if start is None:
        return random_starts(problem, dim, key, runs)
    return overlaps_of_runs(problem, start) if isinstance(start, Weights) else start


def one_per_run(start: Overlaps, runs: int) -> Overlaps:
    """Return `start` with a leading axis of runs."""
    shared = np.ndim(start.readout) == 1
    starts: Overlaps = jax.tree.map(
        lambda x: np.broadcast_to(x, (runs, *np.shape(x))) if shared else np.asarray(x), start
    )
    return starts


def _tests(test_samples: int, space: Space) -> int:
    return int(blocks_holding(test_samples, space)) * space.block_steps
