"""How far a cell of a sweep is. On its own, since the command line names it before anything is loaded."""

import enum


class CellStatus(enum.IntEnum):
    """How far a cell of a sweep is.

    DONE, DIVERGED and TOO_STIFF are results. FAILED and TIMED_OUT have a message and no values. PENDING is still to be
    computed. NOT_ASKED is a cell that the sweep does not simulate. Stores hold these numbers: they never change.
    """

    PENDING = 0
    DONE = 1
    DIVERGED = 2
    TOO_STIFF = 3
    FAILED = 4
    NOT_ASKED = 5  # not simulated, by sweep.simulate_every
    TIMED_OUT = 6  # it took longer than the sweep's cell_timeout

    @property
    def words(self) -> str:
        """The name of the status in words, such as "too stiff"."""
        return self.name.lower().replace("_", " ")


WITHOUT_VALUES = (CellStatus.FAILED, CellStatus.TIMED_OUT)  # they have a message
FINISHED = (CellStatus.DONE, CellStatus.DIVERGED, CellStatus.TOO_STIFF, *WITHOUT_VALUES)
RETRY = {
    "failed": CellStatus.FAILED,
    "timed out": CellStatus.TIMED_OUT,
    "diverged": CellStatus.DIVERGED,
    "too stiff": CellStatus.TOO_STIFF,
}
