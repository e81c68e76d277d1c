"""Saad & Solla's soft committee machine in NumPy and SciPy alone, as a theorist would write it down for one curve.

python yardstick.py K M ETA LAST prints the generalisation error at alpha = LAST, from random students at N = 1000 and
orthonormal teachers. Written from the paper (1995, Eqs. (5), (8)-(11) and appendix A), independently of this toolkit.
"""

import sys
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp


def I2(C: np.ndarray, a: Any, b: Any) -> Any:
    """E[g(x_a) g(x_b)]."""
    return 2 / np.pi * np.arcsin(C[a, b] / np.sqrt((1 + C[a, a]) * (1 + C[b, b])))


def I3(C: np.ndarray, a: Any, b: Any, c: Any) -> Any:
    """E[g'(x_a) x_b g(x_c)]."""
    L3 = (1 + C[a, a]) * (1 + C[c, c]) - C[a, c] ** 2
    return 2 / np.pi * (C[b, c] * (1 + C[a, a]) - C[a, b] * C[a, c]) / ((1 + C[a, a]) * np.sqrt(L3))


def I4(C: np.ndarray, a: Any, b: Any, c: Any, d: Any) -> Any:
    """E[g'(x_a) g'(x_b) g(x_c) g(x_d)]."""
    A, B = 1 + C[a, a], 1 + C[b, b]
    L4 = A * B - C[a, b] ** 2
    L0 = L4 * C[c, d] - C[b, c] * C[b, d] * A - C[a, c] * C[a, d] * B
    L0 = L0 + C[a, b] * (C[a, c] * C[b, d] + C[a, d] * C[b, c])
    L1 = L4 * (1 + C[c, c]) - C[b, c] ** 2 * A - C[a, c] ** 2 * B + 2 * C[a, b] * C[a, c] * C[b, c]
    L2 = L4 * (1 + C[d, d]) - C[b, d] ** 2 * A - C[a, d] ** 2 * B + 2 * C[a, b] * C[a, d] * C[b, d]
    return 4 / np.pi**2 * np.arcsin(L0 / np.sqrt(L1 * L2)) / np.sqrt(L4)


def final_error(Q: np.ndarray, R: np.ndarray, T: np.ndarray, eta: float, last: float) -> float:
    """Error at alpha = last from overlaps Q (K, K), R (K, M), T (M, M), by DOP853."""
    (K, M), J = R.shape, sum(R.shape)
    (k, l, i, j), (a, b, c) = np.ix_(range(K), range(K), range(J), range(J)), np.ix_(range(K), range(J), range(J))
    sign = np.r_[np.ones(K), -np.ones(M)]  # the error is the students' output less the teachers'

    def drift(alpha: float, y: np.ndarray) -> np.ndarray:
        C = covariance(y)
        gz = I3(C, a, b, c) @ sign  # E[g'(x_k) x_b delta] (K, J)
        gg = I4(C, k, l, i, j) @ sign @ sign
        slope: np.ndarray = np.r_[(-eta * (gz[:, :K] + gz[:, :K].T) + eta**2 * gg).ravel(), -eta * gz[:, K:].ravel()]
        return slope

    def covariance(y: np.ndarray) -> np.ndarray:
        q, r = y[: K * K].reshape(K, K), y[K * K :].reshape(K, M)
        return np.block([[q, r], [r.T, T]])

    found = solve_ivp(drift, (0, last), np.r_[Q.ravel(), R.ravel()], method="DOP853", rtol=1e-8, atol=1e-10)
    return float(sign @ I2(covariance(found.y[:, -1]), *np.ix_(range(J), range(J))) @ sign / 2)


if __name__ == "__main__":
    K, M, eta, last = int(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:])
    w, u = np.random.default_rng(0).normal(0, 0.5, (K, 1000)), np.sqrt(1000) * np.eye(M, 1000)
    print(final_error(w @ w.T / 1000, w @ u.T / 1000, u @ u.T / 1000, eta, last))
