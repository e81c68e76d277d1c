"""How what is compared answers to a number, from a second solve in which that number has another value."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from teacher_student import InputError, Trajectory
from teacher_student.internal import PublicRecord, differing_leaves, is_number, same_structure

from ._comparable import without_accuracy
from ._evidence import Evidence, columns_of
from ._measured_means import Responses


@dataclasses.dataclass(frozen=True)
class Moved(PublicRecord):
    """A theory in which one number has another value, so that `agreement` can say which shift of it the runs imply.

    Fields:
      theory: the trajectory with the other value, of the same start, alphas and averages. Where averages are sampled,
        take the same points: their errors then nearly cancel in the difference.
      before: the number in the theory under test.
      by: how much larger the number is here. The response is taken to be linear: 5 % of the number, say.
    """

    theory: Trajectory
    before: float
    by: float


def check_moved(moved: Any, theory: Trajectory) -> None:
    """Raise InputError unless `moved` has theories of the same problem and start in which a number has moved."""
    if not isinstance(moved, Mapping) or not moved:
        raise InputError('moved={"name of a number": simulations.Moved(theory, before, by)}', repr(moved)[:80])
    for name, one in moved.items():
        if not isinstance(one, Moved) or not isinstance(one.theory, Trajectory):
            raise InputError(f"a simulations.Moved(theory, before, by) for {name!r}", type(one).__name__)
        if one.theory.runs is not None:
            raise InputError(f"a theory with another {name}", f"a simulation of {one.theory.runs} runs")
        for field in ("before", "by"):
            number = getattr(one, field)
            if not is_number(number) or not np.isfinite(number) or (field == "by" and number == 0):
                other = ", other than 0," if field == "by" else ""
                raise InputError(f"a finite number{other} as `{field}` of the moved {name}", repr(number))
        _check_same_but_for_numbers(name, one.theory, theory)


def _check_same_but_for_numbers(name: str, other: Trajectory, theory: Trajectory) -> None:
    """Raise InputError unless the `other` theory is that of the same start and structure, with another number."""
    required = f"the theory's own problem with another {name}"
    if not same_structure(theory.problem, other.problem):
        raise InputError(required, "another structure (names, widths, activations, labels, loss)")
    if not differing_leaves(theory.problem, other.problem, np.array_equal):
        raise InputError(required, "the same problem, in which nothing differs")
    for part in ("Q", "R", "T", "readout"):
        if not np.array_equal(getattr(theory.start, part), getattr(other.start, part)):
            raise InputError(f"theory's own start for another {name}", f"one whose {part} differs")
    if theory.accuracy and not other.accuracy:
        remedy = "solve it with_accuracy=True"
        raise InputError(f"accuracies of the theory with another {name}, as theory has them", "none", remedy)


def moved_at(moved: Mapping[str, Moved], theory: Trajectory) -> dict[str, Moved]:
    """Return the moved theories at the alphas of `theory`, and without accuracies where it has none."""
    there = {}
    for name, one in moved.items():
        other = one.theory.at(theory.alphas, f"solve the theory with another {name} at the runs' alphas")
        there[name] = dataclasses.replace(one, theory=other if theory.accuracy else without_accuracy(other))
    return there


def responses_to_moved(moved: Mapping[str, Moved], evidence: Evidence, usable: np.ndarray) -> Responses:
    """Return names, values, and the derivatives (columns, P) of what is compared, as differences to moved theories."""
    columns = []
    for name, one in moved.items():
        expected = columns_of(one.theory.observables, one.theory, usable)
        if not np.all(np.isfinite(expected)):
            got = f"NaN from alpha = {float(one.theory.reached):g} on"
            raise InputError(f"a theory that stays finite with another {name}", got, "move the number by less")
        columns.append((expected - evidence.theory) / one.by)
    values = np.array([float(one.before) for one in moved.values()])
    return tuple(map(str, moved)), values, np.stack(columns, axis=1)
