"""Up to which alpha the expansion in 1/N holds that theory states. Beyond, there is no verdict."""

import numpy as np

from teacher_student import Breakdown, Trajectory

from ._evidence import dim_of


def first_breakdown(theory: Trajectory, *simulated: Trajectory | None) -> Breakdown | None:
    """Return where the expansion first ends at the dimensions of the simulations, if theory has one and it does."""
    if theory.fluctuations is None:
        return None
    dims = [dim_of(one) for one in simulated if one is not None]
    # Below the number of overlaps nothing is predicted, and the runs are judged by their own spread.
    return earlier(*(theory.breakdown(dim) for dim in dims if dim >= theory.fluctuations.smallest_dim))


def earlier(*ends: Breakdown | None) -> Breakdown | None:
    """Return the first of several breakdowns, None if there is none."""
    return min((end for end in ends if end is not None), key=lambda end: end.alpha, default=None)


def before(end: Breakdown | None, theory: Trajectory) -> np.ndarray:
    """Return the mask of theory's alphas before the expansion ends."""
    return np.asarray(theory.alphas) < (np.inf if end is None else end.alpha)
