"""Simulations of an experiment: prepared beside other work, run, and their runs kept where they are to be kept."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import simulations
import teacher_student as ts
from teacher_student import internal

from ..running import Interrupted
from ._experiment import Experiment


@contextlib.contextmanager
def prepared_beside(experiment: Experiment, *others: Callable[[], object]) -> Iterator[list[Future[None]]]:
    """Compile the simulations in a thread beside the theory, as most of their time is that; then do the `others`.

    It gives what to wait for, by number of the dimension. A failure is left to the simulation itself, which says it.
    """
    pool = ThreadPoolExecutor(1)
    try:
        prepared = [
            pool.submit(
                simulations.prepare,
                experiment.problem,
                dim,
                start=experiment.start,
                precision=experiment.precision,
            )
            for dim in experiment.dims
        ]
        for other in others:
            pool.submit(other)
        yield prepared
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # after Ctrl-C too


def simulate(
    experiment: Experiment, which: int, path: Path | None, progress: bool, say: Callable[[str], None]
) -> ts.Trajectory:
    """Run the simulation at dimension number `which`; what is done is said.

    Arguments: path: where its runs are written, over what is there (None: nowhere). progress: a progress bar.
    Raises InputError, and Interrupted if Ctrl-C left runs out: those that are finished are then at `path`.
    """
    problem, dim, wanted = experiment.problem, experiment.dims[which], experiment.runs
    precision = experiment.precision or simulations.usual_precision(problem, dim)
    need = simulations.memory(problem, dim, precision=precision, runs=wanted, alphas=experiment.wanted_alphas)
    say(f"simulation  N = {dim}, {wanted} runs, {precision}, about {need / 2**20:.0f} MiB ...")
    clock = time.perf_counter()
    runs = run_one(experiment, which, progress=progress)
    if path is not None:
        runs.save(path, force=True)
    if runs.runs != wanted:
        kept = "are not kept (no `out`)" if path is None else f"are in {path}"
        raise Interrupted(f"interrupted; {runs.runs} finished runs at N = {dim} {kept}")
    say(f"            {internal.ending(runs)} ({time.perf_counter() - clock:.1f} s with compilation)")
    return runs


def run_one(
    experiment: Experiment,
    which: int,
    alphas: object = None,
    *,
    progress: bool = False,
    workers: int | None = None,
) -> ts.Trajectory:
    """Return the runs at dimension number `which`: fewer than wanted after Ctrl-C, of which nothing is said here.

    Arguments: alphas: recorded times in place of the experiment's. progress, workers: as in `simulations.run`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an interruption is dealt with by the caller
        return simulations.run(
            experiment.problem,
            experiment.dims[which],
            experiment.runs,
            experiment.alphas if alphas is None else alphas,
            experiment.run_keys[which],
            start=experiment.start,
            precision=experiment.precision,
            test_samples=experiment.test_samples,
            workers=workers,
            progress=progress,
        )
