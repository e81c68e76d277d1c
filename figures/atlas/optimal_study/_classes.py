"""The class of an order: which levels it shows one after the other, such as "easy, hard, mix, easy"."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

PURE = 0.97  # a share from which on a phase counts as one of a single level
SHORT = 0.01  # of the whole run, below which a stretch is not counted


def order_of(phases: Iterable[Sequence[float]], coarse: float = SHORT) -> str:
    """Return the levels of an order one after the other; "mix" where both are shown, "mixed" where they always are.

    A mixed stretch between two different levels that is no longer than `coarse` is the switch between them, which lies
    inside of it: on equal phases, pass the share of one phase. A stretch below SHORT is left out.

    Arguments: phases: (duration, easy share at the beginning, at the end) of each. coarse: in units of the whole run.
    """
    rows = np.array([row for row in phases if row[0] > 0], float)
    whole = rows[:, 0].sum()
    found = _joined([(_kind(min(a, b), max(a, b)), duration / whole) for duration, a, b in rows])
    found = _joined([(kind, part) for kind, part in found if part >= SHORT])
    kept = [
        (kind, part)
        for i, (kind, part) in enumerate(found)
        if not (kind == "mix" and part <= coarse * (1 + 1e-6) and _is_switch(found, i))
    ]
    kinds = [kind for kind, _ in _joined(kept)]
    return "mixed" if kinds == ["mix"] else ", ".join(kinds)


def _kind(least: float, most: float) -> str:
    if least >= PURE:
        return "easy"
    return "hard" if most <= 1 - PURE else "mix"


def _joined(rows: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return neighbours of one kind as one."""
    groups = itertools.groupby(rows, key=lambda row: row[0])
    return [(kind, sum(part for _, part in members)) for kind, members in groups]


def _is_switch(found: list[tuple[str, float]], i: int) -> bool:
    return 0 < i < len(found) - 1 and found[i - 1][0] != found[i + 1][0]
