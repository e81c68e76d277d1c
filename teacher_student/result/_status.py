"""How an integration or a run ended. Failure is data, not a crash."""

import enum


class Status(enum.IntEnum):
    """How a trajectory ended: OK (0), DIVERGED (1) or TOO_STIFF (2).

    `Trajectory.describe()` says it in words.
    """

    OK = 0
    DIVERGED = 1
    TOO_STIFF = 2

    @property
    def words(self) -> str:
        """The name of the status in words, such as "too stiff"."""
        return self.name.lower().replace("_", " ")

    @property
    def message(self) -> str:
        """The status in a sentence."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.OK: "reached the last alpha",
    Status.DIVERGED: "diverged (a student norm left the bound, or is no number)",
    Status.TOO_STIFF: "too stiff (its steps ran out, or became too short)",
}
