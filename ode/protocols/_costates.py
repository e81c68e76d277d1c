"""Pontryagin's costates along a trajectory, backward in time.

dnu/dalpha = -(df/dx)^T nu - dL/dx,      nu(A) = dPhi/dx,      J = Phi(x) + integral L
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from teacher_student import Problem

from .._host_steps import shares_of_phase
from ._costs import Integrated
from ._forward import Forward, Piece, next_step, solution_at
from ._judge import Diverged, Judge, NoDerivative, leaves_of
from ._programs import costate_program
from ._seen import Seen, cost_of

# Of a costate's steps: an error in it is one of second order in what a search finds. The derivative of averages over
# points has a sampling error of a per cent, and kinks, at which tighter steps would only stumble.
ADJOINT_RTOL = {True: 1e-8, False: 1e-3}


@dataclasses.dataclass(frozen=True)
class Costates:
    """The value of a cost, and nu along the trajectory.

    Fields: value: J. path: the trajectory. pieces: of the costate. jumps: time -> dPhi/dx there. end: where the
    trajectory stops to matter: its end, or the time at which an error is reached.
    """

    value: float
    path: Forward
    pieces: list[Piece]
    end: float

    def at(self, alpha: float) -> np.ndarray:
        """Return the costate (n,) at alpha; just before it, where it jumps."""
        nu: np.ndarray = solution_at(self.pieces, alpha)
        return nu


def costates(judge: Judge, path: Forward) -> Costates:
    """Return the cost of a trajectory and its costates."""
    value, jumps, end = cost_of(judge, path)
    running = None
    if isinstance(judge.cost, Integrated):
        seen = Seen(judge)

        def running(alpha: float) -> np.ndarray:
            state = np.asarray(path.state(alpha))[None]
            return np.asarray(seen.mixture(np.array([alpha]), state)[1][0] / path.end)

    return Costates(value, path, _backward(judge, path, jumps, end, running), end)


def _backward(judge: Judge, path: Forward, jumps: dict[float, np.ndarray], end: float, running: Any) -> list[Piece]:
    """Return the costate's pieces, in order of time; `jumps` are dPhi/dx at the times of a cost."""
    product = _costate_slope(judge, path.problem)
    n = judge.start.size
    nu = np.zeros(n)
    size = max((float(np.max(np.abs(jump))) for jump in jumps.values()), default=0.0)
    if not np.isfinite(size):
        raise NoDerivative
    size = size or 1.0  # nothing moves the cost, or it is an integral
    pieces: list[Piece] = []
    step = None
    for piece in reversed(path.pieces):
        if piece.begin >= end:
            continue
        last = min(piece.end, end)
        nu = nu + jumps.get(last, 0.0)
        shares = shares_of_phase(path.problem.curriculum_of_all_levels(), piece.phase)
        low, high = float(np.nextafter(piece.begin, last)), float(np.nextafter(last, piece.begin))

        def field(
            alpha: float, nu: np.ndarray, piece: Piece = piece, shares: Any = shares, ends: Any = (low, high)
        ) -> Any:
            alpha = min(max(alpha, ends[0]), ends[1])
            slope = -product(alpha, shares(alpha), piece.solution(alpha), nu)
            return slope if running is None else slope - running(alpha)

        with np.errstate(all="ignore"):
            solved = solve_ivp(
                field,
                (last, piece.begin),
                nu,
                method=judge.solver,
                rtol=max(judge.rtol, ADJOINT_RTOL[judge.exact]),
                atol=max(judge.rtol, ADJOINT_RTOL[judge.exact]) * size * 1e-1,
                dense_output=True,
                first_step=None if step is None else min(step, last - piece.begin),
            )
        if solved.status != 0:
            raise Diverged
        step = next_step(solved.t, step)
        nu = solved.y[:, -1]
        pieces.append(Piece(piece.phase, piece.begin, last, solved.sol))
    return pieces[::-1]


def _costate_slope(judge: Judge, problem: Problem) -> Callable[..., np.ndarray]:
    """Return nu . df/dx as a function of alpha, shares, state and costate. Schedules are read on the host."""
    leaves, structure, places, readers = leaves_of(judge, problem)
    program = costate_program(structure)

    def product(alpha: float, shares: np.ndarray, y: np.ndarray, nu: np.ndarray) -> np.ndarray:
        numbers: list[Any] = list(leaves)
        for place, read in zip(places, readers, strict=True):
            numbers[place] = read(alpha)
        return np.asarray(program(numbers, shares, y, nu))

    return product
