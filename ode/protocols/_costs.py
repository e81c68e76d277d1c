"""What a protocol is judged by: errors and accuracies at the end, on the way, or when they are met."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from teacher_student import InputError, Observables, Problem
from teacher_student.internal import (
    PublicRecord,
    TestMixture,
    as_numbers,
    check_at_least,
    check_finite,
    first_line,
    mixture_name,
    mixture_weights,
    require_name,
)

OF = ("error", "accuracy")
Mixture = TestMixture


@dataclasses.dataclass(frozen=True, eq=False)
class Cost(PublicRecord):
    """What `ode.optimize` makes small: one of Final, Integrated, TimeTo and Own.

    A cost looks at errors and accuracies on the inputs of the problem as it was given, whatever a protocol does to
    these on the way. So a level that is never shown can be the one that is judged.
    """

    running: ClassVar[bool] = False  # whether it is an integral over alpha

    def check(self, problem: Problem) -> None:
        """Raise InputError unless the cost can be computed of `problem`."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """What results and pictures call it."""
        raise NotImplementedError

    @property
    def with_accuracy(self) -> bool:
        """Whether accuracies are looked at, which are sampled where they have no closed form."""
        return getattr(self, "of", "error") == "accuracy"

    def alphas(self, end: float) -> np.ndarray:
        """Return the times (A,) at which it looks, of a curriculum that ends at `end`."""
        return np.array([end])


@dataclasses.dataclass(frozen=True, eq=False)
class OfMixture(Cost):
    """A cost that is made of the error, or of 1 - accuracy, of a mixture of levels, of one state at a time."""

    mixture: Mixture
    of: str = "error"

    def __post_init__(self) -> None:
        require_name(self.of, OF, "quantity of a cost")
        mixture_weights(self.mixture, "a cost")

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each level that is judged."""
        return mixture_weights(self.mixture, "a cost")

    @property
    def judged(self) -> str:
        """The quantity that is made small, in words."""
        return f"{'error' if self.of == 'error' else '1 - accuracy'} on {mixture_name(self.weights)}"

    def check(self, problem: Problem) -> None:
        for level in self.weights:
            require_name(level, problem.inputs.level_names, "level in a cost")

    def weights_of(self, levels: tuple[str, ...]) -> np.ndarray:
        """Return the weight (L,) of every level."""
        return np.array([self.weights.get(level, 0.0) for level in levels])


@dataclasses.dataclass(frozen=True, eq=False)
class Final(OfMixture):
    """The error, or 1 - accuracy, of a mixture of levels at the end: J = sum_l q_l eps_l(A).

    Arguments:
      mixture: a level's name, or {level: q_l} of sum 1. Which order is best depends on it.
      of: "error" (mean squared error / 2), or "accuracy" (the cost is the share of wrong signs). An accuracy that is
        sampled changes in steps of one point, at which searches stop: judge by the error there.
      at: times (alpha = samples / N), over which the cost is the mean. None means the end.
    Raises InputError for weights that do not sum to 1, and for times that are none.
    """

    at: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.at is not None:
            times = np.atleast_1d(as_numbers(self.at, "times of a cost"))
            check_at_least(times, 0.0, "times of a cost", strict=True)
            if times.ndim != 1 or not times.size or np.any(np.diff(times) <= 0):
                raise InputError("increasing times of a cost", np.asarray(times).tolist())

    @property
    def name(self) -> str:
        if self.at is None:
            return f"final {self.judged}"
        times = np.atleast_1d(np.asarray(self.at, float))
        return f"{self.judged} at alpha = {', '.join(f'{t:.6g}' for t in times)}"

    def check(self, problem: Problem) -> None:
        super().check(problem)
        end = float(problem.curriculum.end)
        if self.at is not None and np.max(np.asarray(self.at, float)) > end * (1 + 1e-12):
            raise InputError(f"times of a cost up to the curriculum's end, {end:g}", np.asarray(self.at).tolist())

    def alphas(self, end: float) -> np.ndarray:
        return np.array([end]) if self.at is None else np.atleast_1d(np.asarray(self.at, float))


@dataclasses.dataclass(frozen=True, eq=False)
class Integrated(OfMixture):
    """The mean over time of the error, or of 1 - accuracy: J = (1/A) integral_0^A sum_l q_l eps_l dalpha.

    A is the length of the curriculum in alpha = samples / N: this is the area under the error, over A.

    Arguments: mixture, of: as in `Final`.
    """

    running: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return f"mean over alpha of {self.judged}"


@dataclasses.dataclass(frozen=True, eq=False)
class TimeTo(OfMixture):
    """The alpha at which the error, or 1 - accuracy, of a mixture first falls to `value`.

    Nothing determines a protocol after that time. Where the value is not reached until the curriculum's end A, the
    cost is A (1 + log(eps(A) / value)), which is larger than A. So give the problem a curriculum that is long enough.

    Arguments:
      mixture, of: as in `Final`.
      value: > 0, the error (or share of wrong signs) to be reached.
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least(self.value, 0.0, "value that is to be reached", strict=True)

    @property
    def name(self) -> str:
        return f"alpha until {self.judged} is {self.value:.6g}"


@dataclasses.dataclass(frozen=True, eq=False)
class Own(Cost):
    """A JAX function of one's own, of what is observed at given times.

    Arguments:
      function: from Observables with the leading axis (A,) to one number: `lambda seen: seen.error["hard"][-1]`. It is
        made of JAX operations, of which the derivative is taken.
      at: the times (A,). None means the end.
      label: what results call it.
      accuracies: whether it looks at accuracies.
    Raises InputError for what is no function, and, in `ode.optimize`, for one without derivative.
    """

    function: Callable[[Observables], Any]
    at: Any = None
    label: str = ""
    accuracies: bool = False

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise InputError("a JAX function of observables as a cost", repr(self.function))
        if self.at is not None:
            times = np.atleast_1d(as_numbers(self.at, "times of a cost"))
            check_at_least(times, 0.0, "times of a cost", strict=True)
            check_finite(times, "times of a cost")
            if np.any(np.diff(times) <= 0):
                raise InputError("increasing times of a cost", np.asarray(times).tolist())

    @property
    def name(self) -> str:
        return self.label or getattr(self.function, "__name__", "a cost of one's own").replace("<lambda>", "own cost")

    @property
    def with_accuracy(self) -> bool:
        return self.accuracies

    def check(self, problem: Problem) -> None:
        end = float(problem.curriculum.end)
        if self.at is not None and np.max(np.asarray(self.at, float)) > end * (1 + 1e-12):
            raise InputError(f"times of a cost up to the curriculum's end, {end:g}", np.asarray(self.at).tolist())

    def alphas(self, end: float) -> np.ndarray:
        return np.array([end]) if self.at is None else np.atleast_1d(np.asarray(self.at, float))


def refuse_cost(cost: Cost, error: BaseException) -> InputError:
    """Return the error of a cost whose function raised, or does not give one number."""
    return InputError(f"a cost of JAX operations that gives one number ({cost.name})", first_line(error))
