"""Holds prose to what is computed: a bold number of a notebook must stand in the output of one of its cells.

The build warns of any other, which `python -m docs` takes as an error. So notebooks are run once, and checked then.
"""

import re
from collections.abc import Iterable
from typing import Any

NUMBER = re.compile(r"\d")


def unprinted(stated: Iterable[str], printed: Iterable[str]) -> list[str]:
    """Return the texts with a digit in them that stand in none of the outputs, whatever the white space."""
    outputs = " ".join(" ".join(printed).split())
    return [text for text in stated if NUMBER.search(text) and not _stands_in(" ".join(text.split()), outputs)]


def _stands_in(text: str, outputs: str) -> bool:
    """Say whether a text stands there as a whole: 0.59 is not printed by 10.592."""
    return re.search(rf"(?<![\d.]){re.escape(text)}(?!\d)", outputs) is not None


def _check(app: Any, doctree: Any) -> None:
    """Warn of the numbers of a notebook that none of its cells printed."""
    from docutils import nodes
    from sphinx.util import logging

    outputs = [node.astext() for node in doctree.findall(nodes.container) if "cell_output" in node["classes"]]
    if not outputs:  # no notebook, or one that was not run
        return
    for text in unprinted((node.astext() for node in doctree.findall(nodes.strong)), outputs):
        logging.getLogger(__name__).warning("no cell prints the bold number %s", text, location=app.env.docname)


def setup(app: Any) -> dict[str, Any]:
    """Check each page when it has been read."""
    app.connect("doctree-read", _check)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
