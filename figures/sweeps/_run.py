"""`figures.sweep`: compute what a store lacks, keep what it has."""

import contextlib
import dataclasses
import json
import tempfile
import time
import warnings
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm import tqdm

import teacher_student as ts
from teacher_student import internal

from ..experiment import load_toml
from ..running import stop_if_asked
from ._accessor import normal_form
from ._cell_jobs import Cell, CellJob
from ._cell_status import FINISHED, RETRY, CellStatus
from ._cell_timeout import CELL_TIMEOUT, as_cell_timeout, note_on_this_process
from ._checked_store import chunks_of, held_warnings, is_checked, lost_chunks, opened, require_decodable
from ._job_order import in_fair_order, structural_axes
from ._labelled import axes_of_cells
from ._remaining_time import RemainingTime, Work, in_words
from ._resource_estimate import describe
from ._spec import Sweep, check_sweep, read_sweep
from ._store import Store, writing
from ._workers import require_guard, start_workers

LINE_EVERY = 30.0  # seconds between lines of progress in a log
# Without tqdm's own remaining time, which takes compilation for a part of every cell.
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} cells [{elapsed}{postfix}]"


def sweep(
    problem: "ts.Problem | Mapping[str, Any] | str | Path",
    axes: Mapping[str, Any] | None = None,
    measures: Any = ("error", "accuracy"),
    *,
    engine: str = "theory",
    simulate_every: Mapping[str, int] | None = None,
    out: str | Path | None = None,
    scheduler: Any = None,
    workers: int | None = None,
    retry: Sequence[str] = (),
    cell_timeout: float | None = CELL_TIMEOUT,
    tile: int = 64,
    progress: bool = True,
    **tables: Any,
) -> xr.Dataset:
    """Solve a grid of problems, and return what is kept of each as a labelled data set.

    Every cell has a status, and its numbers have standard errors where these are known. A store that has been begun is
    continued: only what it lacks is computed.

    Arguments:
      problem: a Problem, the tables of a problem file, or the path of one.
      axes: name -> {dotted name: values}, several dotted names being zipped, or {"choices": {label: tables}}; values
        are a list, an array or {"from": a, "to": b, "count": n, "spacing": "linear" or "log"}.
      measures: what to keep: "error", "accuracy", "overlaps" (at the last recorded alpha); or the table [measures].
      engine: "theory", "simulation" or "both" (with the agreement of the two in every simulated cell).
      simulate_every: axis name -> n: simulate only every n-th of its values.
      out: a Zarr store, made or continued: only what it lacks is computed. None: nothing is left on disk.
      scheduler: a Dask scheduler's address, its cluster or a client of it (with TLS: a client with its
        distributed.Security); None: `workers` local processes (None: one per core; 0: this process).
      retry: statuses to compute again: "failed", "timed out", "diverged", "too stiff".
      cell_timeout: seconds that a cell may take, compilation included, before its status is "timed out" (None: any
        time). A tile that takes longer is computed again cell by cell. With workers=0 no cell can be stopped.
      tile: cells that one worker solves in one go and that are stored together.
      progress: whether to show a progress bar, in a terminal or a notebook: a file gets none.
      tables: further tables of the problem file: start={...}, record={...}, theory={...}, simulation={...}, seed=0.
    Returns an xarray Dataset over engine and axes: `error`, `accuracy` ... and `NAME_se`; times are samples / N.
    Raises InputError before computing. Cells that diverge or fail raise nothing: they have their `status` and
    `message`. Ctrl-C raises KeyboardInterrupt; what is done is in the store, and the same call goes on from there.
    """
    internal.refuse_fork()
    require_guard(workers, scheduler)
    base = _tables_of(problem) | tables
    sweep_table = {"engine": engine, "simulate_every": dict(simulate_every or {}), "tile": tile}
    spec = read_sweep({**base, "axes": axes, "measures": measures, "sweep": sweep_table})
    options: dict[str, Any] = {"scheduler": scheduler, "workers": workers, "retry": retry, "progress": progress}
    options["cell_timeout"] = cell_timeout
    if out is not None:
        run_sweep(spec, out, say=_warnings_only, **options)
        return open_sweep(out)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "sweep.zarr"
        run_sweep(spec, path, say=_warnings_only, **options)
        return open_sweep(path).load()


