"""Schedules: numbers of a problem that depend on the time alpha, such as a learning rate that is annealed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._address import address_of
from .._errors import InputError
from .._numbers import as_number, as_numbers, as_row, check_at_least, check_finite, is_known
from .._public_module import PublicModule
from .._shapes import Numbers
from .._trust import remember_unit


class Schedule(PublicModule):
    """A number that depends on alpha = samples / N: a rate of learning or of the readout, a decay, a noise, a variance.

    Build one with `constant`, `phases`, `linear`, `power`, `cosine`, `spline` or `function`, and give it in place of
    the number: `SGD(ts.Schedule.power(1.0, 5.0, 1.0))`. Its numbers are data, as those of a curriculum are: they can be
    traced, differentiated and varied, and other ones need no other program. In a simulation sample n = 0, 1, ... reads
    the schedule at alpha = (n + 1/2) / N, the middle of its step.

    Example:
      >>> import teacher_student as ts
      >>> rate = ts.Schedule.phases((1.0, 10.0), (1.0, 0.1, 5.0))
      >>> [float(rate(alpha)) for alpha in (0.0, 12.5, 100.0)]
      [1.0, 0.55, 0.1]
      >>> float(ts.Schedule.power(2.0, 5.0, 1.0)(5.0))
      1.0
    """

    @staticmethod
    def constant(value: Any) -> "Schedule":
        """Return the schedule that is `value` at all times: one phase, of which the value can be varied.

        Raises InputError for what is not one number.
        """
        return PhasedSchedule.of([(value, value, 1.0)])

    @staticmethod
    def phases(*phases: "tuple[Any, ...]") -> "Schedule":
        """Return phases one after the other. The value at the end of the last one holds for ever after.

        A phase is (value, duration), or, as a ramp, (initial, final, duration). Durations are in alpha = samples / N.
        Raises InputError for a phase of any other form, and for a duration of 0 or less.
        """
        for phase in phases:
            if not isinstance(phase, (tuple, list)) or len(phase) not in (2, 3):
                raise InputError("each phase as (value, duration) or (initial, final, duration)", repr(phase))
        if not phases:
            raise InputError("at least one phase in the schedule", "none")
        return PhasedSchedule.of([(phase[0], phase[-2], phase[-1]) for phase in phases])

    @staticmethod
    def linear(initial: Any, final: Any, duration: Any) -> "Schedule":
        """Return the schedule u0 + (u1 - u0) alpha / duration, and u1 afterwards.

        Arguments: initial, final: u0 and u1. duration: in alpha = samples / N.
        Raises InputError for what is not one number each, and for a duration of 0 or less.
        """
        return PhasedSchedule.of([(initial, final, duration)])

    @staticmethod
    def cosine(initial: Any, final: Any, duration: Any) -> "Schedule":
        """Return the schedule u1 + (u0 - u1) (1 + cos(pi alpha / duration)) / 2, and u1 afterwards.

        Arguments: initial, final: u0 and u1. duration: in alpha = samples / N.
        Raises InputError for what is not one number each, and for a duration of 0 or less.
        Source: Loshchilov & Hutter 2017, Eq. (5), without restarts.
        """
        return CosineSchedule(*_three(initial=initial, final=final, duration=duration))

    @staticmethod
    def power(initial: Any, scale: Any, exponent: Any) -> "Schedule":
        """Return the schedule u0 (1 + alpha / scale)^(-exponent).

        Arguments: initial: u0, at alpha = 0. scale: in alpha = samples / N, > 0. exponent: 1 is the rate that is
        optimal late in learning under noise.
        Raises InputError for what is not one number each, and for a scale of 0 or less.
        """
        return PowerSchedule(*_three(initial=initial, scale=scale, exponent=exponent))

    @staticmethod
    def spline(values: Any, alphas: Any) -> "Schedule":
        """Return the monotone cubic spline through `values` at `alphas`, constant before the first and after the last.

        Between two knots it stays between their values, so that a rate never becomes negative.

        Arguments: values: (n,) numbers. alphas: (n,) increasing times of the knots, samples / N.
        Raises InputError for fewer than two knots, and for times that do not increase.
        Source: Fritsch & Butland 1984 (slopes), as in SciPy's PchipInterpolator.
        """
        knots, at = as_row(values, "values of the spline"), as_row(alphas, "alphas of the spline")
        if np.shape(knots) != np.shape(at) or np.size(knots) < 2:
            raise InputError(
                "as many values as alphas of a spline, two at least", f"{np.size(knots)} and {np.size(at)}"
            )
        check_finite(knots, "values of the spline")
        check_at_least(at, 0.0, "alphas of the spline")
        if is_known(at) and np.any(np.diff(at) <= 0):
            raise InputError("increasing alphas of a spline", np.asarray(at).tolist())
        return SplineSchedule(knots, at)

    @staticmethod
    def function(function: Callable[..., Any], *numbers: Any) -> "Schedule":
        """Return the schedule function(alpha, *numbers), of a JAX function of one's own that is smooth in alpha.

        Arguments: function: from alpha (), samples / N, and the numbers to one number, made of JAX operations. To be
        saved it must be importable, as a unit of one's own. numbers: what the function takes beside alpha; they can be
        traced, differentiated and varied.
        Raises InputError for a function that does not return one number.

        Example:
          >>> import jax.numpy as jnp
          >>> import teacher_student as ts
          >>> rate = ts.Schedule.function(lambda alpha, a, b: a * jnp.exp(-b * alpha), 2.0, 0.5)
          >>> round(float(rate(2.0)), 6)
          0.735759
        """
        if not callable(function):
            raise InputError("a JAX function of alpha as a schedule", repr(function))
        schedule = FunctionSchedule(function, as_row(numbers, "numbers of a schedule"))
        schedule.try_out()
        remember_unit(function)
        return schedule

    def __check_init__(self) -> None:
        if type(self) is Schedule:
            required = "a shape of schedule, such as ts.Schedule.power(initial, scale, exponent)"
            raise InputError(required, "ts.Schedule()", "see help(ts.Schedule)")

    def __call__(self, alpha: Any) -> Any:
        """Return the value () at the time alpha = samples / N. At a jump it is that of the later phase.

        Raises InputError for what is not one number.
        """
        if not isinstance(alpha, (float, jax.Array)):
            alpha = as_number(alpha, "alpha")
        return self.value(alpha)

    def value(self, alpha: Any) -> Any:
        """Return the value () at a number alpha, as every shape defines it."""
        raise NotImplementedError

    @property
    def jumps(self) -> Any:
        """The (J,) times at which the schedule, or a derivative of it, jumps, in alpha and in order."""
        return np.zeros(0)

    def within(self, piece: Any, alpha: Any, progress: Any = 1.0) -> Any:
        """Return the value () at alpha inside a piece, where `piece` is the number of `jumps` that have passed.

        At a jump itself, and in a piece that lasts no time, alpha does not tell which piece is meant. In one that lasts
        no time, `progress` says how much of it is done.
        """
        return self(alpha)

    def filled(self, length: Callable[[int], int]) -> "Schedule":
        """Return the same schedule with length(n) phases in place of n, where phases are what it is made of."""
        return self

    def in_text(self) -> str:
        """Say the schedule in one line: "1 for 10, then 1 to 0.1 for 5"."""
        raise NotImplementedError

    def _words(self) -> str:
        return f"Schedule({self.in_text()})" if is_known(self) else "Schedule(numbers that are being traced)"


if TYPE_CHECKING:  # a checker would have every user ask which of the two it is
    ScheduledNumber = Any
else:
    ScheduledNumber = Float[Numbers, ""] | Schedule


class PhasedSchedule(Schedule):
    """Phases in which the value is constant or changes linearly, as the shares of a Curriculum do."""

    initial: Float[Numbers, "P"]  # at the phase's beginning
    final: Float[Numbers, "P"]  # at its end
    durations: Float[Numbers, "P"]  # in alpha

    @staticmethod
    def of(phases: list[tuple[Any, Any, Any]]) -> "PhasedSchedule":
        """Return the phases (initial, final, duration). Raises InputError for a duration of 0 or less."""
        columns = [
            as_row(column, f"{name} of a schedule")
            for name, column in zip(("values", "values", "durations"), zip(*phases, strict=True), strict=True)
        ]
        for values in columns[:2]:
            check_finite(values, "values of a schedule")
        check_at_least(columns[2], 0.0, "durations of a schedule", strict=True)
        return PhasedSchedule(*columns)

    def value(self, alpha: Any) -> Any:
        xp = _library(self, alpha)
        return self.within(xp.sum(xp.asarray(self.jumps) <= alpha), alpha)

    @property
    def jumps(self) -> Any:
        return (np if is_known(self.durations) else jnp).cumsum(self.durations)

    def within(self, piece: Any, alpha: Any, progress: Any = 1.0) -> Any:
        xp = _library(self, piece, alpha)
        initial, final, durations = (xp.asarray(x) for x in (self.initial, self.final, self.durations))
        phase = xp.minimum(piece, durations.shape[0] - 1)  # after the last one, its final value holds
        duration = durations[phase]
        begun = xp.cumsum(durations)[phase] - duration
        # The divisor is replaced too: JAX differentiates both branches of a `where`.
        done = xp.where(duration > 0, (alpha - begun) / xp.where(duration > 0, duration, 1.0), progress)
        done = xp.where(piece < durations.shape[0], _within_one(done, xp), 1.0)
        first, last = initial[phase], final[phase]
        # From the nearer end, so that both ends have their own values to the last digit.
        return xp.where(done < 0.5, first + done * (last - first), last - (1 - done) * (last - first))

    def filled(self, length: Callable[[int], int]) -> "PhasedSchedule":
        more = length(np.size(self.durations)) - np.size(self.durations)
        last, none = np.full(more, self.final[-1]), np.zeros(more)  # phases at the end that last no time
        parts = ((self.initial, last), (self.final, last), (self.durations, none))
        return PhasedSchedule(*(np.concatenate(pair) for pair in parts))

    def in_text(self) -> str:
        rows = zip(*(np.asarray(x).tolist() for x in (self.initial, self.final, self.durations)), strict=True)
        if np.size(self.durations) == 1 and self.initial[0] == self.final[0]:
            return f"{float(self.initial[0]):g}"
        return ", then ".join(
            f"{first:g} for {duration:g}" if first == last else f"{first:g} to {last:g} for {duration:g}"
            for first, last, duration in rows
        )


class CosineSchedule(Schedule):
    """Half a period of a cosine."""

    initial: Float[Numbers, ""]
    final: Float[Numbers, ""]
    duration: Float[Numbers, ""]

    def __check_init__(self) -> None:
        check_at_least(self.duration, 0.0, "duration of a schedule", strict=True)

    def value(self, alpha: Any) -> Any:
        xp = _library(self, alpha)
        progress = _within_one(alpha / self.duration, xp)
        return self.final + (self.initial - self.final) * (1 + xp.cos(np.pi * progress)) / 2

    @property
    def jumps(self) -> Any:
        return (np if is_known(self.duration) else jnp).reshape(self.duration, (1,))

    def in_text(self) -> str:
        return f"cosine from {float(self.initial):g} to {float(self.final):g} in {float(self.duration):g}"


class PowerSchedule(Schedule):
    """A power of alpha."""

    initial: Float[Numbers, ""]
    scale: Float[Numbers, ""]
    exponent: Float[Numbers, ""]

    def __check_init__(self) -> None:
        check_at_least(self.scale, 0.0, "scale of a schedule (in alpha)", strict=True)

    def value(self, alpha: Any) -> Any:
        return self.initial * (1 + alpha / self.scale) ** (-self.exponent)

    def in_text(self) -> str:
        return f"{float(self.initial):g} (1 + alpha/{float(self.scale):g})^(-{float(self.exponent):g})"


class SplineSchedule(Schedule):
    """A monotone cubic spline."""

    values: Float[Numbers, "n"]
    alphas: Float[Numbers, "n"]

    def value(self, alpha: Any) -> Any:
        xp = _library(self, alpha)
        y, x = xp.asarray(self.values), xp.asarray(self.alphas)
        slopes, steps = monotone_slopes(y, x, xp), xp.diff(x)
        i = xp.clip(xp.sum(x <= alpha) - 1, 0, x.shape[0] - 2)
        h = steps[i]
        t = _within_one((alpha - x[i]) / h, xp)
        return (
            (1 + 2 * t) * (1 - t) ** 2 * y[i]
            + t**2 * (3 - 2 * t) * y[i + 1]
            + h * t * (1 - t) * ((1 - t) * slopes[i] - t * slopes[i + 1])
        )

    @property
    def jumps(self) -> Any:
        return self.alphas  # of the second derivative, at which a step of high order would lose its order

    def in_text(self) -> str:
        values = np.asarray(self.values)
        return f"spline of {values.size} values, {values.min():g} to {values.max():g}"


class FunctionSchedule(Schedule):
    """A JAX function of the user's own."""

    call: Callable[..., Any] = eqx.field(static=True)
    numbers: Float[Numbers, "n"]

    def value(self, alpha: Any) -> Any:
        numbers = [self.numbers[i] for i in range(np.shape(self.numbers)[-1])]
        if not is_known((self, alpha)):
            return self.call(alpha, *numbers)
        with jax.enable_x64(True):
            return np.asarray(jax.jit(self.call)(np.float64(alpha), *numbers))

    def try_out(self) -> None:
        """Raise InputError unless the function gives one number at the time 0."""
        try:
            value = jax.eval_shape(lambda schedule, alpha: jnp.asarray(schedule(alpha)), self, 0.0)
        except (Exception, SystemExit) as error:  # the user's function may raise anything
            got = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise InputError("a JAX function of alpha and the schedule's numbers", got) from error
        if value.shape != () or value.dtype.kind not in "fiu":
            raise InputError("one number as the value of a schedule's function", f"{value.dtype}{list(value.shape)}")

    def in_text(self) -> str:
        name = str(address_of(self.call) or getattr(self.call, "__qualname__", "a function"))
        return f"{name} of {', '.join(f'{x:g}' for x in np.asarray(self.numbers))}" if np.size(self.numbers) else name


