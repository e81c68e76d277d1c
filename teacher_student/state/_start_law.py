"""The law of the overlaps of random weights: their mean and covariance, for theory of runs that each draw their own."""

from typing import Any

import numpy as np

from .._errors import InputError
from .._numbers import as_numbers, check_at_least, is_known
from .._usable_memory import ALWAYS_THERE, require_memory
from ..problem import Problem, check_problem
from ._entries import number_of_entries
from ._overlaps import Overlaps
from ._random_overlaps import READOUTS, check_teacher, scaled_readout


def start_law(
    problem: Problem,
    *,
    teacher: Any,
    scale: float = 0.5,
    readout: Any = None,
    readout_scale: float | None = None,
    spherical: bool = False,
) -> tuple[Overlaps, np.ndarray]:
    r"""Return the mean of the overlaps of random students at N -> infinity, and N times their covariance.

    The weights are w_ki ~ N(0, scale^2), independent of the teacher, as in `random_overlaps(..., teacher=T)`:

      E Q^b_kl = scale^2 rho_b delta_kl,   N Cov(Q^b_kl, Q^b_ij) = scale^4 rho_b (delta_ki delta_lj + delta_kj delta_li)
      E R^b_km = 0,                        N Cov(R^b_km, R^b_in) = scale^2 delta_ki T^b_mn

    Vectors that are set to the length scale sqrt(N) ("spherical") have another law of their own norms alone,

      N Cov(Q^b_kk, Q^c_ii) = 2 scale^4 delta_ki (rho_b delta_bc - rho_b rho_c)

    `ode.fluctuations(problem, mean, alphas, start_covariance=covariance)` takes both. It is about runs that start from
    `random_overlaps(problem, dim, keys, teacher=T)`, each from its own.

    Arguments:
      teacher: T of every block, (B, M, M), which all runs share.
      scale: the standard deviation of the students' weights. spherical: as in `random_overlaps`.
      readout: (K,) numbers, or "ones", which `readout_scale` multiplies.

    Returns the mean as Overlaps, and the covariance (n, n) of the entries as `entry_names` orders them.
    Raises InputError for a T of no teacher, for random readouts ("signs", "normal"), which have no covariance of order
    1/N, for a problem with a block of fraction 0, whose few dimensions are no large number, and for a covariance that
    does not fit into memory.
    Source: Wishart 1928.
    """
    check_problem(problem)
    B, K, M = problem.shape
    n = number_of_entries(problem)
    if 8 * n**2 > ALWAYS_THERE:
        require_memory(8 * n**2, f"the covariance of {n:,} entries", "take fewer units")
    T = np.asarray(as_numbers(teacher, "T"), float)
    if T.shape != (B, M, M):
        raise InputError(f"T of shape (B, M, M) = {(B, M, M)}", T.shape)
    check_teacher(T, problem)
    check_at_least(scale, 0.0, "scale of the student's weights")
    readout = problem.task.usual_readout if readout is None else readout
    if isinstance(readout, str) and readout in READOUTS and readout != "ones":
        raise InputError(
            "a readout that all runs share, for the law of their starts", repr(readout), 'take "ones" or numbers'
        )
    if not isinstance(spherical, (bool, np.bool_)):
        raise InputError("spherical as True or False", repr(spherical))
    fractions = np.asarray(problem.inputs.fractions, float)
    if not is_known(problem) or np.any(fractions == 0):
        raise InputError("blocks of fractions > 0, for the law of their starts", fractions.tolist())
    v = np.broadcast_to(np.asarray(scaled_readout(readout, readout_scale, K), float), (K,))
    mean = Overlaps(scale**2 * fractions[:, None, None] * np.eye(K), np.zeros((B, K, M)), T, v)
    covariance = np.zeros((n, n))
    pairs = list(zip(*np.triu_indices(K), strict=True))
    at = 0
    for rho in fractions:
        for i, (k, l) in enumerate(pairs):
            covariance[at + i, at + i] = scale**4 * rho * (2.0 if k == l else 1.0)
        at += len(pairs)
    if spherical:
        own = np.arange(B)[:, None] * len(pairs) + [i for i, (k, l) in enumerate(pairs) if k == l]  # (B, K): of Q^b_kk
        for rows in own.T:
            covariance[np.ix_(rows, rows)] -= 2 * scale**4 * np.outer(fractions, fractions)
    for block in T:
        for _ in range(K):
            covariance[at : at + M, at : at + M] = scale**2 * block
            at += M
    return mean, covariance
