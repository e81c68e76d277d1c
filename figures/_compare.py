"""The main job: theory, simulation, verdict, picture and files of one problem."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import contextlib
import dataclasses
import importlib
import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np

import ode
import simulations
import teacher_student as ts

from ._ctrl_c import stop_if_asked
from ._interrupted import Interrupted
from ._output import COMPARISON_FILES, check_output
from ._settings import Settings
from ._settings_file import require_runs


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Results of `compare`: both trajectories, the verdict, and the paths of what was written.

    bands: theory with fluctuations at the recorded alphas, and predicted: the verdict with these (None without).
    """

    theory: ts.Trajectory
    runs: ts.Trajectory
    smaller: ts.Trajectory | None
    agreement: simulations.Agreement
    paths: dict[str, Path]
    bands: ts.Trajectory | None = None
    predicted: simulations.Agreement | None = None

    @property
    def table(self) -> str:
        """The verdict's table, with the other statistic as its last row: the predicted spread and 1/N term."""
        if self.predicted is None or self.predicted is self.agreement:
            return self.agreement.table
        other, own = self.predicted, self.agreement
        differs = "" if other.agrees == own.agrees else "; it differs from the verdict, which allows for any spread"
        outcome = f"{'agrees' if other.agrees else 'disagrees'}, largest |z| {other.worst_z:.2f}, p = {other.p:.3g}"
        return f"{own.table}\nwith predicted spread and 1/N term: {outcome}{differs}"


