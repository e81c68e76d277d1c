"""`teacher-student solve`: theory alone, its table, picture and file; bad input in one line."""

from pathlib import Path

import numpy as np
import pytest

import figures
import teacher_student as ts
from figures._solution_table import solution_table
from figures.command._main import main

from .problem_files import SMALL

FILES = {"theory.nc", "solution.png", "solution.pdf"}


def test_it_prints_the_recorded_alphas_and_writes_theory_and_picture(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["solve", str(file), "--out", str(out)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert {path.name for path in out.iterdir()} == FILES
    assert all((out / name).stat().st_size > 5000 for name in FILES)
    assert printed[-1] == "SOLVED: ok"
    header = next(number for number, line in enumerate(printed) if line.split()[:1] == ["alpha"])
    rows = [line.split() for line in printed[header + 1 : header + 5]]
    assert [float(row[0]) for row in rows] == [0.5, 1.0, 1.5, 2.0]
    theory = ts.Trajectory.load(out / "theory.nc")
    names = printed[header].split()
    shown = [float(row[names.index("error[hard]")]) for row in rows]
    assert shown == pytest.approx(theory.at([0.5, 1.0, 1.5, 2.0]).error["hard"], rel=1e-4)
    assert main(["solve", str(file), "--out", str(out)]) == 2
    assert "add --force" in capsys.readouterr().err
    assert main(["solve", str(file), "--out", str(out), "--force", "--quiet"]) == 0
    assert capsys.readouterr().out == "SOLVED: ok\n"


def test_it_asks_nothing_of_a_simulation(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs, a second dimension and alphas between two steps are no matter for a theory, which compare refuses."""
    file.write_text(SMALL.replace("runs = 16", "runs = 1").replace("count = 4", "alphas = [1.0, 1.001]"))
    assert main(["compare", str(file), "--out", str(tmp_path / "out")]) == 2
    experiment = figures.load_experiment(file, simulated=False)
    assert experiment.alphas.tolist() == [1.0, 1.001]


def test_a_stopped_solve_is_written_and_has_its_exit_code(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A linear student beyond its critical rate."""
    diverging = SMALL.replace("[student]\nwidth = 1", '[student]\nwidth = 1\nactivation = "linear"')
    file.write_text(diverging.replace("learning_rate = 1.0", "learning_rate = 20.0"))
    assert main(["solve", str(file), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("STOPPED: diverged")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("width = 1\nsupport", "widht = 1\nsupport", "did you mean 'width'"),
        ("count = 4", "alphas = [1.0, 3.0]", "curriculum's end"),
        ("[record]", '[theory]\naverages = "sampeld"\n[record]', "did you mean 'sampled'"),
        ("dim = 200\nsmaller_dim = 100", "dim = 1", "dimensions"),
        (
            "[record]",
            "[start]\nQ = [[[1.0]], [[1.0]]]\nR = [[[2.0]], [[0.0]]]\nT = [[[1.0]], [[0.0]]]\n[record]",
            "positive semidefinite",
        ),
    ],
)
def test_bad_files_give_one_line_and_write_nothing(
    old: str, new: str, message: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in SMALL
    file.write_text(SMALL.replace(old, new, 1))
    out = file.parent / "out"
    assert main(["solve", str(file), "--out", str(out)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert (captured.err.count("\n"), captured.out) == (1, "")
    assert not out.exists()


def test_bad_places_give_one_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", str(file), "--out", str(file / "below")]) == 2
    assert "writable output directory" in capsys.readouterr().err


def test_sampling_errors_stand_beside_their_numbers_and_long_states_are_left_out() -> None:
    """The table of a trajectory that is put together by hand: K = 1 lists its overlaps, K = 5 does not."""
    for K, listed in ((1, True), (5, False)):
        task, order = ts.Committee(ts.Inputs({"all": 1.0}), 1), ts.Curriculum.single("all", 1.0)
        problem = ts.Problem(task, ts.Student(K), ts.SGD(0.5), order)
        state = ts.Overlaps(np.ones((2, 1, K, K)), np.ones((2, 1, K, 1)), np.ones((2, 1, 1, 1)), np.ones((2, K)))
        values = ts.Observables(state, {"all": np.array([0.5, 0.25])}, {})
        errors = ts.Observables(state, {"all": np.array([0.0, 0.001])}, {})
        first = ts.Overlaps(*(x[0] for x in (state.Q, state.R, state.T, state.readout)))
        source = ts.Source("ode", "sampled", "float64")
        theory = ts.Trajectory(
            problem, first, np.array([0.5, 1.0]), values, np.int32(0), np.float64(1.0), {}, errors, source
        )
        header, exact, sampled = solution_table(theory).splitlines()
        assert ("Q[" in header) is listed
        assert "+-" not in exact
        assert "0.25 +- 0.001" in sampled
