"""One point of the perceptron's map: relevant inputs, and irrelevant ones that are loud in hard samples."""

from typing import Any

import numpy as np

import ode
import teacher_student as ts
from ode import protocols

from ._found import Found, found_of
from ._plan import JUDGED, LARGEST_RATE, LEVELS, PerceptronCell, Plan


def perceptron(cell: PerceptronCell) -> tuple[ts.Problem, ts.Overlaps]:
    r"""Return the problem and its start: a student erf(w.x / sqrt 2) of a teacher sign(w.x) of the relevant inputs.

      rho_r + rho_i = 1,   Delta_easy = (1, 0),  Delta_hard = (1, contrast),   Q_b = rho_b,  R = 0,  T_r = 2 rho_r

    Source: Mignacco & Mori 2025, section on curricula; at the base point their numbers.
    """
    fractions = {"relevant": 1 - cell.irrelevant, "irrelevant": cell.irrelevant}
    variances = {
        level: {"relevant": 1.0, "irrelevant": x} for level, x in zip(LEVELS, (0.0, cell.contrast), strict=True)
    }
    task = ts.Committee(ts.Inputs(fractions, variances), 1, support="relevant", labels="sign")
    order = ts.Curriculum.mixed(shares_of(cell), cell.budget)
    rho = np.array(list(fractions.values()))[:, None, None]
    start = ts.Overlaps(rho, np.zeros((2, 1, 1)), 2 * rho * np.array([1.0, 0.0])[:, None, None], np.ones(1))
    return ts.Problem(task, ts.Student(1), ts.SGD(cell.rate), order), start


def shares_of(cell: PerceptronCell) -> dict[str, float]:
    """Return the share of each level in the whole run."""
    return dict(zip(LEVELS, (cell.share, 1 - cell.share), strict=True))


def best_order(cell: PerceptronCell, plan: Plan) -> Found:
    """Search for the order of least cost, and where the cell says so for the best rate at each time as well."""
    problem, start = perceptron(cell)
    controls: list[Any] = [protocols.Order(plan.phases, plan.ramps)]
    if cell.tuned:
        controls.append(protocols.Values("sgd.learning_rate", (0.0, LARGEST_RATE), plan.rates))
    best = ode.optimize(
        problem,
        start,
        controls,
        protocols.Final(JUDGED[cell.judged], of="accuracy"),
        protocols.FixedShares(shares_of(cell)),
        starts=plan.starts,
        key=plan.seed,
        progress=False,
    )
    return found_of(best, plan.phases, plan.rates if cell.tuned else 0)
