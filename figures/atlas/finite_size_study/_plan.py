"""The finite-size study: its two problems, sizes and keys."""

import dataclasses

import jax
import numpy as np

import teacher_student as ts
from teacher_student import internal

from ...experiment import load_experiment

SHOWN = ("Q[relevant][1,1]", "Q[relevant][1,2]", "Q[irrelevant][1,1]", "R[relevant][1,1]")  # drawn, chosen beforehand
SHARE = 0.5  # of the plateau's error, below which a run has escaped
RATE = 1.5  # eta of the plateau
ALPHA_STEP = 0.5  # between the alphas at which the escape is looked for
SPEED = 1.2e6  # steps per second of the chain on two cores, for the cost that is said beforehand


@dataclasses.dataclass(frozen=True)
class Plan:
    """The sizes of the study.

    runs: (N, runs) of the deviation from theory, which is recorded at `alphas`. escapes: (N, runs) of the escape from
    the plateau. seed: all random numbers follow from it.
    """

    runs: tuple[tuple[int, int], ...] = (
        (100, 65_536),
        (200, 32_768),
        (400, 16_384),
        (1000, 6144),
        (3000, 2048),
        (10_000, 512),
        (100_000, 64),
        (1_000_000, 32),
    )
    alphas: tuple[float, ...] = (2.5, 5.0)
    escapes: tuple[tuple[int, int], ...] = ((300, 512), (1000, 256), (3000, 128), (10_000, 64), (30_000, 32))
    seed: int = 0

    def key(self, purpose: int, dim: int) -> jax.Array:
        """Return the key of the deviation's runs (0), of the escape's starts (1) and runs (2) at N = `dim`."""
        return jax.random.fold_in(jax.random.fold_in(internal.as_key(self.seed), purpose), dim)

    def minutes(self, part: str) -> float:
        """Return the minutes that a part takes, about, on two cores."""
        if part == "deviation":
            return sum(dim * runs for dim, runs in self.runs) * self.alphas[-1] / SPEED / 60
        return sum(dim * runs * last_alpha(dim) for dim, runs in self.escapes) / SPEED / 120 + 0.2


QUICK = Plan(
    runs=((100, 4096), (300, 1024), (1000, 512), (10_000, 32)),
    escapes=((300, 128), (1000, 64), (3000, 32)),
)


def deviation_problem() -> tuple[ts.Problem, ts.Overlaps]:
    """Return the built-in problem of relevant and irrelevant dimensions and its start, the same at every N."""
    built_in = load_experiment()
    return built_in.problem, built_in.start


def plateau_problem() -> ts.Problem:
    """Return the soft committee machine of Saad & Solla 1995: K = M = 2 erf units, isotropic inputs and teacher."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), 2)
    return ts.Problem(task, ts.Student(2), ts.SGD(RATE), ts.Curriculum.single("all", 1000.0))


def plateau_starts(plan: Plan, dim: int, runs: int) -> ts.Overlaps:
    """Draw the overlaps of random weights of N = `dim` dimensions: their asymmetry is of order 1/sqrt(N)."""
    keys = jax.random.split(plan.key(1, dim), runs)
    return ts.random_overlaps(plateau_problem(), dim, keys, teacher=np.eye(2)[None])


def last_alpha(dim: int) -> float:
    """Return the alpha until which escapes are looked for: well beyond the median that is expected."""
    return float(np.ceil(25 + 7 * np.log(dim)))
