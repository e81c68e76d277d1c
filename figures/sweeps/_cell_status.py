"""How far a cell of a sweep is. On its own, since the command line names it before anything is loaded."""

import enum


class CellStatus(enum.IntEnum):
    """How far a cell of a sweep is.

    DONE, DIVERGED and TOO_STIFF are results. FAILED has a message and no values. PENDING is still to be computed.
    NOT_ASKED is a cell that the sweep does not simulate. Stores hold these numbers: they never change.
    """

    PENDING = 0
    DONE = 1
    DIVERGED = 2
    TOO_STIFF = 3
    FAILED = 4
    NOT_ASKED = 5  # not simulated, by sweep.simulate_every


FINISHED = (CellStatus.DONE, CellStatus.DIVERGED, CellStatus.TOO_STIFF, CellStatus.FAILED)
RETRY = {"failed": CellStatus.FAILED, "diverged": CellStatus.DIVERGED, "too stiff": CellStatus.TOO_STIFF}
