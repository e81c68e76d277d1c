"""Small costs by SciPy's SLSQP, from several starts: each search is a descent to a first-order point."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ._judge import Diverged
from ._protocol import Protocol

SCALE = 1e3  # of a cost relative to the first one, as SLSQP's tolerance is absolute
WORSE = 10.0  # how many times the first cost a trial that diverges is taken to have


@dataclasses.dataclass(frozen=True)
class FirstOrder:
    """Where a search ended.

    Fields: start: what it started from. x: (n,). cost: J there. started_at: J at the start. evaluations: of J and its
    gradient. converged: whether SLSQP says so. message: its own words.
    """

    start: str
    x: np.ndarray
    cost: float
    started_at: float
    evaluations: int
    converged: bool
    message: str


class Interrupted(Exception):
    """Ctrl-C: `best` is the best point so far."""

    def __init__(self, best: FirstOrder):
        self.best = best


def descend(protocol: Protocol, start: str, x: np.ndarray, *, steps: int, tolerance: float) -> FirstOrder:
    """Return the first-order point that SLSQP finds from x.

    Arguments: start: its name. steps: the most of them. tolerance: relative change of J at which it ends.
    Raises Diverged where the start itself diverges, and Interrupted.
    """
    lower = protocol.lower
    width = np.maximum(protocol.upper - lower, 1e-300)
    best: dict[str, Any] = {"cost": np.inf, "x": x, "count": 0}

    def at(z: np.ndarray) -> np.ndarray:
        return np.asarray(lower + width * np.clip(z, 0.0, 1.0))

    first, _ = protocol.value_and_gradient(x)
    size = max(abs(first), 1e-300)

    def scaled(z: np.ndarray) -> tuple[float, np.ndarray]:
        point = at(z)
        best["count"] += 1
        try:
            value, slope = protocol.value_and_gradient(point)
        except Diverged:
            # Finite and far above all others: a line search steps back from it.
            return SCALE * WORSE, np.zeros(z.size)
        if not (np.isfinite(value) and np.all(np.isfinite(slope))):
            return SCALE * WORSE, np.zeros(z.size)
        if value < best["cost"] and feasible(protocol, point):
            best.update(cost=value, x=point)
        return SCALE * value / size, SCALE * slope * width / size

    constraints = _constraints(protocol, at, width)
    begin = np.clip((x - lower) / width, 0.0, 1.0)
    try:
        found = minimize(
            scaled,
            begin,
            jac=True,
            method="SLSQP",
            bounds=[(0.0, 1.0)] * begin.size,
            constraints=constraints,
            options={"maxiter": steps, "ftol": SCALE * tolerance},
        )
    except KeyboardInterrupt:
        raise Interrupted(
            FirstOrder(start, best["x"], best["cost"], first, best["count"], False, "interrupted")
        ) from None
    x, cost = at(found.x), float(found.fun) * size / SCALE
    if not feasible(protocol, x) or cost > best["cost"] + 1e-9 * size:
        x, cost = best["x"], best["cost"]
    return FirstOrder(start, x, cost, first, best["count"], found.status == 0, str(found.message))


def _constraints(protocol: Protocol, at: Any, width: np.ndarray) -> list[dict[str, Any]]:
    rows = protocol.constraint_rows(at(np.full(width.size, 0.5)))
    return [
        {
            "type": "eq" if equal else "ineq",
            "fun": lambda z, i=i: protocol.constraint_rows(at(z))[i][1],
            "jac": lambda z, i=i: protocol.constraint_rows(at(z))[i][2] * width,
        }
        for i, (equal, _, slope) in enumerate(rows)
        if np.any(slope)
    ]


def feasible(protocol: Protocol, x: np.ndarray, tolerance: float = 1e-8) -> bool:
    """Return whether x keeps to all constraints."""
    for equal, value, _ in protocol.constraint_rows(x):
        if np.any(value < -tolerance) or (equal and np.any(value > tolerance)):
            return False
    return True


def into_constraints(protocol: Protocol, x: np.ndarray) -> np.ndarray:
    """Return the point nearest to x that keeps to bounds and constraints."""
    lower, upper = protocol.lower, protocol.upper
    width = np.maximum(upper - lower, 1e-300)
    begin = np.clip((x - lower) / width, 0.0, 1.0)
    if feasible(protocol, lower + width * begin, 1e-12):
        return np.asarray(lower + width * begin)
    found = minimize(
        lambda z: (float(np.sum((z - begin) ** 2)), 2 * (z - begin)),
        begin,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * begin.size,
        constraints=_constraints(protocol, lambda z: lower + width * np.clip(z, 0, 1), width),
        options={"maxiter": 200, "ftol": 1e-14},
    )
    return np.asarray(lower + width * np.clip(found.x, 0.0, 1.0))


def kkt_residual(protocol: Protocol, x: np.ndarray, gradient: np.ndarray) -> tuple[float, np.ndarray]:
    """Return how far a point is from first-order optimality, and the multipliers of the constraints.

      min over multipliers of |dJ/dx - sum_i m_i dc_i/dx - (bounds that are met)|

    in units of J per `Protocol.scale` of each variable; m_i >= 0 for inequalities and bounds that are met.
    """
    from scipy.optimize import lsq_linear

    width, scale_of_x = protocol.upper - protocol.lower, protocol.scale(x)
    columns, least = [], []
    for equal, value, slope in protocol.constraint_rows(x):
        for row, v in zip(slope, value, strict=True):
            if equal or abs(v) < 1e-7:
                columns.append(row * scale_of_x)
                least.append(-np.inf if equal else 0.0)
    own = len(columns)
    for i in range(x.size):
        unit = np.eye(x.size)[i]
        if x[i] <= protocol.lower[i] + 1e-7 * width[i]:
            columns.append(unit)
            least.append(0.0)
        elif x[i] >= protocol.upper[i] - 1e-7 * width[i]:
            columns.append(-unit)
            least.append(0.0)
    target = gradient * scale_of_x
    if not columns:
        return float(np.max(np.abs(target))), np.zeros(0)
    matrix = np.stack(columns, axis=1)
    scale = max(float(np.max(np.abs(target))), 1e-300)
    fit = lsq_linear(
        matrix, target / scale, bounds=(least, np.inf), tol=1e-14, method="bvls" if matrix.shape[1] < 400 else "trf"
    )
    residual = scale * float(np.max(np.abs(matrix @ fit.x - target / scale)))
    return residual, scale * fit.x[:own]
