"""The main job: theory, simulation, verdict, picture and files of one problem."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from functools import partial
from pathlib import Path
from typing import Any, Unpack, cast

import numpy as np

import teacher_student as ts
from teacher_student import internal

from ._comparison import Comparison, load_pictures
from ._describe import describe
from .experiment import (
    ChoiceArguments,
    Experiment,
    check_experiment,
    judge,
    make_experiment,
    planned,
    predict_fluctuations,
    prepared_beside,
    require_comparable,
    simulate,
    solve_theory,
)
from .running import COMPARISON_FILES, Interrupted, check_output, require_writable, stop_if_asked, write_pictures

SIMULATIONS = ("simulation", "smaller")  # files of the simulations, the larger dimension first
NOT_ALWAYS_WRITTEN = ("fluctuations", "smaller")  # files that only some comparisons have


def compare(
    problem: ts.Problem | Experiment,
    start: ts.Overlaps | str | Path | None = None,
    alphas: Any = None,
    *,
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = True,
    say: Callable[[str], None] = print,
    **choices: Unpack[ChoiceArguments],
) -> Comparison:
    """Solve, simulate, judge and draw: `compare(problem, start, alphas, ...)` or `compare(experiment, out)`.

    Theory and simulations begin at the same overlaps and are compared at the same alphas. Each result is written when
    it is there, so that what is finished is not lost; the picture comes last. One that
    cannot be drawn is a warning.

    Arguments:
      problem, start, alphas: a ts.Problem, the ts.Overlaps from which theory and every run start, and the times to
        record (alpha = samples / N). Or, in place of `problem`, an Experiment of a file, with `out` as the second.
      out: directory for the files, made if need be; None: nothing is written.
      force: write over an earlier comparison, and remove those of its files that this one may not write.
      progress: a progress bar. say: what gets each line of text.
      choices: of a problem, by name: dim=1000, runs=32 and all else that `figures.make_experiment` takes.
    Returns a Comparison: its `theory` (with alphas between the alphas, for a smooth line: `theory.at(alphas)`), `runs`,
    `agreement.verdict`, `table` and `plot()`.
    Raises InputError before computing, also for what could not be written to `out` (a lambda as an activation); and
    Interrupted after Ctrl-C (finished runs are then on disk, if there is `out`).
    """
    internal.refuse_fork()
    if isinstance(problem, Experiment):
        experiment, out = problem, _out_of(start, out)
        _refuse_choices([*choices, *([] if alphas is None else ["alphas"])])
        check_experiment(experiment)
    else:
        experiment = make_experiment(problem, cast(ts.Overlaps, start), alphas, **choices)  # it refuses anything else
    result = compare_experiment(experiment, out, force=force, progress=progress, say=say)
    say(result.agreement.verdict)
    return result


def compare_experiment(
    experiment: Experiment, out: str | Path | None, *, force: bool, progress: bool, say: Callable[[str], None]
) -> Comparison:
    """Compare as `compare` does, of an experiment that is checked; its verdict is not said."""
    require_comparable(experiment)
    out = None if out is None else internal.as_path(out)
    paths = {} if out is None else _checked_paths(experiment, out, force=force)
    stale = [out / COMPARISON_FILES[name] for name in NOT_ALWAYS_WRITTEN] if out is not None and force else []
    # After Ctrl-C only what this call wrote is named: with `force`, files of an earlier one may stand there too.
    before = {path: path.stat().st_mtime_ns for path in paths.values() if path.exists()}
    try:
        return _compare(experiment, paths, stale, progress, say)
    except Interrupted:
        raise
    except KeyboardInterrupt:
        written = [path for path in paths.values() if path.exists() and before.get(path) != path.stat().st_mtime_ns]
        raise Interrupted(_say_what_is_written(written)) from None


def _out_of(second: Any, out: str | Path | None) -> str | Path | None:
    """Return the output directory beside an experiment, whether it is the second argument or named."""
    if second is not None and out is not None:
        raise ts.InputError("one output directory beside an Experiment", f"{second!r} and {out!r}", "leave one out")
    if second is not None and not isinstance(second, (str, Path)):
        raise ts.InputError("an output directory as the second argument beside an Experiment", type(second).__name__)
    return out if second is None else second


def _refuse_choices(names: Sequence[str]) -> None:
    """Raise InputError for what an experiment has already chosen."""
    if names:
        remedy = "change it with dataclasses.replace, or give problem, start and alphas"
        raise ts.InputError("only out, force, progress and say beside an Experiment", ", ".join(names), remedy)


def _checked_paths(experiment: Experiment, out: Path, *, force: bool) -> dict[str, Path]:
    """Return where each result goes, by name; the directory is made. Raises InputError for what cannot be written."""
    require_writable(experiment.problem)
    unused = {"smaller"} if len(experiment.dims) == 1 else set()
    unused |= set() if experiment.fluctuations else {"fluctuations"}
    return check_output(out, {name: file for name, file in COMPARISON_FILES.items() if name not in unused}, force=force)


def _say_what_is_written(written: list[Path]) -> str:
    simulated = any(path.name.startswith("simulation") for path in written)
    stage = "interrupted" if simulated else "interrupted before a run had finished"
    return f"{stage}; written: {', '.join(map(str, written)) or 'nothing'}"


def _compare(
    experiment: Experiment,
    paths: dict[str, Path],
    stale: Sequence[Path],
    progress: bool,
    say: Callable[[str], None],
) -> Comparison:
    """Go through the stages of `compare`; each is said before it starts, and written when it ends.

    Ctrl-C is heeded between them. `stale` files of an earlier run are removed when the first file is written.
    """
    say(describe(experiment.problem))
    if _were_moved(experiment):
        say(f"            {experiment.alphas.size} alphas, moved to whole numbers of steps at N = {experiment.dims}")
    stop_if_asked()
    with prepared_beside(experiment, *([load_pictures] if paths else [])) as prepared:
        theory = solve_theory(experiment, say)
        # Only now, so that a run that comes to nothing removes nothing. What this run does not write itself would stay,
        # and `figure comparison` would draw it beside the new results.
        for path in stale:
            path.unlink(missing_ok=True)
        _save(theory, paths.get("theory"))
        stop_if_asked()
        bands = predict_fluctuations(experiment, say)
        _save(bands, paths.get("fluctuations"))
        stop_if_asked()
        experiment, plan = planned(experiment, bands, say)
        ensembles: list[ts.Trajectory | None] = []
        for which, ready in enumerate(prepared):
            wait([ready])
            ensembles.append(simulate(experiment, which, paths.get(SIMULATIONS[which]), progress, say))
            stop_if_asked()
    runs, smaller = [*ensembles, None][:2]
    assert runs is not None
    say("verdict     ...")
    verdict = judge(experiment, theory, runs, smaller, bands)
    written = {name: path for name, path in paths.items() if name != "fluctuations" or bands is not None}
    result = Comparison(theory, runs, smaller, verdict, written, bands, plan)
    if paths:
        internal.write_whole(paths["report"], partial(_write_report, result.report), force=True)
        stop_if_asked()
        say("picture     ...")
        draw(result)
        stop_if_asked()
        result = dataclasses.replace(result, paths={name: path for name, path in written.items() if path.exists()})
    return result


def _were_moved(experiment: Experiment) -> bool:
    """Say whether other alphas are recorded than those that were asked for."""
    alphas, wanted = experiment.alphas, experiment.wanted_alphas
    return alphas.size != wanted.size or not np.allclose(alphas, wanted, 0, 1e-9)


def _save(trajectory: ts.Trajectory | None, path: Path | None) -> None:
    """Write what there is, where there is a place for it."""
    if trajectory is not None and path is not None:
        trajectory.save(path, force=True)


def _write_report(report: str, path: Path) -> None:
    path.write_text(internal.sealed_json(report), encoding="utf-8")


def draw(result: Comparison) -> None:
    """Draw the comparison, and write the picture beside its other files. A failure is a warning."""
    from .pictures import comparison  # matplotlib takes half a second to import

    parts = result.theory, result.runs, result.agreement.to_dict(), result.bands
    write_pictures(partial(comparison, *parts), result.paths)
