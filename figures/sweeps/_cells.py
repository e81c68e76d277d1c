"""One task of a sweep, as a worker does it: the cells' tables in, their values out. No store, no grid."""

import dataclasses
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import ode
import simulations
import teacher_student as ts

from .._settings import Settings, check_settings, check_theory, parse_settings
from ._cell_status import CellStatus
from ._measures import Layout, Measures, measure

OF_STATUS = {
    ts.Status.OK: CellStatus.DONE,
    ts.Status.DIVERGED: CellStatus.DIVERGED,
    ts.Status.TOO_STIFF: CellStatus.TOO_STIFF,
}


@dataclasses.dataclass(frozen=True)
class Task:
    """Cells of one engine: their places in the grid and their problems' tables."""

    engine: str
    agreement: bool  # simulated cells also compare with theory
    places: tuple[tuple[int, ...], ...]
    tables: tuple[Mapping[str, Any] | str, ...]  # or why there are none
    measures: Measures
    layout: Layout
    version: str
    threads: int | None  # for simulations; None: all cores


@dataclasses.dataclass(frozen=True)
class Cell:
    """What came of one cell: status, message, where it stopped, and its values by variable."""

    place: tuple[int, ...]
    status: CellStatus
    message: str = ""
    reached: float = np.nan
    values: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


def compute(task: Task) -> list[Cell]:
    """The cells of a task; a cell that cannot be computed is FAILED with its message, and harms no other."""
    if task.version != ts.__version__:
        raise ts.InputError(f"workers with teacher-student {task.version}", ts.__version__, "install it there")
    ready: dict[tuple[int, ...], tuple[Settings, ts.Overlaps]] = {}
    found: dict[tuple[int, ...], Cell] = {}
    starts: dict[Any, ts.Overlaps] = {}
    for place, tables in zip(task.places, task.tables, strict=True):
        if isinstance(tables, str):
            found[place] = Cell(place, CellStatus.FAILED, tables)
            continue
        try:
            settings = parse_settings(tables)
            check_theory(settings)
            ready[place] = settings, _start(settings, starts)
        except Exception as error:
            found[place] = _failed(place, error)
    engine = _theory if task.engine == "theory" else _simulation
    found |= {cell.place: cell for cell in engine(task, ready)}
    return [found[place] for place in task.places]


def _failed(place: tuple[int, ...], error: Exception) -> Cell:
    kind = "" if isinstance(error, ts.InputError) else f"{type(error).__name__}: "
    return Cell(place, CellStatus.FAILED, kind + ts.first_line(error))


def _start(settings: Settings, known: dict[Any, ts.Overlaps]) -> ts.Overlaps:
    """The start, drawn once for all cells that share it: its law does not depend on rates, variances or orders."""
    problem = settings.problem
    fractions = np.asarray(problem.inputs.fractions).tobytes()
    seen = problem.task.seen_blocks
    signature = (problem.shape, fractions, seen, settings.simulation.dim, repr(settings.start), settings.seed)
    if signature not in known:
        known[signature] = settings.overlaps()
    return known[signature]


def recorded(settings: Settings, measures: Measures, alphas: np.ndarray) -> np.ndarray:
    """Those of `alphas` that the measures need, with alpha = 0 in front if they need a record."""
    return np.union1d([0.0], alphas) if measures.needs_record else alphas[-1:]


def _theory(task: Task, ready: Mapping[tuple[int, ...], tuple[Settings, ts.Overlaps]]) -> list[Cell]:
    groups: dict[Any, list[tuple[int, ...]]] = {}
    for place, (settings, _) in ready.items():
        by = settings.theory, None if settings.averages() is None else settings.seed
        groups.setdefault(by, []).append(place)

    def solve(places: Sequence[tuple[int, ...]]) -> list[Cell]:
        first = ready[places[0]][0]
        trajectories = ode.solve_many(
            [ready[place][0].problem for place in places],
            [ready[place][1] for place in places],
            [recorded(ready[place][0], task.measures, ready[place][0].wanted_alphas()) for place in places],
            averages=first.averages(),
            with_accuracy=task.measures.needs_accuracy,
            rtol=first.theory.rtol,
            atol=first.theory.atol,
            workers=task.threads,
        )
        return [_cell(place, each, task) for place, each in zip(places, trajectories, strict=True)]

    return [cell for places in groups.values() for cell in _each_alone_if_need_be(solve, places)]


def _each_alone_if_need_be(
    solve: Callable[[Sequence[tuple[int, ...]]], list[Cell]], places: list[tuple[int, ...]]
) -> list[Cell]:
    """`solve` of all places together; if that raises, of each alone, so that only the one at fault fails."""
    try:
        return solve(places)
    except Exception as error:
        if len(places) == 1:
            return [_failed(places[0], error)]
        return [cell for place in places for cell in _each_alone_if_need_be(solve, [place])]


def _cell(place: tuple[int, ...], trajectory: ts.Trajectory, task: Task) -> Cell:
    worst = int(np.max(trajectory.status))
    reached = float(np.min(trajectory.reached))
    values = measure(trajectory, task.measures, task.layout)
    return Cell(place, OF_STATUS[ts.Status(worst)], "", reached, values)


def _simulation(task: Task, ready: Mapping[tuple[int, ...], tuple[Settings, ts.Overlaps]]) -> list[Cell]:
    found = []
    for place, (settings, start) in ready.items():
        try:
            found.append(_simulated(place, settings, start, task))
        except Exception as error:
            found.append(_failed(place, error))
    return found


def _simulated(place: tuple[int, ...], settings: Settings, start: ts.Overlaps, task: Task) -> Cell:
    check_settings(settings)
    alphas = recorded(settings, task.measures, settings.alphas())
    wanted = settings.simulation

    def run(dim: int, purpose: str) -> ts.Trajectory:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an interruption is dealt with here
            runs = simulations.run(
                settings.problem,
                dim,
                wanted.runs,
                alphas,
                settings.key(purpose),
                start=start,
                precision=wanted.precision,
                test_samples=wanted.test_samples,
                workers=task.threads,
                progress=False,
            )
        if runs.runs != wanted.runs:  # Ctrl-C: no cell is kept with some of its runs
            raise KeyboardInterrupt
        return runs

    runs = run(settings.dims[0], "runs")
    cell = _cell(place, runs, task)
    if not task.agreement or cell.status != CellStatus.DONE:
        return cell
    smaller = run(settings.dims[1], "smaller runs") if len(settings.dims) > 1 else None
    theory = ode.solve(
        settings.problem,
        start,
        runs.alphas,
        averages=settings.averages(),
        with_accuracy=task.measures.needs_accuracy,
        rtol=settings.theory.rtol,
        atol=settings.theory.atol,
    )
    if theory.status != ts.Status.OK:
        return cell
    later = runs.at(runs.alphas[runs.alphas > 0])  # at alpha = 0 they agree by construction
    verdict = simulations.agreement(theory, later, smaller, level=settings.level, seed=settings.seed)
    agrees = np.asarray(float(verdict.agrees))
    found = {"agreement_z": np.asarray(verdict.worst_z), "agreement_p": np.asarray(verdict.p), "agrees": agrees}
    return dataclasses.replace(cell, values={**cell.values, **found})
