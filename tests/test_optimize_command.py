"""`teacher-student optimize`: [optimize] of a file, what is written, exit codes, Ctrl-C that keeps the best so far."""

import dataclasses
import json
import os
import signal
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import figures
import ode
import teacher_student as ts
from figures import _optimize
from figures._optimum_files import tables_of
from figures.command._main import main
from figures.experiment import load_tables, read_file, read_search
from ode import protocols
from ode.protocols._protocol import Protocol
from teacher_student.internal import check_sealed_json, key_numbers, toml_text

ROOT = Path(__file__).parents[1]
PROBLEM = """
seed = 3
[task]
fractions = { relevant = 0.5, irrelevant = 0.5 }
width = 1
activation = "sign"
labels = "sign"
support = "relevant"
[task.levels]
easy = { relevant = 1.0, irrelevant = 0.0 }
hard = { relevant = 1.0, irrelevant = 2.0 }
[student]
width = 1
[sgd]
learning_rate = 3.0
[curriculum]
phases = [["easy", 3.0], ["hard", 3.0]]
[start]
Q = [[[0.5]], [[0.5]]]
R = [[[0.0]], [[0.0]]]
T = [[[1.0]], [[0.0]]]
[record]
alphas = [3.0, 6.0]
"""
SHARES = """
[optimize]
cost = { final = "accuracy", on = { easy = 0.5, hard = 0.5 } }
shares = { phases = 2 }
fixed_shares = { easy = 0.5, hard = 0.5 }
starts = 0
"""
NUMBERS = """
[optimize]
cost = { final = "accuracy", on = "hard" }
values = { "sgd.learning_rate" = { bounds = [0.0, 2.0], phases = 2, monotone = "decreasing" } }
starts = 0
"""
FILES = {"optimum.toml", "theory.nc", "report.json", "optimum.png", "optimum.pdf"}


@pytest.fixture(autouse=True)
def _picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of nothing: what it shows is tested where it is drawn."""
    monkeypatch.setattr(_optimize, "_picture", lambda best: Figure((1, 1)))


def optimize(folder: Path, text: str, *options: str) -> tuple[int, Path]:
    file, out = folder / "problem.toml", folder / "out"
    file.write_text(PROBLEM + text)
    return main(["optimize", str(file), "--out", str(out), *options]), out


@pytest.fixture(scope="module")
def best() -> protocols.Optimum:
    """The optimum of SHARES, as the command finds it."""
    tables = tomllib.loads(PROBLEM + SHARES)
    experiment = figures.read_experiment(tables, simulated=False)
    return _optimize._search(experiment, read_search(tables, experiment.problem), False)


@pytest.fixture
def found(best: protocols.Optimum, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let every search find the same at once, but for what is changed of it."""

    def find(**changes: Any) -> None:
        monkeypatch.setattr(ode, "optimize", lambda *_, **__: dataclasses.replace(best, **changes))

    find()
    return find


# ---- what is found and written