def compare(
    settings: Settings,
    out: str | Path,
    *,
    force: bool = False,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> Comparison:
    """Solve, simulate, judge, draw and write one problem.

    Arguments: settings: of `load_settings` or `read_settings`. out: directory, made if need be; force: overwrite.
    progress: a progress bar. say: what gets each line of text.
    Raises InputError before computing, Interrupted after Ctrl-C (finished runs are then on disk).
    """
    require_runs(settings.simulation)
    unused = {"smaller"} if len(settings.dims) == 1 else set()
    unused |= set() if settings.fluctuations else {"fluctuations"}
    paths = {name: Path(out) / file for name, file in COMPARISON_FILES.items() if name not in unused}
    check_output(Path(out), list(paths.values()), force=force)
    before = {path: path.stat().st_mtime_ns for path in paths.values() if path.exists()}
    try:
        return _compare(settings, paths, progress, say)
    except Interrupted:
        raise
    except KeyboardInterrupt:
        written = [path for path in paths.values() if path.exists() and before.get(path) != path.stat().st_mtime_ns]
        raise Interrupted(_what_is_there(written)) from None


def _what_is_there(written: list[Path]) -> str:
    simulated = any(path.name.startswith("simulation") for path in written)
    stage = "interrupted" if simulated else "interrupted before a run had finished"
    return f"{stage}; written: {', '.join(map(str, written)) or 'nothing'}"


def _compare(settings: Settings, paths: dict[str, Path], progress: bool, say: Callable[[str], None]) -> Comparison:
    """The stages of `compare`: each is said before it starts and written when it ends; Ctrl-C is heeded between."""
    alphas, start = settings.alphas(), settings.overlaps()
    say(describe(settings))
    if alphas.size != settings.wanted_alphas().size or not np.allclose(alphas, settings.wanted_alphas(), 0, 1e-9):
        say(f"            {alphas.size} alphas, moved to whole numbers of steps at N = {settings.dims}")
    stop_if_asked()
    with _prepared_beside(settings, start) as prepared:
        theory = solve_theory(settings, start, alphas, say)
        theory.save(paths["theory"], force=True)
        stop_if_asked()
        bands = _fluctuations(settings, start, alphas, say) if settings.fluctuations else None
        if bands is not None:
            bands.save(paths["fluctuations"], force=True)
        stop_if_asked()
        ensembles = []
        for dim, name in zip(settings.dims, ("simulation", "smaller"), strict=False):
            wait([prepared[dim]])
            ensembles.append(_simulate(settings, start, alphas, dim, name, paths[name], progress, say))
            stop_if_asked()
    runs, smaller = ensembles[0], ensembles[1] if len(ensembles) > 1 else None
    say("verdict     ...")
    verdict, predicted = _judge(settings, theory, runs, smaller, bands)
    say(verdict.verdict)
    ts.write_whole(paths["report"], lambda path: path.write_text(verdict.to_json()), force=True)
    stop_if_asked()
    say("picture     ...")
    _draw(theory, runs, verdict, bands, paths)
    stop_if_asked()
    written = {name: path for name, path in paths.items() if name != "fluctuations" or bands is not None}
    return Comparison(theory, runs, smaller, verdict, written, bands, predicted)


@contextlib.contextmanager
def _prepared_beside(settings: Settings, start: ts.Overlaps) -> Iterator[dict[int, Future[None]]]:
    """Compile the simulations, and load what draws, in a thread beside the theory: most of their time is that.

    Gives what to wait for, by dimension. A failure is left to the simulation itself, which says it.
    """
    pool = ThreadPoolExecutor(1)
    try:
        prepared = {
            dim: pool.submit(
                simulations.prepare, settings.problem, dim, start=start, precision=settings.simulation.precision
            )
            for dim in settings.dims
        }
        pool.submit(importlib.import_module, "._comparison_plot", __package__)
        yield prepared
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # after Ctrl-C too


def solve_theory(
    settings: Settings, start: ts.Overlaps, alphas: np.ndarray, say: Callable[[str], None]
) -> ts.Trajectory:
    """Solve the ODEs from `start` to `alphas`, with points between them for a smooth line; what is done is said."""
    say("theory      solving ...")
    clock = time.perf_counter()
    theory = ode.solve(
        settings.problem,
        start,
        with_points_between(alphas),
        averages=settings.averages(),
        rtol=settings.theory.rtol,
        atol=settings.theory.atol,
    )
    steps = int(np.sum(theory.stats["num_steps"]))
    say(
        f"            {theory.source.method}, {steps} steps, {theory.describe()} "
        f"({time.perf_counter() - clock:.1f} s with compilation)"
    )
    return theory


def _judge(
    settings: Settings,
    theory: ts.Trajectory,
    runs: ts.Trajectory,
    smaller: ts.Trajectory | None,
    bands: ts.Trajectory | None,
) -> tuple[simulations.Agreement, simulations.Agreement | None]:
    """The verdict that is asked for, and the one with spread and 1/N term of theory (None without these)."""
    predicted = None if bands is None else simulations.agreement(bands, runs, spread="predicted", level=settings.level)
    if settings.spread == "predicted":
        assert predicted is not None  # `check_settings` comes first
        return predicted, predicted
    return simulations.agreement(theory, runs, smaller, level=settings.level, seed=settings.seed), predicted


def _draw(
    theory: ts.Trajectory,
    runs: ts.Trajectory,
    verdict: simulations.Agreement,
    bands: ts.Trajectory | None,
    paths: dict[str, Path],
) -> None:
    from ._comparison_plot import comparison  # matplotlib takes half a second to import

    figure = comparison(theory, runs, verdict.to_dict(), bands)
    for kind in ("png", "pdf"):
        ts.write_whole(paths[kind], lambda path: figure.savefig(path, dpi=200), force=True)
        stop_if_asked()


def _fluctuations(
    settings: Settings, start: ts.Overlaps, alphas: np.ndarray, say: Callable[[str], None]
) -> ts.Trajectory | None:
    """Theory with fluctuations at the recorded alphas; None, and said, where it cannot be had and was not asked for."""
    say("            fluctuations ...")
    clock = time.perf_counter()
    try:
        bands = ode.fluctuations(
            settings.problem,
            start,
            alphas,
            averages=settings.averages(),
            rtol=settings.theory.rtol,
            atol=settings.theory.atol,
        )
    except ts.InputError as error:
        if settings.theory.fluctuations or settings.spread == "predicted":
            raise
        say(f"            no fluctuations: {error}")
        return None
    say(f"            fluctuations at N = {settings.dims[0]} ({time.perf_counter() - clock:.1f} s with compilation)")
    return bands


def with_points_between(alphas: np.ndarray) -> np.ndarray:
    """The recorded alphas, the start, and points between them, so that the theory is drawn as a smooth line."""
    knots = np.concatenate([[0.0], alphas])
    return np.concatenate([[0.0], *(np.linspace(a, b, 9)[1:] for a, b in itertools.pairwise(knots) if b > a)])


def _simulate(
    settings: Settings,
    start: ts.Overlaps,
    alphas: np.ndarray,
    dim: int,
    name: str,
    path: Path,
    progress: bool,
    say: Callable[[str], None],
) -> ts.Trajectory:
    wanted = settings.simulation
    precision = wanted.precision or simulations.usual_precision(settings.problem, dim)
    need = simulations.memory(settings.problem, dim, precision=precision, runs=wanted.runs) / 2**20
    say(f"simulation  N = {dim}, {wanted.runs} runs, {precision}, about {max(need, 1):.0f} MiB ...")
    clock = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an interruption is reported below
        runs = simulations.run(
            settings.problem,
            dim,
            wanted.runs,
            alphas,
            settings.key("runs" if name == "simulation" else "smaller runs"),
            start=start,
            precision=precision,
            test_samples=wanted.test_samples,
            progress=progress,
        )
    runs.save(path, force=True)
    if runs.runs != wanted.runs:
        raise Interrupted(f"interrupted; {runs.runs} finished runs at N = {dim} are in {path}")
    say(f"            {runs.describe()} ({time.perf_counter() - clock:.1f} s with compilation)")
    return runs


def describe(settings: Settings) -> str:
    """The problem in a few lines."""
    problem = settings.problem
    task, student, sgd = problem.task, problem.student, problem.sgd
    blocks = ", ".join(
        f"{name} {share:g}" for name, share in zip(problem.inputs.block_names, problem.inputs.fractions, strict=True)
    )
    curriculum = problem.curriculum
    order = ", then ".join(
        f"{name} for {duration:g}"
        for name, duration in zip(curriculum.phase_names(), curriculum.durations, strict=True)
    )
    entries = {name: entry for name, entry in task.to_table().items() if isinstance(entry, (str, int, float))}
    teacher = ", ".join([type(task).__name__, f"M = {task.latents}", *(f"{k} {v}" for k, v in entries.items())])
    rates = f"learning rate {float(sgd.learning_rate):g}"
    for name, rate in (("readout learning rate", sgd.readout_learning_rate), ("weight decay", sgd.weight_decay)):
        rates += f", {name} {float(rate):g}" if rate else ""
    return "\n".join(
        [
            f"problem     teacher: {teacher}; blocks {blocks}",
            f"            student: K = {student.width}, {student.activation.name}; {rates}, {sgd.loss} loss",
            f"            curriculum: {order} (alpha = samples / N)",
        ]
    )
