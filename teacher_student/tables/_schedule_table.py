"""Tables of schedules in problem files: {power = {initial = 1.0, scale = 5.0, exponent = 1.0}} in place of a number."""

import dataclasses
import math
from typing import Any

from .._errors import InputError, about_entry


@dataclasses.dataclass(frozen=True)
class RampTable:
    """The arguments of Schedule.linear and Schedule.cosine."""

    initial: float
    final: float
    duration: float


@dataclasses.dataclass(frozen=True)
class PowerTable:
    """The arguments of Schedule.power."""

    initial: float
    scale: float
    exponent: float


@dataclasses.dataclass(frozen=True)
class SplineTable:
    """The arguments of Schedule.spline."""

    values: list[float]
    alphas: list[float]


@dataclasses.dataclass(frozen=True)
class FunctionTable:
    """The arguments of Schedule.function, with the function as "module:name"."""

    name: str
    numbers: list[float] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class ScheduleTable:
    """A schedule: one key, the name of its shape, with the arguments of `Schedule.<shape>`.

    phases = [[1.0, 10.0], [1.0, 0.1, 5.0]]: each is [value, duration], or [initial, final, duration] for a ramp.
    """

    phases: list[list[float]] | None = None
    linear: RampTable | None = None
    cosine: RampTable | None = None
    power: PowerTable | None = None
    spline: SplineTable | None = None
    function: FunctionTable | None = None

    @property
    def shape(self) -> str:
        """The one key that is there."""
        return next(name for name, entry in vars(self).items() if entry is not None)

    def check(self) -> None:
        """Raise InputError unless there is one shape, of finite numbers; phases have two or three entries each."""
        present = [name for name, entry in vars(self).items() if entry is not None]
        if len(present) != 1:
            shapes = ", ".join(field.name for field in dataclasses.fields(self))
            raise InputError(f"one shape of a schedule ({shapes})", ", ".join(present) or "none")
        with about_entry(self.shape):
            for phase in self.phases or ():
                if len(phase) not in (2, 3):
                    raise InputError("each phase as [value, duration] or [initial, final, duration]", repr(phase))
            if self.function is not None and ":" not in self.function.name:
                raise InputError('the name of a schedule\'s function as "module:name"', repr(self.function.name))
            for number in _numbers(dataclasses.asdict(self)[self.shape]):
                if not math.isfinite(number):
                    raise InputError("finite numbers of a schedule", number)


def _numbers(entry: Any) -> list[float]:
    if isinstance(entry, dict):
        entry = list(entry.values())
    if isinstance(entry, list):
        return [number for each in entry for number in _numbers(each)]
    return [entry] if isinstance(entry, (int, float)) else []