def test_it_prints_and_writes_the_optimum(
    found: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = optimize(tmp_path, SHARES)
    printed = capsys.readouterr()
    assert code == 0
    assert {path.name for path in out.iterdir()} == FILES
    lines = printed.out.splitlines()
    assert lines[-1] == "FIRST-ORDER POINT: final 1 - accuracy on 0.5 easy + 0.5 hard = 0.15256543"
    assert any(line.split()[:3] == ["easy,", "hard", "0.15586177"] for line in lines)  # a named order
    assert "teacher-student compare" in printed.err
    report = json.loads((out / "report.json").read_text())
    check_sealed_json(out / "report.json", (out / "report.json").read_text())
    assert report["cost"]["value"] == pytest.approx(0.15256543, abs=1e-8)
    assert set(report["named"]) == {"easy, hard", "hard, easy", "mixed"}
    assert report["certificate"]["first_order"] is True
    assert report["certificate"]["kkt"] < 1e-4
    assert len(report["variables"]) == 2
    assert len(report["searches"]) == 6
    assert report["versions"]["jax"]


def test_the_file_of_the_optimum_is_a_problem_of_the_same_cost(found: Callable[..., None], tmp_path: Path) -> None:
    """Read again, it keeps what the protocol has not changed, and its accuracy at the end is the optimum's."""
    code, out = optimize(tmp_path, SHARES + "[theory]\nrtol = 1e-9\natol = 1e-11\n", "--quiet")
    assert code == 0
    written, given = (tomllib.loads(path.read_text()) for path in (out / "optimum.toml", tmp_path / "problem.toml"))
    assert set(given) - set(written) == {"optimize"}
    assert {name: table for name, table in given.items() if name not in ("optimize", "curriculum")} == {
        name: table for name, table in written.items() if name != "curriculum"
    }
    assert main(["solve", str(out / "optimum.toml"), "--out", str(tmp_path / "again"), "--quiet"]) == 0
    cost = json.loads((out / "report.json").read_text())["cost"]["value"]
    for folder in (out, tmp_path / "again"):
        theory = ts.Trajectory.load(folder / "theory.nc")
        accuracy = theory.at([6.0]).accuracy
        assert 1 - float(np.mean([accuracy["easy"], accuracy["hard"]])) == pytest.approx(cost, abs=1e-8)
    figures.load_experiment(out / "optimum.toml")  # for `compare`


@pytest.mark.slow
def test_values_over_time_are_schedules_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = optimize(tmp_path, NUMBERS, "--quiet")
    assert code == 0
    assert capsys.readouterr().out.count("\n") == 1
    problem = figures.load_experiment(out / "optimum.toml", simulated=False).problem
    first, last = (float(problem.sgd.learning_rate(alpha)) for alpha in (1.0, 5.0))
    assert first == 2.0 > last > 0  # the bound, and less
    assert problem.curriculum.phase_names() == ("easy", "hard")
    report = json.loads((out / "report.json").read_text())
    assert list(report["variables"].values()) == pytest.approx([first, last])


def test_phases_end_where_they_did_to_the_last_digit(best: protocols.Optimum) -> None:
    """Recorded alphas up to the end stay within it, whatever the durations sum to."""
    for durations in ([0.1, 0.2, 5.7], [1 / 3, 2.0, 11 / 3], [1.4011699, 3.0000001, 1.5988300]):
        order = zip(("easy", "hard", "easy"), durations, strict=True)
        problem = dataclasses.replace(best.problem, curriculum=ts.Curriculum.phases(*order))
        tables = tables_of(dataclasses.replace(best, problem=problem), tomllib.loads(PROBLEM + SHARES))
        assert float(ts.problem_from_tables(tables).curriculum.end) == 6.0
        assert [phase[0] for phase in tables["curriculum"]["phases"]] == ["easy", "hard", "easy"]


def test_phases_that_go_on_are_one(best: protocols.Optimum) -> None:
    mixed = {"easy": 0.25, "hard": 0.75}
    order = [
        ("easy", 1.0),
        ("easy", 1.0),
        (mixed, 0.5),
        (mixed, 0.5),
        (mixed, "easy", 1.0),
        ("easy", 1.0),
        ("hard", 1.0),
    ]
    problem = dataclasses.replace(best.problem, curriculum=ts.Curriculum.phases(*order))
    tables = tables_of(dataclasses.replace(best, problem=problem), tomllib.loads(PROBLEM))
    phases = [["easy", 2.0], [mixed, 1.0], [mixed, "easy", 1.0], ["easy", 1.0], ["hard", 1.0]]
    assert tables["curriculum"] == {"phases": phases}


def test_a_seed_chooses_the_random_starts(tmp_path: Path, found: Callable[..., None]) -> None:
    keys = []
    for seed in (3, 4):
        tables = tomllib.loads(PROBLEM + SHARES) | {"seed": seed}
        problem = ts.problem_from_tables(tables)
        keys.append(read_search(tables, problem).key)
    first, second = (np.asarray(key_numbers(key)) for key in keys)
    assert not np.array_equal(first, second)
    _, out = optimize(tmp_path, SHARES, "--seed", "5", "--quiet")
    assert tomllib.loads((out / "optimum.toml").read_text())["seed"] == 5


# ---- exit codes


def test_sabotage_a_certificate_that_rejects_has_exit_code_1(
    best: protocols.Optimum, found: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found(certificate=dataclasses.replace(best.certificate, slopes=0.1))
    code, out = optimize(tmp_path, SHARES)
    assert code == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("REJECTED: final 1 - accuracy")
    assert json.loads((out / "report.json").read_text())["certificate"]["first_order"] is False
    assert {path.name for path in out.iterdir()} == FILES  # for whoever wants to know why


@pytest.mark.slow
def test_a_search_that_is_cut_short_is_rejected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = optimize(tmp_path, NUMBERS + "steps = 1\n", "--quiet")
    assert code == 1
    assert capsys.readouterr().out.startswith("REJECTED")
    assert json.loads((out / "report.json").read_text())["status"] == "stopped"


def test_the_word_of_the_verdict_is_that_of_the_certificate(best: protocols.Optimum) -> None:
    words = {}
    for violation, kkt in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5)):
        certificate = dataclasses.replace(best.certificate, violation=violation, kkt=kkt, stretches=())
        word = _optimize.Found(dataclasses.replace(best, certificate=certificate), None, {}).word
        words[word] = certificate.describe().partition("\n")[0]
    assert list(words) == ["EXTREMAL", "FIRST-ORDER POINT", "REJECTED"]
    assert all(line.startswith(word) for word, line in words.items())


