"""The command line: exit codes, files, messages, and nothing written on bad input."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

import figures
import teacher_student as ts
from figures.command._main import main
from figures.experiment._file_tables import BUILT_IN

from . import build
from .as_users import HANGS
from .problem_files import SMALL

pytestmark = pytest.mark.slow  # most of its time is compilation

ROOT = Path(__file__).parents[1]
FILES = {
    "comparison.pdf",
    "comparison.png",
    "fluctuations.nc",
    "report.json",
    "simulation.nc",
    "simulation_smaller.nc",
    "theory.nc",
}


def test_compare_agrees_writes_and_refuses_to_overwrite(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["compare", str(file), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == FILES
    assert printed.splitlines()[-1].startswith("AGREE")
    assert printed.count("AGREE") == 1  # the table is between; said twice, it hid what is said once
    assert all(f"wrote {out / name}" in printed for name in FILES)
    report = json.loads((out / "report.json").read_text())
    assert report["agrees"] is True
    assert report["number_of_deviations"] == len(report["deviations"])
    assert main(["compare", str(file), "--out", str(out)]) == 2
    assert "add --force" in capsys.readouterr().err
    theory = ts.Trajectory.load(out / "theory.nc")
    assert theory.problem.student.width == 1
    picture = tmp_path / "again.png"
    assert main(["figure", "comparison", str(out), "--save", str(picture)]) == 0
    assert picture.stat().st_size > 10_000
    # Version 0.7.0 and before called the deviations comparisons: what they wrote is drawn too.
    report["comparisons"] = report.pop("deviations")
    (out / "report.json").write_text(json.dumps(report))
    again = tmp_path / "of_070.png"
    assert main(["figure", "comparison", str(out), "--save", str(again)]) == 0
    assert again.read_bytes() == picture.read_bytes()


def test_force_leaves_no_file_of_an_earlier_run_that_would_be_drawn(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fluctuations and a second dimension that the new run does not have; a run that is refused removes nothing."""
    out, kept = tmp_path / "out", {"theory.nc", "fluctuations.nc", "simulation_smaller.nc", "notes.txt"}
    out.mkdir()
    for name in kept:
        (out / name).touch()
    one = (
        SMALL.replace("smaller_dim = 100\nruns = 16", "smaller_dim = 0\nruns = 4") + "[theory]\nfluctuations = false\n"
    )
    file.write_text(one.replace("width = 1", "width = 0", 1))
    assert main(["compare", str(file), "--out", str(out), "--force", "--quiet"]) == 2
    file.write_text(one)
    assert main(["compare", str(file), "--out", str(out), "--quiet"]) == 2
    assert {path.name for path in out.iterdir()} == kept
    assert main(["compare", str(file), "--out", str(out), "--force", "--quiet"]) in (0, 1)
    assert {path.name for path in out.iterdir()} == FILES - {"fluctuations.nc", "simulation_smaller.nc"} | {"notes.txt"}
    assert main(["figure", "comparison", str(out), "--save", str(tmp_path / "again.png")]) == 0