def _warnings_only(line: str) -> None:
    if line.startswith("warning"):
        warnings.warn(line.removeprefix("warning").strip(), stacklevel=4)


def _tables_of(problem: Any) -> dict[str, Any]:
    if isinstance(problem, ts.Problem):
        return ts.problem_to_tables(problem)
    if isinstance(problem, (str, Path)):
        return load_toml(problem, "problem")
    if isinstance(problem, Mapping):
        return dict(problem)
    raise ts.InputError("a Problem, its tables or the path of a problem file", type(problem).__name__)


def open_sweep(path: str | Path) -> xr.Dataset:
    """Open the store of a sweep; its numbers are read from disk when they are used.

    Arguments: path: of the Zarr store that `sweep` or `run_sweep` wrote, complete or not.
    Returns an xarray Dataset. Raises InputError if there is no store that can be read.
    """
    path = internal.as_path(path)
    try:
        with held_warnings():
            checked = is_checked(path)
            dataset: xr.Dataset = xr.open_zarr(
                opened(path, checked=checked), consolidated=True, chunks=None, zarr_format=3
            )
            if checked:
                _require_chunks(path, dataset)
            # NumPy's own strings, which a store gives, cannot be put together with the NaN of a cell that is not there.
            texts = [name for name in dataset.variables if dataset[name].dtype.kind == "T"]
            dataset = _without_controls(dataset.assign({name: dataset[name].astype(object) for name in texts}))
            normal_form(dataset)  # what is no sweep's is said here, and not where it is drawn
            if not checked:
                require_decodable(path, dataset)
            return dataset
    except ts.InputError:
        raise
    except Exception as error:
        reason = f"{path} ({internal.first_line(error)})"
        raise ts.InputError("the store of a sweep", reason, "run `teacher-student sweep` first") from error


def _require_chunks(path: Path, dataset: xr.Dataset) -> None:
    """Raise InputError if numbers of finished cells are lost, which would be read as NaN."""
    engines, status = dataset["engine"].values.tolist(), dataset["status"].values
    for *_, file in lost_chunks(path, chunks_of(path, dataset), axes_of_cells(dataset), engines, status):
        remedy = "start its sweep again, which computes it again"
        raise ts.InputError("a store as it was written", f"{file}, which is lost", remedy)


def _without_controls(dataset: xr.Dataset) -> xr.Dataset:
    """Return a data set with the control characters in its texts spelt out: anybody may have written it."""
    texts = {}
    for name, coord in dataset.coords.items():
        if coord.ndim == 1 and coord.dtype.kind in "OUT":
            texts[name] = (
                coord.dims,
                np.array([internal.shown(str(text)) for text in coord.values], object),
                coord.attrs,
            )
    dataset = dataset.assign_coords(texts).assign_attrs({name: _shown(text) for name, text in dataset.attrs.items()})
    for variable in dataset.variables.values():
        variable.attrs = {name: _shown(text) for name, text in variable.attrs.items()}
    return dataset


def _shown(text: Any) -> Any:
    """Return an attribute with the control characters spelt out, also those that JSON has as escapes."""
    if not isinstance(text, str):
        return text
    if text.startswith(("{", "[")):
        with contextlib.suppress(ValueError, RecursionError):
            loaded = json.loads(text)
            cleaned = internal.without_controls(loaded)
            return text if cleaned == loaded else json.dumps(cleaned)
    return internal.shown(text)


