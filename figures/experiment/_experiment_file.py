"""An experiment from a problem file or its tables."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import teacher_student as ts
from teacher_student import internal

from ._experiment import Experiment, check_experiment, check_theory
from ._file_tables import File, load_tables, read_file, with_changes
from ._make_experiment import assemble
from ._naming_lines import naming_lines
from ._starts import start_of
from ._usual_averages import usual_averages

COUNT = 20  # of recorded alphas, unless a file says otherwise


def load_experiment(path: str | Path | None = None, *, simulated: bool = True, **changes: Any) -> Experiment:
    """Read the experiment of a TOML file.

    Arguments: path: of the problem file; None: the built-in problem. simulated: whether there is to be a simulation;
    without one nothing is asked of it (dims = ()). changes: dim, runs or seed in place of the file's.
    Returns an Experiment. Raises InputError for anything that could not be computed.
    """
    tables = load_tables(path, **changes)
    with naming_lines(path, tables):
        return read_experiment(tables, simulated=simulated)


def read_experiment(tables: Mapping[str, Any], *, simulated: bool = True, **changes: Any) -> Experiment:
    """Read the experiment of a problem file's tables.

    Arguments: tables: nested, as TOML reads them. simulated, changes: as in `load_experiment`.
    Returns an Experiment. Raises InputError for anything that could not be computed.
    """
    tables = with_changes(tables, **changes)
    file = read_file(tables, simulated=simulated)
    experiment = resolve(file, ts.problem_from_tables(tables), simulated=simulated)
    check_experiment(experiment)
    return experiment


def resolve(
    file: File, problem: ts.Problem, *, simulated: bool, starts: Callable[..., ts.Overlaps] = start_of
) -> Experiment:
    """Return the experiment of a file that has been read; its theory is checked, its start and simulation are not.

    Arguments: simulated: as in `load_experiment`. starts: what gives the start (`SharedStarts()` for many problems).
    Raises InputError.
    """
    with internal.about_entry("theory"):
        averages = usual_averages(problem, file.seed, file.theory)
    wanted = wanted_alphas(file, problem)
    with internal.about_entry("start"):
        start = starts(file, problem)
    if simulated:
        every, number = file.record.alphas is not None, file.start.number
        with internal.about_entry("record", *(["alphas"] if every else [])):
            internal.check_alphas(wanted, problem)
        return assemble(problem, start, wanted, averages, file.choices, every=every, number=number)
    experiment = Experiment(
        problem,
        start,
        wanted,
        wanted,
        averages,
        file.theory.rtol,
        file.theory.atol,
        runs=file.simulation.runs,
        significance=file.agreement.significance,
        spread=file.agreement.spread or "measured",
        seed=file.seed,
    )
    check_theory(experiment)
    return experiment


def wanted_alphas(file: File, problem: ts.Problem) -> np.ndarray:
    """Return the times that [record] asks for (alpha = samples / N). Raises InputError for a first one past the end."""
    record, end = file.record, float(problem.curriculum.end)
    if record.first is not None and not 0 < record.first < end:
        with internal.about_entry("record", "first"):
            raise ts.InputError(f"record.first between 0 and the curriculum's end, {end:g}", record.first)
    if record.alphas is not None:
        return np.asarray(record.alphas, dtype=float)
    count = COUNT if record.count is None else record.count
    if record.spacing == "linear":
        return np.linspace(0, end, count + 1)[1:]
    return np.geomspace(end / 1000 if record.first is None else record.first, end, count)
