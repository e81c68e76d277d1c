"""The learning rate that minimises H at given states and costates, in closed form: eta* = A / (2 B)."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from teacher_student.internal import is_schedule

from ._costates import Costates
from ._hamiltonian import Slopes, hamiltonian
from ._judge import Diverged
from ._number_controls import NumberMoves, ValueMoves
from ._protocol import Protocol

RATE = "sgd.learning_rate"
DAMPING = 0.25  # of a sweep: larger steps bounce off the bounds
SWEEPS = 12


def slope_with(
    protocol: Protocol, moves: ValueMoves | NumberMoves, solved: Costates, along: Slopes, factor: float
) -> np.ndarray:
    """Return dH/du (m,) at the same states and costates, where the number u is `factor` times what it is."""
    scaled = _with_schedule(solved, moves, factor)
    rows = hamiltonian(protocol.judge, scaled, along.alphas, along.phases)[2]
    return moves.place.slope_in(rows, protocol.judge.problem)


def _with_schedule(solved: Costates, moves: ValueMoves | NumberMoves, factor: float) -> Costates:
    old = moves.place.get(solved.path.problem)
    if is_schedule(old):
        values = [x * factor if name != "durations" and name != "alphas" else x for name, x in vars(old).items()]
        scaled: Any = jax.tree.unflatten(jax.tree.structure(old), values)
    else:
        scaled = float(old) * factor
    problem = moves.place.put(solved.path.problem, scaled)
    return dataclasses.replace(solved, path=dataclasses.replace(solved.path, problem=problem))


def best_rate(protocol: Protocol, moves: ValueMoves, solved: Costates, along: Slopes) -> np.ndarray:
    """Return eta*(alpha) (m,) = A / (2 B), where H = -eta A + eta^2 B + ...; where B <= 0 an end of the bounds.

      A = nu . (a + gamma d_w),      B = sum_b rho_b Delta_b <nu_Q^b, E[g g^T]>

    dH/deta = -A + 2 B eta is known at eta and at 2 eta, which gives both.
    """
    schedule = moves.place.get(solved.path.problem)
    eta = np.array([float(schedule(alpha)) for alpha in along.alphas])
    once = moves.place.slope_in(along.numbers, protocol.judge.problem)
    twice = slope_with(protocol, moves, solved, along, 2.0)
    low, high = moves.lower[0], moves.upper[0]
    with np.errstate(all="ignore"):
        curvature = (twice - once) / eta  # 2 B
        best = eta - once / curvature
    at_end = np.where(once > 0, low, high)
    best = np.where((curvature > 0) & np.isfinite(best), best, at_end)
    return np.asarray(np.clip(best, low, high))


def swept(protocol: Protocol, x: np.ndarray) -> np.ndarray:
    """Return values of the learning rate after damped sweeps forward and backward: a start of a search, not its end.

      u <- (1 - kappa) u + kappa u*(x, nu)

    The other variables stay. Where a sweep diverges, the values before it are returned.
    """
    moves, first = _rate_of(protocol)
    if moves is None:
        return x
    own = slice(first, first + moves.initial.size)
    for _ in range(SWEEPS):
        try:
            solved, along = protocol.solve(x)
        except Diverged:
            return x
        wanted = best_rate(protocol, moves, solved, along)
        fitted = _fitted(moves, along, wanted)
        step = x.copy()
        step[own] = np.clip((1 - DAMPING) * x[own] + DAMPING * fitted, moves.lower, moves.upper)
        if np.max(np.abs(step - x)[own]) < 1e-3 * np.max(np.abs(x[own])):
            return step
        x = step
    return x


def _rate_of(protocol: Protocol) -> tuple[ValueMoves | None, int]:
    first = 0
    for moves in protocol.moves:
        if isinstance(moves, ValueMoves) and RATE in moves.place.names:
            return moves, first
        first += moves.initial.size
    return None, 0


def _fitted(moves: ValueMoves, along: Slopes, wanted: np.ndarray) -> np.ndarray:
    """Return the values at phases (means) or knots (neighbourhoods) of a function known at the nodes."""
    if moves.shape == "constant":
        bins = np.clip(np.searchsorted(moves.times, along.alphas, side="right") - 1, 0, moves.initial.size - 1)
        total = np.bincount(bins, along.weights * wanted, moves.initial.size)
        return np.asarray(total / np.maximum(np.bincount(bins, along.weights, moves.initial.size), 1e-300))
    return np.asarray(np.interp(moves.times, along.alphas, wanted))
