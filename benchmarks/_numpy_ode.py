r"""The yardstick of theory: Saad & Solla's ODE for erf committees in plain NumPy, integrated by SciPy.

With C the covariance of the fields, D_i = 1 + C_ii, s = (1, ..., 1, -1, ..., -1) over students and teachers:
  E[g_k z_j]  = sum_i s_i I3(k, j, i),  I3 = (2/pi) (C_ij D_k - C_kj C_ki) / (D_k sqrt(D_k D_i - C_ki^2))
  E[g_k g_l]  = sum_ij s_i s_j I4(k, l, i, j),  I4 = (4/pi^2) asin(L0 / sqrt(L1 L2)) / sqrt(L4)
Written from the paper (Eqs. (8)-(11) and appendix A), independently of this toolkit: it is also what checks it.
"""

from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

LARGEST_ARRAY = (
    2**18
)  # entries (K, K, J, J) up to which one array for all pairs is faster than a loop over pairs k <= l

Rhs = Callable[[float, np.ndarray], np.ndarray]


def right_hand_side(T: np.ndarray, K: int, eta: float) -> Rhs:
    """f(alpha, y) = dy/dalpha for y = (Q, R) flattened; one block, all readouts 1, teachers T (M, M)."""
    M = len(T)
    J = K + M
    s = np.concatenate([np.ones(K), -np.ones(M)])
    C = np.empty((J, J))
    C[K:, K:] = T
    gradients = whole if K**2 * J**2 <= LARGEST_ARRAY else pair_by_pair

    def f(alpha: float, y: np.ndarray) -> np.ndarray:
        C[:K, :K] = y[: K * K].reshape(K, K)
        C[:K, K:] = y[K * K :].reshape(K, M)
        C[K:, :K] = C[:K, K:].T
        D = 1 + np.diagonal(C)
        A = s / np.sqrt(D[:K, None] * D - C[:K] ** 2)
        gz = (2 / np.pi) * (A @ C - C[:K] * (np.sum(A * C[:K], axis=1) / D[:K])[:, None])
        dQ = -eta * (gz[:, :K] + gz[:, :K].T) + eta**2 * gradients(C, D, s, K)
        return np.concatenate([dQ.ravel(), -eta * gz[:, K:].ravel()])

    return f


def whole(C: np.ndarray, D: np.ndarray, s: np.ndarray, K: int) -> np.ndarray:
    """E[g_k g_l] (K, K), all I4 in one array (K, K, J, J)."""
    a, b = C[:K, None, :], C[None, :K, :]  # C_ki, C_li
    Dk, Dl, Ckl = D[:K, None], D[None, :K], C[:K, :K]
    L4 = Dk * Dl - Ckl**2
    cross = a[..., :, None] * b[..., None, :]
    L0 = (
        L4[..., None, None] * C
        - Dk[..., None, None] * (b[..., :, None] * b[..., None, :])
        - Dl[..., None, None] * (a[..., :, None] * a[..., None, :])
        + Ckl[..., None, None] * (cross + cross.swapaxes(-1, -2))
    )
    L1 = L4[..., None] * D - Dk[..., None] * b**2 - Dl[..., None] * a**2 + 2 * Ckl[..., None] * a * b
    root = 1 / np.sqrt(L1)
    angles = np.arcsin(L0 * root[..., :, None] * root[..., None, :])
    found: np.ndarray = (4 / np.pi**2) * (angles @ s @ s) / np.sqrt(L4)
    return found


def pair_by_pair(C: np.ndarray, D: np.ndarray, s: np.ndarray, K: int) -> np.ndarray:
    """The same, one pair k <= l after the other, in arrays (J, J) that stay in the cache."""
    gg = np.empty((K, K))
    for k in range(K):
        for l in range(k, K):
            a, b, Ckl = C[k], C[l], C[k, l]
            L4 = D[k] * D[l] - Ckl**2
            L0 = L4 * C - np.outer(a, D[l] * a - Ckl * b) - np.outer(b, D[k] * b - Ckl * a)
            root = 1 / np.sqrt(L4 * D - D[k] * b**2 - D[l] * a**2 + 2 * Ckl * a * b)
            L0 *= root
            L0 *= root[:, None]
            gg[k, l] = gg[l, k] = (4 / np.pi**2) * (s @ np.arcsin(L0, out=L0) @ s) / np.sqrt(L4)
    return gg


def solve(T: np.ndarray, Q: np.ndarray, R: np.ndarray, eta: float, alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Q (A, K, K) and R (A, K, M) at `alphas`, by DOP853 with rtol 1e-8 and atol 1e-10."""
    K, M = R.shape
    found = solve_ivp(
        right_hand_side(T, K, eta),
        (0.0, float(alphas[-1])),
        np.concatenate([Q.ravel(), R.ravel()]),
        method="DOP853",
        t_eval=alphas,
        rtol=1e-8,
        atol=1e-10,
    )
    return found.y[: K * K].T.reshape(-1, K, K), found.y[K * K :].T.reshape(-1, K, M)
