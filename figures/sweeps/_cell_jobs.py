"""One job of a sweep, as a worker does it: the cells' tables in, their values out. No store, no grid."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import ode
import teacher_student as ts
from teacher_student import internal

from ..experiment import Experiment, SharedStarts, check_experiment, judge, read_file, resolve, run_one
from ._cell_status import CellStatus
from ._measures import Layout, Measures, measure

OF_STATUS = {
    ts.Status.OK: CellStatus.DONE,
    ts.Status.DIVERGED: CellStatus.DIVERGED,
    ts.Status.TOO_STIFF: CellStatus.TOO_STIFF,
}


@dataclasses.dataclass(frozen=True)
class CellJob:
    """Cells for one worker, all of one engine: their indices in the grid and their problems' tables."""

    engine: str
    agreement: bool  # simulated cells also compare with theory
    indices: tuple[tuple[int, ...], ...]
    tables: tuple[Mapping[str, Any] | str, ...]  # or why there are none
    measures: Measures
    layout: Layout
    version: str
    threads: int | None  # for simulations; None: all cores


@dataclasses.dataclass(frozen=True)
class Cell:
    """What came of one cell: its status and message, the alpha at which it stopped, and its values by variable."""

    index: tuple[int, ...]
    status: CellStatus
    message: str = ""
    reached: float = np.nan
    values: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


def compute(job: CellJob) -> list[Cell]:
    """Compute the cells of a job; a cell that cannot be computed is FAILED with its message, and harms no other."""
    if job.version != ts.__version__:
        # Another version may give other numbers: cells of both would stand side by side in one store.
        raise ts.InputError(f"workers with teacher-student {job.version}", ts.__version__, "install it there")
    ready: dict[tuple[int, ...], Experiment] = {}
    cells: dict[tuple[int, ...], Cell] = {}
    starts, simulated = SharedStarts(), job.engine == "simulation"
    for index, tables in zip(job.indices, job.tables, strict=True):
        if isinstance(tables, str):
            cells[index] = Cell(index, CellStatus.FAILED, tables)
            continue
        try:
            file = read_file(tables, simulated=simulated)
            ready[index] = resolve(file, ts.problem_from_tables(tables), simulated=simulated, starts=starts)
        except Exception as error:
            cells[index] = _failed(index, error)
    engine = _simulation if simulated else _theory
    cells |= {cell.index: cell for cell in engine(job, ready)}
    return [cells[index] for index in job.indices]


def _failed(index: tuple[int, ...], error: Exception) -> Cell:
    kind = "" if isinstance(error, ts.InputError) else f"{type(error).__name__}: "
    return Cell(index, CellStatus.FAILED, kind + internal.first_line(error))


def recorded(alphas: np.ndarray, measures: Measures) -> np.ndarray:
    """Return those of `alphas` that the measures need, with alpha = 0 in front if they need a record."""
    return np.union1d([0.0], alphas) if measures.needs_record else alphas[-1:]


def _theory(job: CellJob, ready: Mapping[tuple[int, ...], Experiment]) -> list[Cell]:
    groups: dict[Any, list[tuple[int, ...]]] = {}
    for index, experiment in ready.items():
        groups.setdefault(_way_to_solve(experiment), []).append(index)

    def solve(group: Sequence[tuple[int, ...]]) -> list[Cell]:
        experiments = [ready[index] for index in group]
        trajectories = ode.solve_many(
            [experiment.problem for experiment in experiments],
            [experiment.start for experiment in experiments],
            [recorded(experiment.alphas, job.measures) for experiment in experiments],
            averages=experiments[0].averages,
            with_accuracy=job.measures.needs_accuracy,
            rtol=experiments[0].rtol,
            atol=experiments[0].atol,
            workers=job.threads,
        )
        return [_cell(index, experiment, job) for index, experiment in zip(group, trajectories, strict=True)]

    return [cell for group in groups.values() for cell in _one_by_one_if_need_be(solve, group)]


def _way_to_solve(experiment: Experiment) -> tuple[Any, ...]:
    """Return what cells that are solved together share: averages, whose key follows from the seed, and tolerances."""
    averages, tolerances = experiment.averages, (experiment.rtol, experiment.atol)
    if averages is None:
        return tolerances
    most = averages.most_points if isinstance(averages, ode.Sampled) else None
    return (*tolerances, averages.name, most, experiment.seed)


def _one_by_one_if_need_be(
    solve: Callable[[Sequence[tuple[int, ...]]], list[Cell]], indices: list[tuple[int, ...]]
) -> list[Cell]:
    """Solve all cells together; if that raises, solve each alone, so that only the one at fault fails."""
    try:
        return solve(indices)
    except Exception as error:
        if len(indices) == 1:
            return [_failed(indices[0], error)]
        return [cell for index in indices for cell in _one_by_one_if_need_be(solve, [index])]


def _cell(index: tuple[int, ...], trajectory: ts.Trajectory, job: CellJob) -> Cell:
    worst = int(np.max(trajectory.status))
    reached = float(np.min(trajectory.reached))
    values = measure(trajectory, job.measures, job.layout)
    return Cell(index, OF_STATUS[ts.Status(worst)], "", reached, values)


def _simulation(job: CellJob, ready: Mapping[tuple[int, ...], Experiment]) -> list[Cell]:
    cells = []
    for index, experiment in ready.items():
        try:
            check_experiment(experiment)
            cells.append(_simulated(index, experiment, job))
        except Exception as error:
            cells.append(_failed(index, error))
    return cells


def _simulated(index: tuple[int, ...], experiment: Experiment, job: CellJob) -> Cell:
    alphas = recorded(experiment.alphas, job.measures)

    def run(which: int) -> ts.Trajectory:
        runs = run_one(experiment, which, alphas, workers=job.threads)
        if runs.runs != experiment.runs:  # Ctrl-C: no cell is kept with some of its runs
            raise KeyboardInterrupt
        return runs

    runs = run(0)
    cell = _cell(index, runs, job)
    if not job.agreement or cell.status != CellStatus.DONE:
        return cell
    smaller = run(1) if len(experiment.dims) > 1 else None
    theory = ode.solve(
        experiment.problem,
        experiment.start,
        runs.alphas,
        averages=experiment.averages,
        with_accuracy=job.measures.needs_accuracy,
        rtol=experiment.rtol,
        atol=experiment.atol,
    )
    if theory.status != ts.Status.OK:
        return cell
    later = runs.at(runs.alphas[runs.alphas > 0])  # at alpha = 0 they agree by construction
    verdict = judge(experiment, theory, later, smaller, None)
    agrees = np.asarray(float(verdict.agrees))
    compared = {"agreement_z": np.asarray(verdict.worst_z), "agreement_p": np.asarray(verdict.p), "agrees": agrees}
    return dataclasses.replace(cell, values={**cell.values, **compared})
