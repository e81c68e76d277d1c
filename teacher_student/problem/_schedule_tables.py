"""Schedules from tables of problem files, and back."""

from typing import Any

import numpy as np

from .._address import address_of, imported
from .._errors import InputError
from .._trust import Unopened
from ..tables import ScheduleTable
from ._schedule import CosineSchedule, FunctionSchedule, PhasedSchedule, PowerSchedule, Schedule, SplineSchedule


def schedule_from_table(read: Any) -> Any:
    """Return the schedule of a table that has been read and checked, and anything else (a number) as it is."""
    if not isinstance(read, ScheduleTable):
        return read
    arguments = getattr(read, read.shape)
    if read.phases is not None:
        return Schedule.phases(*(tuple(phase) for phase in read.phases))
    if read.function is not None:
        function = imported(read.function.name, "schedule")
        if isinstance(function, Unopened):
            return FunctionSchedule(function, np.asarray(read.function.numbers, float))
        return Schedule.function(function, *read.function.numbers)
    schedule: Schedule = getattr(Schedule, read.shape)(**vars(arguments))
    return schedule


def table_of_number(number: Any) -> Any:
    """Return what a file has for an argument: a number or a text itself, or the table of a schedule."""
    if isinstance(number, Schedule):
        return _table(number)
    return number if isinstance(number, str) else float(number)


def _table(schedule: Schedule) -> dict[str, Any]:
    if isinstance(schedule, PhasedSchedule):
        columns = (np.asarray(x).tolist() for x in (schedule.initial, schedule.final, schedule.durations))
        return {"phases": [[a, d] if a == b else [a, b, d] for a, b, d in zip(*columns, strict=True)]}
    if isinstance(schedule, FunctionSchedule):
        return {"function": {"name": _address(schedule), "numbers": np.asarray(schedule.numbers).tolist()}}
    shape = {CosineSchedule: "cosine", PowerSchedule: "power", SplineSchedule: "spline"}[type(schedule)]
    return {shape: {name: np.asarray(number).tolist() for name, number in vars(schedule).items()}}


def _address(schedule: FunctionSchedule) -> str:
    if isinstance(schedule.call, Unopened):
        return schedule.call.address
    address = address_of(schedule.call)
    if address is None:
        raise InputError(
            "a schedule whose function can be imported again, to write or send it",
            repr(getattr(schedule.call, "__qualname__", "a function")),
            "move its function to a module (a file.py of its own) and import it from there",
        )
    return address
