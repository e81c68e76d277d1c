"""Power laws c N^-p through values with errors: the exponent with its interval, by profile likelihood."""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import optimize, stats

from teacher_student import internal

STEEPEST = 6.0  # exponents are looked for in [-STEEPEST, STEEPEST]


@dataclasses.dataclass(frozen=True)
class PowerLaw(internal.PublicRecord):
    """A fitted law c N^-p.

    exponent: p, and low, high: its interval. chi2, freedom: chi^2 of the fit and its degrees of freedom. fits: the
    p-value of the fit, small where a power law is wrong.
    """

    exponent: float
    low: float
    high: float
    chi2: float
    freedom: int
    fits: float

    @property
    def words(self) -> str:
        """The exponent of N, -p, with its interval, to three decimals."""
        return f"{-self.exponent:.3f} [{-self.high:.3f}, {-self.low:.3f}]"


def power_law(dims: np.ndarray, values: np.ndarray, covariances: np.ndarray, confidence: float = 0.95) -> PowerLaw:
    r"""Fit d_q(N) = c_q N^-p, with one exponent for all quantities q, to signed values and their covariances.

      chi^2(p) = min_c sum_N (d - c N^-p)^T S_N^-1 (d - c N^-p),
    p is at its minimum, and the interval where it is less than the minimum plus the quantile of chi^2 with one degree
    of freedom. All N are used: where the signal is below the errors, a point has no weight by itself.

    Arguments: dims: (n,) dimensions N. values: (n, q), of either sign. covariances: (n, q, q) of the values.
      confidence: of the interval.
    Returns a PowerLaw, whose interval may be infinite.
    """
    dims, values = np.asarray(dims, float), np.asarray(values, float)
    precisions = np.linalg.inv(covariances)
    total = float(np.einsum("nq,nqp,np->", values, precisions, values))

    def chi2(p: float) -> float:
        scale = (dims / dims[0]) ** -p
        A = np.einsum("n,nqp->qp", scale**2, precisions)
        b = np.einsum("n,nqp,np->q", scale, precisions, values)
        return total - float(b @ np.linalg.solve(A, b))

    grid = np.linspace(-STEEPEST, STEEPEST, 481)
    step, middle = grid[1] - grid[0], grid[int(np.argmin([chi2(p) for p in grid]))]
    # The grid finds the lowest valley of chi^2, if there are several, and the search stays in it.
    near = (middle - step, middle + step)
    best = optimize.minimize_scalar(chi2, bounds=near, method="bounded", options={"xatol": 1e-6})
    allowed = float(best.fun) + stats.chi2.ppf(confidence, 1)
    low, high = (_crossing(chi2, float(best.x), end, allowed) for end in (-STEEPEST, STEEPEST))
    freedom = values.size - values.shape[1] - 1
    return PowerLaw(float(best.x), low, high, float(best.fun), freedom, float(stats.chi2.sf(best.fun, freedom)))


def _crossing(chi2: Callable[[float], float], best: float, end: float, allowed: float) -> float:
    """Return where chi^2 first exceeds `allowed` from `best` towards `end`; infinite if it never does."""
    before = best
    for p in np.linspace(best, end, 241)[1:]:
        if chi2(p) > allowed:
            return float(optimize.brentq(lambda x: chi2(x) - allowed, before, p))
        before = p
    return float(np.copysign(np.inf, end))


def amplitude(dims: np.ndarray, values: np.ndarray, covariances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return c_q of d_q(N) = c_q / N by generalised least squares, and its covariance."""
    scale, precisions = 1 / np.asarray(dims, float), np.linalg.inv(covariances)
    covariance = np.linalg.inv(np.einsum("n,nqp->qp", scale**2, precisions))
    return covariance @ np.einsum("n,nqp,np->q", scale, precisions, values), covariance


def log_power_law(dims: np.ndarray, logs: np.ndarray, covariances: np.ndarray, confidence: float = 0.95) -> PowerLaw:
    """Fit logarithms log c_q - p log N of positive values (n, q), as `power_law` does, by linear least squares."""
    x, precisions = np.log(np.asarray(dims, float)), np.linalg.inv(covariances)
    q = logs.shape[1]
    designs = np.stack([np.column_stack([np.eye(q), np.full(q, -log_dim)]) for log_dim in x])  # (n, q, q + 1)
    covariance = np.linalg.inv(np.einsum("nqa,nqp,npb->ab", designs, precisions, designs))
    solution = covariance @ np.einsum("nqa,nqp,np->a", designs, precisions, logs)
    rest = logs - designs @ solution
    chi2, freedom = float(np.einsum("nq,nqp,np->", rest, precisions, rest)), logs.size - q - 1
    p, half = float(solution[-1]), float(stats.norm.isf((1 - confidence) / 2) * np.sqrt(covariance[-1, -1]))
    return PowerLaw(p, p - half, p + half, chi2, freedom, float(stats.chi2.sf(chi2, freedom)))
