"""How pictures look: the sizes and fonts of a journal's column or page, and figures that embed their fonts."""

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from teacher_student import internal

INCH = 25.4  # millimetres

# Type 42 keeps letters as letters: journals refuse the Type 3 fonts that matplotlib embeds by default.
EMBEDDED: Any = {"pdf.fonttype": 42, "ps.fonttype": 42}
ALWAYS: Any = {
    **EMBEDDED,
    "text.usetex": False,  # names of levels are no TeX, and "99 %" is a comment there
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.use_mathtext": True,  # 10^4, not 1e4
    "axes.formatter.limits": (-3, 4),
    "legend.frameon": False,
}


def _sizes(font: float, legend: float, line: float) -> dict[str, Any]:
    """Return matplotlib's settings for a size of letters, in points, and a width of axes and ticks."""
    return {
        "font.size": font,
        "axes.titlesize": font,
        "axes.labelsize": font,
        "xtick.labelsize": font,
        "ytick.labelsize": font,
        "legend.fontsize": legend,
        "legend.title_fontsize": legend,
        "axes.linewidth": line,
        "xtick.major.width": line,
        "ytick.major.width": line,
        "xtick.minor.width": 0.75 * line,
        "ytick.minor.width": 0.75 * line,
    }


@dataclasses.dataclass(frozen=True)
class Style:
    """A size of pictures: their width and the height of a row of panels in inches, how many panels stand in a row, and
    matplotlib's settings."""

    width: float
    row: float
    columns: int
    settings: Any


STYLES = {
    "prl": Style(86 / INCH, 1.9, 1, ALWAYS | _sizes(8, 7, 0.7)),
    "prl-wide": Style(178 / INCH, 2.0, 2, ALWAYS | _sizes(8, 7, 0.7)),
    "notebook": Style(9.0, 2.6, 2, ALWAYS | _sizes(10, 9, 0.8)),
}
# Where nothing was chosen, `.plot()` takes the letters that the user has told matplotlib to take.
UNCHOSEN = Style(9.0, 2.6, 2, ALWAYS)

_chosen: ContextVar[str | None] = ContextVar("style of pictures", default=None)


@contextlib.contextmanager
def style(name: str) -> Iterator[None]:
    """Draw with the sizes and fonts of a journal's column or page, or of a notebook, within a `with` block.

      with figures.style("prl"):
          figure, axes = theory.plot(quantities="error")
      figure.savefig("error.pdf")

    Pictures of your own, drawn by matplotlib within the block, have the same letters. Fonts are embedded in PDF files.

    Arguments:
      name: "prl" (a column, 86 mm wide), "prl-wide" (a page, 178 mm, two panels in a row) or "notebook" (a screen).
    Raises InputError for another name.
    """
    internal.require_name(name, STYLES, "style of pictures")
    token = _chosen.set(name)
    try:
        with mpl.rc_context(STYLES[name].settings | {"figure.figsize": (STYLES[name].width, 1.3 * STYLES[name].row)}):
            yield
    finally:
        _chosen.reset(token)


@contextlib.contextmanager
def drawing(otherwise: str | None = None) -> Iterator[Style]:
    """Give the chosen style, `otherwise` that of this name, and let matplotlib draw with its settings.

    Settings that a user has changed within `figures.style` stay, but for those that must be.
    """
    name = _chosen.get()
    if name is not None:
        with mpl.rc_context({"text.usetex": False}):
            yield STYLES[name]
        return
    usual = UNCHOSEN if otherwise is None else STYLES[otherwise]
    with mpl.rc_context(usual.settings):
        yield usual


class Picture(Figure):
    """A figure whose fonts are embedded as letters, also where it is saved outside of `figures.style`."""

    def savefig(self, fname: Any, *, transparent: bool | None = None, **options: Any) -> None:
        """Write the figure as matplotlib does, with the fonts embedded."""
        with mpl.rc_context(EMBEDDED):
            super().savefig(fname, transparent=transparent, **options)


def new_figure(width: float, height: float, *, shown: bool = False) -> Figure:
    """Return an empty figure of this size in inches.

    Where it is `shown`, pyplot knows it: `plt.show()` and notebooks then show it. The command line's are not, so that
    many can be drawn in one process and none needs a display.
    """
    size: Any = {"figsize": (width, height), "layout": "constrained"}
    if not shown:
        return Picture(**size)
    from matplotlib import pyplot

    return pyplot.figure(FigureClass=Picture, **size)


def put_letters(axes: Any) -> None:
    """Letter panels as (a), (b) ..., before what their titles on the left say; one panel alone has no letter."""
    panels: list[Axes] = list(axes)
    if len(panels) < 2:
        return
    for index, panel in enumerate(panels):
        panel.set_title(f"({letter(index)}) {panel.get_title(loc='left')}".strip(), loc="left")


def letter(index: int) -> str:
    """Return a, b ... z, aa, ab ..."""
    before, last = divmod(index, 26)
    return (letter(before - 1) if before else "") + chr(ord("a") + last)
