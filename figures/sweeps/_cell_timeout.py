"""How long a cell of a sweep may take, and how a worker keeps to it.

A compiled solve cannot be interrupted from Python. So a worker computes a job in a thread and looks at the clock beside
it; when the time is over it says so, and its process, in which the thread still runs, is started again.
"""

import atexit
import concurrent.futures
import dataclasses
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import teacher_student as ts

CELL_TIMEOUT = 3600.0  # seconds: far more than a cell takes that comes to an end
LONGEST = 1e9  # seconds: about the longest time that a thread can wait for

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class OutOfTime:
    """What a worker gives of a job that took too long. worker: the address of the process in which it still runs."""

    worker: str


def as_cell_timeout(value: Any) -> float | None:
    """Return a cell's time limit in seconds, None for none. Raises InputError."""
    if value is None:
        return None
    try:
        seconds = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = float("nan")
    if not 0 < seconds <= LONGEST:
        raise ts.InputError(
            f"a cell_timeout above 0 and up to {LONGEST:g} seconds", repr(value), "None or off: no limit"
        )
    return seconds


def read_cell_timeout(text: str) -> float | None:
    """Return what the option --cell-timeout says: seconds, or None for "off". Raises InputError."""
    return None if text.lower() == "off" else as_cell_timeout(text)


def compute_within(seconds: float | None, compute: Callable[[Job], Result], job: Job) -> "Result | OutOfTime":
    """Return what `compute` makes of a job in a Dask worker, or OutOfTime after `seconds` (None: never)."""
    if seconds is None:
        return compute(job)
    import distributed

    worker: Any = distributed.get_worker()
    outcome: concurrent.futures.Future[Result] = concurrent.futures.Future()

    def run() -> None:
        try:
            outcome.set_result(compute(job))
        except BaseException as error:
            outcome.set_exception(error)

    # A daemon: the process need not wait for it when it ends.
    threading.Thread(target=run, daemon=True).start()
    # Not `outcome.result(seconds)`, after which a TimeoutError of the job itself would look the same.
    concurrent.futures.wait([outcome], seconds)
    if outcome.done():
        return outcome.result()
    if worker.nanny:  # a process of its own, which will be ended
        # Python cannot end in order while compiled code runs in a thread: it would abort, and print that it did.
        atexit.register(os._exit, 0)
    return OutOfTime(str(worker.address))


def note_on_this_process(seconds: float | None) -> str:
    """Return what to say where a limit is asked for of cells that are computed in this process; nothing by default."""
    if seconds in (None, CELL_TIMEOUT):
        return ""
    return f"cell_timeout = {seconds:g} s is not kept with workers=0: this process cannot stop a compiled solve"
