"""`simulations.prepare`: compile before there is something to run, in a thread beside other work, say."""

import jax
import numpy as np

from teacher_student import Overlaps, Problem

from ._distributions import Law
from ._run import run


def prepare(
    problem: Problem,
    dim: int,
    *,
    start: Overlaps | None = None,
    method: str = "weights",
    inputs: str = "own",
    distribution: Law = "gaussian",
    precision: str | None = None,
    workers: int | None = None,
    devices: int | None = None,
) -> None:
    """Compile what `run` needs for problems of this structure, by one run of one step.

    Programs are compiled for structure only, so they serve any key, number of runs, alphas, phases and test samples,
    and for the chain of the overlaps any N. Two threads may prepare two dimensions side by side; a `run` that begins
    before its `prepare` has ended compiles for itself.

    Arguments:
      problem, dim, method, inputs, distribution, precision, workers, devices: as in `run`.
      start: as in `run`; of several starts the first stands for all.
    Raises InputError for what `run` would refuse.
    """
    if start is not None and np.ndim(start.readout) > 1:
        start = jax.tree.map(lambda x: np.asarray(x)[0], start)
    run(
        problem,
        dim,
        1,
        [1 / dim],
        0,
        start=start,
        method=method,
        inputs=inputs,
        distribution=distribution,
        precision=precision,
        test_samples=1,
        workers=workers,
        devices=devices,
        progress=False,
    )
