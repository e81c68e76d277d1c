"""The best protocol of a problem file: the search, its files, its picture, and simulations that check it."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ode
import teacher_student as ts
from teacher_student import internal

from ._describe import describe
from ._optimum_files import report_of, tables_of
from .experiment import Experiment, ProtocolSearch, solve_theory
from .running import OPTIMUM_FILES, Interrupted, check_output, require_writable, stop_if_asked, write_pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Found:
    """What came of a search: the optimum, simulations that check it (None: not asked for), and what was written."""

    best: ode.protocols.Optimum
    check: Any
    paths: dict[str, Path]

    @property
    def word(self) -> str:
        """What the certificate says, in a word or two."""
        certificate = self.best.certificate
        if not certificate.first_order:
            return "REJECTED"
        return "EXTREMAL" if certificate.pontryagin else "FIRST-ORDER POINT"

    @property
    def verdict(self) -> str:
        """The last line of the command."""
        line = f"{self.word}: {self.best.criterion.name} = {self.best.cost:.8g}"
        return line if self.check is None else f"{line}; simulated: {self.check.verdict}"

    @property
    def holds(self) -> bool:
        """Whether the certificate holds, and simulations contradict neither a gain nor the optimum's theory."""
        return self.best.certificate.first_order and not (self.check is not None and _is_contradicted(self.check))


def _is_contradicted(check: Any) -> bool:
    """Return whether simulations contradict the theory. What they cannot see contradicts nothing."""
    return check.agreement.answer == "DISAGREE" or any(gain.verdict == "contradicted" for gain in check.gains)


@dataclasses.dataclass(frozen=True)
class _Output:
    """Where results go, by name, what is written of them by now, and what an earlier search left there."""

    paths: dict[str, Path]
    written: list[Path] = dataclasses.field(default_factory=list)
    stale: tuple[Path, ...] = ()

    def write(self, name: str, text: str) -> None:
        """Write a text; the first one removes what this search may not write over."""
        for path in self.stale if not self.written else ():
            path.unlink(missing_ok=True)
        internal.write_whole(self.paths[name], lambda part: part.write_text(text, encoding="utf-8"), force=True)
        self.written.append(self.paths[name])


def optimize_experiment(
    experiment: Experiment,
    search: ProtocolSearch,
    tables: Mapping[str, Any],
    out: str | Path,
    *,
    source: str,
    force: bool,
    progress: bool,
    say: Callable[[str], None],
) -> Found:
    """Search for the best protocol of an experiment that is checked, and write it to `out`.

    Arguments: search: what may be chosen, and what it is judged by. tables: of the problem file, which the file of the
    optimum keeps but for what changed. source: the file's name. force: write over earlier results. progress: a progress
    bar. say: what gets each line of text.
    Returns what was found. Raises InputError before computing, and Interrupted after Ctrl-C: the best protocol so far
    is then on disk, if a search had begun.
    """
    require_writable(experiment.problem)
    files = {name: file for name, file in OPTIMUM_FILES.items() if name != "check" or search.check is not None}
    paths = check_output(out, files, force=force)
    not_always = [internal.as_path(out) / OPTIMUM_FILES[name] for name in ("check", "png", "pdf")]
    output = _Output(paths, stale=tuple(not_always) if force else ())
    with _saying_what_is(output.written):
        return _found(experiment, search, tables, source, output, progress, say)


def _found(
    experiment: Experiment,
    search: ProtocolSearch,
    tables: Mapping[str, Any],
    source: str,
    output: _Output,
    progress: bool,
    say: Callable[[str], None],
) -> Found:
    """Go through the stages; what a stage has found is written when it ends. Ctrl-C is heeded between them."""
    say(describe(experiment.problem))
    say(f"optimum     {search.cost.name}: searching ...")
    best = _search(experiment, search, progress)
    say(best.describe())
    _write(best, experiment, tables, source, output, say)
    if best.status == "interrupted":
        raise KeyboardInterrupt
    stop_if_asked()
    check = _checked(best, search, output, progress, say)
    stop_if_asked()
    write_pictures(lambda: _picture(best), output.paths)
    return Found(best, check, {name: path for name, path in output.paths.items() if path.exists()})


def _search(experiment: Experiment, search: ProtocolSearch, progress: bool) -> ode.protocols.Optimum:
    with internal.about_entry("optimize"):
        try:
            return ode.optimize(
                experiment.problem,
                experiment.start,
                search.controls,
                search.cost,
                search.constraints,
                starts=search.starts,
                key=search.key,
                averages=experiment.averages,
                rtol=experiment.rtol,
                steps=search.steps,
                progress=progress,
            )
        except ts.InputError:
            stop_if_asked()  # of a search that Ctrl-C has ended there may be no protocol that does not diverge
            raise


@contextmanager
def _saying_what_is(written: list[Path]) -> Iterator[None]:
    """Say of Ctrl-C inside what is written by then."""
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:
        if not written:
            raise Interrupted("interrupted before there was a protocol; written: nothing") from None
        files = ", ".join(map(str, written))
        raise Interrupted(f"interrupted; the best protocol so far is written: {files}") from None


def _write(
    best: ode.protocols.Optimum,
    experiment: Experiment,
    tables: Mapping[str, Any],
    source: str,
    output: _Output,
    say: Callable[[str], None],
) -> None:
    """Write the problem under the optimum, the report, and the trajectory, which is that of the written problem."""
    optimal = tables_of(best, tables)
    head = (
        f"# The best protocol that `teacher-student optimize` found for {internal.one_line(source)}:\n"
        f"# {internal.one_line(best.criterion.name)} = {best.cost:.8g}\n\n"
    )
    output.write("problem", head + internal.toml_text(optimal))
    output.write("report", internal.sealed_json(report_of(best)))
    under = dataclasses.replace(experiment, problem=ts.problem_from_tables(optimal))
    solve_theory(under, say).save(output.paths["theory"], force=True)
    output.written.append(output.paths["theory"])


def _checked(
    best: ode.protocols.Optimum, search: ProtocolSearch, output: _Output, progress: bool, say: Callable[[str], None]
) -> Any:
    """Return simulations of the optimum beside those of the named orders, where they are asked for."""
    if search.check is None:
        return None
    dim, runs, key = search.check
    say(f"check       {runs} runs of each order at N = {dim} ...")
    check = best.check(dim, runs, key=key, progress=progress)
    output.write("check", f"{check}\n")
    say(str(check))
    return check


def _picture(best: ode.protocols.Optimum) -> Figure:
    return best.plot()[0]
