"""Where jobs are done: in this process, in a local Dask cluster that starts and stops by itself, or in a given one."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import logging
import multiprocessing
import sys
import tokenize
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import teacher_student as ts
from teacher_student import internal

from ._cell_jobs import Cell, CellJob, compute
from ._cell_status import CellStatus
from ._cell_timeout import OutOfTime, compute_within
from ._job_clock import Timed, timed
from ._scheduler import SameVersion, connected, note_on_openness

# Run by every local worker as it starts. A terminal sends Ctrl-C to all processes in front: a worker that died of it
# would have its job given to another one, while the owner stops in order.
IGNORE_CTRL_C = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
BYTES_OF_A_WORKER = 250_000_000  # of a process that has imported JAX and Dask, and compiled next to nothing


class Workers(Protocol):
    """Something that does the jobs of a sweep."""

    description: str  # in words, for a line of progress
    beside: bool  # whether they compute while this process does something else
    took: tuple[float, float]  # seconds that the job given last has taken, and those of them to compile

    def count(self) -> int:
        """Return how many jobs are done at a time."""

    def do(self, jobs: Iterator[CellJob]) -> Iterator[tuple[CellJob, list[Cell]]]:
        """Give each job with its cells, as they finish; only a few jobs are taken ahead."""


class ThisProcess:
    """This process, which does one job after the other."""

    description, beside = "this process", False
    took = 0.0, 0.0

    def count(self) -> int:
        return 1

    def do(self, jobs: Iterator[CellJob]) -> Iterator[tuple[CellJob, list[Cell]]]:
        for job in jobs:
            done = timed(compute, job)
            self.took = done.seconds, done.compiling
            yield job, done.result


class Cluster:
    """The workers of a Dask scheduler. A job whose worker dies is given to another one.

    Dask blames a death on every job that the worker had; those it gives up are tried again at the end, cell by cell
    and one at a time, so that only a cell that kills its workers by itself fails. A job that takes longer than
    `cell_timeout` is tried again cell by cell too, after the others, so that only a cell that does so by itself is
    TIMED_OUT.
    """

    beside = True

    def __init__(
        self,
        client: Any,
        description: str,
        same_version: SameVersion | None = None,
        *,
        cell_timeout: float | None = None,
    ):
        self.client, self.description, self.same_version = client, description, same_version
        self.cell_timeout = cell_timeout
        self.took = 0.0, 0.0

    def count(self) -> int:
        return int(sum(self.client.nthreads().values()))

    def do(self, jobs: Iterator[CellJob]) -> Iterator[tuple[CellJob, list[Cell]]]:
        late: collections.deque[CellJob] = collections.deque()
        suspects: collections.deque[CellJob] = collections.deque()

        def next_job() -> CellJob | None:
            job = next(jobs, None)
            return _first(late) if job is None else job

        for job, cells in self._fly(next_job, lambda: max(8, 3 * self.count())):
            if isinstance(cells, OutOfTime) and len(job.indices) == 1:
                yield job, [self._out_of_time(job)]
            elif isinstance(cells, OutOfTime):
                late += split(job)
            elif cells is None:
                suspects += split(job)
            else:
                yield job, cells
        for job, cells in self._fly(lambda: _first(suspects), lambda: 1):
            if isinstance(cells, OutOfTime):
                yield job, [self._out_of_time(job)]
            else:
                yield job, [_killer(job)] if cells is None else cells

    def _out_of_time(self, job: CellJob) -> Cell:
        return Cell(job.indices[0], CellStatus.TIMED_OUT, f"it was not done within {self.cell_timeout:g} s")

    def _fly(
        self, next_job: Callable[[], CellJob | None], room: Callable[[], int]
    ) -> Iterator[tuple[CellJob, list[Cell] | OutOfTime | None]]:
        """Give each job with its cells as they finish, at most `room()` at a time; None where its workers kept dying.

        `next_job` and `room` are asked again each time, since jobs may be split, and workers may come and go.
        """
        import distributed

        flying: dict[Any, CellJob] = {}
        finished = distributed.as_completed(loop=self.client.loop)  # type: ignore[no-untyped-call]  # Dask has no types
        while True:
            if self.same_version is not None:
                self.same_version.require()
            while len(flying) < room() and (job := next_job()) is not None:
                # Not pure: Dask would else hash the job, and give two equal ones the same result.
                future = self.client.submit(compute_within, self.cell_timeout, partial(timed, compute), job, pure=False)
                flying[future] = job
                finished.add(future)  # type: ignore[no-untyped-call]  # Dask has no types
            if not flying:
                return
            future = next(finished)
            job, done = flying.pop(future), _fetched(future)
            cells = done.result if isinstance(done, Timed) else done
            self.took = (done.seconds, done.compiling) if isinstance(done, Timed) else (0.0, 0.0)
            # The cluster need not keep the cells; and when a worker ends, Dask does again what it had and is wanted.
            future.release()
            if isinstance(cells, OutOfTime):
                self._restart(cells.worker)
            yield job, cells

    def _restart(self, worker: str) -> None:
        """Start a worker's process again, in which a job still runs that nobody waits for.

        Other jobs that it had are done again. One that is not back in time, or has gone, is no concern of the others.
        """
        try:
            self.client.restart_workers([worker])
        except ValueError:  # Dask's own wording is about nannies
            warnings.warn(
                f"{worker} cannot be started again (it has no nanny): a cell that timed out still runs there",
                stacklevel=2,
            )
        except Exception as error:
            logging.getLogger(__name__).debug("%s was not started again: %s", worker, internal.first_line(error))


def _first(jobs: "collections.deque[CellJob]") -> CellJob | None:
    return jobs.popleft() if jobs else None


def _fetched(future: Any) -> Timed[list[Cell]] | OutOfTime | None:
    """Return the cells of a job that is over, with their time, or OutOfTime; None where its workers kept dying.

    Waits where a worker died with the cells before they were fetched: Dask does the job again by itself.
    """
    import distributed

    try:
        done: Timed[list[Cell]] | OutOfTime = future.result()
        return done
    except distributed.KilledWorker:
        return None
    except ts.InputError:
        raise
    except Exception as error:
        gone = isinstance(error, concurrent.futures.CancelledError)
        reason = "the scheduler has gone" if gone else internal.first_line(error)
        raise ts.InputError("a Dask cluster that finishes its jobs", reason, "start the sweep again") from error


def _killer(job: CellJob) -> Cell:
    return Cell(job.indices[0], CellStatus.FAILED, "its worker died whenever it was tried (out of memory?)")


def split(job: CellJob) -> Sequence[CellJob]:
    """Return the cells of a job as one job each."""
    pairs = zip(job.indices, job.tables, strict=True)
    return [dataclasses.replace(job, indices=(index,), tables=(tables,)) for index, tables in pairs]


@contextlib.contextmanager
def start_workers(
    scheduler: Any, workers: int | None, jobs: int, *, cell_timeout: float | None = None
) -> Iterator[Workers]:
    """Give workers for about `jobs` jobs.

    Arguments: scheduler: a Dask scheduler's address, its cluster or a client of it; None: a local cluster of `workers`
    processes (None: as many as cores) or, with workers=0, this process. cell_timeout: seconds that a cell may take,
    which this process cannot keep to. Raises InputError if the scheduler does not answer, and for workers of another
    version.
    """
    if workers == 0 or jobs == 0:
        yield ThisProcess()
        return
    if scheduler is not None:
        with connected(scheduler, f"a Dask scheduler at {scheduler}") as client, _silent_dask():
            same_version, address = SameVersion(client), client.scheduler.address
            same_version.require()
            description = f"{len(client.nthreads())} workers of {address}{note_on_openness(address)}"
            yield Cluster(client, description, same_version, cell_timeout=cell_timeout)
        return
    _require_known_start_method()
    if workers is not None:
        count = min(workers, jobs)
        internal.require_memory(count * BYTES_OF_A_WORKER, f"{count:,} local workers", "ask for fewer workers")
    import distributed  # a second to import: only when it is needed
    from dask.system import CPU_COUNT

    wanted = CPU_COUNT if workers is None else workers
    count = min(wanted, jobs)
    fewer = f" of {wanted}: there are no more tiles of cells (a smaller `tile` makes more)" if count < wanted else ""
    with (
        _silent_dask(),
        _local_cluster(distributed.LocalCluster, count) as cluster,
        connected(cluster, "a local Dask cluster") as client,
    ):
        yield Cluster(client, f"{count} local processes{fewer}", cell_timeout=cell_timeout)


@contextlib.contextmanager
def _local_cluster(make: Callable[..., Any], count: int) -> Iterator[Any]:
    try:
        cluster = make(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            # No dashboard, and any free port for what Dask serves anyway: it would take 8787, and warn where another
            # sweep has it.
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            # No limit: Dask would pause a worker that comes near it, and kill one that passes it.
            memory_limit=0,
            # On this machine alone: whoever reaches a scheduler or a worker runs code there.
            host="127.0.0.1",
            protocol="tcp",
            silence_logs=logging.CRITICAL,
            preload=[IGNORE_CTRL_C],
        )
    except Exception as error:
        raise ts.InputError(
            "local workers that start",
            internal.first_line(error),
            'put the call below `if __name__ == "__main__":`, or use workers=0',
        ) from error
    with cluster:
        yield cluster


@contextlib.contextmanager
def _silent_dask() -> Iterator[None]:
    """Silence Dask's log: a worker that dies or a scheduler that goes away is dealt with here."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def require_guard(workers: int | None, scheduler: Any) -> None:
    """Raise InputError if local workers would run the user's unguarded script again, or are doing so.

    Each worker is a new Python that imports the script: without a guard it would start the sweep, and so on. A worker
    of somebody else's, once it has started, is a process like any other.
    """
    if workers == 0 or scheduler is not None:
        return
    required, remedy = 'the call of figures.sweep below `if __name__ == "__main__":`', "or use workers=0"
    if _imports_script():
        raise ts.InputError(required, "a script that its own workers run again", remedy)
    script = getattr(sys.modules["__main__"], "__file__", None)
    if not script or not str(script).endswith(".py"):
        return
    with contextlib.suppress(OSError):
        if "__name__" not in _source(Path(script)):
            raise ts.InputError(required, f"{script} without it", remedy)


def _require_known_start_method() -> None:
    """Raise InputError in a process whose way to start processes a new Python does not know.

    Joblib's workers ("loky") are such. What they start takes over the name of the way, and ends with a traceback.
    """
    method = multiprocessing.get_start_method(allow_none=True)
    if method is not None and method not in multiprocessing.get_all_start_methods():
        raise ts.InputError(
            "a process that can start local workers",
            f"a worker of another pool, which starts processes by {method!r}",
            "use workers=0 there",
        )


def _imports_script() -> bool:
    """Return whether this is a new process that imports the script of the one which started it.

    It is what multiprocessing itself asks before it refuses to start processes then; it has no public name.
    """
    return bool(getattr(multiprocessing.current_process(), "_inheriting", False))


def _source(script: Path) -> str:
    """Read a script in the encoding that its first lines name, as Python does; what it cannot read is left out."""
    with script.open("rb") as file:
        try:
            encoding = tokenize.detect_encoding(file.readline)[0]
        except SyntaxError:  # no encoding that there is
            encoding = "utf-8"
    return script.read_bytes().decode(encoding, "ignore")
