"""The averages that the words "auto", "closed form" and "sampled" stand for."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import ode
import teacher_student as ts

from ._keys import key_for
from ._settings_file import Theory

AUTO = Theory()


def usual_averages(problem: ts.Problem, seed: int, theory: Theory = AUTO) -> ode.ClosedForm | ode.Sampled | None:
    """Return the supplier of averages that [theory] asks for; None: closed forms, which the solver takes by itself.

    Arguments: seed: what the scramblings of sampled averages follow from.
    Raises InputError for closed forms that there are not.
    """
    reason = ode.missing_closed_form(problem)
    if theory.averages == "closed form":
        if reason:
            raise ts.InputError("a problem with closed-form averages", reason, 'set theory.averages = "sampled"')
        return ode.ClosedForm()
    if theory.averages == "auto" and isinstance(ode.fastest_averages(problem), ode.ClosedForm):
        return None
    return ode.Sampled(
        theory.points,
        theory.replicates,
        key_for("averages", seed),
        error=theory.error,
        most_points=theory.most_points,
        products_only=theory.averages == "auto" and reason is None,
    )
