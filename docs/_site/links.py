"""Whether every link within the built site leads to a page that is there, and to a place on it that is there."""

from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit


class Links(NamedTuple):
    """What one page links to, and which places on it can be linked to."""

    targets: set[str]
    places: set[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links = Links(set(), set())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        self.links.places.update(values[name] for name in ("id", "name") if name in values)
        self.links.targets.update(values[name] for name in ("href", "src") if name in values)


def links_of(page: Path) -> Links:
    """Return the links and places of a page."""
    reader = _Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader.links


def broken_links(site: Path) -> list[str]:
    """Return "page -> target" of every link within the site whose file or place is missing."""
    # Below _static are templates of the theme, and no pages.
    found = sorted(page for page in site.rglob("*.html") if "_static" not in page.parts)
    pages = {page.resolve(): links_of(page) for page in found}
    return [
        f"{page.relative_to(site.resolve())} -> {target}"
        for page, links in pages.items()
        for target in sorted(links.targets)
        if not _leads_somewhere(page, target, pages)
    ]


def _leads_somewhere(page: Path, target: str, pages: dict[Path, Links]) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:  # of another site, or data
        return True
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not path.is_file():
        return False
    place = unquote(parts.fragment)
    return not place or path not in pages or place in pages[path].places