class ScheduledNumbers(Schedule):
    """An array of numbers, of which some are schedules."""

    numbers: Float[Numbers, "L B"]  # 0 where a schedule stands
    entries: dict[tuple[int, int], Schedule]  # by row and column

    @staticmethod
    def of(rows: list[list[Any]], quantity: str) -> Any:
        """Return rows of numbers as one array, or as ScheduledNumbers where some of them are schedules."""
        entries = {(i, j): x for i, row in enumerate(rows) for j, x in enumerate(row) if isinstance(x, Schedule)}
        plain = [as_row((0.0 if isinstance(x, Schedule) else x for x in row), quantity) for row in rows]
        numbers = as_numbers(plain, quantity)
        return ScheduledNumbers(numbers, entries) if entries else numbers

    def value(self, alpha: Any) -> Any:
        return self.with_entries(lambda schedule: schedule(alpha))

    def with_entries(self, value: Callable[[Schedule], Any]) -> Any:
        """Return the array with value(schedule) in place of each schedule."""
        return self._with({index: value(schedule) for index, schedule in self.entries.items()})

    @property
    def jumps(self) -> Any:
        times = [schedule.jumps for schedule in self.entries.values()]
        xp = _library(times)
        return xp.sort(xp.concatenate(times))

    def within(self, piece: Any, alpha: Any, progress: Any = 1.0) -> Any:
        times = [np.shape(schedule.jumps)[0] for schedule in self.entries.values()]
        owner = np.repeat(np.arange(len(times)), times)
        jumps = jnp.concatenate([jnp.asarray(schedule.jumps) for schedule in self.entries.values()])
        # Which of the jumps that have passed are each schedule's own, also where several come at once.
        order = jnp.asarray(owner)[jnp.argsort(jax.lax.stop_gradient(jumps), stable=True)]
        passed = jnp.arange(owner.size) < piece
        return self._with(
            {
                index: schedule.within(jnp.sum(passed & (order == i)), alpha, progress)
                for i, (index, schedule) in enumerate(self.entries.items())
            }
        )

    def _with(self, values: dict[tuple[int, int], Any]) -> Any:
        if is_known((self.numbers, values)):
            array = np.array(self.numbers)
            for index, value in values.items():
                array[index] = value
            return array
        filled = jnp.asarray(self.numbers)
        for (i, j), value in values.items():
            filled = filled.at[..., i, j].set(value)
        return filled

    def entry(self, i: int, j: int) -> Any:
        """Return the number or the schedule in row i and column j."""
        return self.entries.get((i, j), self.numbers[i, j])

    def filled(self, length: Callable[[int], int]) -> "ScheduledNumbers":
        entries = {index: schedule.filled(length) for index, schedule in self.entries.items()}
        return ScheduledNumbers(self.numbers, entries)

    def in_text(self) -> str:
        return ", ".join(f"[{i},{j}]: {schedule.in_text()}" for (i, j), schedule in self.entries.items())


