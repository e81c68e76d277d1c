"""The README's Python runs as printed, and its table of files exists."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # most of its time is compilation

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_ten_lines_run_and_agree(capsys: pytest.CaptureFixture[str]) -> None:
    code = next(each for each in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL) if "agreement" in each)
    lines = [line for line in code.splitlines() if line and not line.startswith("import")]
    assert len(lines) <= 10
    exec(compile(code, "README.md", "exec"), {})
    assert "AGREE: p = " in capsys.readouterr().out


def snippet(marker: str) -> str:
    """The README's Python block that has `marker` in it."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    return next(each for each in blocks if marker in each)


def test_fluctuations_print_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(compile(snippet("simulations.agreement(theory, runs)"), "README.md", "exec"), names)
    exec(compile(snippet("theory.budget"), "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert printed.count("AGREE: p = ") == 2
    assert "largest: spread, 4.45e-03 of error[hard]" in printed
    assert "+- 0.57 % (2.8 % would be seen)" in printed
    assert "would have seen a learning rate 2.8 % off (9 times in 10)" in printed
    assert names["band"].shape == names["alphas"].shape


@pytest.mark.slow
def test_power_preference_differences_and_own_starts_run_as_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for marker in ("simulations.agreement(theory, runs)", "ts.start_law", "simulations.preference"):
        exec(compile(snippet(marker), "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert printed.count("AGREE: p = ") == 2
    assert "to find sgd.learning_rate 1 % off" in printed
    assert "the runs prefer the FIRST theory" in printed


def test_the_main_job_runs_without_a_file_and_is_drawn(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet("simulations.agreement(theory, runs)"), "README.md", "exec"), names)
    exec(compile(snippet("figures.compare(problem"), "README.md", "exec"), names)
    assert names["result"].agreement.agrees
    assert names["result"].table in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["comparison.png"]


def test_batches_and_other_inputs_run_and_agree(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(compile(snippet("simulations.agreement(theory, runs)"), "README.md", "exec"), names)
    exec(compile(snippet("simulations.run_many"), "README.md", "exec"), names)
    assert capsys.readouterr().out.count("AGREE: p = ") == 2
    assert len(names["theories"]) == len(names["paired"]) == 8


def test_fixed_points_print_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(snippet("ode.fixed_points"), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    for said in ("stable", "-0.00883695", "0.01297", "2.306827696", "0.05025035932", "0.01277", "0.01121", "457.9"):
        assert said in printed, (said, printed)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("https://"):
            assert (Path(__file__).parents[1] / target).exists(), target


def test_the_sweep_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code = next(
        each for each in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL) if "figures.sweep(" in each
    )
    (tmp_path / "docs").symlink_to(Path(__file__).parents[1] / "docs")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "map.png").stat().st_size > 5000
    assert capsys.readouterr().out.startswith("[")


def test_the_example_of_a_boundary_lies_within_a_cell(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "examples" / "divergence_boundary.py"
    subprocess.run([sys.executable, str(script), "--out", str(tmp_path)], check=True)
    assert (tmp_path / "divergence_boundary.pdf").stat().st_size > 5000
