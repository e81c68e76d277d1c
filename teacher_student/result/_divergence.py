"""The bound on a student's norm: beyond it a solve or a run has diverged."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from .._errors import InputError
from .._numbers import is_known, is_number
from ..state import Overlaps

DIVERGENCE_BOUND = 1e3  # default bound on Q_kk, in units of the largest of 1, Q_kk at the start and T_mm


def check_bound(bound: Any) -> None:
    """Raise InputError unless `bound` can be one on Q_kk."""
    if not is_number(bound) or bound <= 0:
        raise InputError("a bound > 0 on Q_kk, in units of the largest at the start", repr(bound))


def largest_allowed_norm(start: Overlaps, bound: Any) -> Any:
    """Return the largest Q_kk that counts as finite: `bound` times the largest of 1, Q_kk at the start and T_mm.

    The axes of several starts lead those of the result.
    """
    xp: Any = np if is_known((start, bound)) else jnp
    norms = [xp.diagonal(x, axis1=-2, axis2=-1).max(axis=(-2, -1), initial=1.0) for x in (start.Q, start.T)]
    return bound * xp.maximum(*norms)
