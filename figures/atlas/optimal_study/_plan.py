"""The best order of easy and hard samples: two tasks, the points that are looked at, and the sizes of searches."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import jax

from teacher_student import internal

LEVELS = ("easy", "hard")
NAMED = ("easy, hard", "hard, easy", "mixed")  # orders that an optimum is compared with
JUDGED = {"mixture": {"easy": 0.5, "hard": 0.5}, "hard": {"hard": 1.0}}  # by 1 - accuracy at the end
# Mignacco & Mori 2025, in the words of this package: fraction of easy samples, of irrelevant dimensions, eta, the
# variance of irrelevant inputs in hard samples (0 in easy ones), and the whole alpha.
BASE = {"share": 0.5, "irrelevant": 0.5, "rate": 3.0, "contrast": 2.0, "budget": 6.0}
AXES = {
    "share": (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9),
    "irrelevant": (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9),
    "rate": (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0),
    "contrast": (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0),
    "budget": (1.5, 3.0, 4.5, 6.0, 9.0, 12.0, 18.0),
}
FACTORS = ("rate", "contrast", "budget")  # axes between whose values lies their geometric mean
# Changes of BASE, at which every order has its own best rate at each time.
TUNED: tuple[dict[str, float], ...] = ({},)
LARGEST_RATE = 10.0

# The XOR mixture, easy in its plane or outside of it, as in figures/recipes/curriculum/xor.toml.
KINDS = {
    "outside of the plane": {
        "easy": {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.1},
        "hard": {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 2.0},
    },
    "in the plane": {
        "easy": {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.3},
        "hard": {"separation": 1.0, "plane_variance": 0.5, "rest_variance": 0.3},
    },
}
RATE, ALPHA, DIM, SCALE = 0.2, 60.0, 1000, 0.1  # both rates; the whole alpha; of the law of random starts
SECONDS = {"perceptron": 6.0, "tuned": 60.0, "xor": 15.0}  # of a cell on one core, about; of K = 8 and 2^10 points
PURPOSES = ("starts", "other starts", "points of searches", "fresh points")


@dataclasses.dataclass(frozen=True)
class PerceptronCell:
    """One point of the perceptron's map: BASE with changes, what is judged, and whether orders have their own rates."""

    share: float = BASE["share"]
    irrelevant: float = BASE["irrelevant"]
    rate: float = BASE["rate"]
    contrast: float = BASE["contrast"]
    budget: float = BASE["budget"]
    judged: str = "mixture"
    tuned: bool = False

    @property
    def name(self) -> str:
        """The stem of its file."""
        numbers = "-".join(f"{name}{getattr(self, name):g}" for name in BASE)
        return f"perceptron-{self.judged}-{numbers}{'-tuned' if self.tuned else ''}"


@dataclasses.dataclass(frozen=True)
class XorCell:
    """One random start of a student of the XOR mixture: the kind of easiness, K, and the number of the start."""

    kind: str
    width: int
    start: int

    @property
    def name(self) -> str:
        """The stem of its file."""
        return f"xor-{self.kind.replace(' ', '-')}-{self.width}-{self.start}"


Cell = PerceptronCell | XorCell


