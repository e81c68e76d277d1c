"""The cases of the study at one width: which orders, at which budgets, at which rates; and the sweep over them."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import xarray as xr

import teacher_student as ts

from ._plan import CLOCKS, CONVENTIONS, EASINESS, LEARNT, ORDERS, RATE, Plan, base_tables, case_tables


@dataclasses.dataclass(frozen=True)
class Case:
    """One curriculum of one problem: its place in the data, its budget in samples / N, and its rate."""

    convention: str
    easiness: str
    clock: str
    number: float  # of the clock: samples / N, or learning times
    order: str
    budget: float
    rate: float

    @property
    def name(self) -> str:
        """Its label in the sweep."""
        return f"{self.convention}, {self.easiness}, {self.clock} {self.number:g}, {self.order}"

    @property
    def tables(self) -> dict[str, Any]:
        """What makes it of the tables of its width."""
        return case_tables(self.convention, self.easiness, self.rate, self.order, self.budget)


def cases_of(results: xr.Dataset) -> Iterator[Case]:
    """Yield the cases of a width, of which the pilot gave `results`. A rate of its own that is the usual one is none.

    "hard only", which no test of the study is about, has budgets in samples / N alone.
    """
    for convention, easiness in itertools.product(CONVENTIONS, EASINESS):
        found = results.sel(convention=convention, easiness=easiness)
        own = float(found["own_rate"])
        for clock, numbers in CLOCKS.items():
            if clock == "alpha, own rate" and own == RATE:
                continue
            unit = float(found["learning_time"]) if clock == "learning times" else 1.0
            orders = [order for order in ORDERS if clock == "alpha" or order != "hard only"]
            for number, order in itertools.product(numbers, orders):
                rate = own if clock == "alpha, own rate" else RATE
                yield Case(convention, easiness, clock, number, order, number * unit, rate)


def thresholds() -> dict[str, float]:
    """Return the accuracy on hard samples that counts as learnt, for each easiness: 90 % of Bayes' advantage."""
    return {
        easiness: 0.5 + LEARNT * (ts.XorMixture(levels).bayes_accuracy()["hard"] - 0.5)
        for easiness, levels in EASINESS.items()
    }


def sweep_tables(plan: Plan, width: int, results: xr.Dataset, starts: int) -> dict[str, Any]:
    """Return the sweep of a width over its first `starts` starts; with more of them, it goes on."""
    names = [f"learnt_{number}" for number in range(len(EASINESS))]
    times = {
        name: {"value": "accuracy", "level": "hard", "threshold": threshold}
        for name, threshold in zip(names, thresholds().values(), strict=True)
    }
    choices = {case.name: case.tables for case in cases_of(results)}
    return {
        **base_tables(width, plan.points[width]),
        "record": {"count": 64},
        "measures": {"keep": ["accuracy", "means_right"], "time_to": times},
        "axes": {
            "start": {"seed": {"from": plan.first_seed, "to": plan.first_seed + starts - 1}},
            "case": {"choices": choices},
        },
        "sweep": {"tile": len(choices)},
    }
