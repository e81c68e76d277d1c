"""How long a job of a sweep takes, and how much of that is compilation, which the next job may not need."""

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

COMPILING = "/jax/core/compile/"  # how JAX's names of what it does before a program runs begin

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class Timed(Generic[Result]):
    """What came of a job, the seconds that it took, and those of them in which something was compiled."""

    result: Result
    seconds: float
    compiling: float


class _Compilations:
    """The times at which something was compiled in this process, as JAX tells them."""

    def __init__(self) -> None:
        self.listening, self.lock = False, threading.Lock()
        self.intervals: list[tuple[float, float]] = []

    def listen(self) -> None:
        """Start to listen (not from the import on: importing us leaves JAX as it is)."""
        import jax

        with self.lock:
            if not self.listening:
                jax.monitoring.register_event_duration_secs_listener(self._note)
                self.listening = True

    def _note(self, event: str, duration_secs: float, **_: Any) -> None:
        if event.startswith(COMPILING):
            now = time.perf_counter()
            self.intervals.append((now - duration_secs, now))

    def take(self, since: float) -> float:
        """Return the seconds since then in which something was compiled, and forget them."""
        intervals, self.intervals = self.intervals, []
        return length_of_union([(max(begin, since), end) for begin, end in intervals if end > since])


_compilations = _Compilations()


def length_of_union(intervals: list[tuple[float, float]]) -> float:
    """Return how much of the line the intervals cover: compilations contain each other, and run beside each other."""
    covered, reached = 0.0, float("-inf")
    for begin, end in sorted(intervals):
        covered += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return covered


def timed(compute: Callable[[Job], Result], job: Job) -> Timed[Result]:
    """Return what `compute` makes of a job, and how long that took."""
    _compilations.listen()
    began = time.perf_counter()
    result = compute(job)
    seconds = time.perf_counter() - began
    return Timed(result, seconds, min(seconds, _compilations.take(began)))
