"""The line of an entry in a TOML file, and what an error in a problem file says of it."""

from pathlib import Path

import pytest

import figures
import teacher_student as ts
from figures.command._main import main
from teacher_student.internal import dotted, line_of
from tests.problem_files import SMALL
from tests.sweep_files import BASE, toml

TEXT = '''\
# width = 3, [student], a comment
seed = 1
title = """
[student]
width = 7
"""
note = \'\'\'
[sgd]
learning_rate = 2.0\'\'\'

[task.levels]
easy = { relevant = 1.0, "irre levant" = 0.1 }   # width
hard.relevant = 1.0
hard.irrelevant = 1.5
[task]
width = 1  # the teacher's
fractions = { relevant = 0.3, irrelevant = 0.7 }
readout = [
  1.0,  # width = 5
  2.0,
]
"a.b" = 1
[student]
"width" = 2

[curriculum]
phases = [["easy", 1.0],
          ["hard", 1.0]]
[[batch]]
size = 1
[[batch]]
size = 2
[ own . "x.y" ]
z = 3
last = "end"'''

LINES = {
    ("seed",): 2,
    ("title",): 3,
    ("note",): 7,
    ("task",): 15,  # not where its levels are: its own header
    ("task", "levels"): 11,
    ("task", "levels", "easy"): 12,
    ("task", "levels", "easy", "irre levant"): 12,
    ("task", "levels", "hard"): 13,
    ("task", "levels", "hard", "irrelevant"): 14,
    ("task", "width"): 16,
    ("task", "readout"): 18,
    ("task", "a.b"): 22,
    ("student",): 23,
    ("student", "width"): 24,
    ("curriculum", "phases"): 27,
    ("batch",): 29,
    ("own", "x.y"): 33,
    ("own", "x.y", "z"): 34,
    ("own", "x.y", "last"): 35,
}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("entry", LINES)
def test_an_entry_is_found_on_its_line(entry: tuple[str, ...], ending: str) -> None:
    assert line_of(TEXT.replace("\n", ending), entry) == LINES[entry]


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (("student", "widht"), 23),
        (("task", "levels", "easy", "irrelevant"), 12),
        (("task", "levels", "hard", "more", "deeply"), 13),
        (("batch", "size"), 29),  # which of the two it is cannot be told: the first one's header
        (("sgd", "learning_rate"), None),
        (("nothing",), None),
        ((), None),
    ],
)
def test_what_is_missing_is_on_the_line_of_the_table_that_lacks_it(entry: tuple[str, ...], line: int | None) -> None:
    assert line_of(TEXT, entry) == line


@pytest.mark.parametrize("text", ["", "a = ", "a = 1\na = 2", "a = 1\n" + "\n" * 2000])
def test_no_line_is_better_than_a_wrong_one(text: str) -> None:
    assert line_of(text, ("a",)) is None


@pytest.mark.parametrize("name", ["a.b", 'a"b', "a\\b", "", "ü", "\U0001f600", "a b", "\x7f"])
def test_names_of_any_letters_are_found(name: str) -> None:
    quoted = dotted([name]).replace("\x7f", "\\u007f")
    assert line_of(f"[first]\nx = 1\n[{quoted}]\ny = 2\n", (name, "y")) == 4
    assert line_of(f"[first]\nx = 1\n[{quoted}]\ny = 2\n", (name,)) == 3
    assert line_of(f"[first]\nx = 1\n{quoted}.y = 2\n", ("first", name, "y")) == 3


def test_entries_are_named_as_toml_writes_them() -> None:
    assert dotted(["task", "levels", "too hard", "a.b", "x-1_"]) == 'task.levels."too hard"."a.b".x-1_'


