"""Ctrl-C at every stage of `compare`: exit code 130, what is finished is on disk, and no signal is lost."""

import ctypes
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ode
import teacher_student as ts
from figures import _compare
from figures.command._main import main
from figures.running import _ctrl_c

from .problem_files import SMALL

STAGES = ("solve_theory", "predict_fluctuations", "simulate", "judge", "draw")  # of figures._compare, in order
WRITTEN = {  # by the stages before
    "solve_theory": set(),
    "predict_fluctuations": {"theory.nc"},
    "simulate": {"theory.nc", "fluctuations.nc"},
    "judge": {"theory.nc", "fluctuations.nc", "simulation.nc", "simulation_smaller.nc"},
    "draw": {"theory.nc", "fluctuations.nc", "simulation.nc", "simulation_smaller.nc", "report.json"},
}


class Saved:
    """A result that only knows how to be saved."""

    def save(self, path: Path, *, force: bool) -> None:
        path.write_text("saved")


class Verdict:
    """A verdict that only knows its text."""

    agrees, table, verdict, answer = True, "table", "AGREE", "AGREE"

    def to_json(self) -> str:
        return "{}"


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """SIGINT as in a terminal: a shell that starts the tests in the background has them ignore it."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stages of `compare` that compute nothing, and the list of those that were begun."""
    begun: list[str] = []

    def stage(name: str, result: Any) -> None:
        def run(*arguments: Any) -> Any:
            begun.append(name)
            if name == "simulate":
                result.save(arguments[2], force=True)
            return result

        monkeypatch.setattr(_compare, name, run)

    for name in ("solve_theory", "predict_fluctuations", "simulate"):
        stage(name, Saved())
    stage("judge", Verdict())
    stage("draw", None)
    return begun


@pytest.fixture
def call(tmp_path: Path) -> list[str]:
    (tmp_path / "problem.toml").write_text(SMALL)
    return ["compare", str(tmp_path / "problem.toml"), "--out", str(tmp_path / "out")]


def press() -> None:
    """Send SIGINT to this process; where it is raised, the exception is lost, as in a library's callback."""
    callback = ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), signal.SIGINT))
    callback()  # ctypes cannot pass an exception on: it is printed and forgotten


def press_loudly() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Exceptions that nobody could take, in place of their printing."""
    lost: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", lost.append)
    return lost


@pytest.mark.parametrize("swallowed", [False, True])
@pytest.mark.parametrize("stage", STAGES)
def test_a_signal_at_any_stage_ends_the_run_before_the_next(
    stage: str,
    swallowed: bool,
    stages: list[str],
    unraisable: list[Any],
    call: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    honest = getattr(_compare, stage)

    def pressed(*arguments: Any) -> Any:
        (press if swallowed else press_loudly)()
        return honest(*arguments)

    monkeypatch.setattr(_compare, stage, pressed)
    before = signal.getsignal(signal.SIGINT)
    assert main(call) == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert len(unraisable) == swallowed  # the exception was lost indeed
    later = STAGES[STAGES.index(stage) + 1 :]
    assert not set(later) & set(stages)
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert WRITTEN[stage] <= written
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "interrupted" in said
    assert all(name in said for name in WRITTEN[stage])


def test_without_a_signal_all_stages_are_done(stages: list[str], call: list[str]) -> None:
    assert main([*call, "--quiet"]) == 0
    assert list(dict.fromkeys(stages)) == list(STAGES)


def test_a_signal_too_late_to_cut_a_simulation_short_is_not_forgotten(
    stages: list[str], call: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulation's own handler takes it, and all runs are finished nevertheless."""
    from simulations.engine._threads import stop_on_ctrl_c

    honest = vars(_compare)["simulate"]  # that of the fixture, which notes the stage

    def pressed(*arguments: Any) -> Any:
        with stop_on_ctrl_c() as stop:
            press_loudly()
            assert stop.is_set()
        return honest(*arguments)

    monkeypatch.setattr(_compare, "simulate", pressed)
    assert main(call) == 130
    assert stages == ["solve_theory", "predict_fluctuations", "simulate"]


def test_a_signal_that_the_solver_swallows_ends_a_real_run(
    call: list[str], unraisable: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = ode.solve

    def swallowing(*arguments: Any, **options: Any) -> ts.Trajectory:
        press()
        return honest(*arguments, **options)

    monkeypatch.setattr(ode, "solve", swallowing)
    assert main(call) == 130
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"theory.nc"}
    assert ts.Trajectory.load(tmp_path / "out" / "theory.nc").problem.student.width == 1


def test_outside_the_command_line_nothing_is_noted() -> None:
    with pytest.raises(KeyboardInterrupt):
        press_loudly()
    _ctrl_c.stop_if_asked()


def test_in_another_thread_the_handler_is_left_alone() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def body() -> None:
        with _ctrl_c.heeding_ctrl_c():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [before]
