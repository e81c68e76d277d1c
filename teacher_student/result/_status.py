"""How an integration or a run ended. Failure is data, not a crash."""

import enum
from typing import Any

from .._errors import InputError
from .._numbers import is_number


class Status(enum.IntEnum):
    """How a trajectory ended: OK (0), DIVERGED (1) or TOO_STIFF (2).

    `Trajectory.describe()` says it in words.
    """

    OK = 0
    DIVERGED = 1
    TOO_STIFF = 2

    @property
    def message(self) -> str:
        """The status in words."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.OK: "reached the last alpha",
    Status.DIVERGED: "diverged (a student norm left the bound, or is no number)",
    Status.TOO_STIFF: "too stiff (more steps needed than allowed)",
}

DIVERGENCE_BOUND = 1e3  # default bound on Q_kk, in units of the largest of 1, Q_kk at the start and T_mm


def check_bound(bound: Any) -> None:
    """Raise InputError unless `bound` can be one on Q_kk."""
    if not is_number(bound) or bound <= 0:
        raise InputError("a bound > 0 on Q_kk, in units of the largest at the start", repr(bound))