if TYPE_CHECKING:
    ScheduledTable = Any
else:
    ScheduledTable = Float[Numbers, "L B"] | ScheduledNumbers


def as_rate(x: Any, quantity: str) -> Any:
    """Return a Schedule as it is, and anything else as one number >= 0. Raises InputError.

    The values of a schedule are looked at where the time is known over which it is read, in a Problem.
    """
    if isinstance(x, Schedule):
        return x
    number = as_number(x, quantity)
    check_at_least(number, 0.0, quantity)
    return number


def _three(**numbers: Any) -> list[Any]:
    row = [as_number(number, f"{name} of a schedule") for name, number in numbers.items()]
    for name, number in zip(numbers, row, strict=True):
        check_finite(number, f"{name} of a schedule")
    return row


def _within_one(progress: Any, xp: Any) -> Any:
    """Return `progress`, or the nearer of 0 and 1 where it lies outside.

    At 0 and 1 themselves its derivative is 1: a step begins and ends there. That of `clip` is one half.
    """
    return xp.where(progress < 0, 0.0, xp.where(progress > 1, 1.0, progress))


def _library(*numbers: Any) -> Any:
    """Return NumPy for known numbers, at float64 whatever JAX's settings, and JAX's NumPy for traced ones."""
    return np if is_known(numbers) else jnp


