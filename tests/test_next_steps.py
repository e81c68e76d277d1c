"""What a command says last, and the examples of its help: each works as it stands, when it is copied."""

import argparse
import contextlib
import io
import shlex
from pathlib import Path

import pytest

import teacher_student as ts
from figures.command._arguments import again
from figures.command._examples import EXAMPLES
from figures.command._figures import NAMED
from figures.command._main import _leaves, _parser, main
from figures.command._next_steps import say_next
from figures.experiment import _file_tables
from tests.problem_files import SMALL
from tests.sweep_files import BASE, toml

SEARCH = """[optimize]
cost = { final = "error", on = "hard" }
shares = { phases = 2 }
starts = 0
"""
AXES = {"rate": {"sgd.learning_rate": [0.5, 1.0]}, "variance": {"task.levels.hard.irrelevant": [0.5, 1.0]}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where one works, with the two files that the examples name."""
    monkeypatch.chdir(tmp_path)
    small = SMALL.replace("smaller_dim = 100\n", "").replace("runs = 16", "runs = 4")
    Path("problem.toml").write_text(small + SEARCH)
    Path("sweep.toml").write_text(toml(BASE | {"axes": AXES, "record": {"count": 2}}))
    return tmp_path


def leaves() -> list[argparse.ArgumentParser]:
    (commands,) = [action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return _leaves(commands)


def typed(text: str) -> list[list[str]]:
    """The commands that a help or the advice of a command shows, as a shell splits them."""
    return [shlex.split(line) for line in text.splitlines() if line.startswith("    ") and not line.startswith("     ")]


def run(words: list[str]) -> tuple[int, str, list[list[str]]]:
    """Run a command as a user does who copies it: its exit code, what it prints, and what it says last."""
    if words[:2] == ["python", "-c"]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(words[2], {})
        return 0, out.getvalue(), []
    assert words[0] == "teacher-student"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*words[1:], *(["--workers", "0"] if words[1] == "sweep" else [])])  # workers start in seconds
    _, _, advice = err.getvalue().partition("next:\n")
    assert code in (0, 1), err.getvalue()
    return code, out.getvalue(), typed(advice)


def test_every_command_has_examples_that_its_own_parser_takes() -> None:
    parser = _parser()
    names = {leaf.prog.split()[-1] for leaf in leaves()}
    assert names == set(EXAMPLES) >= set(NAMED)
    for leaf in leaves():
        text = leaf.format_help()
        commands = [words for words in typed(text[text.index("examples:") :]) if words[0] == "teacher-student"]
        assert len(commands) == len(EXAMPLES[leaf.prog.split()[-1]]) >= 2
        for words in commands:
            assert parser.parse_args(words[1:]).parser.prog == leaf.prog


@pytest.mark.long
@pytest.mark.slow
def test_the_examples_and_what_they_advise_work_when_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the named figures, whose quick versions take a minute each, and the page, which only a signal ends.

    These are in test_quick_figures and test_explorer.
    """
    monkeypatch.setattr(_file_tables, "BUILT_IN", Path("problem.toml").resolve())  # whose programs are compiled anyway
    parser = _parser()
    advised: dict[str, list[str]] = {}
    for name in (name for name in EXAMPLES if name not in (*NAMED, "explore")):
        for _, text in EXAMPLES[name]:
            _, _, steps = run(["teacher-student", *shlex.split(text)])
            assert len(steps) == 2, text
            advised |= {shlex.join(words): words for words in steps}
    assert len(advised) >= 12
    for words in advised.values():
        if words[0] == "python":
            assert "Dimensions" in run(words)[1]
        elif words[1] == "compare" or "--student" in words:  # seconds each
            parser.parse_args(words[1:])
            assert "--out" not in words or not Path(words[words.index("--out") + 1]).exists()
        else:
            assert run(words)[0] == 0, words


@pytest.mark.slow
def test_a_sweep_with_failed_cells_advises_to_look_why(folder: Path) -> None:
    axes = {"rate": {"sgd.learning_rate": [0.5, -1.0]}}
    Path("sweep.toml").write_text(toml(BASE | {"axes": axes, "measures": {"keep": ["error"]}}))
    code, _, (why, retry) = run(["teacher-student", "sweep", "sweep.toml"])
    assert code == 1
    assert "learning rate >= 0" in run(why)[1]
    assert retry == ["teacher-student", "sweep", "sweep.toml", "--retry", "failed"]
    assert run(retry)[0] == 1


@pytest.mark.slow
def test_advice_is_not_on_standard_output_and_quiet_has_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "problem.toml"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].startswith("SOLVED")
    assert said.err.startswith("next:\n")
    assert "teacher-student compare problem.toml --out comparison\n" in said.err
    Path("comparison").mkdir()
    assert main(["solve", "problem.toml", "--force", "--seed", "4"]) == 0
    assert "teacher-student compare problem.toml --seed 4 --out comparison-2\n" in capsys.readouterr().err
    Path("problem.toml").write_text(Path("problem.toml").read_text().replace("runs = 4", "runs = 1"))
    assert main(["solve", "problem.toml", "--force"]) == 0
    assert "compare" not in capsys.readouterr().err  # of one run there is no verdict
    assert main(["solve", "problem.toml", "--force", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_command_is_written_again_with_what_changes() -> None:
    words = [
        "compare",
        "my problem.toml",
        "--dim",
        "400",
        "--detect",
        "a=1",
        "--detect",
        "b=2",
        "--force",
        "--out",
        "x",
    ]
    options = _parser().parse_args(words)
    assert sorted(again(options)) == sorted(["teacher-student", *words])
    changed = again(options, dim=None, detect=["a=0.5"], force=False, out="y")
    assert changed == ["teacher-student", "compare", "my problem.toml", "--out", "y", "--detect", "a=0.5"]
    words = ["figure", "curves", "s.zarr", "--contrast", "order", "up", "down", "--save", "a.png"]
    assert again(_parser().parse_args(words)) == ["teacher-student", *words]
    assert again(_parser().parse_args(["derive"])) == ["teacher-student", "derive"]


@pytest.mark.parametrize("name", ["it's", 'a "b"', "two words", "$HOME", "-", "ü"])
def test_paths_are_quoted_for_the_shell(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = _parser().parse_args(["derive"])
    say_next(options, lambda: [("it", ["teacher-student", "solve", name])])
    assert typed(capsys.readouterr().err) == [["teacher-student", "solve", name]]


def test_a_path_with_control_characters_is_not_advised(capsys: pytest.CaptureFixture[str]) -> None:
    say_next(_parser().parse_args(["derive"]), lambda: [("it", ["teacher-student", "solve", "a\x1b[2Jb"])])
    assert capsys.readouterr().err == ""


def test_advice_that_cannot_be_given_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def gone() -> list[tuple[str, list[str]]]:
        raise ts.InputError("the store of a sweep", "none")

    say_next(_parser().parse_args(["derive"]), gone)
    assert capsys.readouterr().err == ""
