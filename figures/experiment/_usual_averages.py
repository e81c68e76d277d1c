"""The averages that the words "auto", "closed form" and "sampled" stand for."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import ode
import teacher_student as ts
from teacher_student import internal

from ._file_tables import Theory
from ._keys import key_for

AUTO = Theory()


def usual_averages(problem: ts.Problem, seed: int, theory: Theory = AUTO) -> ode.Averages | ode.Sampled | None:
    """Return the supplier of averages that [theory] asks for; None: closed forms, which the solver takes by itself.

    Arguments: seed: what the scramblings of sampled averages follow from.
    Raises InputError for closed forms that there are not.
    """
    if ":" in theory.averages:
        return _own_averages(theory.averages)
    reason = ode.missing_closed_form(problem)
    if theory.averages == "closed form":
        if reason:
            raise ts.InputError("a problem with closed-form averages", reason, 'set theory.averages = "sampled"')
        return ode.ClosedForm()
    if theory.averages == "auto" and isinstance(ode.fastest_averages(problem), ode.ClosedForm):
        return None
    asked = {name: getattr(theory, name) for name in ("points", "replicates", "error", "most_points")}
    return ode.Sampled(
        key=key_for("averages", seed),
        products_only=theory.averages == "auto" and reason is None,
        **{name: number for name, number in asked.items() if number is not None},
    )


def _own_averages(address: str) -> ode.Averages | ode.Sampled:
    """Return the averages at "module:name", an instance or a class that takes no arguments."""
    averages = internal.imported(address, "averages")
    if isinstance(averages, type):
        try:
            averages = averages()
        except (Exception, SystemExit) as error:  # the user's class may raise anything
            reason = f"{type(error).__name__}: {internal.first_line(error)}"
            raise ts.InputError(f"averages {address!r} that take no arguments", reason) from error
    if not isinstance(averages, (ode.Averages, ode.Sampled)):
        required = "ode.Averages of your own, or an instance of them, as theory.averages"
        raise ts.InputError(required, f"{address!r}, a {type(averages).__name__}")
    return averages
