"""From shares on equal phases to switches at free times, and to singular arcs, on which levels stay mixed."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from ._order_moves import Affine, OrderMoves

PURE = 0.97  # a share beyond which a phase counts as one of a single level
MIXED = -1


@dataclasses.dataclass(frozen=True)
class Segment:
    """A stretch of an order: of one level (its index), or MIXED with the mean shares of its parts."""

    level: int
    duration: float
    shares: tuple[tuple[float, ...], ...] = ()

    @property
    def mean(self) -> np.ndarray:
        """The mean shares of the parts."""
        return np.asarray(np.mean(self.shares, axis=0))


def segments_of(shares: np.ndarray, durations: np.ndarray, *, arcs: bool) -> list[Segment]:
    """Return the stretches of an order on P phases: single levels, and mixed ones as arcs or as two levels each.

    One mixed phase between two levels is a switch between them, which came to lie inside of it. Several together are an
    arc: with `arcs` False they become the two levels with most of the shares, the larger share second.
    """
    rows = [
        Segment(int(row.argmax()), d) if row.max() >= PURE else Segment(MIXED, d, (tuple(row.tolist()),))
        for row, d in zip(shares, durations, strict=True)
    ]
    joined = _joined(rows)
    found: list[Segment] = []
    for i, segment in enumerate(joined):
        before = joined[i - 1].level if i > 0 else None
        after = joined[i + 1].level if i + 1 < len(joined) else None
        if segment.level != MIXED:
            found.append(segment)
        elif len(segment.shares) == 1 and before is not None and after is not None and before != after:
            first, second = segment.mean[before], segment.mean[after]
            whole = max(first + second, 1e-12)
            found += [
                Segment(before, segment.duration * first / whole),
                Segment(after, segment.duration * second / whole),
            ]
        elif arcs:
            found.append(segment)
        else:
            two = np.argsort(segment.mean)[::-1][:2]
            order = [int(two[1]), int(two[0])] if int(two[0]) == before else [int(two[0]), int(two[1])]
            whole = segment.mean[two].sum()
            found += [Segment(level, segment.duration * segment.mean[level] / whole) for level in order]
    return _joined(found)


def _joined(rows: list[Segment]) -> list[Segment]:
    """Return neighbours of one kind as one."""
    found = []
    for level, group in itertools.groupby(rows, key=lambda row: row.level):
        members = list(group)
        shares = tuple(row for member in members for row in member.shares)
        found.append(Segment(level, sum(member.duration for member in members), shares))
    return found


@dataclasses.dataclass(frozen=True)
class Quotient:
    """Shares on arcs as amounts over durations, p = base + (slope x) / duration(x), of each phase.

    How much of a level is shown on an arc is then linear in the variables. With the shares themselves it would be a
    product, and a search that has to keep the sum of such products stalls: its steps along the constraint are curved.
    """

    base: np.ndarray
    slope: np.ndarray
    duration: Affine  # of the arc that the phase is a part of; 1 where there is none

    def _lengths(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum(self.duration(x), 1e-12))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        value: np.ndarray = self.base + (self.slope @ x) / self._lengths(x)[:, None]
        return value

    def back(self, gradient: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the derivative in x of a number whose derivative in the shares at x is `gradient`."""
        lengths = self._lengths(x)
        of_amounts = np.tensordot(gradient / lengths[:, None], self.slope, axes=2)
        of_lengths = -np.sum(gradient * (self.slope @ x), axis=1) / lengths**2
        pulled: np.ndarray = of_amounts + of_lengths @ self.duration.slope
        return pulled


