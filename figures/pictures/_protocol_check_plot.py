"""The picture of a check: the measured gain over each other protocol with its interval, beside the predicted one."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..checks import ProtocolCheck
from ..sweeps import plain
from ._canvas import say_above
from ._legends import columns_within, entries, legend_below, size_of_letters
from ._looks import COLOURS
from ._style import drawing, new_figure

ROW = 0.32  # inches


def plot_protocol_check(check: ProtocolCheck) -> tuple[Figure, np.ndarray]:
    """Draw measured and predicted gains. See `ProtocolCheck.plot`."""
    gains = check.gains
    rows = np.arange(len(gains))[::-1]
    with drawing() as style:
        width = 0.62 * style.width if style.columns > 1 else style.width
        figure = new_figure(width, 0.6 * style.row + ROW * max(len(gains), 2), shown=True)
        axes = figure.add_subplot()
        level = f"{100 * (1 - check.significance):g} %"
        measured = np.array([gain.measured for gain in gains])
        reach = np.array([[gain.measured - gain.low, gain.high - gain.measured] for gain in gains]).T
        visible = np.array([gain.visible for gain in gains])
        axes.barh(rows, 2 * visible, 0.66, left=-visible, color="0.88", lw=0, zorder=0, label="too small to see")
        axes.axvline(0.0, color="0.35", lw=0.8)
        axes.errorbar(
            measured,
            rows,
            xerr=reach,
            fmt="o",
            ms=4,
            mfc="none",
            mew=1.0,
            lw=1.2,
            color=COLOURS[0],
            label=f"measured, {level}",
        )
        predicted = np.array([gain.predicted for gain in gains])
        axes.plot(predicted, rows, ls="", marker="|", ms=9, mew=1.8, color=COLOURS[1], label="predicted")
        axes.set_yticks(rows, [plain(gain.name) for gain in gains])
        axes.set_ylim(-0.6, len(gains) - 0.4)
        axes.set_ylabel("gain over")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_xlabel("$J$(other) $-$ $J$(optimum)")
        columns = columns_within(0.8 * width, entries(axes)[1], size_of_letters())
        legend_below(axes, ncols=columns)
        term = "" if check.finite_size else ", predicted for $N \\to \\infty$"
        say_above(figure, f"{plain(check.criterion)}; {check.runs} runs at $N$ = {check.dim}{term}")
        axes_array = np.empty(1, dtype=object)
        axes_array[0] = axes
        return figure, axes_array
