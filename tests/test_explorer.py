"""The explorer: controls of every example, what they ask, what leaves the page, and the page in a real browser."""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import figures
import teacher_student as ts
from figures import explorer
from figures.command._main import main
from figures.experiment import load_tables, read_experiment
from figures.explorer import _job

from .compilations import counted
from .problem_files import SMALL

ROOT = Path(__file__).parents[1]
FILES = [None, *sorted((ROOT / "examples").glob("*.toml"))]
CHROMIUM = shutil.which("chromium")


def page_of(tables: dict[str, Any]) -> explorer.Page:
    return explorer.Page(explorer.Opened(tables, "problem.toml"))


def ask(page: explorer.Page, order: str = explorer.GIVEN, **moved: float) -> explorer.Question:
    """Return the question of a page on which only the controls of these names (the last word of a path) are moved."""
    groups = page.rates, page.inputs, page.phases(order)
    values = [[moved.get(str(control.path[-1]), control.value) for control in group] for group in groups]
    widths = [int(moved.get(count.name.split()[1], count.value)) for count in page.widths]
    ensemble = [int(moved.get(count.name.split()[0], count.value)) for count in page.ensemble]
    rates, inputs, phases = values
    return page.ask(order, widths, rates, inputs, phases, ensemble)


# ---- controls


@pytest.mark.parametrize("path", FILES, ids=lambda path: "built-in" if path is None else path.stem)
def test_controls_that_nobody_moves_change_nothing(path: Path | None) -> None:
    tables = load_tables(path)
    page = page_of(tables)
    assert ask(page).tables == tables
    controls = [*page.rates, *page.inputs, *page.phases(page.orders[0])]
    assert controls[0].path == ("sgd", "learning_rate")
    for control in controls:
        assert control.value in control.steps
        assert list(control.steps) == sorted(control.steps)
        assert len(control.steps) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: "built-in" if path is None else path.stem)
def test_every_end_of_every_slider_is_a_problem(path: Path | None) -> None:
    page = page_of(load_tables(path))
    for control in (*page.rates, *page.inputs, *page.phases(page.orders[0])):
        for value in (control.steps[0], control.steps[-1]):
            groups = page.rates, page.inputs, page.phases(page.orders[0])
            values = [[value if one is control else one.value for one in group] for group in groups]
            widths, ensemble = ([count.value for count in group] for group in (page.widths, page.ensemble))
            rates, inputs, phases = values
            question = page.ask(page.orders[0], widths, rates, inputs, phases, ensemble)
            read_experiment(question.tables, simulated=False)


def test_shares_of_the_dimensions_go_on_summing_to_1() -> None:
    asked = ask(page_of(load_tables(None)), relevant=0.46)
    assert asked.tables["task"]["fractions"] == {"relevant": 0.46, "irrelevant": 0.54}


def test_levels_may_have_dots_in_their_names() -> None:
    tables = tomllib.loads(SMALL.replace("hard =", '"1.5" =').replace('"hard"', '"1.5"'))
    asked = ask(page_of(tables), irrelevant=1.0)
    assert asked.tables["task"]["levels"]["1.5"]["irrelevant"] == 1.0


def test_a_class_of_ones_own_has_sliders_for_its_own_numbers() -> None:
    page = page_of(load_tables(ROOT / "examples" / "own_task.toml"))
    assert ("task", "width") in [control.path for control in page.inputs]
    assert len(page.widths) == 1  # K alone: what its width means, only the class knows


# ---- orders


def test_each_order_shows_as_many_samples_of_each_level() -> None:
    tables = load_tables(ROOT / "examples" / "relu_student.toml")  # a ramp from easy to hard for 8, then hard for 4
    orders = explorer.orders(tables)
    assert list(orders) == [explorer.GIVEN, "easy, then hard", "hard, then easy", "mixed"]
    assert orders["hard, then easy"] == [["hard", 8.0], ["easy", 4.0]]
    ((shares, duration),) = orders["mixed"]
    assert (shares["hard"] * duration, shares["easy"] * duration) == pytest.approx((8.0, 4.0))


def test_a_budget_in_an_order_can_be_put_in_another_order() -> None:
    tables = load_tables(None)
    tables["curriculum"] = {"order": ["easy", "hard"], "shares": {"easy": 0.25, "hard": 0.75}, "duration": 8.0}
    assert explorer.orders(tables)["hard, then easy"] == [["hard", 6.0], ["easy", 2.0]]
    assert ask(page_of(tables)).tables == tables


