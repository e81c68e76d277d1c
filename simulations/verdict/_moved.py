"""How what is compared answers to a number, from a second solve in which that number is another one."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from teacher_student import InputError, Trajectory
from teacher_student.internal import PublicRecord, is_number

from ._evidence import Evidence, columns_of


@dataclasses.dataclass(frozen=True)
class Moved(PublicRecord):
    """A theory in which one number is another one, so that `agreement` can say which shift of it the runs imply.

    Fields:
      theory: the trajectory with the other number, of the same start, alphas and averages. Where averages are sampled,
        take the same points: their error is then the same, and drops out of the difference.
      value: what the theory under test takes for the number.
      by: how much larger the number is here. The response is taken to be linear: 5 % of the value, say.
    """

    theory: Trajectory
    value: float
    by: float


def check_moved(moved: Any) -> None:
    """Raise InputError unless `moved` names theories in which a number has moved."""
    if not isinstance(moved, Mapping) or not moved:
        raise InputError('moved={"name of a number": simulations.Moved(theory, value, by)}', repr(moved)[:80])
    for name, one in moved.items():
        if not isinstance(one, Moved) or not isinstance(one.theory, Trajectory):
            raise InputError(f"a simulations.Moved(theory, value, by) for {name!r}", type(one).__name__)
        if one.theory.runs is not None:
            raise InputError(f"a theory with another {name}", f"a simulation of {one.theory.runs} runs")
        for field in ("value", "by"):
            number = getattr(one, field)
            if not is_number(number) or not np.isfinite(number) or (field == "by" and number == 0):
                other = ", other than 0," if field == "by" else ""
                raise InputError(f"a finite number{other} as `{field}` of the moved {name}", repr(number))


def moved_at(moved: Mapping[str, Moved], theory: Trajectory) -> dict[str, Moved]:
    """Return the moved theories at the alphas of `theory`, and without accuracies where it has none."""
    there = {}
    for name, one in moved.items():
        other = one.theory.at(theory.alphas, f"solve the theory with another {name} at the runs' alphas")
        if not theory.accuracy:
            other = dataclasses.replace(other, observables=dataclasses.replace(other.observables, accuracy={}))
        there[name] = dataclasses.replace(one, theory=other)
    return there


def responses_to_moved(
    moved: Mapping[str, Moved], evidence: Evidence, usable: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return names, values, and the derivatives (columns, P) of what is compared, as differences to moved theories."""
    columns = []
    for name, one in moved.items():
        observables, problem = one.theory.observables, one.theory.problem
        expected = columns_of(observables, one.theory, usable)
        if expected.shape != evidence.theory.shape or not np.all(np.isfinite(expected)):
            required = f"a theory with another {name} that has the quantities and alphas which are compared"
            remedy = "solve it as the theory under test, at the runs' alphas; move the number by less if it diverges"
            raise InputError(required, f"one of K = {problem.student.width} that has others, or NaN", remedy)
        columns.append((expected - evidence.theory) / one.by)
    values = np.array([float(one.value) for one in moved.values()])
    return tuple(map(str, moved)), values, np.stack(columns, axis=1)