WRONG = [  # an edit of the file, the line that is then wrong, and its key
    ("width = 1\nsupport", "widht = 1\nsupport", "widht = 1", "task.widht"),
    ("width = 1\nsupport", "support", "[task]", "task.width"),
    ("[student]", "[studnet]", "[studnet]", "studnet"),
    ("seed = 3", "sede = 3", "sede = 3", "sede"),
    ("seed = 3", "seed = -3", "seed = -3", "seed"),
    ("learning_rate = 1.0", 'learning_rate = "1.0"', "learning_rate", "sgd.learning_rate"),
    ("learning_rate = 1.0", "learning_rate = -1.0", "learning_rate", "sgd.learning_rate"),
    ("learning_rate = 1.0", 'learning_rate = 1.0\nloss = "squarred"', "loss", "sgd.loss"),
    ("irrelevant = 0.75", "irrelevant = 0.7", "fractions", "task.fractions"),
    ("irrelevant = 1.5", "irelevant = 1.5", "hard = {", "task.levels.hard.irelevant"),
    (", irrelevant = 1.5", "", "hard = {", "task.levels.hard.irrelevant"),
    ("irrelevant = 1.5", "irrelevant = -1.5", "hard = {", "task.levels.hard.irrelevant"),
    ('support = "relevant"', 'support = "relevent"', "support", "task.support"),
    ('["easy", 1.0]', '["esay", 1.0]', "phases", "curriculum.phases"),
    ('["easy", 1.0]', '["easy", -1.0]', "phases", "curriculum.phases"),
    ("[student]\nwidth = 1", "[student]\nwidth = 0", "width = 0", "student.width"),
    ("count = 4", "alphas = [1.0, 3.0]", "alphas", "record.alphas"),
    ("count = 4", "count = 0", "count", "record.count"),
    ("dim = 200", "dim = 0", "dim", "simulation.dim"),
    ("runs = 16", "runs = 2", "runs = 2", "simulation.runs"),
    ("[record]", '[agreement]\nspread = "predictd"\n[record]', "spread", "agreement.spread"),
    ("[record]", "[start]\nscale = 1.0\nQ = [[[1.0]]]\n[record]", "[start]", "start"),
]


@pytest.mark.parametrize(("old", "new", "line", "key"), WRONG)
def test_a_wrong_entry_of_a_file_is_named_with_its_line(
    old: str, new: str, line: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my.toml"
    text = SMALL.replace(old, new, 1)
    path.write_text(text)
    assert main(["compare", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    (number,) = (n for n, content in enumerate(text.splitlines(), 1) if content.startswith(line))
    assert said.startswith(f"teacher-student: {path}, line {number}, {key}: required: ")
    assert said.count("\n") == 1
    with pytest.raises(ts.InputError) as raised:
        figures.load_experiment(path)
    if "runs" not in key:  # fewer runs than a verdict needs are an error of `compare` alone
        assert str(raised.value) == said.removeprefix("teacher-student: ").rstrip("\n")


def test_an_option_is_not_blamed_on_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.toml"
    path.write_text(SMALL)
    assert main(["compare", str(path), "--dim", "0"]) == 2
    assert f"{path}, simulation.dim: required: an integer simulation.dim >= 1" in capsys.readouterr().err


def test_a_value_of_an_axis_is_not_blamed_on_the_problem(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(toml(BASE | {"axes": {"rate": {"sgd.learning_rate": [-1.0]}}}))
    with pytest.raises(ts.InputError, match=r"sweep.toml, sgd\.learning_rate: required: learning rate >= 0"):
        figures.load_sweep(path)
    wrong = BASE | {"student": {"width": 0}, "axes": {"rate": {"sgd.learning_rate": [1.0]}}}
    path.write_text(toml(wrong))
    line = path.read_text().splitlines().index('"student"."width" = 0') + 1
    with pytest.raises(ts.InputError, match=rf"sweep.toml, line {line}, student\.width: required"):
        figures.load_sweep(path)


def test_tables_from_python_name_no_file() -> None:
    with pytest.raises(ts.InputError) as raised:
        figures.read_sweep(BASE | {"axes": {"rate": {"sgd.learning_rate": []}}})
    assert str(raised.value).startswith("required: at least one value")
