"""Do wide students need a curriculum? The setting, the budgets, the sizes and the seeds of the study."""

import dataclasses
from collections.abc import Mapping
from typing import Any

SCALE, RATE, DIM = 0.1, 0.2, 1000  # of the first layer at the start; both learning rates; of the law of starts
RATES = (0.1, 0.2, 0.5, 1.0)  # among which a student of each width has its own
CONVENTIONS: dict[str, dict[str, Any]] = {
    "v = +-1/sqrt(K)": {"readout": "signs"},
    "v = 0.1 N(0, 1)": {"readout": "normal", "readout_scale": 0.1},
}
EASINESS: dict[str, dict[str, dict[str, float]]] = {
    "outside the plane": {
        "easy": {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.1},
        "hard": {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 1.0},
    },
    "in the plane": {
        "easy": {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.3},
        "hard": {"separation": 1.0, "plane_variance": 1.0, "rest_variance": 0.3},
    },
}
ORDERS: dict[str, tuple[tuple[Any, float], ...]] = {  # phases: a level or a mixture, and its share of the budget
    "easy to hard": (("easy", 0.5), ("hard", 0.5)),
    "hard to easy": (("hard", 0.5), ("easy", 0.5)),
    "mixed": (({"easy": 0.5, "hard": 0.5}, 1.0),),
    "hard only": (("hard", 1.0),),
}
# How a budget is measured: in samples / N, in learning times of each width, or in samples / N with a rate of its own.
CLOCKS: dict[str, tuple[float, ...]] = {
    "alpha": (60.0, 120.0, 240.0),
    "learning times": (0.5, 1.0, 2.0, 4.0),
    "alpha, own rate": (120.0,),
}
TUNED_AT = 120.0  # the alpha at which a rate is the best
LEARNT = 0.9  # of Bayes' advantage over guessing, to which times are measured
EFFECT, LEVEL = 0.01, 0.05  # a gain at one point that is to be seen (with probability POWER), and at which level


SIGNS, NORMAL = CONVENTIONS
OUTSIDE, INSIDE = EASINESS


@dataclasses.dataclass(frozen=True)
class Simulated:
    """A budget that full-weight SGD repeats: which case, at which N = dim, and in how many runs."""

    convention: str
    easiness: str
    clock: str
    number: float  # of the clock: samples / N, or learning times
    width: int
    dim: int
    runs: int


# The points that carry the conclusions, each for a narrow and for a wide student, at two N.
SIMULATED = tuple(
    Simulated(*point, width, dim, runs)
    for point in (
        (NORMAL, OUTSIDE, "alpha", 120.0),
        (SIGNS, OUTSIDE, "learning times", 1.0),
        (SIGNS, INSIDE, "alpha", 120.0),
    )
    for width, dim, runs in ((4, 500, 256), (32, 500, 64), (4, 2000, 64), (32, 2000, 16))
)


@dataclasses.dataclass(frozen=True)
class Plan:
    """The sizes of the study.

    points: of the averages, for each width K; every start has points of its own. most: starts of each width at most,
    of which the spread of the first `first` decides. pilot: starts by which learning times and rates of a width are
    measured.
    longest: alpha of the pilot. simulated: what full-weight SGD repeats. seed: all random numbers follow from it.
    """

    points: Mapping[int, int] = dataclasses.field(default_factory=lambda: {4: 256, 8: 256, 16: 256, 32: 256, 64: 256})
    most: Mapping[int, int] = dataclasses.field(default_factory=lambda: {4: 440, 8: 160, 16: 36, 32: 16, 64: 8})
    first: int = 12
    pilot: Mapping[int, int] = dataclasses.field(default_factory=lambda: {4: 12, 8: 12, 16: 12, 32: 6, 64: 3})
    longest: float = 240.0
    simulated: tuple[Simulated, ...] = SIMULATED
    seed: int = 20

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers K of units."""
        return tuple(self.points)

    @property
    def first_seed(self) -> int:
        """The seed of the first start. Every start has its own, for its weights and for its points."""
        return 1_000_000 * (self.seed + 1)


QUICK = Plan(
    points={4: 128, 8: 128},
    most={4: 6, 8: 4},
    first=4,
    pilot={4: 4, 8: 3},
    longest=160.0,
    simulated=(
        Simulated(SIGNS, OUTSIDE, "alpha", 120.0, 4, 250, 16),
        Simulated(SIGNS, OUTSIDE, "learning times", 1.0, 8, 250, 8),
    ),
)


def plan_of(quick: bool, seed: int = Plan.seed) -> Plan:
    """Return the sizes of the whole study, or of a coarse one."""
    return dataclasses.replace(QUICK if quick else Plan(), seed=seed)


def base_tables(width: int, points: int) -> dict[str, Any]:
    """Return the tables of a problem file that all cases of a width share."""
    return {
        "task": {"kind": "xor"},
        "student": {"width": width, "activation": "relu"},
        "start": {"scale": SCALE},
        "theory": {"points": points, "replicates": 1, "rtol": 1e-3, "atol": 1e-4},
        "simulation": {"dim": DIM, "smaller_dim": 0},
    }


def case_tables(convention: str, easiness: str, rate: float, order: str, budget: float) -> dict[str, Any]:
    """Return the tables that make a case of `base_tables`. Half of the budget is easy, but in "hard only"."""
    return {
        "task": {"levels": EASINESS[easiness]},
        "start": CONVENTIONS[convention],
        "sgd": {"learning_rate": rate, "readout_learning_rate": rate},
        "curriculum": {"phases": [[level, share * budget] for level, share in ORDERS[order]]},
    }
