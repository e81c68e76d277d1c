"""The yardstick of sampled averages: the same right-hand side by plain Monte Carlo in NumPy."""

import numpy as np
from scipy.special import erf


def sampled_drift(C: np.ndarray, K: int, eta: float, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """dQ (K, K) and dR (K, M) of an erf committee; fields of covariance C (J, J) are made of normals (J, S)."""
    z = np.linalg.cholesky(C) @ normals
    hidden = erf(z / np.sqrt(2))
    error = hidden[:K].sum(axis=0) - hidden[K:].sum(axis=0)
    g = error * np.sqrt(2 / np.pi) * np.exp(-(z[:K] ** 2) / 2)
    points = z.shape[1]
    gz, gg = g @ z.T / points, g @ g.T / points
    return -eta * (gz[:, :K] + gz[:, :K].T) + eta**2 * gg, -eta * gz[:, K:]
