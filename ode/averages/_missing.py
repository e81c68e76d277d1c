"""Whether the drift of a problem has a closed form, and if not, why: look-ups in the registry of closed forms."""

from collections.abc import Callable
from functools import partial

import numpy as np

from teacher_student import Activation, InputError, Problem
from teacher_student.internal import is_known

from ..moments import Units, in_words, kinds_with, linear_labels, look_up, pair_is_known
from . import _tilted_step  # noqa: F401  # enters the steps of erf and linear students
from ._affine import is_affine
from ._base import StepAverages
from ._general_step import general_step

LARGEST_DEGREE = 6  # of a polynomial student: beyond, compiling its averages takes minutes


def step_of(units: Units) -> Callable[..., StepAverages]:
    """Return what computes the averages of a step, as a function of block, v, s and noise.

    `missing_closed_form` has said before that they are known.
    """
    row = look_up("step", *units)
    return partial(general_step if row is None else row.function, *units)


def missing_closed_form(problem: Problem, *, traced_noise: bool = True) -> str | None:
    """Return why the drift of `problem` has no closed form here, or None if it has one.

    Arguments:
      traced_noise: whether label noise that is being traced counts as present. What it is cannot be looked at.

    Example:
      >>> import ode
      >>> import teacher_student as ts
      >>> teacher = ts.Committee(ts.Inputs({"all": 1.0}), width=2)
      >>> problem = ts.Problem(teacher, ts.Student(3), ts.SGD(0.5), ts.Curriculum.single("all", 20.0))
      >>> ode.missing_closed_form(problem) is None
      True
    """
    if is_affine(problem) and problem.sgd.loss == "squared":
        return None
    declared, labels = problem.task.units, linear_labels(problem)
    if declared is None and np.size(problem.task.cluster_probabilities) > 1:
        named = type(problem.task).__name__
        return f"a {named} (linear students have one, of labels without jumps and the squared loss)"
    if declared is None:
        return f"a {type(problem.task).__name__}, which declares no units (committees have one)"
    student = problem.student.activation
    if student.kind not in (students := kinds_with("step", 0) | kinds_with("I4", 0)):
        if pair_is_known(student, student):
            return _not_known("I4", (student,) * 3, student)
        return f"student activation {student.name!r} ({in_words(students)} have one)"
    polynomial = student.polynomial
    if polynomial is not None and polynomial.degree > LARGEST_DEGREE:
        return f"a polynomial student of degree {polynomial.degree} (up to {LARGEST_DEGREE} it has one)"
    if problem.sgd.loss != "squared":
        return f"the {problem.sgd.loss} loss (squared has one)"
    if labels is None:
        return "sign labels of several or non-odd units (one odd unit has one)"
    reason = _missing_average(student, labels.activation, problem.task.latents)
    if reason is not None:
        return reason
    if labels.signed and (np.any(np.asarray(labels.noise)) if is_known(labels.noise) else traced_noise):
        return "sign labels with noise (without noise they have one)"
    return None


def _missing_average(student: Activation, teacher: Activation, latents: int) -> str | None:
    """Return why the averages of these units are not known; None if they are."""
    if look_up("step", student, teacher) is not None:
        return None
    needed = [
        ("I2", pair_is_known(student, student), (student, student)),
        ("I2", pair_is_known(student, teacher), (student, teacher)),
        *(("I4", look_up("I4", *units) is not None, units) for units in ((student,) * 3, (student, student, teacher))),
    ]
    for average, known, units in needed:
        if not known:
            return _not_known(average, units, teacher)
    # The square of a single sign unit is 1: its average with four factors is one of two.
    alone = latents == 1 and look_up("square", teacher) is not None
    if look_up("I4", student, teacher, teacher) is None and not alone:
        if _are_built_in(student, teacher):
            return f"a {student.kind} student of several {teacher.name} units (of one it has one)"
        return _not_known("I4", (student, teacher, teacher), teacher)
    return None


def _not_known(average: str, units: tuple[Activation, ...], teacher: Activation) -> str:
    """Say which average is not known, or, where no user could enter it, for which teachers of the student it is."""
    if not _are_built_in(*units):
        return f"no {average} of ({', '.join(unit.name for unit in units)}), which ode.add_closed_form enters"
    teachers = kinds_with("step", 1, units[0].kind) | kinds_with("I4", 2, units[0].kind)
    # A row of a built-in student with one's own teacher is not enough: no I4 of erf or linear units alone is there.
    teachers = {kind for kind in teachers if isinstance(kind, str)}
    return f"teacher activation {teacher.name!r} ({in_words(teachers)} have one)"


def _are_built_in(*units: Activation) -> bool:
    return all(isinstance(unit.kind, str) for unit in units)


def require_closed_form(problem: Problem, *, traced_noise: bool = True) -> None:
    """Raise InputError if the drift of a problem has no closed form, with the reason that `missing_closed_form` gives.

    Arguments: problem: what is to be solved. traced_noise: as in `missing_closed_form`.
    """
    reason = missing_closed_form(problem, traced_noise=traced_noise)
    if reason:
        raise InputError("a problem with closed-form averages", reason, "use averages=ode.Sampled()")
