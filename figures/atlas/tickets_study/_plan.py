"""Pruning and winning tickets: the setting, its sizes and its keys."""

import dataclasses
from typing import Any

import equinox as eqx
import jax

import ode
import teacher_student as ts
from teacher_student import internal

WIDTH, ALPHA, RETRAINING, SCALE = 40, 100.0, 10.0, 0.1
SAMPLES = {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.1}
SETTINGS = {"readout fixed": 0.0, "readout trained": 0.5}  # eta_v
RANKINGS = ("norm", "means", "loss", "random")
TICKETS = ("means", "loss")  # rankings whose survivors are rewound
CANDIDATES = (*(f"rewound, {by}" for by in TICKETS), *(f"re-drawn, {by}" for by in TICKETS), "random")
CONTRASTS = tuple((f"rewound, {by}", other) for by in TICKETS for other in (f"re-drawn, {by}", "random"))
PURPOSES = ("starts", "random order", "averages", "points", "re-drawn", "random starts", "weights", "runs", "tests")
SIGNIFICANCE = 0.01  # family-wise, of the agreement of theory and simulation


@dataclasses.dataclass(frozen=True)
class Plan:
    """The sizes of the study.

    dim: N. starts, runs: of theory and simulation. kept: units kept of the pruned students. short: units kept where
    students are retrained and rewound. seed: all random numbers follow from it.
    """

    dim: int = 500
    starts: int = 64
    runs: int = 32
    kept: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40)
    short: tuple[int, ...] = (4, 8)
    points: int = 2**14  # of theory's accuracies of pruned students
    tests: int = 2**10  # samples of a pruned run
    seed: int = 0

    def key(self, engine: str, purpose: str) -> jax.Array:
        """Return the key of one purpose in one engine; all follow from the seed."""
        number = 2 * PURPOSES.index(purpose) + ("theory", "simulation").index(engine)
        return jax.random.fold_in(internal.as_key(self.seed), number)

    def keys(self, engine: str, purpose: str) -> jax.Array:
        """Return one key for each start (theory) or run (simulation)."""
        return jax.random.split(self.key(engine, purpose), self.starts if engine == "theory" else self.runs)

    @property
    def averages(self) -> ode.Sampled:
        return ode.Sampled(1024, 1, self.key("theory", "averages"))


QUICK = Plan(dim=100, starts=8, runs=8, kept=(1, 2, 4, 8, 40), short=(4,), points=2**12, tests=2**9)


class Trained(eqx.Module):
    """Students at the end of a training: overlaps, accuracy and success (all means right), leading axis of starts."""

    overlaps: ts.Overlaps
    accuracy: Any
    solved: Any


def xor_problem(width: int, readout_rate: float = 0.0, alpha: float = ALPHA) -> ts.Problem:
    """Return the study's problem with a student of `width` units."""
    sgd = ts.SGD(1.0, readout_learning_rate=readout_rate)
    return ts.Problem(
        ts.XorMixture({"all": SAMPLES}), ts.Student(width, "relu"), sgd, ts.Curriculum.phases(("all", alpha))
    )
