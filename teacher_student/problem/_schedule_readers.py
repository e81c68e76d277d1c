"""Schedules of known numbers as functions of one time: what an integrator that is stepped from the host calls.

A schedule's own `value` serves arrays and traced numbers too, and takes a hundred times as long for one float: longer
than the drift of a narrow student. Phases, which most schedules have, are read here by plain arithmetic.
"""

import bisect
from collections.abc import Callable
from typing import Any

import numpy as np

from ._schedule import PhasedSchedule, Schedule, ScheduledNumbers, SplineSchedule, monotone_slopes

Reader = Callable[[float], Any]


def reader_of(schedule: Schedule) -> Reader:
    """Return the function from alpha to the value of a schedule, as `schedule(alpha)` gives it."""
    if isinstance(schedule, PhasedSchedule):
        return _of_phases(schedule)
    if isinstance(schedule, SplineSchedule):
        return _of_spline(schedule)
    if isinstance(schedule, ScheduledNumbers):
        return _of_numbers(schedule)
    return lambda alpha: np.asarray(schedule(alpha), np.float64)


def _of_phases(schedule: PhasedSchedule) -> Reader:
    columns = (schedule.initial, schedule.final, schedule.durations, schedule.jumps)
    initial, final, durations, ends = (np.asarray(x, float).tolist() for x in columns)

    def read(alpha: float) -> np.float64:
        phase = bisect.bisect_right(ends, alpha)  # at a jump it is the later phase
        if phase == len(ends):
            return np.float64(final[-1])
        done = min(max((alpha - (ends[phase] - durations[phase])) / durations[phase], 0.0), 1.0)
        first, last = initial[phase], final[phase]
        return np.float64(first + done * (last - first) if done < 0.5 else last - (1 - done) * (last - first))

    return read


def _of_spline(schedule: SplineSchedule) -> Reader:
    y, x = np.asarray(schedule.values, float), np.asarray(schedule.alphas, float)
    slopes = monotone_slopes(y, x, np).tolist()
    values, times = y.tolist(), x.tolist()

    def read(alpha: float) -> np.float64:
        i = min(max(bisect.bisect_right(times, alpha) - 1, 0), len(times) - 2)
        h = times[i + 1] - times[i]
        t = min(max((alpha - times[i]) / h, 0.0), 1.0)
        ends = (1 + 2 * t) * (1 - t) ** 2 * values[i] + t**2 * (3 - 2 * t) * values[i + 1]
        return np.float64(ends + h * t * (1 - t) * ((1 - t) * slopes[i] - t * slopes[i + 1]))

    return read


def _of_numbers(schedule: ScheduledNumbers) -> Reader:
    numbers = np.asarray(schedule.numbers, float)
    entries = {index: reader_of(entry) for index, entry in schedule.entries.items()}

    def read(alpha: float) -> np.ndarray:
        array = numbers.copy()
        for index, entry in entries.items():
            array[index] = entry(alpha)
        return array

    return read
