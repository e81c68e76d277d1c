"""How a problem is solved: by which averages, with which points, how tightly, and by whom the steps are taken."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import equinox as eqx
import numpy as np

from teacher_student import InputError, Problem, Source
from teacher_student.internal import as_count, check_bound, check_problem, is_number, key_words, to_float64

from ._observe import accuracy_is_closed, error_is_closed
from .averages import (
    Averages,
    ClosedForm,
    FixedSample,
    Sampled,
    SampledProducts,
    is_affine,
    missing_closed_form,
    require_closed_form,
)
from .moments import look_up, units_of

if TYPE_CHECKING:  # its import takes half a second, which a solve that is stepped from the host need not pay
    import diffrax

Points = FixedSample | SampledProducts
WIDE = 80  # units from which on sampling an erf student's E[g g^T] beats its closed form (benchmarks: wide)


class Tolerances(eqx.Module):
    """Tolerances and bounds of an integration."""

    rtol: Any
    atol: Any
    bound: Any  # on Q_kk, in units of the largest of 1, Q_kk at the start and T_mm
    max_steps: int = eqx.field(static=True)
    adjoint: diffrax.AbstractAdjoint | None = None  # None: RecursiveCheckpointAdjoint
    fixed_order: bool = eqx.field(static=True, default=False)  # no derivative with respect to the curriculum is wanted


class Method(eqx.Module):
    """How a problem is solved: by which averages, with which points for what has no closed form, how tightly."""

    formula: Averages | None  # of the drift's averages, ClosedForm() or the user's own; None: they are sampled
    with_accuracy: bool = eqx.field(static=True)
    sample: Points | None  # leading axis: independent scramblings
    tolerances: Tolerances
    name: str = eqx.field(static=True)
    seed: str | None = eqx.field(static=True)
    halved: bool = eqx.field(static=True, default=False)  # the stated error has the change from half as many points

    @property
    def exact(self) -> bool:
        """Whether the drift's averages are a formula, without an error of their own."""
        return self.formula is not None

    def source(self, integrator: str) -> Source:
        """Return what a trajectory records of it."""
        return Source("ode", self.name, "float64", seed=self.seed, integrator=integrator)

    def to_compile(self) -> Method:
        """Return the part that a program depends on: another seed must not compile it again."""
        return dataclasses.replace(self, name="", seed=None)


def fastest_averages(problem: Problem) -> ClosedForm | Sampled:
    """Return what `averages=None` means.

    These are closed forms where they exist, but of wide erf students E[g g^T] is sampled. Elsewhere everything is
    sampled.
    Raises InputError for what is no problem.
    """
    check_problem(problem)
    if missing_closed_form(problem) is not None:
        return Sampled()
    if is_affine(problem) or problem.student.width < WIDE:
        return ClosedForm()
    sampled = look_up("sampled products", *units_of(problem)) is not None
    return Sampled(products_only=True) if sampled else ClosedForm()


def accuracy_is_wanted(problem: Problem, with_accuracy: bool | None) -> bool:
    """Return what `with_accuracy=None` means: accuracies where labels are signs, or where they cost nothing to compute.

    P(sign yhat = sign y) of value labels is seldom asked for, and sampling it takes a hundred times as long as a solve.
    """
    if with_accuracy is None:
        return problem.task.labels == "sign" or accuracy_is_closed(problem)
    if not isinstance(with_accuracy, bool):
        raise InputError("with_accuracy=True, False or None (where labels are signs)", repr(with_accuracy))
    return with_accuracy


def method_for(
    problem: Problem,
    averages: Averages | Sampled | None,
    with_accuracy: bool | None,
    rtol: float | None,
    atol: float | None,
    max_steps: int,
    bound: float,
    adjoint: diffrax.AbstractAdjoint | None = None,
    fixed_order: bool = True,
) -> Method:
    """Return the method that the arguments of `solve` ask for. Raises InputError.

    fixed_order: levels of share 0 are left out of derivatives too: the curriculum is not what is differentiated.
    """
    supplier = fastest_averages(problem) if averages is None else averages
    formula = None if isinstance(supplier, Sampled) else _formula(supplier, problem)
    exact = formula is not None
    wanted = accuracy_is_wanted(problem, with_accuracy)
    closed = formula is not None and error_is_closed(problem) and (accuracy_is_closed(problem) or not wanted)
    defaults = (1e-8, 1e-10) if exact else (1e-5, 1e-7)
    rtol, atol = (default if asked is None else asked for asked, default in zip((rtol, atol), defaults, strict=True))
    check_tolerances(rtol, atol, max_steps, bound, adjoint)
    numbers = np.float64(rtol), np.float64(atol), np.float64(bound)
    tolerances = Tolerances(*numbers, int(max_steps), adjoint, fixed_order)
    if closed:
        assert formula is not None
        return Method(formula, wanted, None, tolerances, formula.name, None)
    sampler = supplier if isinstance(supplier, Sampled) else Sampled(2**13, 8)  # for an accuracy alone: cheap
    name = sampler.name if formula is None else formula.name
    halved = not exact and (sampler.products_only or sampler.error is not None)
    return Method(formula, wanted, sampler.draw(problem), tolerances, name, key_words(sampler.key), halved)


def _formula(averages: Any, problem: Problem) -> Averages:
    """Return `averages` in float64, as formulas for the drift of `problem`. Raises InputError."""
    if isinstance(averages, ClosedForm):
        require_closed_form(problem)
        return averages
    if not isinstance(averages, Averages) or isinstance(averages, Points):
        required = "averages=ode.ClosedForm(), ode.Sampled(...) or ode.Averages of your own"
        raise InputError(required, type(averages).__name__)
    averages.check(problem)
    return to_float64(averages)


def check_tolerances(rtol: Any, atol: Any, max_steps: Any, bound: Any, adjoint: Any) -> None:
    """Raise InputError unless these are tolerances and bounds of `solve`."""
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not is_number(tolerance) or not 0 < tolerance < 1:
            raise InputError(f"{name} between 0 and 1", repr(tolerance))
    check_bound(bound)
    # 1e5 is a whole number too.
    as_count(
        int(max_steps) if is_number(max_steps) and float(max_steps).is_integer() else max_steps,
        "max_steps",
        most=2**63 - 1,
    )
    # Whoever has an adjoint has imported diffrax; whoever has none need not.
    diffrax = sys.modules.get("diffrax")
    if adjoint is not None and (diffrax is None or not isinstance(adjoint, diffrax.AbstractAdjoint)):
        raise InputError("a diffrax adjoint, such as diffrax.ForwardMode()", repr(adjoint))
