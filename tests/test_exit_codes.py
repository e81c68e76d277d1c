"""Exit codes mean one thing each, whatever happens to the output, the picture, the file or the process."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import teacher_student as ts
from figures.command import _derive, _endings
from figures.command._exit_codes import MEANINGS, ExitCode, explained
from figures.command._main import main
from figures.command._streams import Stream, unbreakable_streams
from figures.running import PictureError, write_picture, write_pictures
from simulations.engine._threads import stop_on_ctrl_c

from .as_users import HANGS
from .problem_files import SMALL

ROOT = Path(__file__).parents[1]
UMLAUT = """
[task]
fractions = { a = 1.0 }
width = 1
[task.levels]
"schwér" = { a = 1.0 }
[student]
width = 1
[sgd]
learning_rate = 0.5
[curriculum]
phases = [["schwér", 1.0]]
"""


def ended(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> int:
    """Run the command line with an action of our own; return its exit code."""

    def act(options: object) -> int:
        action()
        return ExitCode.FINE

    monkeypatch.setattr(_derive, "_derive", act)
    return main(["derive", "--cache", "off"])


def raising(error: BaseException) -> Callable[[], object]:
    def action() -> object:
        raise error

    return action


# ---- exceptions


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ts.InputError("a", "b", "c"), 2, "required: a; got: b; c"),
        (PictureError("no picture"), 74, "no picture"),
        (MemoryError("not 3 TiB"), 71, "out of memory (not 3 TiB)"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 3 bytes"), 71, "out of memory"),
        (OSError(28, "No space left on device", "theory.nc"), 74, "No space left on device: 'theory.nc'"),
        (BrokenPipeError(32, "Broken pipe"), 74, "Broken pipe"),  # not that of standard output
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_each_kind_of_failure_has_its_code_and_one_line(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_endings, "_place_in_users_code", lambda error: None)
    assert ended(monkeypatch, raising(error)) == code
    line = capsys.readouterr().err
    assert line.startswith("teacher-student: ")
    assert line.count("\n") == 1
    assert said in line


@pytest.mark.parametrize(
    "error",
    [RecursionError("too deep"), KeyError("x"), SystemExit(0), SystemExit(2), GeneratorExit(), ZeroDivisionError("")],
)
def test_a_crash_of_our_own_is_said_to_be_a_bug_and_its_traceback_is_kept(
    error: BaseException,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(_endings, "_place_in_users_code", lambda error: None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert ended(monkeypatch, raising(error)) == 70
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "bug" in line
    assert "Traceback" not in line
    [kept] = tmp_path.iterdir()
    assert str(kept) in line
    assert "Traceback" in kept.read_text()
    assert type(error).__name__ in kept.read_text()
    assert "teacher-student" in kept.read_text()


def test_a_bug_without_room_for_its_traceback_is_still_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    monkeypatch.setattr(_endings, "_place_in_users_code", lambda error: None)
    assert ended(monkeypatch, raising(KeyError("x"))) == 70
    assert capsys.readouterr().err.count("\n") == 1


def test_a_variable_prints_the_whole_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEACHER_STUDENT_TRACEBACK", "1")
    assert ended(monkeypatch, raising(ts.InputError("a", "b"))) == 2
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("teacher-student: required: a; got: b\n")


def test_what_a_users_own_code_raises_is_bad_input_and_says_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "mine.py"
    code = compile("def f():\n    raise ValueError('mine')", str(script), "exec")
    names: dict[str, Any] = {}
    exec(code, names)
    assert ended(monkeypatch, names["f"]) == 2
    line = capsys.readouterr().err
    assert f"ValueError: mine, at {script}, line 2" in line
    assert line.count("\n") == 1


# ---- signals


@pytest.fixture(autouse=True)
def _usual_signals() -> Iterator[None]:
    """Signals as in a terminal; whatever a test does to them is undone."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    usual = [signal.getsignal(number) for number in numbers]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in zip(numbers, usual, strict=True):
        signal.signal(number, handler)


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def sent(number: int) -> Callable[[], object]:
    return lambda: os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_each_signal_ends_a_command_with_one_line_and_its_code(
    number: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [signal.getsignal(other) for other, _ in SIGNALS]
    assert ended(monkeypatch, sent(number)) == code
    assert [signal.getsignal(other) for other, _ in SIGNALS] == before
    assert capsys.readouterr().err == "teacher-student: interrupted\n"


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_each_signal_stops_a_simulation_in_order(
    number: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_order = []

    def simulated() -> None:
        with stop_on_ctrl_c() as stop:
            sent(number)()
            in_order.append(stop.is_set())

    assert ended(monkeypatch, simulated) == code
    assert in_order == [True]


def test_the_first_of_two_signals_gives_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def both() -> None:
        with stop_on_ctrl_c():
            sent(signal.SIGTERM)()
        sent(signal.SIGINT)()

    assert ended(monkeypatch, both) == 143
    assert ended(monkeypatch, sent(signal.SIGINT)) == 130  # the next command knows nothing of it


def test_sigterm_ends_a_command_that_ignores_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell starts programs in the background of a script."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert ended(monkeypatch, sent(signal.SIGTERM)) == 143
    assert ended(monkeypatch, sent(signal.SIGINT)) == 0


def test_a_signal_that_is_ignored_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As nohup wants it."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert ended(monkeypatch, sent(signal.SIGHUP)) == 0


# ---- output


class Broken(io.StringIO):
    """A stream on which writing fails, as on a full disk or a closed pipe."""

    def __init__(self, error: OSError):
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error

    def fileno(self) -> int:
        raise OSError("not a file")


def printing() -> tuple[Callable[[], None], list[str]]:
    """Work that prints and goes on, and what it has done after that."""
    done: list[str] = []

    def work() -> None:
        print("a line")
        done.append("the rest")

    return work, done


def test_output_to_a_full_disk_loses_no_work_and_has_a_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work, done = printing()
    monkeypatch.setattr("sys.stdout", Broken(OSError(28, "No space left on device")))
    assert ended(monkeypatch, work) == 74
    assert done
    assert capsys.readouterr().err == "teacher-student: the output could not be written (No space left on device)\n"
    assert ended(monkeypatch, raising(ts.InputError("a", "b"))) == 2  # what has failed anyway says why


def test_a_closed_pipe_ends_the_work_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work, done = printing()
    monkeypatch.setattr("sys.stdout", Broken(BrokenPipeError(32, "Broken pipe")))
    assert ended(monkeypatch, work) == 141
    assert not done
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_that_a_library_swallows_has_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        with contextlib.suppress(OSError):
            print("a line")

    monkeypatch.setattr("sys.stdout", Broken(BrokenPipeError(32, "Broken pipe")))
    assert ended(monkeypatch, work) == 141


def test_messages_that_cannot_be_written_change_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        print("progress", file=sys.stderr)

    for error in (OSError(28, "No space left on device"), BrokenPipeError(32, "Broken pipe")):
        monkeypatch.setattr("sys.stderr", Broken(error))
        assert ended(monkeypatch, work) == 0
        assert ended(monkeypatch, raising(ts.InputError("a", "b"))) == 2


def test_streams_that_are_not_there_change_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)

    def work() -> None:
        print("a line", sys.stderr.isatty())

    assert ended(monkeypatch, work) == 0
    assert (sys.stdout, sys.stderr) == (None, None)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_without_a_letter_gets_a_question_mark(encoding: str) -> None:
    raw = io.BytesIO()
    stream = Stream(io.TextIOWrapper(raw, encoding=encoding), pipe_matters=True)
    stream.write("schwér λ ≤ \udcff\n")
    stream.flush()
    said = raw.getvalue().decode(encoding)
    assert said == ("schw?r ? ? ?\n" if encoding == "ascii" else "schwér ? ? ?\n")


def test_streams_are_put_back() -> None:
    before = sys.stdout, sys.stderr
    with unbreakable_streams():
        assert sys.stdout is not before[0]
    assert (sys.stdout, sys.stderr) == before


# ---- pictures


class Unlucky:
    """A figure that cannot be drawn, such as one of LaTeX where there is none."""

    def savefig(self, path: Path, dpi: int, format: str) -> None:
        path.write_text("half")
        raise RuntimeError("latex could not be found\nand more")


class Lucky:
    """A figure of some bytes."""

    def savefig(self, path: Path, dpi: int, format: str) -> None:
        path.write_text(f"drawn as {format}")


def test_a_picture_that_cannot_be_drawn_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"c\.png could not be drawn \(RuntimeError: latex could not be found\)$"):
        write_picture(Unlucky(), tmp_path / "c.png", force=False)  # type: ignore[arg-type]  # as far as it is used
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("draw", [Unlucky, raising(ValueError("no backend"))])
def test_pictures_that_fail_beside_results_are_a_warning_and_no_old_one_stays(draw: Any, tmp_path: Path) -> None:
    paths = {kind: tmp_path / f"c.{kind}" for kind in ("png", "pdf")}
    paths["png"].write_text("of an earlier run")
    with pytest.warns(UserWarning, match=r"^no c\.png, c\.pdf: .*; all else is written$"):
        write_pictures(draw, paths)
    assert not list(tmp_path.iterdir())