CHECKS = [  # verdict on a gain, answer of the agreement, exit code
    ("confirmed", "AGREE", 0),
    ("too small to see with these runs", "NO VERDICT", 0),
    ("contradicted", "AGREE", 1),
    ("confirmed", "DISAGREE", 1),
]


@pytest.mark.parametrize(("gain", "answer", "code"), CHECKS)
def test_simulations_that_contradict_have_exit_code_1(
    gain: str,
    answer: str,
    code: int,
    found: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dataclasses.dataclass
    class Check:
        """What `Optimum.check` returns, as far as the command uses it."""

        gains: tuple[Any, ...]
        agreement: Any
        verdict: str = "gain as measured"

        def __str__(self) -> str:
            return "gains: as measured"

    asked: list[tuple[int, int]] = []

    def check(self: protocols.Optimum, dim: int, runs: int, *, key: Any, progress: bool) -> Check:
        asked.append((dim, runs))
        return Check((SimpleNamespace(verdict=gain),), SimpleNamespace(answer=answer))

    monkeypatch.setattr(protocols.Optimum, "check", check)
    ended, out = optimize(tmp_path, SHARES + "check = { runs = 8 }\n[simulation]\ndim = 200\n")
    assert ended == code
    assert asked == [(200, 8)]  # what is left out is as in [simulation]
    assert (out / "check.txt").read_text() == "gains: as measured\n"
    assert capsys.readouterr().out.splitlines()[-1].endswith(" = 0.15256543; simulated: gain as measured")
    ended, _ = optimize(tmp_path, SHARES, "--force", "--quiet")
    assert (ended, (out / "check.txt").exists()) == (0, False)  # it would stand beside what it does not check


def test_a_picture_that_fails_is_a_warning(
    found: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(best: protocols.Optimum) -> Figure:
        raise ValueError("no font")

    monkeypatch.setattr(_optimize, "_picture", fail)
    code, out = optimize(tmp_path, SHARES)
    assert code == 0
    assert "no optimum.png, optimum.pdf: ValueError: no font; all else is written" in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {"optimum.toml", "theory.nc", "report.json"}


# ---- where it is written


def test_results_are_written_over_only_with_force(
    found: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = optimize(tmp_path, SHARES, "--quiet")
    assert code == 0
    (out / "notes.txt").write_text("mine")
    before = (out / "optimum.toml").stat().st_mtime_ns
    code, _ = optimize(tmp_path, SHARES, "--quiet")
    captured = capsys.readouterr()
    assert (code, captured.err.count("\n")) == (2, 1)
    assert "add --force" in captured.err
    assert (out / "optimum.toml").stat().st_mtime_ns == before
    code, _ = optimize(tmp_path, SHARES, "--quiet", "--force")
    assert code == 0
    assert (out / "optimum.toml").stat().st_mtime_ns > before
    assert {path.name for path in out.iterdir()} == FILES | {"notes.txt"}


def test_a_place_that_cannot_be_written_is_known_before_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ode, "optimize", lambda *_, **__: pytest.fail("it searched"))
    (tmp_path / "out").touch()
    code, _ = optimize(tmp_path, SHARES)
    assert code == 2
    assert "writable output directory" in capsys.readouterr().err


# ---- Ctrl-C


@pytest.fixture
def _heard() -> Iterator[None]:
    """SIGINT as in a terminal: a shell that starts the tests in the background has them ignore it."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.mark.slow
@pytest.mark.usefixtures("_heard")
def test_ctrl_c_keeps_the_best_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is pressed in the first search, of which there is a protocol by then."""
    honest, calls = Protocol.value_and_gradient, []

    def pressed(self: Protocol, x: np.ndarray) -> tuple[float, np.ndarray]:
        calls.append(x)
        if len(calls) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return honest(self, x)

    monkeypatch.setattr(Protocol, "value_and_gradient", pressed)
    code, out = optimize(tmp_path, SHARES)
    assert code == 130
    said = capsys.readouterr().err
    assert said.startswith("teacher-student: interrupted; the best protocol so far is written: ")
    assert said.count("\n") == 1
    assert {path.name for path in out.iterdir()} == {"optimum.toml", "report.json", "theory.nc"}
    assert all(str(out / name) in said for name in ("optimum.toml", "report.json", "theory.nc"))
    report = json.loads((out / "report.json").read_text())
    assert report["status"] == "interrupted"
    assert report["cost"]["value"] < 0.1559  # easy-to-hard, from which the search began
    figures.load_experiment(out / "optimum.toml")


@pytest.mark.usefixtures("_heard")
def test_ctrl_c_before_there_is_a_protocol_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ode, "optimize", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))
    code, out = optimize(tmp_path, SHARES)
    assert code == 130
    assert capsys.readouterr().err == "teacher-student: interrupted before there was a protocol; written: nothing\n"
    assert not list(out.iterdir())


