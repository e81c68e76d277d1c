"""An order of levels as it is: stretches of one level, and singular arcs."""

from __future__ import annotations

import dataclasses

import numpy as np

from teacher_student.internal import PublicRecord, reader_of

from ._costates import Costates
from ._costs import Integrated
from ._hamiltonian import Slopes
from ._kelley import kelley
from ._order_moves import OrderMoves
from ._protocol import Protocol

MIXED = 1e-3  # a share between this and 1 minus it is neither 0 nor 1
CHECKED = 33  # times at which numbers are looked at
ON_ARC = 2e-2  # of the largest |S|, within which S counts as 0 on an arc


@dataclasses.dataclass(frozen=True)
class Stretch(PublicRecord):
    """A stretch of an optimal order.

    Fields:
      name: the level, "singular arc" where mixed levels cost the same to first order all along, or "mixed".
      begin, end: alpha = samples / N.
      shares: level -> (share at the beginning, share at the end).
      ranges: level -> (least share, largest share).
      kelley: nu . [g, [f_H, g]] at its beginning, middle and end, of a singular arc of two levels, where g = f_E - f_H
        is the first level's drift minus the second's, and [a, b] = (Db) a - (Da) b. A minimum needs <= 0. It
        is empty for averages over points, an Integrated cost, more levels, and numbers that change on the arc.
      singular_shares: the share of the first level that keeps S_E = S_H there, by the same brackets:
        p = -nu . [f_H, [f_H, g]] / nu . [g, [f_H, g]].
    """

    name: str
    begin: float
    end: float
    shares: dict[str, tuple[float, float]]
    ranges: dict[str, tuple[float, float]]
    kelley: tuple[float, ...] = ()
    singular_shares: tuple[float, ...] = ()


def stretches(protocol: Protocol, x: np.ndarray, solved: Costates, along: Slopes, S: np.ndarray) -> tuple[Stretch, ...]:
    order = protocol.order
    if order is None:
        return ()
    return tuple(
        _stretch(protocol, order, solved, along, S, begin, end, rows)
        for begin, end, rows in _joined_phases(solved, order)
    )


def _joined_phases(solved: Costates, order: OrderMoves) -> list[tuple[float, float, list[np.ndarray]]]:
    """Return (begin, end, shares at the ends of phases) of neighbours that show one level, or that mix."""
    curriculum = solved.path.problem.curriculum
    first, last = np.asarray(curriculum.initial_shares), np.asarray(curriculum.final_shares)
    ends = np.asarray(curriculum.switches, float)
    found: list[tuple[float, float, list[np.ndarray], int]] = []
    for p, end in enumerate(ends):
        begin = ends[p - 1] if p else 0.0
        both = np.minimum(first[p], last[p])
        kind = int(both.argmax()) if both.max() >= 1 - MIXED else -1
        if found and found[-1][3] == kind:
            found[-1] = (found[-1][0], end, [*found[-1][2], first[p], last[p]], kind)
        else:
            found.append((begin, end, [first[p], last[p]], kind))
    return [(begin, float(end), rows) for begin, end, rows, _ in found]


def _stretch(
    protocol: Protocol,
    order: OrderMoves,
    solved: Costates,
    along: Slopes,
    S: np.ndarray,
    begin: float,
    end: float,
    rows: list[np.ndarray],
) -> Stretch:
    levels = order.levels
    shares = {level: (float(rows[0][i]), float(rows[-1][i])) for i, level in enumerate(levels)}
    table = np.stack(rows)
    ranges = {level: (float(table[:, i].min()), float(table[:, i].max())) for i, level in enumerate(levels)}
    shown = [i for i in range(len(levels)) if max(row[i] for row in rows) > MIXED]
    if len(shown) == 1:
        return Stretch(levels[shown[0]], begin, end, shares, ranges)
    names = protocol.judge.problem.inputs.level_names
    columns = [names.index(levels[i]) for i in shown]
    inside = (along.alphas >= begin) & (along.alphas <= end)
    span = max(float(np.max(np.ptp(S[:, [names.index(level) for level in levels]], axis=1))), 1e-300)
    singular = np.any(inside) and float(np.max(np.ptp(S[inside][:, columns], axis=1))) <= ON_ARC * span
    if not singular or len(shown) != 2 or not _has_brackets(protocol, solved, begin, end):
        return Stretch("singular arc" if singular else "mixed", begin, end, shares, ranges)
    at = [begin + share * (end - begin) for share in (1e-6, 0.5, 1 - 1e-6)]
    numbers = [kelley(protocol.judge, solved, alpha, (columns[0], columns[1])) for alpha in at]
    return Stretch(
        "singular arc",
        begin,
        end,
        shares,
        ranges,
        tuple(number for number, _ in numbers),
        tuple(share for _, share in numbers),
    )


def _has_brackets(protocol: Protocol, solved: Costates, begin: float, end: float) -> bool:
    """Return whether brackets of two drifts say all of d2S/dalpha2 on a stretch.

    They do for closed forms, of a cost that looks at no time in between, where no number changes.
    """
    if not protocol.judge.exact or isinstance(protocol.judge.cost, Integrated):
        return False
    times = np.linspace(begin, end, CHECKED)[1:-1]
    readers = [reader_of(schedule) for schedule in solved.path.problem.schedules.values()]
    return all(np.all(np.ptp([read(float(alpha)) for alpha in times], axis=0) == 0) for read in readers)
