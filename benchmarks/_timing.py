"""Interleaved rounds: everything that is compared takes its turn in each of them, so that drifts cancel in ratios."""

import dataclasses
import math
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ._records import Ratio


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much is measured. least: seconds that each piece of work lasts in a round; quick: tiny sizes instead."""

    rounds: int = 5
    least: float = 0.06
    quick: bool = False

    def size(self, full: Any, quick: Any) -> Any:
        """One of them."""
        return quick if self.quick else full


@dataclasses.dataclass(frozen=True)
class Work:
    """A call that does `units` units of work."""

    call: Callable[[], Any]
    units: float = 1.0


def first_call(call: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> tuple[Any, float, int]:
    """Result, seconds (compilation included) and the process's peak memory so far of an engine's first call."""
    start = clock()
    found = call()
    return found, clock() - start, peak_memory()


def peak_memory() -> int:
    """Bytes that this process has held at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def rounds(
    work: Mapping[str, Work], plan: Plan, clock: Callable[[], float] = time.process_time
) -> dict[str, list[float]]:
    """Seconds a unit, one number per round. clock: CPU time of a process on one core, or wall time of several."""

    def seconds(each: Work, calls: int) -> float:
        start = clock()
        for _ in range(calls):
            each.call()
        return (clock() - start) / calls

    once = {name: seconds(each, 1) for name, each in work.items()}  # also compiles what is not compiled yet
    if plan.least:
        once = {name: seconds(each, 1) if once[name] < 2.0 else once[name] for name, each in work.items()}
    calls = {name: max(1, math.ceil(plan.least / max(least, 1e-7))) for name, least in once.items()}
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(plan.rounds):
        for name, each in work.items():
            found[name].append(seconds(each, calls[name]) / each.units)
    return found


def median(values: Sequence[float]) -> float:
    """Of a non-empty sequence."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def ratio(other: Sequence[float], ours: Sequence[float], over: str) -> Ratio:
    """Their time over ours, round by round."""
    each = [theirs / mine for theirs, mine in zip(other, ours, strict=True)]
    return Ratio(median(each), min(each), max(each), over)
