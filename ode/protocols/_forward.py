"""The trajectory of a protocol, with dense output between the times at which the drift jumps or a cost looks."""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy.integrate import OdeSolution, solve_ivp

from teacher_student import Problem

from .._compiled import compiled_drift, largest_norm
from .._host_steps import Slope, jumps_of, shares_of_phase
from ._judge import Diverged, Judge

# Points in each step for integrals along a trajectory. Averages over points cost more, and are not that exact.
GAUSS = {exact: np.polynomial.legendre.leggauss(points) for exact, points in ((True, 4), (False, 2))}
STAGES = 12  # evaluations of the drift in a step, at most


@dataclasses.dataclass(frozen=True)
class Piece:
    """A stretch of time in which nothing jumps: its phase in the curriculum, its ends, and the solution in it."""

    phase: int
    begin: float
    end: float
    solution: OdeSolution

    @property
    def steps(self) -> np.ndarray:
        """The times between which single steps lie, in order."""
        return np.sort(np.asarray(self.solution.ts))


@dataclasses.dataclass(frozen=True)
class Forward:
    """The trajectory of one protocol: `problem` has its curriculum and its schedules."""

    problem: Problem
    pieces: list[Piece]

    @property
    def end(self) -> float:
        return self.pieces[-1].end

    def state(self, alpha: float) -> np.ndarray:
        """Return the packed state at alpha."""
        return solution_at(self.pieces, alpha)

    def nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return times (m,) of quadrature, their weights (m,), and the phase (m,) that each lies in."""
        return nodes_of(self.pieces, True)


def solution_at(pieces: list[Piece], alpha: float) -> np.ndarray:
    """Return the solution (n,) at alpha; at the end of a piece it is that of the earlier one."""
    for piece in pieces:
        if alpha <= piece.end:
            return np.asarray(piece.solution(alpha))
    return np.asarray(pieces[-1].solution(pieces[-1].end))


def along(pieces: list[Piece], alphas: np.ndarray) -> np.ndarray:
    """Return the solution (m, n) at increasing times."""
    ends = np.array([piece.end for piece in pieces])
    which = np.minimum(np.searchsorted(ends, alphas, side="left"), len(pieces) - 1)
    rows = np.empty((alphas.size, np.size(pieces[0].solution(pieces[0].begin))))
    for i in np.unique(which):
        rows[which == i] = np.asarray(pieces[i].solution(alphas[which == i])).T
    return rows


def nodes_of(pieces: list[Piece], exact: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Gauss nodes of every step of `pieces`: times, weights and phases."""
    points, gauss_weights = GAUSS[exact]
    alphas, weights, phases = [], [], []
    for piece in pieces:
        begin, end = piece.steps[:-1], piece.steps[1:]
        half = (end - begin)[:, None] / 2
        alphas.append(((begin + end)[:, None] / 2 + half * points).ravel())
        weights.append((half * gauss_weights).ravel())
        phases.append(np.full(alphas[-1].size, piece.phase))
    return np.concatenate(alphas), np.concatenate(weights), np.concatenate(phases)


def breaks_of(problem: Problem, more: np.ndarray) -> np.ndarray:
    """Return the times between which nothing jumps, from 0 to the end: switches, jumps of schedules, and `more`."""
    switches = np.asarray(problem.curriculum.switches, float)
    times = np.concatenate([switches, jumps_of(problem), more])
    inner = np.unique(times[(times > 0) & (times < switches[-1])])
    # Two times that rounding has put beside each other are one: no step fits between them.
    kept = inner[np.diff(inner, prepend=0.0) > 1e-12 * switches[-1]]
    kept = kept[switches[-1] - kept > 1e-12 * switches[-1]]
    return np.concatenate([[0.0], kept, switches[-1:]])


def phases_of(problem: Problem, breaks: np.ndarray) -> np.ndarray:
    """Return the phase of the curriculum in which each piece between two breaks lies."""
    switches = np.asarray(problem.curriculum.switches, float)
    middles = (breaks[:-1] + breaks[1:]) / 2
    phases: np.ndarray = np.minimum(np.searchsorted(switches, middles, side="left"), switches.size - 1)
    return phases


def forward(judge: Judge, problem: Problem) -> Forward:
    """Return the trajectory of a protocol, from the judge's start. Raises Diverged."""
    slope = compiled_drift(problem, judge.averages, 10 * judge.largest)
    norm = largest_norm(problem)
    breaks = breaks_of(problem, judge.cost.alphas(float(problem.curriculum.end)))
    pieces: list[Piece] = []
    y, step, count = judge.start, None, [0]

    def leaves_bound(alpha: float, y: np.ndarray) -> float:
        return judge.largest - norm(y)

    leaves_bound.terminal = True  # type: ignore[attr-defined]  # SciPy's way
    if leaves_bound(0.0, y) < 0:  # a start beyond the bound never crosses it
        raise Diverged
    for phase, begin, end in zip(phases_of(problem, breaks), breaks[:-1], breaks[1:], strict=True):
        field = field_in(slope, problem, int(phase), begin, end, count, judge)
        if not np.all(np.isfinite(field(begin, y))):
            raise Diverged
        with np.errstate(all="ignore"):
            solved = solve_ivp(
                field,
                (begin, end),
                y,
                method=judge.solver,
                rtol=judge.rtol,
                atol=judge.atol,
                dense_output=True,
                events=leaves_bound,
                first_step=None if step is None else min(step, end - begin),
            )
        if solved.status != 0 or not np.all(np.isfinite(solved.y[:, -1])):
            raise Diverged
        step = next_step(solved.t, step)
        y = solved.y[:, -1]
        pieces.append(Piece(int(phase), begin, end, solved.sol))
    return Forward(problem, pieces)


def next_step(times: np.ndarray, before: float | None) -> float:
    """Return the size of the first step of the next piece: the last one is cut short by the end of this."""
    sizes = np.abs(np.diff(times))
    return float(max(sizes[-2:].max(), before or 0.0) if sizes.size < 2 else sizes[-2:].max())


def field_in(
    slope: Slope, problem: Problem, phase: int, begin: float, end: float, count: list[int], judge: Judge
) -> Callable[[float, np.ndarray], np.ndarray]:
    """Return the drift inside one piece. It raises Diverged once `count` is beyond what the judge's steps need."""
    shares = shares_of_phase(problem.curriculum_of_all_levels(), phase)
    first, last = float(np.nextafter(begin, end)), float(np.nextafter(end, begin))

    def field(alpha: float, y: np.ndarray) -> np.ndarray:
        count[0] += 1
        if count[0] > STAGES * judge.steps:
            raise Diverged
        alpha = min(max(alpha, first), last)  # at its ends a piece is still itself
        return slope(alpha, shares(alpha), y)

    return field
