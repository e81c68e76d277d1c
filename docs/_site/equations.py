"""The equations of the theory pages, and the public function that each names as the one that computes it."""

import functools
import re
from pathlib import Path

from .public_names import public_names

THEORY = Path(__file__).parents[1] / "theory"
EQUATION = re.compile(r"```\{math\}\n:label: ([\w-]+)\n(.*?)```", flags=re.DOTALL)
ROLE = re.compile(r"\{py:(?:func|class|meth|attr)\}`([\w.]+)`")


def theory_pages() -> list[Path]:
    """Return the pages that have equations."""
    return sorted(path for path in THEORY.glob("*.md") if path.name != "index.md")


def function_of(equation: str, text: str) -> str | None:
    """Return the first public name after an equation, or after those that follow it at once; None if there is none."""
    after = text[text.index(f":label: {equation}\n") :].partition("```")[2]
    following = next((part for part in re.split(r"```\{math\}.*?```", after, flags=re.DOTALL) if part.strip()), "")
    return next((name for name in ROLE.findall(following) if _is_public(name)), None)


def _is_public(name: str) -> bool:
    owner, _, member = name.rpartition(".")
    return name in public_names() or member in dir(public_names().get(owner))


@functools.cache
def equations_of() -> dict[str, list[str]]:
    """Return the labels of the equations that each public name computes."""
    found: dict[str, list[str]] = {}
    for page in theory_pages():
        text = page.read_text()
        for label, _ in EQUATION.findall(text):
            found.setdefault(function_of(label, text) or "", []).append(label)
    return found
