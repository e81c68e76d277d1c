"""Progress bars: in a terminal and in a notebook, and nowhere else."""

import io
import sys

import pytest

import simulations
from teacher_student.internal import is_shown

from . import build


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


OutStream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})  # of a notebook's kernel


@pytest.mark.parametrize(
    ("stream", "shown"), [(Terminal(), True), (OutStream(), True), (io.StringIO(), False), (None, False)]
)
def test_a_bar_is_shown_where_somebody_looks(stream: object, shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    assert is_shown(True) is shown
    assert is_shown(False) is False


@pytest.mark.parametrize(("kind", "drawn"), [(Terminal, True), (io.StringIO, False)])
def test_a_simulation_draws_no_bar_into_a_file(
    kind: type[io.StringIO], drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = build.problem(blocks=1, K=1, M=1, student="linear", readout=(1.0,), readout_learning_rate=0.0)
    stream = kind()
    monkeypatch.setattr(sys, "stderr", stream)
    simulations.run(problem, 20, 3, [0.5], 0, start=build.overlaps(problem), test_samples=16)
    assert ("SGD N=20" in stream.getvalue()) is drawn


def test_the_line_of_a_running_sweep_says_only_what_its_count_does_not() -> None:
    """ "1 of 34, 33 pending, 1 done, 16 not asked" said one thing three times."""
    from types import SimpleNamespace

    from figures.sweeps import CellStatus
    from figures.sweeps._run import _unusual

    counts = {CellStatus.PENDING: 33, CellStatus.DONE: 1, CellStatus.NOT_ASKED: 16}
    assert _unusual(build.unchecked(SimpleNamespace(counts=lambda: counts))) == []
    counts |= {CellStatus.DIVERGED: 2, CellStatus.TIMED_OUT: 1}
    assert _unusual(build.unchecked(SimpleNamespace(counts=lambda: counts))) == ["2 diverged", "1 timed out"]