@pytest.mark.usefixtures("_heard")
def test_ctrl_c_in_the_picture_loses_nothing(
    found: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def press(best: protocols.Optimum) -> Figure:
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it went on")

    monkeypatch.setattr(_optimize, "_picture", press)
    code, out = optimize(tmp_path, SHARES)
    assert code == 130
    assert "is written" in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {"optimum.toml", "report.json", "theory.nc"}


# ---- tables


BAD = [  # in place of a line of SHARES: part of the message
    ("[optimize]", "[optimise]", "did you mean 'optimize'"),
    ("starts = 0", "start = 0", "known keys in [optimize]; got: 'start'; did you mean 'starts'"),
    ("cost = {", "costs = {", "did you mean 'cost'"),
    ("starts = 0", "starts = -1", "optimize.starts >= 0; got: -1"),
    ("starts = 0", "starts = 0\nsteps = 0", "optimize.steps >= 1"),
    ("starts = 0", 'starts = "two"', "'two' is not an integer"),
    ('final = "accuracy"', 'finally = "accuracy"', "did you mean 'final'"),
    ('final = "accuracy"', 'final = "acuracy"', "did you mean 'accuracy'"),
    ('final = "accuracy", ', "", "one cost (final, integrated, time_to, own); got: none"),
    ('final = "accuracy"', 'final = "error", integrated = "error"', "one cost (final, integrated, time_to, own)"),
    ('final = "accuracy"', 'time_to = "accuracy"', "value = what is to be reached"),
    ('final = "accuracy"', 'final = "accuracy", value = 0.1', "no 'value' in a cost 'final'; got: 0.1; leave it out"),
    ('final = "accuracy"', 'integrated = "error", at = 3.0', "no 'at' in a cost 'integrated'"),
    ('final = "accuracy"', 'final = "accuracy", at = [3.0, 7.0]', "times of a cost up to the curriculum's end, 6"),
    ('final = "accuracy"', 'final = "accuracy", at = [6.0, 3.0]', "increasing times of a cost"),
    ('final = "accuracy"', 'time_to = "error", value = -1.0', "value that is to be reached"),
    (", on = { easy = 0.5, hard = 0.5 } }", " }", "on = a level, or { level = weight, ... }"),
    ("{ easy = 0.5, hard = 0.5 } }", '"hrad" }', "known level of the problem; got: 'hrad'; did you mean 'hard'"),
    (
        "{ easy = 0.5, hard = 0.5 } }",
        "{ easy = 0.5, hard = 0.6 } }",
        "weights of a cost that sum to 1; got: a sum of 1.1",
    ),
    ("{ easy = 0.5, hard = 0.5 } }", "{ easy = 1.5, hard = -0.5 } }", "weights of a cost >= 0"),
    ("shares = { phases = 2 }", "", "an order that may be chosen, for fixed_shares"),
    (
        "shares = { phases = 2 }",
        "shares = { phases = 2 }\norder = {}",
        "one of order, shares, switches; got: order and shares",
    ),
    ("shares = { phases = 2 }", "shares = { phases = 0 }", "an integer number of phases >= 1"),
    ("shares = { phases = 2 }", 'shares = { shape = "lienar" }', "did you mean 'linear'"),
    ("shares = { phases = 2 }", 'shares = { levels = ["easy"] }', "two levels or more"),
    ("shares = { phases = 2 }", 'shares = { levels = ["easy", "heard"] }', "did you mean 'hard'"),
    ("shares = { phases = 2 }", "order = { ramps = 0 }", "number of ramps >= 1"),
    ("shares = { phases = 2 }", 'switches = ["easy"]', "two phases or more"),
    ("shares = { phases = 2 }", 'switches = ["easy", "herd"]', "did you mean 'hard'"),
    ("shares = { phases = 2 }", 'switches = ["easy", { hard = 0.5 }]', "sum to 1 in each phase"),
    ("fixed_shares = { easy = 0.5", "fixed_shares = { easy = 0.6", "fixed shares that sum to 1"),
    (
        "shares = { phases = 2 }\nfixed_shares = { easy = 0.5, hard = 0.5 }",
        'switches = ["easy", { easy = 0.5, hard = 0.5 }]\nfixed_shares = { easy = 0.2, hard = 0.8 }',
        "a share of easy between 0.5 and 1, which the controls can meet; got: 0.2",
    ),
    ("starts = 0", "budget = { prices = { easy = 1.0, hard = 2.0 }, at_most = 3.0 }", "a budget of at least 6"),
    ("starts = 0", "budget = { prices = { easy = -1.0 }, at_most = 3.0 }", "prices of a budget >= 0"),
    ("starts = 0", "budget = { prices = { easy = 1.0 } }", "'at_most'"),
    ("starts = 0", "check = { runs = 1 }", "optimize.check.runs >= 3"),
    ("starts = 0", "check = { dim = 0 }", "optimize.check.dim >= 1"),
]
BAD_NUMBERS = [
    (
        "bounds = [0.0, 2.0]",
        "bounds = [2.0, 0.0]",
        "bounds as [least, largest], the first below the second; got: [2.0, 0.0]",
    ),
    ("bounds = [0.0, 2.0]", "bounds = [0.0]", "bounds as [least, largest]"),
    ("bounds = [0.0, 2.0]", "bounds = [0.0, inf]", "bounds as [least, largest]"),
    ("bounds = [0.0, 2.0], ", "", "the key 'bounds'"),
    ("bounds = [0.0, 2.0]", "bounds = [-1.0, 2.0]", "bounds >= 0 of sgd.learning_rate"),
    ("phases = 2", "phases = 2.5", "2.5 is not an integer"),
    ("phases = 2", "phases = -2", "an integer number of phases >= 1"),
    ("phases = 2", 'phases = 2, shape = "cubic"', "a known shape of values"),
    ('monotone = "decreasing"', 'monotone = "falling"', "known monotone"),
    ("sgd.learning_rate", "sgd.lerning_rate", "did you mean 'sgd.learning_rate'"),
    ("sgd.learning_rate", "task.readout.0", "a rate, a decay, a noise or a variance as values over time"),
    (
        'values = { "sgd.learning_rate" = { bounds = [0.0, 2.0], phases = 2, monotone = "decreasing" } }',
        "",
        "something to choose",
    ),
    (
        "starts = 0",
        'numbers = { "sgd.learning_rate" = { bounds = [0.0, 1.0] } }',
        "each number in values or in numbers; got: sgd.learning_rate in both",
    ),
]


def refused(folder: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]) -> str:
    code, out = optimize(folder, text)
    captured = capsys.readouterr()
    assert (code, captured.err.count("\n"), captured.out) == (2, 1, ""), captured
    assert message in captured.err
    assert not out.exists() or not list(out.iterdir())
    return captured.err


