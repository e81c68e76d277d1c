"""What leaves the page: a problem file, a Python script and pictures."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

from collections.abc import Mapping
from typing import Any

from teacher_student import internal

from ._drawn import bytes_of, picture
from ._names import STEM
from ._page import Page
from ._script import to_python

EXPORTS = {  # file -> what its button is called
    f"{STEM}.toml": "Problem file",
    f"{STEM}.py": "Python script",
    f"{STEM}.png": "Picture (PNG)",
    f"{STEM}.pdf": "Picture (PDF)",
}


def exported(page: Page, name: str) -> bytes:
    """Return the contents of one of the `EXPORTS`, for what the page shows last."""
    assert page.latest is not None  # the buttons come after the curves
    question = page.latest.question
    if name.endswith(".toml"):
        return to_toml(question.tables, page.opened.source).encode()
    if name.endswith(".py"):
        return to_python(question.tables).encode()
    figure = picture(page.latest, page.comparison(question))
    return b"" if figure is None else bytes_of(figure, name[-3:])


def to_toml(tables: Mapping[str, Any], source: str) -> str:
    """Return the text of a problem file with these tables.

    Arguments: source: the file that the page was opened with, which the first line names.
    """
    import tomlkit  # comes with marimo

    origin = f" of {internal.one_line(source)}" if source else ""
    return (
        f"# Explored from the problem{origin}. To compare its theory with simulations:\n"
        f"# teacher-student compare {STEM}.toml --out {STEM}\n\n"
        f"{tomlkit.dumps(tables)}"
    )
