"""What pages state in numbers is printed by what they run or name. Building the site runs the notebooks themselves."""

import re

import pytest

from docs._site.printed_numbers import unprinted

from .pages import ROOT

GALLERY = ROOT / "docs" / "gallery"
SAVED = (
    "lottery",
    "tickets",
    "curriculum",
    "cost",
    "finite_size",
    "optimal",
    "images",
)  # what has a page and, beside it, its numbers
NUMBER = re.compile(r"[-+]?\d+\.\d+")


def stated(name: str) -> list[str]:
    """Return the decimals that the text blocks of a gallery script state, as they stand there."""
    text = (GALLERY / f"plot_{name}.py").read_text()
    blocks = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    return NUMBER.findall(" ".join(blocks))


@pytest.mark.parametrize("name", SAVED)
def test_what_a_gallery_page_states_stands_in_the_saved_numbers(name: str) -> None:
    printed = (ROOT / "docs" / f"{name}.txt").read_text()
    missing = [number for number in stated(name) if number not in printed]
    assert missing == []


def test_a_bold_number_that_no_cell_prints_is_found() -> None:
    outputs = ["AGREE: p = 0.444 ... a learning rate 0.59 % off", "height  10.592"]
    assert unprinted(["0.59 %", "0.444", "no number"], outputs) == []
    assert unprinted(["0.60 %"], outputs) == ["0.60 %"]
    assert unprinted(["0.592"], outputs) == ["0.592"]  # a part of another number
