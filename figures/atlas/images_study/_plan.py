"""Do curricula help narrow students of images, and wide ones less? The setting, the budgets, sizes and seeds."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax

import teacher_student as ts
from teacher_student import internal

NOISE = {"easy": 0.05, "hard": 0.5}  # variances of fresh pixel noise
HELD_OUT = 0.2  # of the images of each digit
RATE = 0.2  # of both layers, for the XOR of digits
# Shares of easy samples in both halves of a budget. Two phases also where they are equal: one compiled program for all.
ORDERS = {"easy to hard": (1.0, 0.0), "hard to easy": (0.0, 1.0), "mixed": (0.5, 0.5), "hard only": (0.0, 0.0)}
PURPOSES = ("held out", "starts", "samples", "test", "theory", "softmax")  # each has a key of its own


@dataclasses.dataclass(frozen=True)
class Softmax:
    """The sizes of the classification of ten digits.

    runs: of each width. budgets: passes over the images. batch: images of a step. rate: of both layers. tests: fresh
    noises of every held-out image, to measure an accuracy.
    """

    runs: Mapping[int, int] = dataclasses.field(default_factory=lambda: {16: 12, 64: 12, 256: 8, 1024: 4})
    budgets: tuple[float, ...] = (1.0, 3.0, 9.0)
    batch: int = 20
    rate: float = 0.03
    tests: int = 4


@dataclasses.dataclass(frozen=True)
class Plan:
    """The sizes of the study.

    runs: of each width K, with theory beside each. budgets: in samples / N. points: of the averages of theory.
    observed: points by which theory's accuracy is measured, at the end. tests: samples by which SGD's is. softmax:
    sizes of the second part. seed: all random numbers follow from it.
    """

    runs: Mapping[int, int] = dataclasses.field(default_factory=lambda: {4: 48, 8: 48, 16: 24, 32: 12, 64: 6})
    budgets: tuple[float, ...] = (20.0, 40.0, 80.0)
    points: int = 512
    observed: int = 2**13
    tests: int = 2**12
    softmax: Softmax = dataclasses.field(default_factory=Softmax)
    seed: int = 31

    def key(self, purpose: str, *numbers: int) -> Any:
        """Return the key of a purpose, and of what the numbers stand for."""
        key = jax.random.fold_in(internal.as_key(self.seed), PURPOSES.index(purpose))
        for number in numbers:
            key = jax.random.fold_in(key, number)
        return key


QUICK = Plan(
    runs={4: 4, 8: 4},
    budgets=(10.0, 20.0),
    points=256,
    observed=2**12,
    tests=2**12,
    softmax=Softmax(runs={16: 4, 64: 4}, budgets=(0.5, 1.0), tests=1),
)


def plan_of(quick: bool, seed: int = Plan.seed) -> Plan:
    """Return the sizes of the whole study, or of a coarse one."""
    return dataclasses.replace(QUICK if quick else Plan(), seed=seed)


def problem_of(task: ts.Task, width: int, order: str, budget: float) -> ts.Problem:
    """Return the problem of a width K, an order and a budget."""
    halves = [({"easy": easy, "hard": 1 - easy}, budget / 2) for easy in ORDERS[order]]
    return ts.Problem(task, ts.Student(width, "relu"), ts.SGD(RATE, RATE), ts.Curriculum.phases(*halves))
