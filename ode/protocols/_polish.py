"""The last digits of a first-order point: a root of the conditions that it satisfies."""

import dataclasses

import numpy as np
from scipy.optimize import root

from ._judge import Diverged
from ._protocol import Protocol
from ._search import FirstOrder, feasible, kkt_residual

MOST = 12  # variables inside their bounds, above which second derivatives cost more than they are worth
STEP = 1e-4  # of differences of derivatives, in units of the width of the bounds
MET = 1e-7  # in the same units: a bound or a constraint that is met
ROUNDS = 3  # of second derivatives


def polished(protocol: Protocol, found: FirstOrder) -> FirstOrder:
    """Return a first-order point with its conditions solved to the accuracy of derivatives, by SciPy's hybr.

      dJ/dx_i = sum_k m_k dc_k/dx_i for all variables inside their bounds,      c_k(x) = 0 for constraints that are met

    A search ends where the cost no longer changes, which leaves half of the digits of what it is flat in.
    """
    width = protocol.upper - protocol.lower
    inside = (found.x > protocol.lower + MET * width) & (found.x < protocol.upper - MET * width)
    free = np.flatnonzero(inside)
    if not 0 < free.size <= MOST:
        return found
    met = _met(protocol, found.x, free)
    size = max(abs(found.cost), 1e-300)

    def conditions(z: np.ndarray) -> np.ndarray:
        x = found.x.copy()
        x[free] += width[free] * z[: free.size]
        values, rows = _rows(protocol, x, free, met)
        slope = protocol.value_and_gradient(x)[1]
        return np.concatenate([(slope * width)[free] / size - rows.T @ z[free.size :], values])

    try:
        slope = protocol.value_and_gradient(found.x)[1]
        before, (_, rows) = kkt_residual(protocol, found.x, slope)[0], _rows(protocol, found.x, free, met)
        multipliers = np.linalg.lstsq(rows.T, (slope * width)[free] / size, rcond=None)[0]
        begin = np.concatenate([np.zeros(free.size), multipliers])
        calls = ROUNDS * (begin.size + 1)
        solved = root(conditions, begin, method="hybr", options={"eps": STEP**2, "maxfev": calls, "xtol": 1e-12})
        x = found.x.copy()
        x[free] += width[free] * solved.x[: free.size]
        if not (np.all(x >= protocol.lower) and np.all(x <= protocol.upper) and feasible(protocol, x)):
            return found
        cost, slope = protocol.value_and_gradient(x)
        if kkt_residual(protocol, x, slope)[0] > before or cost > found.cost + 1e-9 * size:
            return found
    except (Diverged, np.linalg.LinAlgError):
        return found
    return dataclasses.replace(found, x=x, cost=cost)


def _met(protocol: Protocol, x: np.ndarray, free: np.ndarray) -> list[tuple[int, int]]:
    """Return which rows of which constraints are met, of those that a free variable moves."""
    return [
        (i, j)
        for i, (equal, value, table) in enumerate(protocol.constraint_rows(x))
        for j, v in enumerate(value)
        if (equal or abs(v) < MET) and np.any(table[j, free])
    ]


def _rows(
    protocol: Protocol, x: np.ndarray, free: np.ndarray, met: list[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the constraints that are met (k,), and their derivatives in the free variables, by widths (k, free)."""
    width = protocol.upper - protocol.lower
    rows = protocol.constraint_rows(x)
    values = np.array([rows[i][1][j] for i, j in met])
    tables = [(rows[i][2][j] * width)[free] for i, j in met]
    return values, np.array(tables).reshape(len(met), free.size)
