"""The how-to pages lead somewhere, and their Python runs as printed."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docs._site.printed_numbers import unprinted

from .pages import ROOT, code_of, leads_somewhere, links_of, prose_of

HOWTO = sorted((ROOT / "docs" / "howto").glob("*.md"))
NOTEBOOKS = [ROOT / "docs" / "start.md", *sorted((ROOT / "docs" / "tutorials").glob("[0-9]*.md"))]
PAGES = [*HOWTO, *NOTEBOOKS]
PACKAGES = {"ts": "teacher_student", "ode": "ode", "simulations": "simulations", "figures": "figures"}


def unknown_names(code: str) -> list[str]:
    """Return the names of our packages, as `ode.solve`, that a piece of code uses and that are not there."""
    uses = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Attribute)]
    named = [(each.value.id, each.attr) for each in uses if isinstance(each.value, ast.Name)]
    return [
        f"{package}.{name}"
        for package, name in named
        if package in PACKAGES and not hasattr(importlib.import_module(PACKAGES[package]), name)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links_of(page):
        assert leads_somewhere(page, target), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_uses_names_that_are_there(page: Path) -> None:
    for code in code_of(page):
        assert unknown_names(code) == []


def test_sabotage_a_name_that_is_not_there_is_found() -> None:
    assert unknown_names("theory = ode.solve_it(problem)") == ["ode.solve_it"]


@pytest.mark.parametrize("page", NOTEBOOKS, ids=lambda page: page.stem)
def test_a_notebook_asks_a_question_and_says_where_to_go_next(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "## Where to go next" in text
    assert "kernelspec:" in text
    if page.parent.name == "tutorials":
        assert re.search(r"^# .*\n\n\*[^*]+\?[^*]*\*$", text, flags=re.MULTILINE)


def run(page: str, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    """Run the blocks of a page one after the other; returns their names and what they printed."""
    names: dict[str, Any] = {}
    for code in code_of(ROOT / "docs" / "howto" / f"{page}.md"):
        exec(compile(code, page, "exec"), names)
    return names, capsys.readouterr().out


@pytest.mark.long
@pytest.mark.slow  # most of its time is compilation
def test_simulations_in_other_ways_agree(capsys: pytest.CaptureFixture[str]) -> None:
    names, printed = run("simulations", capsys)
    assert printed.count("AGREE: p = ") == 3
    assert len(names["theories"]) == len(names["paired"]) == 8


@pytest.mark.long
@pytest.mark.slow
def test_a_gradient_is_a_difference_quotient(capsys: pytest.CaptureFixture[str]) -> None:
    _, printed = run("gradients", capsys)
    gradient, quotient = (float(each) for each in re.findall(r"-?\d+\.\d{6}", printed))
    assert gradient == pytest.approx(quotient, abs=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("averages", "sampled, 4 x 1024 points"),
        ("memory", "GB"),
        ("derive_equations", "asin"),
        ("own_task_and_unit", "tanh"),
        ("tables", "samples / N | generalisation error"),
    ],
)
def test_a_page_prints_what_it_is_about(page: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in run(page, capsys)[1]


@pytest.mark.long
@pytest.mark.slow  # most of its time is compilation
def test_pictures_for_a_paper_are_drawn(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("\n".join(code_of(ROOT / "docs" / "howto" / "draw_for_a_paper.md")))
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path)
    pictures = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix in (".pdf", ".png")}
    assert sorted(pictures) == ["gain.pdf", "orders.pdf", "orders.png", "share.pdf"]
    assert not any(b"/Type3" in content for content in pictures.values())
    width = re.search(rb"/MediaBox \[ 0 0 ([0-9.]+)", pictures["gain.pdf"])
    assert width is not None
    assert float(width[1]) / 72 * 25.4 == pytest.approx(86, abs=0.1)


@pytest.mark.long
@pytest.mark.slow
def test_the_values_to_check_oneself_by_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    stated = re.findall(r"\*\*([^*]+)\*\*", prose_of(ROOT / "docs" / "howto" / "conventions.md"))
    assert len(stated) == 7
    assert unprinted(stated, [run("conventions", capsys)[1]]) == []


@pytest.mark.slow
def test_a_schedule_anneals_a_rate(capsys: pytest.CaptureFixture[str]) -> None:
    _, printed = run("schedules", capsys)
    constant, annealed = (float(each) for each in re.findall(r"error (\d\.\d+)", printed))
    assert annealed < constant / 2
    assert printed.splitlines()[-2] == "0.5 0.2"
    assert 0 < float(printed.split()[-1]) < 0.5


@pytest.mark.long
@pytest.mark.slow
def test_a_best_protocol_is_found_certified_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    names, printed = run("optimal_protocols", capsys)
    stated = re.findall(r"\*\*([^*]+)\*\*", prose_of(ROOT / "docs" / "howto" / "optimal_protocols.md"))
    assert len(stated) == 4
    assert unprinted(stated, [printed]) == []
    best = names["best"]
    assert best.certificate.pontryagin
    assert not names["coarse"].certificate.pontryagin
    assert f"{best.cost:.8f}\n" in printed  # of the problem that was written and read again
    mean, error = names["sampled"].solved
    assert abs(names["sampled"].cost - mean) < 4 * error


@pytest.mark.slow
def test_spawned_processes_compute(tmp_path: Path) -> None:
    (code,) = code_of(ROOT / "docs" / "howto" / "processes.md")
    script = tmp_path / "script.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "[(1, 1, 1), (1, 1, 1)]\n"