def test_recorded_times_follow_the_end_of_the_curriculum() -> None:
    tables = load_tables(None)
    tables["record"] = {"alphas": [5.0, 20.0]}
    page = page_of(tables)
    rates, inputs = ([control.value for control in group] for group in (page.rates, page.inputs))
    counts = [[count.value for count in group] for group in (page.widths, page.ensemble)]
    asked = page.ask(explorer.GIVEN, counts[0], rates, inputs, [10.0, 20.0], counts[1])
    assert asked.tables["record"]["alphas"] == [7.5, 30.0]
    assert page.answer(asked).failure == ""


# ---- widths


def test_other_widths_start_from_random_weights_and_say_so() -> None:
    page = page_of(load_tables(ROOT / "examples" / "saad_solla_plateau.toml"))
    asked = ask(page, K=3)
    assert "Q" not in asked.tables["start"]
    assert "random weights" in " ".join(asked.notes)
    assert read_experiment(asked.tables, simulated=False).problem.shape == (1, 3, 2)


def test_readouts_follow_the_widths() -> None:
    page = page_of(load_tables(ROOT / "examples" / "both_layers.toml"))
    asked = ask(page, K=4, M=1)
    assert asked.tables["start"]["readout"] == [0.3, 0.4, 0.5, 0.3]
    assert asked.tables["task"]["readout"] == [1.0]
    assert len(asked.notes) == 2


# ---- theory


def test_a_number_never_compiles_again() -> None:
    page = page_of(tomllib.loads(SMALL))
    first = page.answer(ask(page))
    page.wait()
    quick = page.answer(ask(page, learning_rate=0.9))
    assert first.solution is not None
    assert quick.solution is not None
    assert (first.solution.compiled, quick.solution.compiled) == (False, True)
    with counted() as count:
        for rate in (0.7, 1.1):
            for order in page.orders:
                assert page.answer(ask(page, order, learning_rate=rate)).solution is not None
    assert count == [0]
    assert not page.is_new(ask(page, scale=0.3))
    assert page.is_new(ask(page, K=2))


def test_the_quick_program_and_the_first_one_agree() -> None:
    page = page_of(tomllib.loads(SMALL))
    slow = page.answer(ask(page)).solution
    page.wait()
    quick = page.answer(ask(page)).solution
    assert slow is not None
    assert quick is not None
    assert not slow.compiled
    assert quick.compiled
    np.testing.assert_allclose(quick.theory.overlaps.R, slow.theory.overlaps.R, atol=1e-6)


def test_a_divergence_is_said() -> None:
    tables = tomllib.loads(SMALL.replace("learning_rate = 1.0", "learning_rate = 50.0").replace("1.0]", "30.0]"))
    tables["student"]["activation"] = tables["task"]["activation"] = "linear"
    page = page_of(tables)
    text = explorer.state_of(page.answer(ask(page)), compiling=False)
    assert "Theory stops early: " in text
    assert "diverged" in text


def test_what_cannot_be_solved_is_said_in_place_of_curves() -> None:
    page = page_of(tomllib.loads(SMALL))
    answer = page.answer(explorer.Question({**ask(page).tables, "sgd": {"learning_rate": -1.0}}))
    assert "learning rate >= 0" in explorer.state_of(answer, compiling=False).replace("&gt;", ">")
    assert explorer.images(answer, None) == ""


def test_the_picture_comes_panel_by_panel() -> None:
    page = page_of(tomllib.loads(SMALL))
    answer = page.answer(ask(page))
    figure = explorer.picture(answer, None)
    assert figure is not None
    html = explorer.images(answer, None)
    assert html.count("<img ") == len(figure.axes) >= 4
    moved = explorer.images(page.answer(ask(page, learning_rate=0.5)), None)
    assert moved != html


# ---- what leaves the page


