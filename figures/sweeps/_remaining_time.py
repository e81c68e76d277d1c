"""How long a sweep still takes: cells by what cells have taken, programs by what programs have taken to compile.

The mean over all that is done would be far off at the beginning, where nearly all time goes into compilation: each
worker compiles a program once, whether its structure has ten cells or ten thousand.
"""

import collections
import dataclasses
from collections.abc import Hashable, Iterable


@dataclasses.dataclass(frozen=True)
class Work:
    """What a job is to an estimate: its engine, its number of cells, and the structures that they have."""

    engine: str
    cells: int
    structures: frozenset[Hashable]


@dataclasses.dataclass
class _Engine:
    """What is known of the jobs of one engine. Numbers of programs are by structure."""

    jobs_left: int = 0
    cells_left: int = 0
    cells_done: int = 0
    running: float = 0.0  # seconds in which cells were computed
    compiling: float = 0.0
    programs_left: collections.Counter[Hashable] = dataclasses.field(default_factory=collections.Counter)
    programs_done: int = 0

    def seconds(self) -> float | None:
        """Return the seconds that one worker would take for the rest, or None before the first job is done."""
        if not self.cells_left:
            return 0.0
        if not self.cells_done:
            return None
        compiling = self.compiling / max(self.programs_done, 1) * self.programs_left.total()
        return self.running / self.cells_done * self.cells_left + compiling


class RemainingTime:
    """An estimate that every job makes better when it is done.

    Arguments: jobs: all of them. workers: how many are done at a time; each compiles what it computes. beside: whether
    the store is written while they compute, and not in between.
    """

    def __init__(self, jobs: Iterable[Work], workers: int, *, beside: bool):
        self.workers, self.beside = max(workers, 1), beside
        self.engines: dict[str, _Engine] = {}
        for job in jobs:
            engine = self.engines.setdefault(job.engine, _Engine())
            engine.jobs_left += 1
            engine.cells_left += job.cells
            for structure in job.structures:
                if engine.programs_left[structure] < self.workers:  # each of them compiles it once, and no more
                    engine.programs_left[structure] += 1

    def done(self, job: Work, seconds: float, compiling: float) -> None:
        """Note that a job is done, which took so many seconds, some of them to compile."""
        engine = self.engines[job.engine]
        engine.jobs_left = max(engine.jobs_left - 1, 0)  # jobs that take too long are split into more
        engine.cells_left = max(engine.cells_left - job.cells, 0)
        engine.cells_done += job.cells
        engine.running += seconds - compiling
        engine.compiling += compiling
        for structure in job.structures:
            if engine.programs_left[structure] > 0:
                engine.programs_left[structure] -= 1
                engine.programs_done += 1

    def seconds(self, writing: float = 0.0) -> float | None:
        """Return the seconds until all jobs are done, or None while some engine has done none.

        Arguments: writing: seconds that it takes to store a cell.
        """
        parts = [engine.seconds() for engine in self.engines.values()]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        jobs = sum(engine.jobs_left for engine in self.engines.values())
        computing = sum(known) / min(self.workers, max(jobs, 1))
        storing = writing * sum(engine.cells_left for engine in self.engines.values())
        return max(computing, storing) if self.beside else computing + storing


def in_words(seconds: float) -> str:
    """Return a time as one says it: "about 40 s", "about 5 min", "about 2.5 h"."""
    if seconds < 100:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 6000 else f"about {seconds / 3600:.1f} h"
