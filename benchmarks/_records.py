"""What a measurement leaves: rows of the table, curves of the picture, and the fits through them."""

import dataclasses
from collections.abc import Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Ratio:
    """Time of something else over our time: median, least and largest over the rounds; above 1: we are faster."""

    median: float
    low: float
    high: float
    over: str  # what it is the time of


@dataclasses.dataclass(frozen=True)
class Check:
    """How far the engine's numbers are from independent ones, and how far they may be."""

    deviation: float
    tolerance: float
    against: str

    @property
    def agrees(self) -> bool:
        """False also for NaN."""
        return self.deviation <= self.tolerance


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table. seconds: of one `unit` of work, the median over rounds. memory: bytes, of the process."""

    name: str
    engine: str
    size: str
    unit: str = ""
    seconds: float | None = None
    yardstick: Ratio | None = None
    target: float | None = None  # of the yardstick's ratio
    limit: Ratio | None = None  # at most about 1: the share of the limit's speed that is reached
    compile_seconds: float | None = None
    memory: int | None = None
    check: Check | None = None
    note: str = ""
    failed: bool = False

    @property
    def right(self) -> bool:
        """The row was measured or skipped for a reason, and its numbers agree with independent ones."""
        return not self.failed and (self.check is None or self.check.agrees)


@dataclasses.dataclass(frozen=True)
class Fit:
    """seconds ~ size^exponent over sizes from `first`, with the exponent's standard error."""

    exponent: float
    error: float
    first: float

    def __str__(self) -> str:
        return f"{self.exponent:.2f} +- {self.error:.2f}"


@dataclasses.dataclass(frozen=True)
class Curve:
    """Seconds of one `unit` against a size. kind: "ours", "yardstick" or "limit"."""

    name: str
    label: str
    kind: str
    panel: str
    axis: str
    unit: str
    sizes: Sequence[float]
    seconds: Sequence[float]
    fit: Fit | None = None
    note: str = ""


def to_tables(found: Sequence[Row | Curve]) -> dict[str, Any]:
    """Plain dicts and lists."""
    return {
        "rows": [dataclasses.asdict(each) for each in found if isinstance(each, Row)],
        "curves": [dataclasses.asdict(each) for each in found if isinstance(each, Curve)],
    }


def from_tables(tables: dict[str, Any]) -> list[Row | Curve]:
    """The inverse of `to_tables`."""
    nested = {"yardstick": Ratio, "limit": Ratio, "check": Check, "fit": Fit}

    def build(kind: Any, table: dict[str, Any]) -> Any:
        return kind(**{k: nested[k](**v) if k in nested and v is not None else v for k, v in table.items()})

    return [build(Row, each) for each in tables["rows"]] + [build(Curve, each) for each in tables["curves"]]
