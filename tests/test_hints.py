"""What a message says beside what is wrong: what may be meant by it."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import figures
import ode
import simulations
import teacher_student as ts
from figures.command._arguments import whole_number
from figures.command._main import main

from . import build
from .test_plots import made_up
from .test_verdict import judge, runs

PROBLEM = build.problem(blocks=2, K=3, M=2, readout=(1.0, 1.0))
ALPHAS = np.array([0.5, 1.0])
RANGE = {"rate": {"sgd.learning_rate": {"from": 0.1, "to": 1.0, "num": 5}}}


def start(dim: int = 1000) -> ts.Overlaps:
    return ts.random_overlaps(PROBLEM, dim=dim, key=0)


HINTS: dict[str, Callable[[], object]] = {
    r"give the phases as arguments: phases\(\*list\)": lambda: ts.Curriculum.phases(
        build.unchecked([("easy", 4.0), ("hard", 4.0)])
    ),
    "level and duration are exchanged": lambda: ts.Curriculum.phases(build.unchecked((4.0, "easy"))),
    "dim comes before runs: are 3 and 500 exchanged": lambda: simulations.run(PROBLEM, 3, 500, ALPHAS, 0),
    "dim comes before runs: are 4 and 500": lambda: simulations.run(PROBLEM, 4, 500, ALPHAS, 0, start=start()),
    r"Overlaps; the order is \(problem, start, alphas\)": lambda: ode.solve(PROBLEM, build.unchecked(ALPHAS), start()),
    r"random_overlaps; the order is": lambda: ode.solve(PROBLEM, build.unchecked(ALPHAS), ALPHAS),
    "at the smaller N = 5 that measures the 1/N term": lambda: figures.make_experiment(
        PROBLEM, start(), ALPHAS, dim=20, runs=12, spread="measured"
    ),
    "did you mean 'axes'": lambda: figures.read_sweep({"task": {}, "axis": RANGE}),
    "got: 'num'; did you mean 'count'": lambda: figures.read_sweep({"task": {}, "axes": RANGE}),
}


@pytest.mark.parametrize("hint", HINTS)
def test_a_message_says_what_may_be_meant(hint: str) -> None:
    with pytest.raises(ts.InputError, match=hint):
        HINTS[hint]()


def test_no_exchange_is_asked_about_where_dim_is_the_larger() -> None:
    with pytest.raises(ts.InputError) as caught:
        simulations.run(PROBLEM, 3, 2, ALPHAS, 0)
    assert "exchanged" not in str(caught.value)


@pytest.mark.parametrize(("name", "place"), [("Q", "overlaps.Q"), ("T", "overlaps.T"), ("alpha", "alphas")])
def test_a_trajectory_says_where_its_letters_are(name: str, place: str) -> None:
    theory = made_up()
    with pytest.raises(AttributeError, match=f"no attribute '{name}'; take `.{place}`"):
        getattr(theory, name)
    with pytest.raises(AttributeError, match=r"no attribute 'nothing'$"):
        theory.nothing  # type: ignore[attr-defined]  # noqa: B018  # that it is not there is the point
    assert not hasattr(theory, name)
    for other in (copy.copy(theory), copy.deepcopy(theory), pickle.loads(pickle.dumps(theory))):
        assert other == theory


@pytest.mark.long
@pytest.mark.slow
def test_a_verdict_at_too_small_an_n_says_so_in_its_line() -> None:
    """With --quiet nothing but the line is seen."""
    verdict = judge(runs(8))
    assert "below" not in verdict.verdict
    small = dataclasses.replace(verdict, notes=("N = 60 is below 10 times the number of overlaps, 12: the next order",))
    assert "; N = 60 is below 10 times the number of overlaps, 12, which makes false alarms" in small.verdict


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["comapre", "a.toml"], "did you mean 'compare'?"),
        (["figure", "curve"], "did you mean 'curves'?"),
        (["compare", "a.toml", "--dims", "5"], "unrecognized arguments: --dims 5; did you mean '--dim'?"),
        (["mine.toml"], "did you mean `teacher-student compare mine.toml`?"),
        (["compare", "--dim", "1.5"], "argument --dim: a whole number, and not '1.5'"),
    ],
)
def test_the_command_line_says_what_may_be_meant(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert capsys.readouterr().err.rstrip().endswith(hint)


def test_a_whole_number_may_have_an_exponent() -> None:
    assert [whole_number(text) for text in ("1000", "1e3", "-2", "1.0e4")] == [1000, 1000, -2, 10_000]
    wrong: list[Any] = ["1.5", "many", "inf", "nan", "", "1e400"]
    for text in wrong:
        with pytest.raises(Exception, match="a whole number"):
            whole_number(text)
