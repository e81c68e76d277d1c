"""`simulations.run`: many independent finite-size runs, recorded at given alphas."""

from typing import Any

from teacher_student import DIVERGENCE_BOUND, Overlaps, Problem, Trajectory
from teacher_student.internal import Usual

from ..datasets import Dataset
from ._distributions import Law
from ._plan import plan_runs
from ._simulate import simulate
from ._weights import Weights


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
    distribution: Law = "gaussian",
    precision: str | None = None,
    test_samples: int = Usual.test_samples,
    bound: float = DIVERGENCE_BOUND,
    workers: int | None = None,
    devices: int | None = None,
    progress: bool = True,
    keep: str | None = None,
    data: Dataset | None = None,
) -> Trajectory:
    """Simulate online SGD on `runs` independent students of dimension N = `dim`, by their weights or their overlaps.

    For Gaussian inputs (with cluster means) the overlaps are a Markov chain of their own: method "overlaps" draws its
    steps with exactly the law that they have in full-weight SGD, at every N, in a time that does not depend on N.

    Memory: that of the weights that `workers` threads step at once, of blocks of inputs, of what is recorded, and of
    compiling; `memory` says how much, and `python -m benchmarks.memory` (from a checkout) how near that is. Weights
    given as a start or kept take runs x (K + M) x N numbers more, for as long as they are used.

    Ctrl-C stops at the next compiled call (about half a second) and returns the finished runs with a warning.

    Arguments:
      problem: what is learned, by whom and how, of known numbers.
      dim: the dimension N of the inputs. runs: independent students, n >= 1.
      alphas: (A,) increasing times; each is recorded at the nearest step, and `Trajectory.alphas` says which.
      key: seed or JAX key. Run r depends on the key and r alone, not on the number of runs, workers or alphas.
      start: overlaps that every run's weights have exactly, or one start per run (leading axis); None: each run
        draws its own with `random_overlaps(problem, dim, ...)`. Runs with one start compare with `ode.solve`, and
        runs with random starts of one teacher with the theory of `ts.start_law`.
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
        `Trajectory.source.test_samples` says how many. They add a standard deviation of their own to errors and
        accuracies. `Fluctuations.spread(dim)` is without it, `spread(dim, test_samples)` is with it, and a verdict
        accounts for it. `ode.observe(problem, runs.overlaps)` has the errors without it. They are measured so that a
        simulation uses none of theory's formulas, and can show an error in them.
      bound: a run whose Q_kk passes this many times the largest of 1, Q_kk at the start and T_mm has diverged.
      workers: threads on a CPU, runs at once on an accelerator; None: all cores, 32.
      devices: how many of `jax.local_devices()` share the runs (by `jax.shard_map`); None: all.
      progress: a progress bar, in a terminal or a notebook: a file gets none.
      keep: "weights" keeps the weights at the last alpha in `Trajectory.weights`, with a leading axis of runs: as they
        are, those of a diverged run too. None keeps none.
      data: a `Dataset` whose inputs samples take instead of Gaussian ones, with fresh noise of their level: that of
        `fit_mixture`, in the fit's coordinates, beside `start` weights of the fit. Levels and clusters of samples
        follow the key and the curriculum as without it. Errors are measured on the same inputs with fresh noise, and
        labels are those of the problem's task. None: Gaussian inputs.
    Returns a Trajectory with axes (runs, A). A run that diverges has its status, and NaN from then on.
    Raises InputError before computing; KeyboardInterrupt if Ctrl-C came before any run had finished.
    Source: Saad & Solla 1995; Goldt et al. 2019 (the step, see `sgd_step`).
    """
    plan = plan_runs(
        [problem],
        [start],
        dim,
        runs,
        alphas,
        key,
        method=method,
        inputs=inputs,
        distribution=distribution,
        precision=precision,
        test_samples=test_samples,
        bound=bound,
        workers=workers,
        devices=devices,
        progress=progress,
        keep=keep,
        data=data,
    )
    (trajectory,) = simulate(plan)
    return trajectory
