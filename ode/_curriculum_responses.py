"""How a trajectory answers to the numbers of its curriculum: lengths of phases, and shares of levels in them."""

from collections.abc import Callable

import numpy as np

from teacher_student import Curriculum, Directions


def all_increments(
    columns: np.ndarray,
    directions: Directions,
    curriculum: Curriculum,
    ends: np.ndarray,
    drift_at: Callable[[int, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return the increments (pieces, n, P) of all directions, from the columns (pieces, n, C) that were integrated."""
    levels = curriculum.initial_shares.shape[-1]
    of_drift = directions.of_drift()
    increment = np.zeros((*columns.shape[:2], len(directions.names)))
    increment[:, :, of_drift] = columns[:, :, : -2 * levels]
    of_shares, of_progress = columns[:, :, -2 * levels : -levels], columns[:, :, -levels:]
    increment += curriculum_increments(directions, curriculum, ends, of_shares, of_progress, drift_at)
    return increment


def curriculum_increments(
    directions: Directions,
    curriculum: Curriculum,
    ends: np.ndarray,
    of_shares: np.ndarray,
    of_progress: np.ndarray,
    drift_at: Callable[[int, np.ndarray], np.ndarray],
) -> np.ndarray:
    r"""Return the increments (pieces, n, P) that changes of the curriculum make on each piece of a trajectory.

    In a phase from t_0 of duration d the shares are p = p_0 + u (p_1 - p_0), with the progress u = (alpha - t_0) / d:
      dp = (1 - u) dp_0 + u dp_1 - (p_1 - p_0) (dt_0 + u dd) / d
    and a later switch moves the state by the difference of the drifts before it and behind it, (f_- - f_+) dt_1.

    Arguments:
      curriculum: with a column for every level of the task.
      ends: the alphas at which the pieces end, switches included.
      of_shares, of_progress: (pieces, n, L) the responses to a share, and to a share times u.
      drift_at: the drift (n,) at the end of a piece under other shares.
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
            jump = drift_at(piece, p1) - drift_at(piece, np.asarray(curriculum.initial_shares)[phase + 1])
            increments[piece] += np.outer(jump, switch_moves[:, phase])
    return increments