@pytest.mark.parametrize("path", FILES, ids=lambda path: "built-in" if path is None else path.stem)
def test_an_exported_file_is_the_same_problem(path: Path | None) -> None:
    tables = ask(page_of(load_tables(path)), learning_rate=0.25).tables
    text = explorer.to_toml(tables, "" if path is None else path.name)
    assert tomllib.loads(text) == tables
    assert read_experiment(tomllib.loads(text)) == read_experiment(tables)
    assert read_experiment(tables) != read_experiment(load_tables(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: "built-in" if path is None else path.stem)
def test_an_exported_script_is_the_same_experiment(path: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = ask(page_of(load_tables(path)), learning_rate=0.25).tables
    assert experiment_of(explorer.to_python(tables), monkeypatch) == read_experiment(tables)


@pytest.mark.parametrize(
    "tables",
    [
        {"record": {"spacing": "log", "first": 0.1}},
        {"record": {"alphas": [0.5, 2.0]}, "agreement": {"significance": 0.05}, "seed": 7},
        {"theory": {"averages": "sampled", "points": 256}},
        {"theory": {"averages": "closed form", "rtol": 1e-6}, "simulation": {"dim": 200, "runs": 5}},
        {"start": {"teacher": "orthonormal", "number": 3}},
        {"curriculum": {"order": "mixed", "shares": {"easy": 0.5, "hard": 0.5}, "duration": 2.0}},
    ],
    ids=lambda tables: next(iter(tables)),
)
def test_whatever_a_file_chooses_a_script_chooses_too(tables: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    tables = tomllib.loads(SMALL) | tables
    assert experiment_of(explorer.to_python(tables), monkeypatch) == read_experiment(tables)


def experiment_of(script: str, monkeypatch: pytest.MonkeyPatch) -> figures.Experiment:
    """Run a script up to its comparison; return what it would compare."""
    compared: list[figures.Experiment] = []

    class Stop(Exception):
        pass

    def note(problem: Any, start: Any = None, alphas: Any = None, **choices: Any) -> None:
        whole = isinstance(problem, figures.Experiment)
        compared.append(problem if whole else figures.make_experiment(problem, start, alphas, **choices))
        raise Stop

    monkeypatch.setattr(figures, "compare", note)
    with pytest.raises(Stop):
        exec(script, {})
    return compared[0]


# ---- simulation


@pytest.mark.long
def test_a_simulation_gives_points_and_the_verdict_that_compare_gives(tmp_path: Path) -> None:
    page = page_of(tomllib.loads(SMALL))
    asked = ask(page)
    page.answer(asked)
    page.simulate(asked)
    while page.job.is_running:
        page.job.wait(60)
    assert page.job.failure == ""
    assert page.has_news()
    assert not page.has_news()
    comparison = page.comparison(asked)
    assert comparison is not None
    assert page.comparison(ask(page, learning_rate=0.5)) is None
    file = tmp_path / "explored.toml"
    file.write_bytes(explorer.exported(page, "explored.toml"))
    again = figures.compare(figures.load_experiment(file), progress=False, say=lambda line: None)
    # The numbers are the same; what is made of them may be rounded otherwise, as the page tunes its compiler.
    np.testing.assert_array_equal(again.runs.overlaps.Q, comparison.runs.overlaps.Q)
    np.testing.assert_array_equal(again.theory.overlaps.Q, comparison.theory.overlaps.Q)
    assert again.agreement.verdict == comparison.agreement.verdict
    assert explorer.exported(page, "explored.pdf").startswith(b"%PDF")
    assert explorer.exported(page, "explored.png").startswith(b"\x89PNG")
    assert 'data-shown="comparison"' in explorer.images(page.answer(asked), comparison)
    page.job.stop()


@pytest.mark.slow
def test_a_simulation_can_be_stopped_and_started_again() -> None:
    page = page_of(tomllib.loads(SMALL.replace("runs = 16", "runs = 2000000")))
    page.simulate(ask(page))
    process = page.job._process
    page.job.wait(60)
    assert page.job.is_running
    page.job.stop()
    assert not process.is_alive()
    assert not page.job.is_running
    assert "stopped" in explorer.progress_of(page.job, ask(page))
    page.simulate(ask(page))
    assert page.job.is_running
    page.job.stop()


def test_a_failure_of_the_simulation_is_one_line() -> None:
    lines: list[Any] = []

    class Pipe:
        send = lines.append

    tables = tomllib.loads(SMALL.replace("dim = 200", "dim = 2"))
    kind, text = _job._outcome(tables, Pipe())  # type: ignore[arg-type]  # all that it uses of a pipe
    assert kind == "failure"
    assert text.startswith("required: ")
    assert "\n" not in text


# ---- the command


def test_without_marimo_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "marimo" else real(name, *more)
    )
    assert main(["explore", "--no-browser", "--cache", "off"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install '.[explore]' in the checkout" in line


def test_a_port_that_is_taken_or_none_is_bad_input() -> None:
    with explorer.listening(None) as taken:
        host, port = taken.getsockname()
        assert host == "127.0.0.1"
        for wrong in (port, 0, 70_000):
            with pytest.raises(ts.InputError, match="--port"):
                explorer.listening(wrong)


def test_a_wrong_file_is_said_before_anything_is_served(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: object())
    file.write_text(SMALL.replace("width = 1", "width = 0"))
    assert main(["explore", str(file), "--no-browser", "--cache", "off"]) == 2
    assert "width" in capsys.readouterr().err


needs_marimo = pytest.mark.skipif(importlib.util.find_spec("marimo") is None, reason="marimo is not installed")


@contextlib.contextmanager
def served(file: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command; give its process, and the address that it prints."""
    command = [sys.executable, "-m", "figures.command._main", "explore", str(file), "--no-browser"]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process: subprocess.Popen[str] = subprocess.Popen(command, cwd=file.parent, env=environment, **pipes)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+", line)
        assert found, (line, process.stderr.read() if process.stderr and process.poll() is not None else "")
        yield process, found.group()
    finally:
        process.kill()
        process.communicate()


@needs_marimo
@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_only_this_machine_reaches_it(file: Path, number: int, code: int) -> None:
    before = set(file.parent.iterdir())
    with served(file) as (process, address):
        port = int(address.split(":")[2].partition("/")[0])
        with socket.socket() as elsewhere, pytest.raises(ConnectionRefusedError):
            elsewhere.connect(("127.0.0.2", port))  # what listens to other machines too would listen here
        urllib.request.urlopen(address).read()  # a page that is open must not hold it
        process.send_signal(number)
        _, errors = process.communicate()
        assert process.returncode == code
        assert errors == "teacher-student: interrupted\n"
    assert set(file.parent.iterdir()) == before


# ---- in a browser

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 300_000  # milliseconds that a busy machine may take to compile


@pytest.fixture
def browser() -> Iterator[Any]:
    """Give a headless Chromium, where there is one."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[browser]'")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the path: apt-get install chromium")
    with api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


@needs_marimo
@pytest.mark.slow
def test_in_a_browser_a_slider_moves_the_curves_and_a_simulation_puts_points_on_them(
    file: Path, tmp_path: Path, browser: Any
) -> None:
    from playwright.sync_api import expect

    hosts: set[str] = set()
    with served(file) as (process, address):
        page = browser.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(address)
        curve = page.locator(".explorer-panels img").first
        expect(curve).to_be_visible(timeout=PATIENCE)
        before = curve.get_attribute("src")
        page.get_by_role("slider").first.focus()  # the learning rate
        page.keyboard.press("ArrowRight")
        expect(curve).not_to_have_attribute("src", before, timeout=PATIENCE)
        expect(page.locator('[data-shown="theory"]')).to_be_visible()
        page.get_by_role("button", name="Simulate").click()
        shown = page.get_by_text(re.compile("^(DIS)?AGREE\\b.*: p = "))  # "AGREE, but ..." where little would be seen
        expect(shown).to_be_visible(timeout=PATIENCE)
        expect(page.locator('[data-shown="comparison"]')).to_be_visible(timeout=PATIENCE)
        verdict = shown.inner_text()
        with page.expect_download(timeout=PATIENCE) as download:
            page.get_by_text("Problem file", exact=True).click()
        exported = tmp_path / download.value.suggested_filename
        download.value.save_as(exported)
        page.get_by_role("slider").first.focus()
        page.keyboard.press("ArrowRight")
        # The points were of other values.
        expect(page.locator('[data-shown="theory"]')).to_be_visible(timeout=PATIENCE)
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 130
    assert hosts == {address.split("/")[2]}
    assert tomllib.loads(exported.read_text())["sgd"]["learning_rate"] > 1.0
    again = figures.compare(figures.load_experiment(exported), progress=False, say=lambda line: None)
    assert again.agreement.verdict.startswith(verdict)
