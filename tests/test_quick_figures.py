"""Every named figure's quick version, by the command line, from nothing to its picture."""

from pathlib import Path

import pytest

from figures.command._figures import NAMED
from figures.command._main import main

pytestmark = pytest.mark.slow  # most of its time is compilation


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_a_named_figure_is_drawn_from_a_cold_start(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "data"
    assert main(["figure", name, str(directory), "--quick", "--save", str(tmp_path / "picture.png")]) == 0
    printed = capsys.readouterr().out
    assert f"teacher-student figure {name} {directory} --quick" in printed
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    assert (tmp_path / "picture.txt").exists()
