"""The command line's `teacher-student sweep`: a grid of problems into a store."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import teacher_student as ts
from teacher_student import internal

from ..running import Interrupted
from ..sweeps import CELL_TIMEOUT, FINISHED, RETRY, CellStatus
from ._arguments import again, whole_number
from ._exit_codes import ExitCode
from ._next_steps import Step, literal, numbers_of_sweep, say_next
from ._progress import progress_and_say


def add_sweep_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `sweep`."""
    parser.add_argument("sweep", metavar="SWEEP.toml", help="a problem file with [axes] (see docs/sweep.toml)")
    parser.add_argument("--out", metavar="STORE.zarr", help="default: the file's name with .zarr, here")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler; omitted: a local cluster")
    for option, what in (
        ("ca", "the authority's certificate"),
        ("cert", "this client's certificate"),
        ("key", "its key"),
    ):
        parser.add_argument(f"--tls-{option}", metavar="FILE", help=f"TLS to the scheduler: {what}, in PEM format")
    parser.add_argument(
        "--workers", type=whole_number, metavar="N", help="local processes (default: one per core; 0: none)"
    )
    parser.add_argument(
        "--retry", action="append", default=[], choices=list(RETRY), help="compute cells of this status again"
    )
    parser.add_argument(
        "--cell-timeout",
        default=f"{CELL_TIMEOUT:g}",
        metavar="SECONDS",
        help="how long a cell may take, compilation included, before it has timed out; off: any time. With --workers 0 "
        "no cell can be stopped (default: %(default)s)",
    )
    parser.add_argument("--seed", type=whole_number, help="the one seed that everything random follows from")
    parser.add_argument("--quiet", action="store_true", help="no progress and no next steps, only the last line")
    parser.set_defaults(action=_sweep)


def _sweep(options: argparse.Namespace) -> int:
    from ..sweeps import load_sweep, read_cell_timeout

    cell_timeout = read_cell_timeout(options.cell_timeout)
    spec = load_sweep(options.sweep, seed=options.seed)
    out = internal.as_path(Path(options.sweep).stem + ".zarr" if options.out is None else options.out)
    if options.workers is not None and options.workers < 0:
        raise ts.InputError("workers >= 0", options.workers)
    progress, say = progress_and_say(options)
    if out.exists():
        say(f"store       {out} is there: reading it")  # now: what computes takes seconds to load
    from ..sweeps import Tls, encrypted, run_sweep

    tls = Tls.of(options.tls_ca, options.tls_cert, options.tls_key)
    try:
        with encrypted(options.scheduler, tls) as scheduler:
            summary = run_sweep(
                spec,
                out,
                scheduler=scheduler,
                workers=options.workers,
                retry=options.retry,
                cell_timeout=cell_timeout,
                progress=progress,
                say=say,
            )
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {out} has {_done(out)} finished cells, and the same command goes on") from None
    print(f"{out}: {summary}")
    say_next(options, lambda: _after_sweep(options, out, summary.counts))
    without_values = summary.counts.get(CellStatus.FAILED) or summary.counts.get(CellStatus.TIMED_OUT)
    return ExitCode.NO if without_values else ExitCode.FINE


def _after_sweep(options: argparse.Namespace, out: Path, counts: Mapping[CellStatus, int]) -> list[Step]:
    """Return how to draw the store and open it in Python; or, where cells have no values, why and again."""
    from ..sweeps import open_sweep
    from ._next_pictures import draw_sweep

    retry = [name for name in ("failed", "timed out") if counts.get(RETRY[name])]
    if retry:
        texts = f'figures.open_sweep({literal(out)})["message"].to_series()'
        code = f'import figures; texts = {texts}; print(texts[texts != ""])'
        return [
            ("why cells have no values", ["python", "-c", code]),
            ("these cells again, once the reason is mended", again(options, retry=retry)),
        ]
    return [*draw_sweep(str(out), open_sweep(out)), numbers_of_sweep(out)]


def _done(store: Path) -> int:
    """Return the number of finished cells of a sweep's store."""
    from ..sweeps import open_sweep

    return int(open_sweep(store)["status"].isin(FINISHED).sum()) if store.exists() else 0