def monotone_slopes(y: Float[Any, "n"], x: Float[Any, "n"], xp: Any) -> Float[Any, "n"]:
    """Return the slopes of Fritsch & Butland at the knots: harmonic means, and 0 where neighbours differ in sign."""
    h, d = xp.diff(x), xp.diff(y) / xp.diff(x)
    if x.shape[0] == 2:
        return xp.concatenate([d, d])
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    alike = d[1:] * d[:-1] > 0
    before, after = (xp.where(alike, side, 1.0) for side in (d[:-1], d[1:]))
    inner = xp.where(alike, (w1 + w2) / (w1 / before + w2 / after), 0.0)
    first, last = _end_slope(h[0], h[1], d[0], d[1], xp), _end_slope(h[-1], h[-2], d[-1], d[-2], xp)
    return xp.concatenate([first[None], inner, last[None]])


def _end_slope(h0: Any, h1: Any, d0: Any, d1: Any, xp: Any) -> Any:
    """Return the slope at an end: of the parabola through three knots, as far as it keeps the spline monotone."""
    slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    slope = xp.where(slope * d0 > 0, slope, 0.0 * slope)
    return xp.where((d0 * d1 < 0) & (xp.abs(slope) > 3 * xp.abs(d0)), 3 * d0, slope)
