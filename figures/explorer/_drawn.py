"""What the page shows: pictures as images, one for each panel, and sentences about them."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import base64
import html
import io
from typing import TYPE_CHECKING, Any

import numpy as np

import teacher_student as ts
from teacher_student import internal

from ._job import Job
from ._opened import Opened
from ._page import Answer, Question

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .._comparison import Comparison

DPI = 110  # of the page; exported pictures have those of a journal
CELL = (5.6, 2.5)  # inches of a panel, with room for whatever stands around its axes
INSIDE = (0.2, 0.2, 0.52, 0.66)  # left, bottom, width and height of the axes in their cell
BAR = "<colorbar>"  # matplotlib's label of such axes
MARGIN = 3  # pixels around a panel


def picture(answer: Answer, comparison: Comparison | None) -> Figure | None:
    """Return the picture of an answer, with the simulation where there is one; None where nothing was solved."""
    from ..pictures import comparison as draw  # matplotlib takes half a second to import

    if comparison is not None:
        report = comparison.agreement.to_dict()
        # Not its plot(): a figure that pyplot knows is kept for ever.
        return draw(comparison.theory, comparison.runs, report, comparison.bands)
    return None if answer.solution is None else draw(answer.solution.theory)


def bytes_of(figure: Figure, kind: str) -> bytes:
    """Return a figure as a file of this kind, "png" or "pdf"."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=200)
    return buffer.getvalue()


def panels(figure: Figure) -> list[bytes]:
    """Return every panel of a figure as a PNG image, so that the page can set them in one column or in several.

    The figure's own layout is taken from it: to compute it takes longer than to draw, and a slider does not wait. One
    with bars of colours, whose place only its layout knows, is returned as one image.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if any(axes.get_label() == BAR for axes in figure.axes):
        return [bytes_of(figure, "png")]
    rows = -(-len(figure.axes) // 2)
    figure.set_layout_engine("none")
    figure.set_size_inches(2 * CELL[0], rows * CELL[1])
    figure.set_dpi(DPI)
    figure.suptitle("")  # the page says it in words
    left, bottom, width, height = INSIDE
    for index, axes in enumerate(figure.axes):
        column, row = index % 2, rows - 1 - index // 2
        axes.set_position(((column + left) / 2, (row + bottom) / rows, width / 2, height / rows))
    canvas: Any = FigureCanvasAgg(figure)  # matplotlib leaves its methods untyped
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    return [_cut(pixels, axes.get_tightbbox(canvas.get_renderer())) for axes in figure.axes]


def images(answer: Answer, comparison: Comparison | None) -> str:
    """Return HTML of an answer's picture, panel by panel, side by side where there is room."""
    figure = picture(answer, comparison)
    if figure is None:
        return ""
    labels = [axes.get_ylabel().replace("$", "") for axes in figure.axes]
    sources = [base64.b64encode(png).decode() for png in panels(figure)]
    if len(sources) == 1:
        labels = ["curves of all quantities"]
    tags = (
        f'<img alt="{html.escape(label)}" src="data:image/png;base64,{source}">'
        for label, source in zip(labels, sources, strict=True)
    )
    shown = "theory" if comparison is None else "comparison"
    return f'<div class="explorer-panels" data-shown="{shown}">{"".join(tags)}</div>'


def state_of(answer: Answer, *, compiling: bool) -> str:
    """Return what the page says of the theory, as HTML. Arguments: compiling: whether it will soon be quicker."""
    if answer.solution is None:
        return _box("failure", f"This cannot be solved. {answer.failure}")
    theory = answer.solution.theory
    stopped = ""
    if theory.status != ts.Status.OK:
        stopped = _box("failure", f"Theory stops early: {internal.ending(theory)}. The curves end there.")
    lines = [answer.solution.text, *answer.question.notes]
    if compiling:
        lines.append("Compiling a quicker program for these widths ...")
    return stopped + "".join(map(_note, lines))


def heading_of(opened: Opened) -> str:
    """Return the page's title and what can be done on it, as HTML."""
    name = html.escape(opened.source or "the built-in problem, relevant and irrelevant dimensions")
    return (
        f"<h1>Explore {name}</h1><p>Move a slider: the lines are theory, the ODEs of Q and R, solved again at each "
        "move. Simulate: SGD in N dimensions puts points with standard errors on them, and a verdict.</p>"
    )


def progress_of(job: Job, question: Question) -> str:
    """Return what the page says of the simulation before there is a verdict, as HTML."""
    if job.failure:
        return _box("failure", f"No simulation: {job.failure}")
    if job.tables is None:
        return ""
    if job.is_running:
        others = "" if job.tables == question.tables else " It simulates the values from when it was started."
        said = " ".join(job.lines[-1].split()) if job.lines else "starting a process for it ..."
        return _note(f"Simulating: {said}{others}")
    if job.tables != question.tables:
        return _note("The points are not drawn, as the sliders have moved since. Simulate again.")
    return ""


def verdict_of(comparison: Comparison) -> str:
    """Return the verdict as HTML, its table folded away."""
    kind = {"AGREE": "agree", "DISAGREE": "disagree"}.get(comparison.agreement.answer, "open")
    table = f"<details><summary>All that was asked</summary><pre>{html.escape(comparison.table)}</pre></details>"
    verdict, _, reasons = comparison.agreement.verdict.partition("; ")
    return _box(kind, verdict) + _note(reasons) + table


def _note(text: str) -> str:
    return f'<p class="explorer-note">{html.escape(text)}</p>'


def _box(kind: str, text: str) -> str:
    return f'<div class="explorer-box explorer-{kind}" role="status">{html.escape(text)}</div>'


def _cut(pixels: np.ndarray, box: Any) -> bytes:
    """Return the part of a picture inside a box (in pixels from below) as PNG."""
    from matplotlib.image import imsave

    height, width = pixels.shape[:2]
    x0, x1 = (int(np.clip(x, 0, width)) for x in (box.x0 - MARGIN, box.x1 + MARGIN))
    y0, y1 = (int(np.clip(height - y, 0, height)) for y in (box.y1 + MARGIN, box.y0 - MARGIN))
    buffer = io.BytesIO()
    imsave(buffer, np.ascontiguousarray(pixels[y0:y1, x0:x1]), format="png")
    return buffer.getvalue()
