"""Pages of the documentation, as a reader meets them: their code, and the numbers that their prose states."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(?:\{code-cell\}[^\n]*|python)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def code_of(page: Path) -> list[str]:
    """Return the Python blocks of a page, those that a notebook executes and those that are only shown."""
    return FENCE.findall(page.read_text(encoding="utf-8"))


def prose_of(page: Path) -> str:
    """Return the text of a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def links_of(page: Path) -> list[str]:
    """Return the targets of a page's relative links, without the place on a page."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose_of(page))
    return [target.partition("#")[0] for target in targets if not target.startswith(("https://", "http://", "#"))]


def leads_somewhere(page: Path, target: str) -> bool:
    """Say whether a page's relative link leads to a file or folder that is there."""
    return (page.parent / target).exists()
