"""How a trajectory answers to the times at which its drift jumps, and to the shares of levels in phases."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from teacher_student import Curriculum, Directions, Problem, Schedule
from teacher_student.internal import single_schedules

DriftAt = Callable[[int, np.ndarray, np.ndarray], np.ndarray]  # of piece, time of each schedule, and shares


def all_increments(
    columns: np.ndarray,
    directions: Directions,
    problem: Problem,
    ends: np.ndarray,
    drift_at: DriftAt,
) -> np.ndarray:
    """Return the increments (pieces, n, P) of all directions, from the columns (pieces, n, C) that were integrated."""
    curriculum = problem.curriculum_of_all_levels()
    levels = curriculum.initial_shares.shape[-1]
    of_drift = directions.of_drift()
    increment = np.zeros((*columns.shape[:2], len(directions.names)))
    increment[:, :, of_drift] = columns[:, :, : -2 * levels]
    of_shares, of_progress = columns[:, :, -2 * levels : -levels], columns[:, :, -levels:]
    clocks = len(single_schedules(problem))
    increment += curriculum_increments(directions, curriculum, ends, of_shares, of_progress, drift_at, clocks)
    schedules, moved = single_schedules(problem), single_schedules(directions.problem)
    for i, (schedule, moves) in enumerate(zip(schedules, moved, strict=True)):
        waiting = np.arange(len(schedules)) > i
        increment += jump_increments(schedule, moves, waiting, curriculum, ends, drift_at, increment.shape)
    return increment


def curriculum_increments(
    directions: Directions,
    curriculum: Curriculum,
    ends: np.ndarray,
    of_shares: np.ndarray,
    of_progress: np.ndarray,
    drift_at: DriftAt,
    clocks: int,
) -> np.ndarray:
    r"""Return the increments (pieces, n, P) that changes of the curriculum make on each piece of a trajectory.

    In a phase from t_0 of duration d the shares are p = p_0 + u (p_1 - p_0), with the progress u = (alpha - t_0) / d:
      dp = (1 - u) dp_0 + u dp_1 - (p_1 - p_0) (dt_0 + u dd) / d
    and a later switch moves the state by the difference of the drifts before it and behind it, (f_- - f_+) dt_1.

    Arguments:
      curriculum: with a column for every level of the task.
      ends: the alphas at which the pieces end, switches included.
      of_shares, of_progress: (pieces, n, L) the responses to a share, and to a share times u.
      drift_at: the drift (n,) at the end of a piece, with each schedule at a time and with shares.
      clocks: the number of schedules.
    """
    increments = np.zeros((*of_shares.shape[:2], len(directions.names)))
    moved = directions.problem.curriculum_of_all_levels()
    durations, first, last = map(np.asarray, (moved.durations, moved.initial_shares, moved.final_shares))
    switches = np.asarray(curriculum.switches, float)
    switch_moves = np.cumsum(durations, axis=1)
    # The phase that ends at a switch leads to it, as in `integrate_from_host`.
    phases = np.minimum(np.searchsorted(switches, ends, side="left"), switches.size - 1)
    for piece, phase in enumerate(phases):
        p0, p1 = (np.asarray(side)[phase] for side in (curriculum.initial_shares, curriculum.final_shares))
        d, begin_moves = curriculum.durations[phase], switch_moves[:, phase] - durations[:, phase]
        constant = first[:, phase] - np.outer(begin_moves / d, p1 - p0)
        growing = last[:, phase] - first[:, phase] - np.outer(durations[:, phase] / d, p1 - p0)
        increments[piece] += of_shares[piece] @ constant.T + of_progress[piece] @ growing.T
        if phase + 1 < switches.size and ends[piece] == switches[phase]:
            before, next_shares = (
                np.full(clocks, _just_before(ends[piece])),
                np.asarray(curriculum.initial_shares)[phase + 1],
            )
            jump = drift_at(piece, before, p1) - drift_at(piece, before, next_shares)
            increments[piece] += np.outer(jump, switch_moves[:, phase])
    return increments


def jump_increments(
    schedule: Schedule,
    moved: Schedule,
    waiting: np.ndarray,
    curriculum: Curriculum,
    ends: np.ndarray,
    drift_at: DriftAt,
    shape: tuple[int, ...],
) -> np.ndarray:
    """Return the increments (pieces, n, P) = `shape` that later jumps of a schedule make, (f_- - f_+) dt.

    Where the curriculum or other schedules jump at the same time, one does so after the other: all of them moved
    together give the whole jump.

    Arguments: moved: the derivatives of the schedule's numbers, each with a leading axis P. waiting: (S,) which of all
    schedules jump later. ends, drift_at: as in `curriculum_increments`.
    """
    increments, own = np.zeros(shape), waiting.size - int(np.sum(waiting)) - 1
    with jax.enable_x64(True):
        jumps = np.asarray(schedule.jumps, float)
        moves = np.asarray(
            jax.vmap(lambda move: jax.jvp(lambda s: jnp.asarray(s.jumps), (schedule,), (move,))[1])(moved)
        )
    for j, time in enumerate(jumps):
        for piece in np.flatnonzero(ends == time) if np.any(moves[:, j]) else ():
            shares, after = np.asarray(curriculum.shares(time), float), np.where(waiting, _just_before(time), time)
            before = np.where(np.arange(waiting.size) == own, _just_before(time), after)
            jump = drift_at(int(piece), before, shares) - drift_at(int(piece), after, shares)
            increments[piece] += np.outer(jump, moves[:, j])
    return increments


def _just_before(alpha: float) -> float:
    return float(np.nextafter(alpha, 0.0))
