"""All searches of one question: named orders and random starts, and finer switches of the best points."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from teacher_student import Problem
from teacher_student.internal import with_fields

from ._arcs import MIXED, ArcMoves, moves_of_segments, segments_at, segments_of, with_inserted
from ._constraints import FixedShares
from ._control import Control
from ._forward import forward
from ._judge import Diverged, Judge
from ._number_controls import ValueMoves
from ._optimum import Named
from ._order_controls import Order, Switches
from ._order_moves import OrderMoves
from ._orders import interleaved_orders, level_totals, named_orders, variables_of
from ._protocol import Protocol
from ._rate import RATE, swept
from ._search import FirstOrder, Interrupted, descend, into_constraints, kkt_residual
from ._seen import cost_of
from ._switching import prices_of, switching_of

REFINED = 2  # first-order points whose switches are refined
INSERTIONS = 4  # stretches that are added to the best of these, where the signs of S ask for one
WRONG = 1e-4  # a violation of the signs of S, in units of its range, below which none is
GAINED = 1e-9  # relative: what an added stretch must gain, else no further one is tried
SAME = 1e-6  # relative: searches that end closer together have met the same point


@dataclasses.dataclass(frozen=True)
class Study:
    """All searches of one call."""

    protocol: Protocol
    seed: int
    starts: int
    steps: int
    tolerance: float
    controls: list[Control]
    compare: bool

    @property
    def totals(self) -> dict[str, float]:
        """The share of the whole run that each level has in named orders."""
        order = self.protocol.order
        assert order is not None
        for constraint in self.protocol.constraints:
            if isinstance(constraint, FixedShares):
                return {level: float(constraint.shares.get(level, 0.0)) for level in order.levels}
        return level_totals(self.protocol.judge.problem, order.levels)

    @property
    def end(self) -> float:
        return float(self.protocol.judge.problem.curriculum.end)

    def run(self, shown: bool) -> tuple[list[tuple[FirstOrder, Protocol]], dict[str, Named], bool]:
        """Return where all searches ended, the best first, each with its protocol; named orders; and if interrupted."""
        from tqdm import tqdm  # only a search needs it

        ended: list[tuple[FirstOrder, Protocol]] = []
        named: dict[str, Named] = {}
        tasks = self._tasks(named)
        interrupted = False
        with tqdm(disable=not shown, desc="optimize", unit=" searches", leave=False) as bar:
            try:
                for name, protocol, x in tasks:
                    ended.append((self._search(name, protocol, x), protocol))
                    bar.update()
                    bar.set_postfix(best=f"{min(end.cost for end, _ in ended):.8g}")
                if any(isinstance(control, Order) for control in self.controls):
                    for name, protocol, x in self._refinements(_in_order(ended)):
                        ended.append((self._search(name, protocol, x), protocol))
                        bar.update()
                    for _ in range(INSERTIONS):
                        best = _in_order(ended)[0]
                        inserted = self._insertion(*best)
                        if inserted is None:
                            break
                        name, protocol, x = inserted
                        ended.append((self._search(name, protocol, x), protocol))
                        bar.update()
                        if not ended[-1][0].cost < best[0].cost - GAINED * abs(best[0].cost):
                            break
            except Interrupted as stop:
                ended.append((stop.best, protocol))
                interrupted = True
            except KeyboardInterrupt:
                if not ended:
                    raise
                interrupted = True
        if interrupted and not any(np.isfinite(end.cost) for end, _ in ended):
            raise KeyboardInterrupt  # there is no best so far
        return _in_order(ended), named, interrupted

    def _search(self, name: str, protocol: Protocol, x: np.ndarray) -> FirstOrder:
        try:
            return descend(protocol, name, x, steps=self.steps, tolerance=self.tolerance)
        except Diverged:
            return FirstOrder(name, x, np.inf, np.inf, 1, False, "the start diverges")

    def _tasks(self, named: dict[str, Named]) -> Iterator[tuple[str, Protocol, np.ndarray]]:
        """Yield the searches: named orders first, which `named` receives on the way."""
        protocol = self.protocol
        own = protocol.initial
        generator = np.random.default_rng(self.seed)
        numbers = [moves for moves in protocol.moves if not isinstance(moves, OrderMoves)]
        if protocol.order is None:
            constant = self._constants(named) if self.compare else own
            yield "as given", protocol, own
            if any(isinstance(moves, ValueMoves) and RATE in moves.place.names for moves in numbers):
                yield "forward-backward sweep", protocol, swept(protocol, constant)
            for i in range(self.starts):
                yield f"random {i + 1}", protocol, self._random(generator)
            return
        orders = named_orders(self.totals, self.end)
        for name, curriculum in orders.items():
            tuned = self._name(name, curriculum, named) if self.compare else None
            x = self._with_order(own, variables_of(protocol.order, curriculum))
            if tuned is not None:
                yield (
                    f"{name} at its own best numbers",
                    protocol,
                    into_constraints(protocol, self._with_numbers(x, tuned)),
                )
            if tuned is None or name == "mixed":
                yield name, protocol, into_constraints(protocol, x)
        for name, curriculum in interleaved_orders(self.totals, self.end).items():
            if not isinstance(self._order_control(), Switches):
                x = self._with_order(own, variables_of(protocol.order, curriculum))
                yield name, protocol, into_constraints(protocol, x)
        yield "as given", protocol, into_constraints(protocol, own)
        for i in range(self.starts):
            yield f"random {i + 1}", protocol, into_constraints(protocol, self._random(generator))

    def _order_control(self) -> Control:
        return self.controls[[isinstance(moves, OrderMoves) for moves in self.protocol.moves].index(True)]

    def _name(self, name: str, curriculum: Any, named: dict[str, Named]) -> np.ndarray | None:
        """Note the cost of a named order; return the numbers that are best for it, where the controls have numbers."""
        judge = self.protocol.judge
        problem = with_fields(judge.problem, curriculum=curriculum)
        cost = _cost_of(judge, problem)
        moves = tuple(each for each in self.protocol.moves if not isinstance(each, OrderMoves))
        if not moves:
            named[name] = Named(cost, None, problem)
            return None
        alone = Protocol(dataclasses.replace(judge, problem=problem), moves, ())
        try:
            found = self._search(name, alone, alone.initial)
        except Interrupted:  # its variables are not those of the protocol that is looked for
            raise KeyboardInterrupt from None
        named[name] = Named(cost, found.cost, alone.problem(found.x))
        return found.x

    def _constants(self, named: dict[str, Named]) -> np.ndarray:
        """Note the cost of the problem as given, and of the best numbers that stay as they are; return these."""
        judge, moves = self.protocol.judge, self.protocol.moves
        named["as given"] = Named(_cost_of(judge, judge.problem), None, judge.problem)
        if not any(isinstance(each, ValueMoves) for each in moves):
            return self.protocol.initial
        alone = Protocol(judge, tuple(each.constant() if isinstance(each, ValueMoves) else each for each in moves), ())
        try:
            found = self._search("best constant", alone, alone.initial)
        except Interrupted:  # its variables are not those of the protocol that is looked for
            raise KeyboardInterrupt from None
        named["best constant"] = Named(found.cost, None, alone.problem(found.x))
        parts = zip(moves, alone.split(found.x), strict=True)
        return np.concatenate([np.full(each.initial.size, part[0]) for each, part in parts])

    def _with_order(self, x: np.ndarray, order: np.ndarray) -> np.ndarray:
        parts = zip(self.protocol.moves, self.protocol.split(x), strict=True)
        return np.concatenate([order if isinstance(moves, OrderMoves) else part for moves, part in parts])

    def _with_numbers(self, x: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        rest = iter(
            np.split(numbers, np.cumsum([m.initial.size for m in self.protocol.moves if not isinstance(m, OrderMoves)]))
        )
        parts = zip(self.protocol.moves, self.protocol.split(x), strict=True)
        return np.concatenate([part if isinstance(moves, OrderMoves) else next(rest) for moves, part in parts])

    def _random(self, generator: np.random.Generator) -> np.ndarray:
        """Return random values: shares and durations uniform, numbers around what they are by a factor up to 3."""
        parts = []
        for moves, part in zip(self.protocol.moves, self.protocol.split(self.protocol.initial), strict=True):
            if isinstance(moves, OrderMoves):
                parts.append(moves.lower + (moves.upper - moves.lower) * generator.uniform(size=part.size))
                continue
            middle = np.where(part > 0, part, (moves.lower + moves.upper) / 2)
            factor = np.exp(generator.uniform(-np.log(3), np.log(3)) + generator.normal(scale=0.3, size=part.size))
            parts.append(np.clip(middle * factor, moves.lower, moves.upper))
        return np.concatenate(parts)

    def _refinements(self, ended: list[tuple[FirstOrder, Protocol]]) -> Iterator[tuple[str, Protocol, np.ndarray]]:
        """Yield searches in which switches are free, and mixed stretches are arcs, from the best points so far."""
        order = self.protocol.order
        assert order is not None
        ramps = next(control.ramps for control in self.controls if isinstance(control, Order))
        for end, protocol in _distinct(ended)[:REFINED]:
            part = protocol.of_order(end.x)
            shares = (order.initial_shares(part) + order.final_shares(part)) / 2
            seen = set()
            for arcs in (False, True) if ramps else (False,):
                segments = segments_of(shares, order.durations(part), arcs=arcs)
                kinds = tuple(segment.level for segment in segments)
                if len(segments) < 2 or kinds in seen:
                    continue
                seen.add(kinds)
                moves = moves_of_segments(segments, order.levels, ramps)
                finer, x = _with_moves(protocol, end, moves)
                name = f"{end.start}, with free switches" + (" and arcs" if MIXED in kinds else "")
                yield name, finer, into_constraints(finer, x)

    def _insertion(self, end: FirstOrder, protocol: Protocol) -> tuple[str, Protocol, np.ndarray] | None:
        """Return a search with one more stretch: of the level that is worth least where another is shown.

        None where none is worth less than what is shown, or where switches are not free.
        """
        order = protocol.order
        if not isinstance(order, ArcMoves):
            return None
        try:
            solved, along = protocol.solve(end.x)
        except Diverged:
            return None
        _, multipliers = kkt_residual(protocol, end.x, protocol.gradient(end.x, solved, along))
        switching = switching_of(protocol, solved, along, prices_of(protocol, end.x, multipliers)[1])
        if switching is None or switching.violation < WRONG:
            return None
        worst = int(np.argmax(switching.excess))
        level = int(np.argmin(switching.S[worst]))
        segments = with_inserted(segments_at(order, protocol.of_order(end.x)), float(along.alphas[worst]), level)
        ramps = next(control.ramps for control in self.controls if isinstance(control, Order))
        moves = moves_of_segments(segments, order.levels, ramps)
        finer, x = _with_moves(protocol, end, moves)
        return f"{end.start}, and one more {order.levels[level]}", finer, into_constraints(finer, x)


def _with_moves(protocol: Protocol, end: FirstOrder, moves: OrderMoves) -> tuple[Protocol, np.ndarray]:
    """Return a protocol with another control of the order, and its variables: the numbers are those of `end`."""
    finer = dataclasses.replace(
        protocol, moves=tuple(moves if each is protocol.order else each for each in protocol.moves)
    )
    parts = zip(protocol.moves, protocol.split(end.x), strict=True)
    return finer, np.concatenate([moves.initial if each is protocol.order else own for each, own in parts])


def _in_order(ended: list[tuple[FirstOrder, Protocol]]) -> list[tuple[FirstOrder, Protocol]]:
    return sorted(ended, key=lambda end: end[0].cost)


def _distinct(ended: list[tuple[FirstOrder, Protocol]]) -> list[tuple[FirstOrder, Protocol]]:
    """Return points of different costs."""
    found: list[tuple[FirstOrder, Protocol]] = []
    for end in ended:
        if np.isfinite(end[0].cost) and all(
            abs(end[0].cost - other.cost) > SAME * abs(other.cost) for other, _ in found
        ):
            found.append(end)
    return found


def _cost_of(judge: Judge, problem: Problem) -> float:
    try:
        return cost_of(judge, forward(judge, problem))[0]
    except Diverged:
        return float("inf")
