"""The numbers and words that a comparison chooses, which need no arrays: they are checked before JAX is loaded."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
from collections.abc import Mapping
from contextlib import AbstractContextManager
from numbers import Real
from typing import TYPE_CHECKING, Any, TypedDict

import teacher_student as ts
from teacher_student import internal

if TYPE_CHECKING:
    import ode

FEWEST_RUNS = 3  # of a verdict


@dataclasses.dataclass(frozen=True)
class Choices:
    """What can be chosen of a comparison beside problem, start, alphas and averages; the defaults are what is usual.

    dim: the dimension N. smaller_dim: a second one for the 1/N term (None: a divisor of N; 0: none).
    runs: independent students at each dimension. precision: "float32" or "float64" (None: the usual one at each N).
    test_samples: per measured error. rtol, atol: tolerances of the ODE solver (None: usual).
    fluctuations: whether theory predicts spread and 1/N term (None: where cheap).
    significance: chance of "disagree" where theory is right. spread: over runs, "measured" or "predicted" (None: the
    sharpest that there is, predicted where theory predicts fluctuations and no second dimension is asked for).
    detect: the relative errors of numbers that are to be found, such as {"sgd.learning_rate": 0.01}: as many runs are
    taken as that needs. seed: all that is random follows from it.
    """

    dim: int = 1000
    smaller_dim: int | None = None
    runs: int = 32
    precision: str | None = None
    test_samples: int = internal.Usual.test_samples
    rtol: float | None = None
    atol: float | None = None
    fluctuations: bool | None = None
    significance: float = internal.Usual.significance
    spread: str | None = None
    detect: Mapping[str, float] | None = None
    seed: int = 0


class ChoiceArguments(TypedDict, total=False):
    """The same as arguments by name, for whoever checks types; averages, too, which are an object."""

    dim: int
    smaller_dim: int | None
    runs: int
    averages: ode.Averages | ode.Sampled | None
    precision: str | None
    test_samples: int
    rtol: float | None
    atol: float | None
    fluctuations: bool | None
    significance: float
    spread: str | None
    detect: Mapping[str, float] | None
    seed: int


def choices_of(arguments: Mapping[str, Any]) -> Choices:
    """Return the choices that are made by name; averages are left out. Raises InputError for an unknown name."""
    for name in arguments:
        internal.require_name(name, ChoiceArguments.__annotations__, "choice of a comparison")
    return Choices(**{name: value for name, value in arguments.items() if name != "averages"})


def check_choices(choices: Choices, tables: Mapping[str, str] | None = None) -> None:
    """Raise InputError unless `choices` can be used, as far as is seen without a problem.

    tables: what stands before each name in a file ("simulation."), which messages then say.
    """
    called = _names(tables)
    with _about(called["significance"]):
        _require_between(called["significance"], choices.significance)
    with _about(called["dim"]):
        internal.as_count(choices.dim, called["dim"])
    if choices.precision is not None:
        with _about(called["precision"]):
            internal.require_name(choices.precision, internal.PRECISIONS, "precision")
    for name, tolerance in (("rtol", choices.rtol), ("atol", choices.atol)):
        if tolerance is not None:
            with _about(called[name]):
                _require_between(called[name], tolerance)
    if choices.fluctuations is not None and not isinstance(choices.fluctuations, bool):
        raise ts.InputError(f"{called['fluctuations']} True, False or None (where cheap)", repr(choices.fluctuations))
    if not internal.is_integer(choices.seed) or not 0 <= choices.seed < 2**32:
        with _about(called["seed"]):
            raise ts.InputError(f"{called['seed']} an integer between 0 and 2**32 - 1", repr(choices.seed))
    _check_spread(choices, called)


def check_simulated(choices: Choices, tables: Mapping[str, str] | None = None, *, ensemble: bool = False) -> None:
    """Raise InputError for too few runs, or a second dimension that is not the smaller one.

    ensemble: whether this may be a cell of an ensemble, whose runs are put together. tables: as in `check_choices`.
    """
    called = _names(tables)
    if not ensemble:
        with _about(called["runs"]):
            require_runs(choices.runs, called["runs"])
    smaller = choices.smaller_dim
    if smaller is None or choices.spread == "predicted" or choices.detect is not None:
        return
    if not internal.is_integer(smaller) or not 0 <= smaller < choices.dim:
        with _about(called["smaller_dim"]):
            raise ts.InputError(f"{called['smaller_dim']} below {called['dim']} (0: none)", repr(smaller))


def require_runs(runs: Any, called: str = "runs") -> None:
    """Raise InputError for fewer runs than a verdict needs. called: what the message calls them."""
    if not internal.is_integer(runs) or runs < FEWEST_RUNS:
        raise ts.InputError(f"{called} >= {FEWEST_RUNS} (a standard error needs them)", repr(runs))


def _about(called: str) -> AbstractContextManager[None]:
    """Say of errors raised inside that they are about the choice that messages call so."""
    return internal.about_entry(*called.split("."))


def _names(tables: Mapping[str, str] | None) -> dict[str, str]:
    """Return what messages call each choice."""
    names = (field.name for field in dataclasses.fields(Choices))
    return {name: (tables or {}).get(name, "") + name for name in names}


def _check_spread(choices: Choices, called: Mapping[str, str]) -> None:
    if choices.spread is not None:
        with _about(called["spread"]):
            internal.require_name(choices.spread, ("measured", "predicted"), called["spread"])
    if choices.detect is not None:
        with _about(called["detect"]):
            _check_detect(choices.detect, choices.spread, called)
    if choices.spread != "predicted" and choices.detect is None:
        return
    predicted = f'{called["spread"]} = "predicted"' if choices.detect is None else called["detect"]
    if choices.fluctuations is False:
        with _about(called["fluctuations"]):
            remedy = "leave it out, or measure the spread"
            raise ts.InputError(f"{called['fluctuations']} for {predicted}", "false", remedy)
    if choices.smaller_dim:
        with _about(called["smaller_dim"]):
            required = f"no {called['smaller_dim']} with {predicted} (it states the 1/N term)"
            raise ts.InputError(required, choices.smaller_dim, "leave it out")


def _check_detect(detect: Any, spread: str | None, called: Mapping[str, str]) -> None:
    """Raise InputError unless `detect` gives names and shifts. Whether a problem has them is seen with its theory."""
    if not isinstance(detect, Mapping) or not detect:
        raise ts.InputError(f'{called["detect"]} as {{"sgd.learning_rate": 0.01}}', repr(detect))
    for name, shift in detect.items():
        if not isinstance(name, str) or not internal.is_number(shift) or not 0 < shift < float("inf"):
            raise ts.InputError(f"{called['detect']} with a shift > 0 for each number", f"{name!r}: {shift!r}")
    if spread == "measured":
        raise ts.InputError(f"{called['detect']} with predicted spread", 'spread = "measured"', "leave the spread out")


def _require_between(called: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < 1:
        raise ts.InputError(f"{called} between 0 and 1", repr(value))
