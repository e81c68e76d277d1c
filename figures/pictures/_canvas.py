"""The axes that a picture is drawn into: new ones, or those that a user gives, and what stands in them already."""

import dataclasses
import itertools
import textwrap
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import teacher_student as ts

from ._legends import LETTER
from ._panels import Panel
from ._style import Style, new_figure


@dataclasses.dataclass
class Drawn:
    """What was drawn into a panel so far: which quantities it shows, which theories and which ensembles.

    theories: problem and label of each, in the order of their looks. taken: the looks that points have already.
    phases: what shades and names the phases of `curriculum`.
    """

    panel: Panel
    theories: list[tuple[ts.Problem, str | None]] = dataclasses.field(default_factory=list)
    taken: set[int] = dataclasses.field(default_factory=set)
    nameless: list[int] = dataclasses.field(default_factory=list)  # looks of trajectories without a label
    finished: bool = False  # has its scales, labels and phases
    bar: bool = False  # has its bar of colours
    curriculum: ts.Curriculum | None = None
    phases: list[Artist] = dataclasses.field(default_factory=list)
    band_dim: int | None = None  # N of the runs whose spread is shaded

    @property
    def lines(self) -> int:
        """How many theories the panel has."""
        return len(self.theories)

    @property
    def points(self) -> int:
        """How many ensembles the panel has."""
        return len(self.taken)

    def place_of(self, problem: ts.Problem) -> tuple[int, str | None]:
        """Return which look the next points have, and the label of the theory on which they stand.

        They stand on the first theory of the same problem that has none. Other points have the first look that is left,
        and no label.
        """
        same = [index for index, (known, _) in enumerate(self.theories) if known == problem]
        for index in same:
            if index not in self.taken:
                return index, self.theories[index][1]
        free = itertools.count(self.lines if same else 0)
        return next(index for index in free if index not in self.taken), None

    def number_of(self, index: int) -> int:
        """Return the number among trajectories without a label of the one that has this look, from 1."""
        if index not in self.nameless:
            self.nameless.append(index)
        return 1 + self.nameless.index(index)


# A second call, as `runs.plot(ax=axes)`, finds the same curves in the same colours. The axes themselves say nothing of
# what they show, and are not kept alive by being listed here.
_drawn: "weakref.WeakKeyDictionary[Axes, Drawn]" = weakref.WeakKeyDictionary()
_captions: "weakref.WeakKeyDictionary[Figure, list[str]]" = weakref.WeakKeyDictionary()


def drawn_in(axes: Axes) -> Drawn | None:
    """Return what an earlier plot drew into these axes, or None."""
    return _drawn.get(axes)


def start_panel(axes: Axes, panel: Panel) -> Drawn:
    """Note that these axes show `panel`, and return what is drawn there so far."""
    return _drawn.setdefault(axes, Drawn(panel))


def as_axes(ax: Any) -> np.ndarray | None:
    """Return given axes as a flat array; None for None. Raises InputError for what are no matplotlib axes."""
    if ax is None:
        return None
    flat = np.asarray(ax, dtype=object).ravel()
    if not flat.size or not all(isinstance(one, Axes) for one in flat):
        raise ts.InputError("matplotlib Axes, or an array of them, as ax", type(ax).__name__)
    if any(one.name == "3d" for one in flat):
        raise ts.InputError("matplotlib Axes of two dimensions as ax", type(ax).__name__)
    return flat


def require_as_many(axes: np.ndarray, names: Sequence[str]) -> None:
    """Raise InputError unless there is one Axes for each panel of these names."""
    if len(axes) != len(names):
        shown = ", ".join(names)
        remedy = "choose with quantities, or leave ax out"
        raise ts.InputError(f"one Axes as ax for each of {len(names)} panels ({shown})", f"{len(axes)}", remedy)


def new_axes(count: int, style: Style, *, shown: bool) -> tuple[Figure, np.ndarray]:
    """Return a new figure with this many panels, and its axes: as many in a row as the style has, fewer if need be.

    The last fills the rest of its row.
    """
    columns = min(count, style.columns)
    rows = -(-count // columns)
    width = style.width if columns == style.columns else style.width * 0.62
    figure = new_figure(width, 0.35 + style.row * rows, shown=shown)
    grid = figure.add_gridspec(rows, columns)
    places: list[tuple[int, Any]] = [(index // columns, index % columns) for index in range(count)]
    places[-1] = (places[-1][0], slice(places[-1][1], None))
    axes = [figure.add_subplot(grid[place]) for place in places]
    flat = np.empty(count, dtype=object)
    flat[:] = axes
    return figure, flat


def is_lowest(axes: np.ndarray, index: int, columns: int) -> bool:
    """Say whether no other panel stands below this one: the last fills the rest of its row."""
    return index // columns == (len(axes) - 1) // columns


def say_above(figure: Figure, sentence: str) -> None:
    """Write a sentence above the panels of a figure of our own, below those that stand there, in lines that fit."""
    sentences = _captions.setdefault(figure, [])
    if not sentence or sentence in sentences:
        return
    sentences.append(sentence)
    title = figure.suptitle("", fontsize="small", linespacing=1.4)
    letters = int(72 * figure.get_figwidth() / (LETTER * float(title.get_fontsize())))  # of a line
    title.set_text("\n".join("\n".join(textwrap.wrap(one, letters)) for one in sentences))


def is_ours(figure: Any) -> bool:
    """Say whether a plot made this figure, so that it may write above the panels."""
    return figure in _captions
