"""How a trajectory ended, in words: one clause, and what to do about it."""

from typing import TYPE_CHECKING

import numpy as np

from ._status import Status

if TYPE_CHECKING:
    from ._trajectory import Trajectory


def ending(trajectory: "Trajectory") -> str:
    """Return how it ended, in a clause: "ok", or what stopped how many runs, and when the first."""
    codes, reached = _codes(trajectory), np.atleast_1d(np.asarray(trajectory.reached))
    stopped = codes != Status.OK
    if not stopped.any():
        return "ok" if _is_single(trajectory) else f"ok: {codes.size} {_noun(trajectory)}"
    first = int(np.argmin(np.where(stopped, reached, np.inf)))
    text = f"{Status(int(codes.flat[first])).message} at alpha {reached.flat[first]:.6g}"
    return text if _is_single(trajectory) else f"{np.sum(stopped)} of {codes.size} {_noun(trajectory)} {text}"


def remedy_of(trajectory: "Trajectory") -> str:
    """Return what to do where steps ran out; nothing where none did. A divergence is a result."""
    if not np.any(_codes(trajectory) == Status.TOO_STIFF):
        return ""
    return "end the alphas before that, or raise rtol and atol, or max_steps of ode.solve"


def _codes(trajectory: "Trajectory") -> np.ndarray:
    return np.atleast_1d(np.asarray(trajectory.status))


def _is_single(trajectory: "Trajectory") -> bool:
    return trajectory.runs is None and _codes(trajectory).size == 1


def _noun(trajectory: "Trajectory") -> str:
    return "solves" if trajectory.runs is None else "runs"
