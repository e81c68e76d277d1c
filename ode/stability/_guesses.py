"""States near which a problem's known fixed points lie."""

import numpy as np

from teacher_student import InputError, Overlaps, Problem, psd_violation
from teacher_student.internal import check_overlaps, refuse_fork

from ._field import Field, entries, field_of, linearised, state, time_of
from ._symmetry import projector

OWN, SHORTENED = 0.1, 0.8  # Q_kk of directions of a unit's own, in units of rho_b; length of a unit
FIRST_STEP, GROWTH, STEPS = 0.25, 1.1, 100  # of the relaxation, in units of 1 / learning rate


def known_guesses(problem: Problem, like: Overlaps | None = None, *, alpha: float | None = None) -> dict[str, Overlaps]:
    """Return guesses for `fixed_points` by name.

      zero: w_k = 0 (and v_k = 0 if the readout is trained).
      specialised: w_k = +-u_k (and v_k = vt_k if trained), and further units are 0.
      symmetric: all units on sum_m vt_m u_m, then relaxed by the flow within the permutation-symmetric states. It
        exists for K >= 2 and equal readouts.
      relaxed: where the flow leads from a shortened specialised state with something of each unit's own. Above a
        critical rate that is another point than the perfect one.

    The last two are left out where relaxing does not lead to a state.

    Arguments:
      problem: of known numbers, with a task that is a sum of units.
      like: the T and the readout, which is kept if it is not trained. None means T^b_mn = rho_b delta_mn on the
        teacher's support (the law of large N) and v_k = 1.
      alpha: the time at which shares and schedules are frozen. None means its end.

    Raises InputError for a task that is no sum of units.
    """
    refuse_fork()
    if problem.task.units is not None and np.ndim(problem.task.units.readout) > 1:
        raise InputError("guesses for one rule of all levels", "a readout for each level", "pass guesses")
    if problem.task.units is None:
        raise InputError("guesses for a task other than a committee", "none are known", "pass guesses")
    problem = problem.at(time_of(problem, alpha))
    like = orthonormal(problem) if like is None else like
    check_overlaps(like, problem)
    guesses = {"zero": _copies(problem, like, 0)}
    field = field_of(problem, like, alpha)
    if problem.student.width > 1 and np.ptp(like.readout) == 0:
        guesses |= _relaxed("symmetric", field, _aligned(problem, like), projector(field))
    guesses["specialised"] = _copies(problem, like, min(problem.shape[1:]))
    shortened = _with_own(problem, guesses["specialised"], SHORTENED)
    return guesses | _relaxed("relaxed", field, shortened, np.eye(len(field.free)))


def orthonormal(problem: Problem) -> Overlaps:
    """Return a zero student, with T^b_mn = rho_b delta_mn on the teacher's support and readout 1."""
    B, K, M = problem.shape
    share = np.asarray(problem.inputs.fractions) * np.array(problem.task.seen_blocks)
    T = share[:, None, None] * np.eye(M)
    return Overlaps(np.zeros((B, K, K)), np.zeros((B, K, M)), T, np.ones(K))


def _copies(problem: Problem, like: Overlaps, count: int) -> Overlaps:
    """Return the state whose first `count` units copy a unit of the teacher each. The others are zero."""
    K, M = problem.shape[1:]
    vt = _teacher_readout(problem)
    trained = float(problem.sgd.readout_learning_rate) > 0
    A = np.zeros((K, M))  # w_k = sum_m A_km u_m
    readout = np.zeros(K) if trained else np.array(like.readout, float)
    for k in range(count):
        A[k, k] = 1.0 if trained else np.sign(readout[k] * vt[k])
        readout[k] = vt[k] if trained else readout[k]
    return Overlaps(A @ like.T @ A.T, A @ like.T, like.T, readout)


def _aligned(problem: Problem, like: Overlaps) -> Overlaps:
    """Return the state whose units are all half on sum_m vt_m u_m and half on independent directions."""
    v = np.array(like.readout, float)
    A = np.outer(np.where(v == 0, 1.0, np.sign(v)), _teacher_readout(problem)) / (2 * problem.task.latents)
    return _with_own(problem, Overlaps(A @ like.T @ A.T, A @ like.T, like.T, v), 1.0)


def _with_own(problem: Problem, of: Overlaps, length: float) -> Overlaps:
    """Return the state with w_k scaled by `length`, and with something of its own added to each unit."""
    added = OWN * np.asarray(problem.inputs.fractions)[:, None, None] * np.eye(problem.student.width)
    return Overlaps(length**2 * of.Q + added, length * of.R, of.T, of.readout)


def _teacher_readout(problem: Problem) -> np.ndarray:
    units = problem.task.units
    assert units is not None  # `known_guesses` comes first
    return np.asarray(units.readout)


def _relaxed(name: str, field: Field, guess: Overlaps, P: np.ndarray) -> dict[str, Overlaps]:
    """Return where the guess relaxes to, by name, or nothing if that is no state."""
    x = relaxed(field, entries(field, guess), P)
    overlaps = state(field, x)
    return {name: overlaps} if np.isfinite(x).all() and psd_violation(overlaps) <= 1e-8 else {}


def relaxed(field: Field, x: np.ndarray, P: np.ndarray) -> np.ndarray:
    """Return x after linearly implicit Euler steps of growing length on the range of P.

    The first steps follow the flow, and the last ones are Newton's method.
    Source: pseudo-transient continuation, Kelley & Keyes 1998.
    """
    h = FIRST_STEP / field.rate
    for _ in range(STEPS):
        slope, jacobian = linearised(field, x)
        if not (np.isfinite(slope).all() and np.isfinite(jacobian).all()):
            break
        x = P @ (x + np.linalg.solve(np.eye(x.size) / h - P @ jacobian @ P, P @ slope))
        h *= GROWTH
    return x
