"""The picture of how cost grows."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from ._records import Curve

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe & Ito
MARKERS = ("o", "s", "^", "D")
STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
}
PANELS = (
    ("width", "right-hand side of the ODE, $M=4$"),
    ("dimension", "one step of SGD, $K=M=2$"),
    ("cells", "batch of solves"),
)
FAMILIES = {"drift, arcsin": "drift, closed", "drift, products": "drift, sampled"}  # whose limit a curve is


def scaling(curves: Sequence[Curve]) -> Figure:
    """Time against size: filled markers are ours, open ones NumPy's or one by one, dashed lines the limits."""
    with mpl.rc_context(STYLE):
        present = [(panel, title) for panel, title in PANELS if any(each.panel == panel for each in curves)]
        figure = Figure(figsize=(0.6 + 2.4 * len(present), 3.3), layout="constrained")
        grid = figure.subplots(1, len(present), squeeze=False)[0]
        for index, (axes, (panel, title)) in enumerate(zip(grid, present, strict=True)):
            _draw(axes, [each for each in curves if each.panel == panel])
            axes.set_title(f"({chr(ord('a') + index)}) {title}", loc="left")
        return figure


def _family(curve: Curve) -> str:
    """The engine that a curve belongs to: its colour and marker."""
    return FAMILIES.get(
        curve.name, curve.name.removesuffix(", numpy").removesuffix(", inputs").removesuffix(", one by one")
    )


def _draw(axes: Axes, curves: Sequence[Curve]) -> None:
    families = list(dict.fromkeys(_family(each) for each in curves))
    for each in curves:
        index = families.index(_family(each))
        colour, marker = COLOURS[index], MARKERS[index]
        fit = "" if each.fit is None else f", $p={each.fit.exponent:.2f}$"
        look: dict[str, Any] = {
            "ours": {"ls": "-", "marker": marker},
            "yardstick": {"ls": ":", "marker": marker, "mfc": "white"},
            "limit": {"ls": "--"},
        }[each.kind]
        axes.plot(each.sizes, each.seconds, color=colour, ms=4, lw=1.1, label=each.label + fit, **look)
    axes.set(xscale="log", yscale="log", xlabel=curves[0].axis, ylabel=f"seconds a {curves[0].unit}")
    if max(curves[0].sizes) / min(curves[0].sizes) < 1e3:  # widths: powers of two
        axes.set_xticks(list(curves[0].sizes), labels=[f"{size:g}" for size in curves[0].sizes])
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.22), handlelength=2.6)
