"""[optimize] of a problem file: what a protocol may choose, what it is judged by, and what it must keep to.

It is read strictly and checked as far as can be before JAX is loaded; `_protocol_search` makes the search of it.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import teacher_student as ts
from teacher_student import internal

from ._choices import require_runs

COSTS = ("final", "integrated", "time_to", "own")
ORDERS = ("order", "shares", "switches")
JUDGED = ("error", "accuracy")
TAKEN_BY = {
    "on": ("final", "integrated", "time_to"),
    "value": ("time_to",),
    "at": ("final", "own"),
    "accuracies": ("own",),
}
NEEDED = {"on": "on = a level, or { level = weight, ... }", "value": "value = what is to be reached"}
Mixture = str | dict[str, float]


@dataclasses.dataclass(frozen=True)
class CostTable:
    """cost = { final = "accuracy", on = { easy = 0.5, hard = 0.5 } }: one of `COSTS`, with what belongs to it.

    final, integrated, time_to: "error" or "accuracy". own: "module:function". on: a level, or {level = weight, ...}.
    value: of time_to. at: times of final and own (the end). accuracies: whether a function of one's own looks at them.
    """

    final: str | None = None
    integrated: str | None = None
    time_to: str | None = None
    own: str | None = None
    on: Mixture | None = None
    value: float | None = None
    at: float | list[float] | None = None
    accuracies: bool | None = None

    @property
    def kind(self) -> str:
        """The one of `COSTS` that is there."""
        return next(name for name in COSTS if getattr(self, name) is not None)

    def check(self) -> None:
        """Raise InputError unless there is one kind of cost, with what it takes and nothing else."""
        kinds = [name for name in COSTS if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise ts.InputError(f"one cost ({', '.join(COSTS)})", ", ".join(kinds) or "none")
        (kind,) = kinds
        for name, takers in TAKEN_BY.items():
            if getattr(self, name) is not None and kind not in takers:
                with internal.about_entry(name):
                    raise ts.InputError(f"no {name!r} in a cost {kind!r}", repr(getattr(self, name)), "leave it out")
        if kind == "own":
            with internal.about_entry("own"):
                if ":" not in str(self.own):
                    raise ts.InputError('cost.own as "module:function"', repr(self.own))
            return
        with internal.about_entry(kind):
            internal.require_name(getattr(self, kind), JUDGED, "quantity of a cost")
        for name in ("on", *(["value"] if kind == "time_to" else [])):
            if getattr(self, name) is None:
                raise ts.InputError(f"{NEEDED[name]}, in a cost {kind!r}", "none", "add it")
        with internal.about_entry("on"):
            _check_sum(self.on, "weights of a cost")


@dataclasses.dataclass(frozen=True)
class OrderTable:
    """order = { phases = 24, ramps = 4, levels = [...] }: the arguments of `ode.protocols.Order`."""

    phases: int = 24
    ramps: int = 4
    levels: list[str] | None = None

    def check(self) -> None:
        """Raise InputError for no phases or ramps."""
        _check_counts(self, ("phases", "ramps"))


@dataclasses.dataclass(frozen=True)
class SharesTable:
    """shares = { phases = 12, shape = "constant", levels = [...] }: the arguments of `ode.protocols.Shares`."""

    phases: int = 12
    shape: str = "constant"
    levels: list[str] | None = None

    def check(self) -> None:
        """Raise InputError for no phases, or an unknown shape."""
        _check_counts(self, ("phases",))
        with internal.about_entry("shape"):
            internal.require_name(self.shape, ("constant", "linear"), "shape of shares")


@dataclasses.dataclass(frozen=True)
class ValuesTable:
    """ "sgd.learning_rate" = { bounds = [0.0, 5.0], phases = 6 }: the arguments of `ode.protocols.Values`."""

    bounds: list[float]
    phases: int = 10
    shape: str = "constant"
    monotone: str | None = None

    def check(self) -> None:
        """Raise InputError for bounds that cross, no phases, or unknown words."""
        _check_bounds(self.bounds)
        _check_counts(self, ("phases",))
        with internal.about_entry("shape"):
            internal.require_name(self.shape, ("constant", "linear", "spline"), "shape of values")
        if self.monotone is not None:
            with internal.about_entry("monotone"):
                internal.require_name(self.monotone, ("decreasing", "increasing"), "monotone")


@dataclasses.dataclass(frozen=True)
class NumberTable:
    """ "sgd.weight_decay" = { bounds = [0.0, 1.0] }: the argument of `ode.protocols.Number`."""

    bounds: list[float]

    def check(self) -> None:
        """Raise InputError for bounds that cross."""
        _check_bounds(self.bounds)


@dataclasses.dataclass(frozen=True)
class BudgetTable:
    """budget = { prices = { easy = 1.0, hard = 3.0 }, at_most = 10.0 }: the arguments of `ode.protocols.Budget`."""

    prices: dict[str, float]
    at_most: float

    def check(self) -> None:
        """Raise InputError for prices below 0, and a budget that allows nothing."""
        with internal.about_entry("prices"):
            for level, price in self.prices.items():
                if not 0 <= price < math.inf:
                    with internal.about_entry(level):
                        raise ts.InputError("prices of a budget >= 0", price)
        if not 0 < self.at_most < math.inf:
            with internal.about_entry("at_most"):
                raise ts.InputError("what a budget allows > 0", self.at_most)


@dataclasses.dataclass(frozen=True)
class CheckTable:
    """check = { dim = 1000, runs = 32 }: simulations of the optimum and the named orders (omitted: of [simulation])."""

    dim: int | None = None
    runs: int | None = None

    def check(self) -> None:
        """Raise InputError for a dimension or runs that nothing can be said of."""
        if self.dim is not None:
            with internal.about_entry("dim"):
                internal.as_count(self.dim, "optimize.check.dim")
        if self.runs is not None:
            with internal.about_entry("runs"):
                require_runs(self.runs, "optimize.check.runs")


@dataclasses.dataclass(frozen=True)
class OptimizeTable:
    """[optimize]: the arguments of `ode.optimize`.

    cost: what is made small. order, shares or switches: how the order of levels may be chosen (none: it stays). values:
    numbers at every time; numbers: the same at all times; both by their dotted names. fixed_shares: level -> its share
    of the whole run. budget: what all samples may cost. starts: random ones beside the named orders. steps: the most
    of each search. check: whether to simulate the optimum too.
    """

    cost: CostTable
    order: OrderTable | None = None
    shares: SharesTable | None = None
    switches: list[Mixture] | None = None
    values: dict[str, ValuesTable] | None = None
    numbers: dict[str, NumberTable] | None = None
    fixed_shares: dict[str, float] | None = None
    budget: BudgetTable | None = None
    starts: int = 2
    steps: int = 200
    check: CheckTable | None = None

    def check_words(self, levels: Sequence[str] | None) -> None:
        """Raise InputError for what can be seen to be wrong without the problem.

        Arguments: levels: those of the task; None: not known before its class is imported.
        """
        for name in ("cost", "order", "shares", "budget", "check"):
            entry = getattr(self, name)
            if entry is not None:
                with internal.about_entry(name):
                    entry.check()
        for name in ("values", "numbers"):
            for number, entry in (getattr(self, name) or {}).items():
                with internal.about_entry(name, number):
                    entry.check()
        self._check_controls()
        with internal.about_entry("fixed_shares"):
            _check_sum(self.fixed_shares, "fixed shares")
        for name, least in (("starts", 0), ("steps", 1)):
            with internal.about_entry(name):
                if getattr(self, name) < least:
                    raise ts.InputError(f"optimize.{name} >= {least}", getattr(self, name))
        for place, level in self._named_levels():
            with internal.about_entry(*place):
                internal.require_name(level, [level] if levels is None else levels, "level of the problem")

    def _check_controls(self) -> None:
        orders = [name for name in ORDERS if getattr(self, name) is not None]
        if len(orders) > 1:
            with internal.about_entry(orders[1]):
                raise ts.InputError(f"one of {', '.join(ORDERS)}", " and ".join(orders), "leave one out")
        for name in ("fixed_shares", "budget"):
            if getattr(self, name) is not None and not orders:
                with internal.about_entry(name):
                    remedy = f"add {', '.join(ORDERS[:-1])} or {ORDERS[-1]}, or leave it out"
                    raise ts.InputError(f"an order that may be chosen, for {name}", "none", remedy)
        if not orders and not self.values and not self.numbers:
            remedy = f"add {', '.join(ORDERS)}, values or numbers"
            raise ts.InputError("something to choose in [optimize]", "none", remedy)
        for name in self.numbers or ():
            if name in (self.values or ()):
                with internal.about_entry("numbers", name):
                    raise ts.InputError("each number in values or in numbers", f"{name} in both", "leave one out")

    def _named_levels(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Give every level that is named, with the place where it is."""
        for name in ("order", "shares"):
            entry = getattr(self, name)
            for level in (entry.levels if entry is not None else None) or ():
                yield (name, "levels"), level
        for mixture in self.switches or ():
            yield from ((("switches",), level) for level in _levels_of(mixture))
        yield from ((("cost", "on"), level) for level in _levels_of(self.cost.on))
        yield from ((("fixed_shares",), level) for level in _levels_of(self.fixed_shares))
        if self.budget is not None:
            yield from ((("budget", "prices"), level) for level in self.budget.prices)


def _levels_of(mixture: Mixture | None) -> Iterable[str]:
    return () if mixture is None else (mixture,) if isinstance(mixture, str) else mixture


def _check_counts(table: Any, names: Iterable[str]) -> None:
    for name in names:
        with internal.about_entry(name):
            internal.as_count(getattr(table, name), f"number of {name}")


def _check_bounds(bounds: Sequence[float]) -> None:
    with internal.about_entry("bounds"):
        if len(bounds) != 2 or not all(map(math.isfinite, bounds)) or not bounds[0] < bounds[1]:
            raise ts.InputError("bounds as [least, largest], the first below the second", list(bounds))


def _check_sum(mixture: Mixture | None, what: str) -> None:
    """Raise InputError for shares below 0, or which do not sum to 1."""
    if not isinstance(mixture, Mapping):
        return
    for level, share in mixture.items():
        if not 0 <= share < math.inf:
            with internal.about_entry(level):
                raise ts.InputError(f"{what} >= 0", share)
    total = math.fsum(mixture.values())
    if abs(total - 1) > 1e-9:
        raise ts.InputError(f"{what} that sum to 1", f"a sum of {total:.12g}")