@dataclasses.dataclass(frozen=True)
class Plan:
    """The sizes of the study.

    axes: values of each number, one at a time around BASE. tuned: changes of BASE with a rate of its own for each
    order. phases, ramps, starts: of `ode.protocols.Order`, and random starts of its searches. rates: phases of the
    learning rate. bisections: how often the middle between two neighbours of different orders is looked at too.
    widths: (K, random starts) of the XOR mixture. xor_phases, xor_points, xor_steps: of its searches.
    fresh_points, replicates: by which its protocols are compared. seed: all random numbers follow from it.
    """

    axes: dict[str, tuple[float, ...]] = dataclasses.field(default_factory=lambda: dict(AXES))
    tuned: tuple[dict[str, float], ...] = TUNED
    phases: int = 12
    ramps: int = 1
    starts: int = 0
    rates: int = 6
    bisections: int = 1
    widths: tuple[tuple[int, int], ...] = ((4, 4), (8, 4), (16, 3))
    xor_phases: int = 8
    xor_points: int = 2**10
    xor_steps: int = 10
    fresh_points: int = 2**11
    replicates: int = 4
    seed: int = 0

    def perceptrons(self) -> list[PerceptronCell]:
        """Return the points of the map before any bisection; the base point is on every axis, and stands there once."""
        changes: list[dict[str, Any]] = [{name: value} for name, values in self.axes.items() for value in values]
        cells = [PerceptronCell(**change, judged=judged) for change in changes for judged in JUDGED]
        tuned: list[dict[str, Any]] = [dict(change) for change in self.tuned]
        cells += [PerceptronCell(**change, judged=judged, tuned=True) for change in tuned for judged in JUDGED]
        return list(dict.fromkeys(cells))

    def xors(self) -> list[XorCell]:
        """Return the starts of the XOR mixture, so that every width and kind has one before any has two."""
        most = max(starts for _, starts in self.widths)
        each = itertools.product(range(most), self.widths, KINDS)
        return [XorCell(kind, width, start) for start, (width, starts), kind in each if start < starts]

    def sizes(self, cell: Cell) -> dict[str, Any]:
        """Return what a result depends on beside its cell: that of another plan is not taken for this one's."""
        if isinstance(cell, PerceptronCell):
            names = ("phases", "ramps", "starts", "seed", *(("rates",) if cell.tuned else ()))
        else:
            names = ("xor_phases", "xor_points", "xor_steps", "fresh_points", "replicates", "seed")
        return {name: getattr(self, name) for name in names}

    def seconds(self, cell: Cell) -> float:
        """Return the seconds that a cell takes on one core, about."""
        if isinstance(cell, PerceptronCell):
            return SECONDS["tuned" if cell.tuned else "perceptron"] * self.phases / 12
        searches, fresh = self.xor_points * self.xor_steps / 15, self.fresh_points * self.replicates / 4
        return SECONDS["xor"] * (cell.width + 2) ** 2 / 100 * (searches + fresh) / 2**10

    def key(self, purpose: str, start: int) -> jax.Array:
        """Return the key of one purpose of one start of the XOR mixture."""
        key = jax.random.fold_in(internal.as_key(self.seed), PURPOSES.index(purpose))
        return jax.random.fold_in(key, start)


QUICK = Plan(
    axes={"rate": (1.0, 3.0)},
    tuned=(),
    phases=6,
    bisections=0,
    widths=((4, 2),),
    xor_phases=4,
    xor_points=2**8,
    xor_steps=6,
    fresh_points=2**10,
)


def xor_settings() -> dict[str, Any]:
    """Return the numbers of the XOR mixture's problem."""
    return {"levels": KINDS, "learning_rates": RATE, "alpha": ALPHA, "start_dim": DIM, "start_scale": SCALE}


def on_axis(cells: Sequence[PerceptronCell], axis: str, judged: str) -> list[PerceptronCell]:
    """Return the cells that differ from BASE in one number at most, in the order of that number."""
    found = [
        cell
        for cell in cells
        if cell.judged == judged
        and not cell.tuned
        and all(getattr(cell, name) == value for name, value in BASE.items() if name != axis)
    ]
    return sorted(found, key=lambda cell: float(getattr(cell, axis)))


def between(one: PerceptronCell, other: PerceptronCell, axis: str) -> PerceptronCell:
    """Return the cell in the middle of two neighbours on an axis."""
    low, high = getattr(one, axis), getattr(other, axis)
    middle = (low * high) ** 0.5 if axis in FACTORS else (low + high) / 2
    change: dict[str, Any] = {axis: float(f"{middle:.4g}")}
    return dataclasses.replace(one, **change)


def neighbours(
    cells: Sequence[PerceptronCell], axes: Sequence[str]
) -> Iterator[tuple[str, PerceptronCell, PerceptronCell]]:
    """Yield (axis, cell, next cell) along all axes."""
    for axis in axes:
        for judged in JUDGED:
            for one, other in itertools.pairwise(on_axis(cells, axis, judged)):
                yield axis, one, other
