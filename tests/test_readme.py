"""The README is short, its Python runs as printed, its links lead somewhere, and its numbers are measured ones."""

import re
from pathlib import Path

import pytest

from .pages import ROOT, code_of, leads_somewhere, links_of

README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 150
    assert len(TEXT.split()) <= 1200


def test_two_commands_install_compare_and_test() -> None:
    commands = TEXT.partition("## Two commands")[2].partition("```bash\n")[2].partition("```")[0].splitlines()
    assert [line.partition("#")[0].strip() for line in commands] == [
        "pip install . && teacher-student compare",
        'pip install ".[test]" && pytest -n 2',
    ]
    assert 'pip install --quiet ".[test]" && pytest -n 2' in (ROOT / ".ci" / "run").read_text()


def test_links_lead_somewhere() -> None:
    targets = links_of(README)
    assert len(targets) > 30
    for target in targets:
        assert leads_somewhere(README, target), target


def test_what_it_compares_with_was_measured() -> None:
    rows = [line for line in TEXT.partition("## How it compares")[2].splitlines() if line.startswith("|")]
    measured = (ROOT / "docs" / "first_curve.md").read_text()
    cells = [re.search(r"\| ([\d.]+) (s|ms) \| ([\d.]+) (s|ms): ([\d.]+) times as (fast|slow) \|", row) for row in rows]
    numbers = [cell.groups() for cell in cells if cell]
    assert len(numbers) == 3
    for here, unit, script, its_unit, ratio, how in numbers:
        for number in (f"{here} {unit}", ratio):
            assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", measured), number
        assert unit == its_unit
        expected = float(here) * float(ratio) ** (1 if how == "slow" else -1)  # the page has the ratio alone
        assert float(script) == pytest.approx(expected, rel=0.01)


def test_its_speeds_stand_in_the_table_of_engines() -> None:
    said = re.findall(r"(\d+\.?\d*)\s+times as fast", TEXT.rpartition("Beside plain NumPy")[2])
    engines = (ROOT / "docs" / "benchmarks.md").read_text()
    assert len(said) == 2
    for speed in said:
        assert f"| {speed} x NumPy" in engines, speed


def test_sabotage_a_number_that_nobody_measured_is_found() -> None:
    assert not re.search(r"(?<![\d.])3\.38 s(?!\d)", (ROOT / "docs" / "first_curve.md").read_text())


@pytest.mark.slow  # most of its time is compilation
def test_the_twelve_lines_run_agree_and_draw(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = code_of(README)
    assert len([line for line in code.splitlines() if line]) <= 12
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "AGREE: p = " in printed
    assert "would have seen a learning rate 1.4 % off" in printed
    assert (tmp_path / "theory_and_runs.png").stat().st_size > 5000