@dataclasses.dataclass(frozen=True)
class Summary(internal.PublicRecord):
    """How a sweep ended; as a text it is one line.

    computed: cells computed now. counts: number of cells by status, over the whole store.
    agreeing: (cells in which theory and simulation agree, cells compared, Bonferroni p over these), or None.
    seconds: the whole took. storing: those of them that writing the store took.
    """

    computed: int
    counts: Mapping[CellStatus, int]
    agreeing: tuple[int, int, float] | None  # agreeing, compared, smallest p times their number
    seconds: float
    storing: float

    def __str__(self) -> str:
        parts = [f"{count} {status.words}" for status, count in self.counts.items()]
        text = f"{', '.join(parts)}; {self.computed} computed now in {self.seconds:.1f} s"
        if self.computed:
            text += f", of which {self.storing:.1f} s writing the store"
        if self.agreeing is not None:
            agreeing, compared, p = self.agreeing
            text += f"; theory and simulation agree in {agreeing} of {compared} cells"
            text += f" (Bonferroni p over these cells: {p:.2g})" if compared else ""
        if self.counts.get(CellStatus.FAILED):
            text += "; why cells failed: variable `message`; --retry failed computes them again"
        if self.counts.get(CellStatus.TIMED_OUT):
            text += '; --retry "timed out" computes cells that timed out again, with a longer --cell-timeout'
        return text


