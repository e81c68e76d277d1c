"""Cells that are lacking, computed one after the other or by several processes; each is written when it is done."""

import concurrent.futures
import multiprocessing
import signal
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

import teacher_student as ts
from teacher_student import internal

from ...sweeps import require_guard
from ._cells import read_cell, write_cell
from ._found import Found
from ._perceptron import best_order as of_perceptron
from ._plan import Cell, PerceptronCell, Plan
from ._xor import best_order as of_xor


def computed(cell: Cell, plan: Plan) -> Found:
    """Search for the best order of one cell."""
    return of_perceptron(cell, plan) if isinstance(cell, PerceptronCell) else of_xor(cell, plan)


def completed(
    folder: Path, cells: Iterable[Cell], plan: Plan, workers: int | None, progress: bool
) -> dict[Cell, Found]:
    """Return the result of every cell; those that `folder` lacks are computed first.

    Arguments: workers: processes (None: one for each core; 0: this one). progress: whether to show a bar.
    """
    cells = list(cells)
    done = {cell: found for cell in cells if (found := read_cell(folder, cell, plan)) is not None}
    lacking = [cell for cell in cells if cell not in done]
    if lacking:
        require_guard(workers, None)
        for cell, found in tqdm(
            _each(lacking, plan, workers), total=len(lacking), disable=not progress, desc="optimal", unit=" cells"
        ):
            write_cell(folder, cell, plan, found)
            done[cell] = found
    return {cell: done[cell] for cell in cells}


def _each(cells: Sequence[Cell], plan: Plan, workers: int | None) -> Iterator[tuple[Cell, Found]]:
    """Yield cells with their results as they finish."""
    if workers == 0:
        for cell in cells:
            yield cell, computed(cell, plan)
        return
    count = min(len(cells), len(internal.usable_cores()) if workers is None else workers)
    # Spawned: a fork of a process in which JAX has started would hang.
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(count, context, _begin)
    try:
        waiting = {pool.submit(computed, cell, plan): cell for cell in cells}
        for future in concurrent.futures.as_completed(waiting):
            yield waiting[future], future.result()
    except concurrent.futures.process.BrokenProcessPool as error:
        raise ts.InputError(
            "processes that finish their cells", "one that died (out of memory?)", "use fewer --workers: it goes on"
        ) from error
    except BaseException:
        # After Ctrl-C nobody waits for searches that would take minutes.
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C, which a terminal sends to all processes in front, to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ts.tune_compiler(True)