def test_predicted_spread_needs_one_dimension_and_four_runs(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    four = SMALL.replace("smaller_dim = 100\nruns = 16", "runs = 4")
    file.write_text(four + '[agreement]\nspread = "predicted"\n')
    out = tmp_path / "out"
    assert main(["compare", str(file), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == FILES - {"simulation_smaller.nc"}
    assert "12 variances, measured over predicted" in capsys.readouterr().out
    of_spread = json.loads((out / "report.json").read_text())["spread"]
    assert of_spread["number_of_deviations"] == 3 * 4  # Q of two blocks, R of one


def test_fluctuations_can_be_left_out(file: Path) -> None:
    assert figures.load_experiment(file).fluctuations
    file.write_text(SMALL + "[theory]\nfluctuations = false\n")
    assert not figures.load_experiment(file).fluctuations


def test_disagreement_has_its_exit_code(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A theory of another problem (rate 30 % higher) beside the simulation of this one."""
    import ode

    honest = ode.solve

    def wrong(problem: ts.Problem, *arguments: Any, **options: Any) -> ts.Trajectory:
        rate = float(problem.sgd.learning_rate)
        other = ts.Problem(problem.task, problem.student, ts.SGD(1.3 * rate), problem.curriculum)
        return dataclasses.replace(honest(other, *arguments, **options), problem=problem)

    monkeypatch.setattr(ode, "solve", wrong)
    assert main(["compare", str(file), "--out", str(tmp_path / "out"), "--quiet"]) == 1
    assert capsys.readouterr().out.startswith("DISAGREE")


def test_seed_runs_and_dim_come_from_the_command_line(file: Path) -> None:
    experiment = figures.load_experiment(file, dim=400, runs=5, seed=9)
    assert (experiment.dims, experiment.runs, experiment.seed) == ((400,), 5, 9)


BAD = [
    ("width = 1\nsupport", "widht = 1\nsupport", "did you mean 'width'"),
    ("irrelevant = 0.75", "irrelevant = 0.7", "fractions that sum to 1"),
    ('["easy", 1.0]', '["esay", 1.0]', "did you mean 'easy'"),
    ('support = "relevant"', 'support = "relevent"', "did you mean 'relevant'"),
    ("irrelevant = 1.5", "irrelevant = -1.5", "variance >= 0"),
    ("irrelevant = 1.5", "irrelevant = nan", "finite"),
    ("[student]\nwidth = 1", "[student]\nwidth = 0", "width K of the student >= 1"),
    ("[student]", "[studnet]", "did you mean 'student'"),
    ("learning_rate = 1.0", 'learning_rate = "1.0"', "is not a number"),
    ("count = 4", "alphas = [1.0, 0.5]", "increasing alphas"),
    ("count = 4", "alphas = [1.0, 3.0]", "curriculum's end"),
    ("count = 4", "alphas = [1.0, 1.001]", "at least 1/100 apart"),
    ("count = 4", "count = 4\nalphas = [1.0, 2.0]", "either record.alphas or record.count"),
    ("count = 4", "first = 0.1", "only with spacing"),
    ("count = 4", 'alphas = "all"', "is not a list of numbers"),
    ('[["easy", 1.0], ["hard", 1.0]]', '["easy", 1.0]', "curriculum.phases as"),
    ("dim = 200", "dim = 0", "simulation.dim >= 1"),
    ("smaller_dim = 100", "smaller_dim = 300", "below simulation.dim"),
    ("dim = 200\nsmaller_dim = 100", "dim = 1\nsmaller_dim = 0", "dimensions"),
    (
        "[simulation]\ndim = 200\nsmaller_dim = 100",
        "[theory]\nfluctuations = false\n[simulation]\ndim = 997",
        "divisor",
    ),
    ("runs = 16", "runs = 2", "runs >= 3"),
    ("[record]", "[start]\nQ = [[[1.0]], [[1.0]]]\n[record]", "Q, R and T together"),
    ("[record]", "[start]\nQ = [[[1.0]]]\nR = [[[1.0]]]\nT = [[[1.0]]]\n[record]", "shape"),
    (
        "[record]",
        "[start]\nscale = 1.0\nQ = [[[1.0]], [[1.0]]]\nR = [[[0.0]], [[0.0]]]\nT = [[[1.0]], [[0.0]]]\n[record]",
        "nothing of random weights",
    ),
    ("[record]", "[start]\nQ = [[1.0]]\n[record]", "one matrix per block"),
    (
        "[record]",
        "[start]\nQ = [[[1.0]], [[1.0]]]\nR = [[[2.0]], [[0.0]]]\nT = [[[1.0]], [[0.0]]]\n[record]",
        "positive semidefinite",
    ),
    ("seed = 3", "seed = 3\nsede = 4", "did you mean 'seed'"),
    ("[record]", '[agreement]\nspread = "predictd"\n[record]', "did you mean 'predicted'"),
    ("[record]", '[agreement]\nspread = "predicted"\n[record]', "no simulation.smaller_dim"),
    (
        "[record]",
        '[theory]\nfluctuations = false\n[agreement]\nspread = "predicted"\n[record]',
        "theory.fluctuations for agreement.spread",
    ),
    (
        "dim = 200\nsmaller_dim = 100\nruns = 16\ntest_samples = 32",
        "dim = 4\nsmaller_dim = 2\n[theory]\nfluctuations = true",
        "dim >= 5, the number of overlaps",
    ),
    ("seed = 3", "seed = ", "valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "message"), BAD)
def test_bad_files_give_one_line_and_write_nothing(
    old: str, new: str, message: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in SMALL
    file.write_text(SMALL.replace(old, new, 1))
    out = file.parent / "out"
    assert main(["compare", str(file), "--out", str(out)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert not out.exists()


def test_bad_places_give_one_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(file), "--out", str(file / "below")]) == 2
    assert "writable output directory" in capsys.readouterr().err
    assert main(["compare", str(file), "--out", "/proc/nowhere"]) == 2
    assert "writable output directory" in capsys.readouterr().err
    assert main(["compare", str(file), "--out", str(file.parent / "out"), "--dim", "0"]) == 2
    assert main(["figure", "comparison", str(file.parent), "--save", "x.xyz"]) == 2
    assert main(["compare", str(file.parent / "none.toml")]) == 2
    assert "readable problem file" in capsys.readouterr().err
    assert main(["figure", "comparison", str(file.parent), "--save", "x.png"]) == 2
    assert "run `teacher-student compare` first" in capsys.readouterr().err


def test_ctrl_c_keeps_finished_runs_and_says_so(file: Path, tmp_path: Path) -> None:
    long = SMALL.replace("dim = 200\nsmaller_dim = 100\nruns = 16", "dim = 1000\nruns = 20000")
    file.write_text(long + "[theory]\nfluctuations = false\n")
    command = [
        sys.executable,
        "-c",
        "import sys; from figures.command._main import main; sys.exit(main())",
        "compare",
        str(file),
    ]
    for wait in (6, 20, 60):  # a slow machine may still be compiling when the first signal comes
        out = tmp_path / f"out{wait}"
        process = subprocess.Popen([*command, "--out", str(out)], stderr=subprocess.PIPE, text=True)
        while not (out / "theory.nc").exists():
            time.sleep(0.2)
            assert process.poll() is None
        time.sleep(wait)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=HANGS)
        assert process.returncode == 130
        assert err.count("\n") == 1
        if "before a run had finished" not in err:
            break
    assert "finished runs at N = 1000" in err
    assert 0 < build.given(ts.Trajectory.load(out / "simulation.nc").runs) < 20000


def test_the_reference_file_has_every_key() -> None:
    from figures.experiment import _file_tables as _file
    from figures.experiment._optimize_table import OptimizeTable
    from teacher_student.tables import _problem_file as _tables

    reference = tomllib.loads((ROOT / "docs" / "problem.toml").read_text())
    tables = {
        "task": _tables.CommitteeTable,
        "student": _tables.StudentTable,
        "sgd": _tables.SGDTable,
        "curriculum": _tables.CurriculumTable,
        "start": _file.Start,
        "record": _file.Record,
        "theory": _file.Theory,
        "simulation": _file.Simulation,
        "agreement": _file.Agreement,
        "optimize": OptimizeTable,
    }
    assert set(reference) == {*tables, "seed"}
    for name, table in tables.items():
        known = {field.name for field in dataclasses.fields(table)}
        elsewhere = {"order", "shares", "duration"}  # in place of phases: in docs/sweep.toml
        assert known - set(reference[name]) <= {"Q", "R", "T", "alphas", "first", "detect", "switches"} | elsewhere, (
            name
        )
    assert elsewhere <= set(tomllib.loads((ROOT / "docs" / "sweep.toml").read_text())["curriculum"])


def test_built_in_and_examples_are_valid() -> None:
    found = [BUILT_IN, ROOT / "docs" / "problem.toml", *sorted((ROOT / "examples").glob("*.toml"))]
    assert len(found) >= 5
    for path in found:
        figures.load_experiment(path)
        assert tomllib.loads(path.read_text())


def test_detect_takes_as_many_runs_as_find_the_shift(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(SMALL.replace("smaller_dim = 100\n", ""))
    out = tmp_path / "out"
    code = main(["compare", str(file), "--out", str(out), "--detect", "sgd.learning_rate=0.2"])
    printed = capsys.readouterr().out
    assert "to find sgd.learning_rate 20 % off, 9 times in 10" in printed
    report = json.loads((out / "report.json").read_text())
    rate = next(shift for shift in report["shifts"] if shift["name"] == "sgd.learning_rate")
    assert rate["detectable"] < 1.1 * 0.2 * rate["value"]
    assert report["plan"]["detect"] == {"sgd.learning_rate": 0.2}
    assert report["plan"]["simulations"][0]["runs"] == report["runs"][0]
    assert f"N = 200, {report['runs'][0]} runs" in printed
    assert code == (0 if report["agrees"] else 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--detect", "sgd.learning_rate"], "--detect NAME=SHIFT, such as sgd.learning_rate=0.01"),
        (["--detect", "sgd.learning_rate=small"], "--detect NAME=SHIFT"),
        (["--detect", "sgd.learning_rate=-1"], "agreement.detect with a shift > 0"),
        (["--detect", "sgd.lerning_rate=0.1"], "did you mean 'sgd.learning_rate'"),
    ],
)
def test_what_cannot_be_detected_is_one_line(
    options: list[str], message: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(SMALL.replace("smaller_dim = 100\n", ""))
    assert main(["compare", str(file), "--out", str(tmp_path / "out"), *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