def test_pictures_are_written_where_nothing_fails(tmp_path: Path) -> None:
    paths = {kind: tmp_path / f"c.{kind}" for kind in ("png", "pdf")}
    write_pictures(Lucky, paths)  # type: ignore[arg-type]  # as far as it is used
    assert [path.read_text() for path in paths.values()] == ["drawn as png", "drawn as pdf"]


def test_a_figure_command_whose_picture_fails_has_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from figures.command import _draw

    for name in ("theory.nc", "simulation.nc"):
        (tmp_path / name).touch()
    monkeypatch.setattr(_draw, "draw_comparison", lambda options: Unlucky())
    assert main(["figure", "comparison", str(tmp_path), "--save", str(tmp_path / "c.png"), "--cache", "off"]) == 74
    assert "latex could not be found" in capsys.readouterr().err


# ---- files


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 3000,
        "a = " + "[" * 3000 + "]" * 3000,
        "a = " + "{a = " * 3000 + "1" + "}" * 3000,
        "[a" + ".a" * 3000 + "]",
        "a" + ".a" * 3000 + " = 1",
        *("a = " + "[" * depth + "]" * depth for depth in (50, 200, 500, 900)),
        *("[task]\nwidth = " + "[" * depth + "]" * depth for depth in (50, 200, 500, 900)),
        *("[task.levels.a" + ".a" * depth + "]" for depth in (50, 200, 500, 900)),
        *("[" + "student.a" + ".a" * depth + "]" for depth in (50, 200, 500, 900)),
        "seed = " + "9" * 5000,
        "seed = -" + "9" * 5000,
        "seed = 0x" + "f" * 5000,
        "[sgd]\nlearning_rate = " + "9" * 4000,
        "[student]\nwidth = " + "9" * 4000,
        "[sgd]\nlearning_rate = 1e" + "9" * 5000,
        "\x00",
        "a = '\x00'",
    ],
)
def test_a_file_that_python_cannot_read_is_bad_input(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "problem.toml"
    for content in (text, f"{text}\n{SMALL}"):
        path.write_text(content)
        for command in ("compare", "solve", "optimize", "sweep"):
            assert main([command, str(path), "--out", str(tmp_path / "out"), "--cache", "off"]) == 2
            line = capsys.readouterr().err
            assert line.count("\n") == 1
            assert "required: " in line
            assert len(line) < 10_000


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-32", "cp037"])
def test_a_file_in_another_encoding_is_bad_input(
    encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "problem.toml"
    path.write_bytes(("# café\n" + SMALL).encode(encoding))
    assert main(["compare", str(path), "--out", str(tmp_path / "out"), "--cache", "off"]) == 2
    line = capsys.readouterr().err
    assert "UTF-8" in line
    assert line.count("\n") == 1


# ---- what users read


def test_every_code_has_a_meaning_in_help_and_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(MEANINGS) == set(ExitCode)
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert explained() in capsys.readouterr().out
    table = (ROOT / "docs" / "howto" / "exit_codes.md").read_text()
    for code in ExitCode:
        assert f"| {code.value} |" in table


def test_an_unknown_option_is_bad_input() -> None:
    with pytest.raises(SystemExit) as end:
        main(["solve", "--bogus"])
    assert end.value.code == 2


# ---- whole programs


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash, in which T is the command line, in a folder of its own."""
    (folder / "problem.toml").write_text(UMLAUT)
    (folder / "settings").mkdir(exist_ok=True)
    (folder / "settings" / "matplotlibrc").write_text("text.usetex: True\n")
    program = "import sys; from figures.command._main import main; sys.exit(main())"
    command = folder / "bin" / "T"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{program}' \"$@\"\n")
    command.chmod(0o755)
    variables = {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "PYTHONIOENCODING": "utf-8",
        "TEACHER_STUDENT_CACHE": "off",
    }
    return subprocess.run(
        ["bash", "-c", textwrap.dedent(line)], capture_output=True, text=True, cwd=folder, env=variables, timeout=HANGS
    )


def test_help_into_a_closed_pipe_and_onto_a_full_disk(tmp_path: Path) -> None:
    # Who reads has gone before anything is written.
    done = shell(tmp_path, "exec 3> >(:); wait $!; T --help >&3; echo $? >&2")
    assert done.stderr == "141\n"
    if Path("/dev/full").exists():
        done = shell(tmp_path, "T --help > /dev/full; echo $?")
        assert done.stdout == "74\n"
        assert done.stderr.count("\n") == 1


LONG = pytest.mark.long


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "code", "files"),
    [
        ("T solve problem.toml --out o > /dev/full", 74, 3),
        ("set -o pipefail; PYTHONUNBUFFERED=1 T solve problem.toml --out o | head -1", 141, 0),
        ("set -o pipefail; T solve problem.toml --out o | true", 141, 3),  # it is told only at the end
        pytest.param("T solve problem.toml --out o >&-", 0, 3, marks=LONG),
        pytest.param("T solve problem.toml --out o 2>&-", 0, 3, marks=LONG),
        ("T solve problem.toml --out o <&- >&- 2>&-", 0, 3),
        ("PYTHONIOENCODING=ascii T solve problem.toml --out o", 0, 3),
        pytest.param(
            "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 PYTHONIOENCODING= T solve problem.toml --out o",
            0,
            3,
            marks=LONG,
        ),
        ("MATPLOTLIBRC=$PWD/settings T solve problem.toml --out o", 0, None),  # there may be LaTeX
        ("MPLBACKEND=nonsense T solve problem.toml --out o", 0, 1),
        pytest.param("unset HOME; T solve problem.toml --out o", 0, 3, marks=LONG),
        pytest.param("unset TEACHER_STUDENT_CACHE; HOME=/nowhere T solve problem.toml --out o", 0, 3, marks=LONG),
        pytest.param("T solve problem.toml --out o --cache /dev/null/x", 0, 3, marks=LONG),
    ],
)
def test_surroundings_change_no_verdict(line: str, code: int, files: int | None, tmp_path: Path) -> None:
    done = shell(tmp_path, line)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if files is not None:
        assert len(list(tmp_path.glob("o/*"))) == files


@pytest.mark.slow
@pytest.mark.long("HUP-129")
@pytest.mark.parametrize(("name", "code"), [("TERM", 143), ("HUP", 129)])
def test_a_signal_to_a_whole_comparison_keeps_what_is_finished(name: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "long.toml").write_text(
        SMALL.replace("runs = 16", "runs = 2000000") + "[theory]\nfluctuations = false\n"
    )
    done = shell(
        tmp_path,
        f"""
        T compare long.toml --out o --quiet &
        while ! test -e o/theory.nc; do sleep 0.2; kill -0 $! || exit 99; done
        kill -{name} $!
        wait $!
        """,
    )
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1
    assert "interrupted" in done.stderr
    assert (tmp_path / "o" / "theory.nc").exists()