@pytest.mark.parametrize(("old", "new", "message"), BAD)
def test_bad_tables_of_orders_give_one_line(
    old: str, new: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in SHARES
    refused(tmp_path, SHARES.replace(old, new, 1), message, capsys)


@pytest.mark.parametrize(("old", "new", "message"), BAD_NUMBERS)
def test_bad_tables_of_numbers_give_one_line(
    old: str, new: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in NUMBERS
    refused(tmp_path, NUMBERS.replace(old, new, 1), message, capsys)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("starts = 0", "starts = -1", "line 29, optimize.starts: "),
        ("shares = { phases = 2 }", "shares = { phases = 0 }", "line 27, optimize.shares.phases: "),
        ('final = "accuracy"', 'final = "accuracy", at = 7.0', "line 26, optimize.cost: "),
        ("starts = 0", '[optimize.values]\n"sgd.lr" = { bounds = [0.0, 1.0] }', 'line 30, optimize.values."sgd.lr": '),
    ],
)
def test_the_line_and_the_key_are_named(
    old: str, new: str, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place in refused(tmp_path, SHARES.replace(old, new, 1), "required: ", capsys)


def test_a_file_without_the_table_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(tmp_path, "", "a table [optimize] in the problem file; got: none; add it", capsys)


@pytest.mark.slow
def test_a_cost_that_nothing_moves_is_refused_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At a learning rate of 0 weight decay moves nothing: it is gamma eta."""
    text = NUMBERS.replace("sgd.learning_rate", "sgd.weight_decay").replace("2.0", "0.5")
    file = tmp_path / "problem.toml"
    file.write_text(PROBLEM.replace("learning_rate = 3.0", "learning_rate = 0.0") + text)
    assert main(["optimize", str(file), "--out", str(tmp_path / "out")]) == 2
    assert "a cost that the controls move" in capsys.readouterr().err


def test_other_commands_read_the_table_strictly_and_ignore_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "problem.toml"
    for text, code in ((SHARES, 0), (SHARES.replace("starts", "stars"), 2)):
        file.write_text(PROBLEM + text)
        assert main(["solve", str(file), "--out", str(tmp_path / f"out{code}"), "--quiet"]) == code
    assert "did you mean 'starts'" in capsys.readouterr().err


# ---- costs


@pytest.mark.parametrize(
    ("cost", "name"),
    [
        ('{ final = "error", on = "hard" }', "final error on hard"),
        ('{ final = "accuracy", on = "hard", at = [3.0, 6.0] }', "1 - accuracy on hard at alpha = 3, 6"),
        ('{ final = "accuracy", on = "hard", at = 3 }', "1 - accuracy on hard at alpha = 3"),
        (
            '{ integrated = "error", on = { easy = 0.25, hard = 0.75 } }',
            "mean over alpha of error on 0.25 easy + 0.75 hard",
        ),
        ('{ time_to = "error", on = "hard", value = 0.25 }', "alpha until error on hard is 0.25"),
    ],
)
def test_every_cost_has_its_words(cost: str, name: str) -> None:
    tables = tomllib.loads(PROBLEM + f"[optimize]\ncost = {cost}\norder = {{}}")
    search = read_search(tables, ts.problem_from_tables(tables))
    assert search.cost.name == name
    assert (type(search.controls[0]), search.controls[0].phases) == (protocols.Order, 24)


def test_a_cost_of_ones_own_is_imported_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: Callable[..., None]
) -> None:
    (tmp_path / "own_cost.py").write_text('def worst(seen):\n    return seen.accuracy["hard"][-1]\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    costs: list[Any] = []
    honest = ode.optimize

    def noting(*arguments: Any, **options: Any) -> protocols.Optimum:
        costs.append(arguments[3])
        return honest(*arguments, **options)

    monkeypatch.setattr(ode, "optimize", noting)
    text = SHARES.replace(
        'final = "accuracy", on = { easy = 0.5, hard = 0.5 }', 'own = "own_cost:worst", accuracies = true'
    )
    code, _ = optimize(tmp_path, text)
    assert code == 0
    assert "imports own_cost.py from" in capsys.readouterr().err
    assert (costs[0].name, costs[0].with_accuracy) == ("worst", True)
    for wrong, message in (("own_cost:wrost", "has no 'wrost'"), ("own_cost", 'cost.own as "module:function"')):
        code, _ = optimize(tmp_path, text.replace("own_cost:worst", wrong), "--force")
        assert code == 2
        assert message in capsys.readouterr().err


# ---- files of the repository


@pytest.mark.parametrize("file", ["docs/problem.toml", "examples/optimal_curriculum.toml"])
def test_the_reference_and_the_example_are_searches(file: str) -> None:
    tables = load_tables(ROOT / file)
    experiment = figures.read_experiment(tables, simulated=False)
    search = read_search(tables, experiment.problem)
    assert type(search.controls[0]).__name__ == "Order"
    assert read_file(tables).optimize is not None
    assert set(search.constraints[0].shares.values()) == {0.5}


def test_what_the_reference_comments_out_is_right_too() -> None:
    text = (ROOT / "docs" / "problem.toml").read_text()
    order = next(line for line in text.splitlines() if line.startswith("order = "))
    others = [line for line in text.splitlines() if line.startswith(("# shares = ", "# switches = "))]
    assert len(others) == 2
    for line in others:
        tables = tomllib.loads(text.replace(order, line.removeprefix("# "), 1))
        read_search(tables, ts.problem_from_tables(tables))


@pytest.mark.long
def test_the_example_finds_its_arc(tmp_path: Path) -> None:
    """Without its random starts, which cost half of its time."""
    text = (ROOT / "examples" / "optimal_curriculum.toml").read_text()
    (tmp_path / "example.toml").write_text(text + "starts = 0\n")
    out = tmp_path / "out"
    assert main(["optimize", str(tmp_path / "example.toml"), "--out", str(out), "--quiet"]) == 0
    report = json.loads((out / "report.json").read_text())
    assert report["cost"]["value"] == pytest.approx(0.14684127, abs=1e-7)
    assert report["certificate"]["pontryagin"] is True
    assert [stretch["name"] for stretch in report["certificate"]["stretches"]] == [
        "easy",
        "hard",
        "singular arc",
        "easy",
    ]


# ---- tables as text


def test_tables_are_written_as_toml_that_reads_back() -> None:
    tables = {
        "seed": 3,
        "flag": True,
        "none": None,
        "task": {
            "levels": {"e a.sy": {"x": 1.0}, "schwér\x7f": {"x": 1e-320, "y": float("inf")}},
            "fractions": {"a": 0.5, "b": 0.1 + 0.2},
            "empty": {},
            "text": 'a "quote", a \\, a\nline',
        },
        "curriculum": {"phases": [["easy", 1.0], [{"easy": 0.3, "hard": 0.7}, {"hard": 1.0}, 2.0]] * 4},
        "nothing": {},
        "list": [[1, 2], []],
    }
    expected = {name: table for name, table in tables.items() if table is not None}
    assert tomllib.loads(toml_text(tables)) == expected
    assert tomllib.loads(toml_text(load_tables(ROOT / "docs" / "problem.toml"))) == load_tables(
        ROOT / "docs/problem.toml"
    )
