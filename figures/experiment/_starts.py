"""The start that [start] of a file asks for; starts of one law and seed are drawn once."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

from typing import Any

import numpy as np

import teacher_student as ts

from ._file_tables import File
from ._keys import key_for


def start_of(file: File, problem: ts.Problem) -> ts.Overlaps:
    """Return the start of theory and of every run: the one that the file gives, or one drawn. Raises InputError."""
    start = file.start
    if start.Q is not None and start.R is not None and start.T is not None:
        return ts.Overlaps(start.Q, start.R, start.T, 1.0 if start.readout in (None, "ones") else start.readout)
    law = {name: getattr(start, name) for name in ("scale", "spherical", "readout", "readout_scale", "teacher")}
    key = key_for("start", file.seed, start.number)
    return ts.random_overlaps(
        problem, file.simulation.dim, key, **{name: entry for name, entry in law.items() if entry is not None}
    )


class SharedStarts:
    """Starts of many problems, drawn once for all that share one: its law knows no rates, variances or orders."""

    def __init__(self) -> None:
        self._known: dict[Any, ts.Overlaps] = {}

    def __call__(self, file: File, problem: ts.Problem) -> ts.Overlaps:
        """Return `start_of` these. Raises InputError."""
        fractions = np.asarray(problem.inputs.fractions).tobytes()
        seen = problem.task.seen_blocks
        # Fractions by their bytes: arrays are not hashable, and equal ones are what is meant.
        law = (problem.shape, fractions, seen, file.simulation.dim, repr(file.start), file.seed)
        if law not in self._known:
            self._known[law] = start_of(file, problem)
        return self._known[law]
