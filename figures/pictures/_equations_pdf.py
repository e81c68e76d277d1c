"""Lines of LaTeX as pages of a PDF, set by matplotlib: no TeX is needed."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from teacher_student import internal

PAGE, MARGIN, SIZE, GAP = (11.7, 8.3), 0.6, 10.0, 0.1  # A4 across, inches; points; inches between lines
INDENT = 0.4  # inches, of continued lines


def equations_pdf(lines: Sequence[str], path: str | Path, *, title: str, force: bool = False) -> Path:
    """Write lines (math mode; those that start with "\\quad" continue one) to a PDF, as many pages as they take.

    A line that is wider than the page is set smaller. Raises InputError for a path that exists, unless `force`.
    """

    def write(temporary: Path) -> None:
        with PdfPages(temporary) as pages:
            for page in _pages(lines, title):
                pages.savefig(page)

    return internal.write_whole(path, write, force=force)


def _pages(lines: Sequence[str], title: str) -> list[Figure]:
    page, top = _new_page(title), PAGE[1] - 2 * MARGIN
    pages = [page]
    for line in lines:
        height = _set(page, line, top)
        if top - height < MARGIN:
            page.texts[-1].remove()
            page, top = _new_page(title), PAGE[1] - 2 * MARGIN
            pages.append(page)
            height = _set(page, line, top)
        top -= height + GAP
    for number, numbered in enumerate(pages, 1):
        numbered.text(0.5, MARGIN / 2 / PAGE[1], f"{number} / {len(pages)}", ha="center", va="center", size=SIZE - 2)
    return pages


def _new_page(title: str) -> Figure:
    page = Figure(figsize=PAGE)
    FigureCanvasAgg(page)
    page.text(MARGIN / PAGE[0], 1 - MARGIN / PAGE[1], title, va="top", size=SIZE, parse_math=False)
    return page


def _set(page: Figure, line: str, top: float) -> float:
    """Set a line with its upper edge at `top` (inches); returns its height."""
    left = MARGIN + (INDENT if line.startswith(r"\quad") else 0.0)
    math = line.removeprefix(r"\quad").strip()
    for latex, replacement in ((r"\Bigl[", "["), (r"\Bigr]", "]"), (r"\frac", r"\dfrac")):  # what matplotlib knows
        math = math.replace(latex, replacement)
    text = page.text(left / PAGE[0], top / PAGE[1], f"${math}$", va="top", size=SIZE, math_fontfamily="cm")
    renderer = page.canvas.get_renderer()  # type: ignore[attr-defined]  # the canvas is Agg's, from `_new_page`
    room = (PAGE[0] - left - MARGIN) / (text.get_window_extent(renderer).width / page.dpi)
    if room < 1:
        text.set_fontsize(SIZE * room * 0.99)
    return text.get_window_extent(renderer).height / page.dpi