@dataclasses.dataclass(frozen=True)
class ArcMoves(OrderMoves):
    """An order of levels with arcs: the variables are durations of stretches, and amounts at knots of arcs."""

    parts: np.ndarray  # (P,) into how many phases the stretch of each phase is divided
    stretch: np.ndarray  # (P,) the stretch that each phase is a part of
    knots: tuple[tuple[int, tuple[int, ...]], ...]  # of each knot: the variable of the arc's duration, its amounts

    @property
    def centre(self) -> np.ndarray:
        whole = float(self.durations(self.initial).sum())
        stretches = self.stretch[-1].item() + 1
        x = np.full(self.initial.size, whole / stretches / len(self.levels))
        x[: stretches - 1] = whole / stretches
        return x

    def amounts(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, last = self.initial_shares, self.final_shares
        base = (first.base + last.base) / 2
        slope = np.einsum("pl,pn->ln", base, self.durations.slope)
        slope = slope + np.einsum("p,pln->ln", 1 / self.parts, first.slope + last.slope) / 2
        return self.durations.base @ base + slope @ x, slope

    def inside(self, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        rows = [(self.durations(x)[-1:], self.durations.slope[-1:])]
        for time, amounts in self.knots:
            row = np.zeros((1, x.size))
            row[0, list(amounts)] = -1.0
            if time >= 0:
                row[0, time] = 1.0
                value = row @ x
            else:  # the last stretch, whose duration is what is left
                row[0] += self.durations.slope[-1] * self.parts[-1]
                value = row @ x + self.durations.base[-1] * self.parts[-1]
            rows.append((value, row))
        return rows


def moves_of_segments(segments: list[Segment], levels: tuple[str, ...], ramps: int) -> ArcMoves:
    """Return the control of the durations of all stretches, and of the shares at `ramps` + 1 knots of each arc.

    Between knots shares are linear. Its first values are where the stretches are.
    """
    L, n = len(levels), len(segments)
    end = sum(segment.duration for segment in segments)
    arcs = [i for i, segment in enumerate(segments) if segment.level == MIXED]
    size = n - 1 + len(arcs) * (ramps + 1) * (L - 1)
    lengths = np.zeros((n, size))  # of stretches; the last one has what is left
    lengths[: n - 1, : n - 1] = np.eye(n - 1)
    lengths[-1, : n - 1] = -1.0
    whole = np.zeros(n)
    whole[-1] = end
    x = np.zeros(size)
    x[: n - 1] = [segment.duration for segment in segments[:-1]]
    names = [f"duration of stretch {i + 1}" for i in range(n - 1)]
    knots, rows, column = [], [], n - 1
    for i, segment in enumerate(segments):
        if segment.level != MIXED:
            base = np.eye(L)[segment.level]
            rows.append((1, i, base, base, np.zeros((L, size)), np.zeros((L, size))))
            continue
        tables = []
        at = (np.arange(len(segment.shares)) + 0.5) / len(segment.shares)
        for knot in range(ramps + 1):
            own = tuple(range(column, column + L - 1))
            table = np.zeros((L, size))
            for j, variable in enumerate(own):
                table[j, variable], table[-1, variable] = 1.0, -1.0
                x[variable] = segment.duration * np.interp(knot / ramps, at, np.asarray(segment.shares)[:, j])
                names.append(f"amount of {levels[j]}, stretch {i + 1}, knot {knot + 1}")
            knots.append((i if i < n - 1 else -1, own))
            tables.append(table)
            column += L - 1
        last = np.eye(L)[-1]
        rows += [(ramps, i, last, last, tables[part], tables[part + 1]) for part in range(ramps)]
    parts = np.array([row[0] for row in rows])
    of = np.array([row[1] for row in rows])
    mixed = np.array([segments[i].level == MIXED for i in of])
    arc = Affine(np.where(mixed, whole[of], 1.0), np.where(mixed[:, None], lengths[of], 0.0))
    first, last = (
        Quotient(np.array([row[2 + side] for row in rows]), np.array([row[4 + side] for row in rows]), arc)
        for side in (0, 1)
    )
    durations = Affine(whole[of] / parts, lengths[of] / parts[:, None])
    upper = np.full(size, end)
    return ArcMoves(levels, durations, first, last, tuple(names), x, np.zeros(size), upper, parts, of, tuple(knots))


def segments_at(moves: ArcMoves, x: np.ndarray) -> list[Segment]:
    """Return the stretches of an order with arcs."""
    durations = moves.durations(x)
    shares = (moves.initial_shares(x) + moves.final_shares(x)) / 2
    found = []
    for i in range(moves.stretch[-1].item() + 1):
        own = moves.stretch == i
        mixed = bool(np.any(moves.initial_shares.slope[own]))
        rows = tuple(tuple(row) for row in shares[own].tolist())
        level = MIXED if mixed else int(np.argmax(rows[0]))
        found.append(Segment(level, float(durations[own].sum()), rows))
    return found


INSERTED = 0.1  # of the stretch that it is put into: how long a new one lasts at first


def with_inserted(segments: list[Segment], alpha: float, level: int) -> list[Segment]:
    """Return the stretches with a short one of `level` at alpha: inside of a stretch, or at the nearer end of it.

    An arc is divided between two of its parts.
    """
    ends = np.cumsum([segment.duration for segment in segments])
    i = min(int(np.searchsorted(ends, alpha)), len(segments) - 1)
    segment = segments[i]
    before = (alpha - (ends[i] - segment.duration)) / max(segment.duration, 1e-300)
    parts = len(segment.shares) if segment.level == MIXED else 10
    cut = int(np.clip(round(before * parts), 0, parts))
    new = Segment(level, INSERTED * segment.duration)
    left, right = (
        Segment(segment.level, (1 - INSERTED) * segment.duration * count / parts, shares)
        for count, shares in ((cut, segment.shares[:cut]), (parts - cut, segment.shares[cut:]))
    )
    middle = [*([left] if cut > 0 else []), new, *([right] if cut < parts else [])]
    return _joined([*segments[:i], *middle, *segments[i + 1 :]])
