"""States that an integration left to its tolerance, made states of actual weights again."""

import numpy as np

from ..problem import Problem
from ._overlaps import Overlaps


def nearest_state(overlaps: Overlaps, problem: Problem) -> Overlaps:
    """Return the nearest state that weights can have: a loose integration leaves it by about its tolerance.

    Per block Q <- R T^+ R^T + [Q - R T^+ R^T]_+, where [.]_+ drops negative eigenvalues; the second part is left out
    in a block that the teacher's directions span, as there no student has anything outside of them.

    Arguments: overlaps: known ones of `problem`, with any leading axes.
    """
    Q, R, T = (np.asarray(x, float) for x in (overlaps.Q, overlaps.R, overlaps.T))
    # The pseudo-inverse, because T is 0 in a block that the teacher does not see.
    inside = R @ np.linalg.pinv(T, hermitian=True) @ R.swapaxes(-1, -2)
    values, vectors = np.linalg.eigh(Q - inside)
    outside = (vectors * np.maximum(values, 0.0)[..., None, :]) @ vectors.swapaxes(-1, -2)
    spanned = np.asarray(problem.task.spanned_blocks)[:, None, None]
    return Overlaps(inside + np.where(spanned, 0.0, outside), R, T, overlaps.readout)
