"""Root finding: from guesses to fixed points."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import root

from teacher_student import InputError, Overlaps, Problem, psd_violation
from teacher_student.internal import check_at_least, check_overlaps, make_room

from ._field import Field, entries, field_of, linearised, state
from ._fixed_point import ALIKE, FixedPoint, fixed_point_at
from ._guesses import known_guesses, relaxed

BOUND = 1e6  # on Q_kk of a fixed point, in units of the largest of 1 and T_mm: a norm beyond it counts as infinite
UNPHYSICAL = 1e-6  # relative violation of PSD Gram matrices beyond rounding


def fixed_points(
    problem: Problem,
    guesses: "Overlaps | Sequence[Overlaps] | Mapping[str, Overlaps] | None" = None,
    *,
    alpha: float | None = None,
    tol: float = 1e-10,
) -> list[FixedPoint]:
    """Return fixed points of the drift, d(overlaps)/dalpha = 0, by Newton's method with a trust region from each guess.

    The unknowns are Q, R on the blocks that the teacher sees, and the readout if it is trained. T and a fixed readout
    are those of the guess. The Jacobian is exact (forward mode), so the averages must be closed forms. Where the
    curriculum changes, the fixed points are those of its shares at one time, as if they stayed.

    Arguments:
      guesses: one, several, or several by name. None means `known_guesses(problem)`, each of which may lead nowhere.
      alpha: the time at which shares and schedules are frozen. None means the curriculum's end.
      tol: the largest |d(entry)/dalpha| that is accepted, in units of the larger of eta and eta_v (and of the largest
        entry, if that is beyond 1).

    Returns each fixed point once, by rising error. Two that differ by a symmetry, such as a permutation or the signs of
    units, are one. A root whose Gram matrices are not PSD is none.
    Raises InputError if no guess leads to a fixed point, and for a problem without closed-form averages.
    Source: Saad & Solla 1995 (symmetric and specialised fixed points).
    """
    make_room()
    check_at_least(tol, 0.0, "tol", strict=True)
    candidates = known_guesses(problem, alpha=alpha) if guesses is None else guesses
    if isinstance(candidates, Mapping):
        named: dict[Any, Any] = dict(candidates)
    elif isinstance(candidates, Sequence):
        named = dict(enumerate(candidates))
    else:
        named = {0: candidates}
    if isinstance(candidates, str) or not all(isinstance(guess, Overlaps) for guess in named.values()):
        raise InputError("guesses that are Overlaps", repr(candidates)[:60], "take some of ode.known_guesses(problem)")
    for guess in named.values():
        check_overlaps(guess, problem)
    points: list[FixedPoint] = []
    missed: list[tuple[float, Any, str]] = []
    for name, guess in named.items():
        field = field_of(problem, guess, alpha)
        x, residual, reason = find_root_or_relax(field, entries(field, guess), tol)
        if reason:
            missed.append((residual, name, reason))
            continue
        point = fixed_point_at(field, x)
        if not any(_same(point, other) for other in points):
            points.append(point)
    if not points:
        raise InputError("a guess that leads to a fixed point", _best(missed), "try others, ode.known_guesses(problem)")
    return sorted(points, key=lambda point: sum(point.error.values()))


def _best(missed: list[tuple[float, Any, str]]) -> str:
    if not missed:
        return "no guess"
    residual, name, reason = min(missed, key=lambda miss: miss[0])
    return f"best residual {residual:.3g} from guess {name!r} ({reason})"


def find_root(field: Field, guess: np.ndarray, tol: float) -> tuple[np.ndarray, float, str]:
    """Return the entries of the root that `guess` leads to, its residual, and why it is no fixed point.

    The reason is empty where the root is one.
    """
    with np.errstate(all="ignore"):
        x = root(lambda x: _bounded(field, x), guess, jac=True, method="hybr", options={"xtol": 1e-13}).x
        slope, jacobian = _bounded(field, x)
        # Least squares: the Jacobian is singular where two fixed points merge, and `solve` would raise an error.
        step = -np.linalg.lstsq(jacobian, slope, rcond=1e-10)[0]
        polished, _ = _bounded(field, x + step)
    # The step is taken only if it helps: at a singular Jacobian it may lead away.
    if np.max(np.abs(polished)) < np.max(np.abs(slope)):
        x, slope = x + step, polished
    residual = float(np.max(np.abs(slope)))
    # Written with `not`, so that a residual that is NaN is refused as well.
    if not residual <= tol * field.rate * max(1.0, float(np.max(np.abs(x)))):
        return x, residual, "the drift does not vanish"
    if relative_norm(field, x) > BOUND:
        return x, residual, "a root beyond the bound on the student's norm"
    # A small drift with a long Newton step to its zero: the drift fades towards infinity, and no root is near.
    if np.linalg.norm(step) > 1e-5 * (np.linalg.norm(x) + 1.0):
        return x, residual, "the drift only fades far away"
    if psd_violation(state(field, x)) > UNPHYSICAL:
        return x, residual, "a root that is no Gram matrix"
    return x, residual, ""


def relative_norm(field: Field, x: np.ndarray) -> float:
    """Return the largest Q_kk in units of the largest of 1 and T_mm."""
    overlaps = state(field, x)
    Q, T = (np.max(gram.diagonal(axis1=-2, axis2=-1)) for gram in (overlaps.Q, overlaps.T))
    return float(Q / max(1.0, T))


def find_root_or_relax(field: Field, guess: np.ndarray, tol: float) -> tuple[np.ndarray, float, str]:
    """Find a root from `guess`, or, if it leads nowhere, from where the flow leads from it."""
    first = find_root(field, guess, tol)
    if not first[2]:
        return first
    second = find_root(field, relaxed(field, guess, np.eye(guess.size)), tol)
    return first if second[2] and first[1] <= second[1] else second


def _bounded(field: Field, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return f and J, with large numbers where x is so far from any Gram matrix that they are no numbers."""
    slope, jacobian = linearised(field, x)
    return np.nan_to_num(slope, nan=1e3, posinf=1e3, neginf=-1e3), np.nan_to_num(jacobian, posinf=0.0, neginf=0.0)


def _same(one: FixedPoint, other: FixedPoint) -> bool:
    """Return whether a symmetry of the problem takes one fixed point into the other.

    It does so where norms, errors and spectra are equal.
    """

    def marks(point: FixedPoint) -> np.ndarray:
        norms = np.sort(point.overlaps.Q.diagonal(axis1=-2, axis2=-1), axis=-1)
        spectrum = np.concatenate([np.sort(point.eigenvalues.real), np.sort(point.eigenvalues.imag)])
        return np.concatenate([norms.ravel(), list(point.error.values()), spectrum])

    return bool(np.allclose(marks(one), marks(other), rtol=10 * ALIKE, atol=10 * ALIKE))