def run_sweep(
    spec: Sweep,
    path: str | Path,
    *,
    scheduler: Any = None,
    workers: int | None = None,
    retry: Sequence[str] = (),
    cell_timeout: float | None = CELL_TIMEOUT,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> Summary:
    """Compute what the store at `path` lacks of a sweep, and write it there.

    Arguments:
      spec: the sweep, as `load_sweep` or `read_sweep` gives it. path: of its Zarr store, made or continued.
      scheduler, workers, retry, cell_timeout, progress: as in `sweep`. say: what gets each line of text.
    Returns a Summary.
    Raises InputError before computing; KeyboardInterrupt after Ctrl-C, when what is done is in the store.
    """
    internal.refuse_fork()
    path = internal.as_path(path)
    for name in retry:
        internal.require_name(name, RETRY, "status to retry")
    retried, cell_timeout = [RETRY[name] for name in retry], as_cell_timeout(cell_timeout)
    if workers is not None and workers < 0:
        raise ts.InputError("workers >= 0", workers)
    if line := _line_on_store(path):
        say(line)  # first of all: what follows takes seconds
    layout, unusable = check_sweep(spec)
    say(describe(spec, layout))
    for line in unusable:
        say(f"warning     {line}")
    clock, storing = time.perf_counter(), 0.0
    with writing(path, spec, layout) as store:
        todo = {engine: list(store.pending(engine, retry=retried)) for engine in store.sweep.engines}
        total = sum(len(tile) for engine in todo.values() for tile in engine)
        say(f"store       {path}: {_done(store)} of {_asked(store)} cells done before, {total} to do")
        for line in _notes(store, total):
            say(f"warning     {line}")
        threads, structure = None if workers == 0 else 1, _structure_of(spec)
        planned_jobs = list(_planned_jobs(todo, threads))
        work = [_work(engine, indices, structure) for engine, indices, _ in planned_jobs]
        jobs = in_fair_order(planned_jobs, [job.structures for job in work])
        computed, said = 0, time.perf_counter()
        if total and workers == 0 and (note := note_on_this_process(cell_timeout)):
            say(f"warning     {note}")
        started = start_workers(scheduler, workers, len(jobs), cell_timeout=cell_timeout)
        with started as running_workers, _bar(total, progress, store) as bar:
            if total:
                say(f"workers     {running_workers.description}; they compile before the first cells")
            remaining = RemainingTime(work, running_workers.count(), beside=running_workers.beside)
            for job, cells in running_workers.do(_with_tables(store, planned) for planned in jobs):
                began = time.perf_counter()
                _write(store, job.engine, cells)
                stop_if_asked()  # here, where the store is whole
                storing += time.perf_counter() - began
                computed += len(cells)
                remaining.done(_work(job.engine, job.indices, structure), *running_workers.took)
                left = remaining.seconds(storing / computed)
                line = ", ".join([*([] if left is None else [f"{in_words(left)} left"]), *_unusual(store)])
                bar.set_postfix_str(line, refresh=False)
                bar.update(len(cells))
                if not progress and time.perf_counter() - said > LINE_EVERY:
                    say(f"            {computed} of {total}{', ' if line else ''}{line}")
                    said = time.perf_counter()
        store.require_there()
        return Summary(computed, store.counts(), _agreeing(store), time.perf_counter() - clock, storing)


def _line_on_store(path: Path) -> str:
    """Return what is done in the store of a sweep that goes on, or nothing; what is wrong with it is said later."""
    if not path.exists():
        return ""
    with contextlib.suppress(ts.InputError, KeyError):
        status = open_sweep(path)["status"].values
        done, asked = np.isin(status, FINISHED).sum(), (status != CellStatus.NOT_ASKED).sum()
        return f"store       {path}: {done} of {asked} cells are there and kept; the sweep is checked before it goes on"
    return ""


def _notes(store: Store, total: int) -> Iterator[str]:
    """Give what is to be known of the store before `total` cells are computed."""
    if store.lost:
        others = f" and {len(store.lost) - 1} others" if len(store.lost) > 1 else ""
        yield f"{store.lost[0]}{others} is lost; its cells are computed again"
    if total and (changed := store.note_versions()):
        yield changed


Planned = tuple[str, list[tuple[int, ...]], int | None]  # engine, indices of cells, threads


def _structure_of(spec: Sweep) -> Callable[[tuple[int, ...]], Hashable]:
    """Return what says what a cell's programs are compiled for: its place on the axes that may change that."""
    axes = structural_axes(spec)
    return lambda index: tuple(index[axis] for axis in axes)


def _work(engine: str, indices: Iterable[tuple[int, ...]], structure: Callable[[tuple[int, ...]], Hashable]) -> Work:
    indices = list(indices)
    return Work(engine, len(indices), frozenset(map(structure, indices)))


def _planned_jobs(todo: Mapping[str, list[list[tuple[int, ...]]]], threads: int | None) -> Iterator[Planned]:
    """Give (engine, indices, threads) of every job: a tile of theory cells, or one simulated cell."""
    for engine, tiles in todo.items():
        for tile in tiles:
            for group in [tile] if engine == "theory" else [[place] for place in tile]:
                yield engine, group, threads


def _with_tables(store: Store, planned: Planned) -> CellJob:
    """Return a job with its problems' tables, made when its turn comes: those of all jobs would fill the memory."""
    engine, indices, threads = planned
    spec = store.sweep
    return CellJob(
        engine,
        spec.engine == "both" and engine == "simulation",
        tuple(indices),
        tuple(_tables(spec, index) for index in indices),
        spec.measures,
        store.layout,
        ts.__version__,
        threads,
    )


def _tables(spec: Sweep, index: tuple[int, ...]) -> Mapping[str, Any] | str:
    try:
        return spec.tables_at(index)
    except ts.InputError as error:
        return str(error)


def _write(store: Store, engine: str, cells: Iterable[Cell]) -> None:
    try:
        store.write(engine, cells)
    except OSError as error:
        store.require_there()
        raise ts.InputError(
            "room for the store",
            f"{store.path} ({error.strerror or error})",
            "make room and start again: what was done is kept",
        ) from error


@contextlib.contextmanager
def _bar(total: int, progress: bool, store: Store) -> Iterator[Any]:
    with tqdm(total=total, disable=not internal.is_shown(progress), desc="sweep", bar_format=BAR) as bar:
        bar.set_postfix_str(", ".join(_unusual(store)), refresh=False)
        yield bar


AS_USUAL = (CellStatus.PENDING, CellStatus.DONE, CellStatus.NOT_ASKED)  # which "3 of 34" and the store's line say


def _unusual(store: Store) -> list[str]:
    """Return how many cells ended otherwise than done, such as "2 diverged"."""
    counts = store.counts().items()
    return [f"{count} {status.words}" for status, count in counts if status not in AS_USUAL]


def _asked(store: Store) -> int:
    return int(np.sum(store.status != CellStatus.NOT_ASKED))


def _done(store: Store) -> int:
    return int(np.sum(np.isin(store.status, FINISHED)))


def _agreeing(store: Store) -> tuple[int, int, float] | None:
    if store.sweep.engine != "both":
        return None
    agrees, p = (np.asarray(store.arrays[name][...]) for name in ("agrees", "agreement_p"))
    compared = int(np.sum(np.isfinite(agrees)))
    return int(np.nansum(agrees)), compared, min(1.0, float(np.nanmin(p, initial=1.0)) * compared)
