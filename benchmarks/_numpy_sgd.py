"""The yardstick of simulations: online SGD of one erf committee, a plain loop of NumPy with a fresh input a step."""

import numpy as np
from scipy.special import erf


def weights_with(gram: np.ndarray, dim: int) -> np.ndarray:
    """Rows (J, N) with w.w'/N = gram: Gaussian inputs do not care which."""
    rows = np.zeros((len(gram), dim))
    rows[:, : len(gram)] = np.linalg.cholesky(gram) * np.sqrt(dim)
    return rows


def sgd(weights: np.ndarray, K: int, eta: float, steps: int, rng: np.random.Generator) -> None:
    """`steps` steps on the first K rows of `weights` (J, N), in place; the other rows are the teacher's."""
    dim = weights.shape[1]
    student = weights[:K]
    for _ in range(steps):
        x = rng.standard_normal(dim)
        fields = weights @ x / np.sqrt(dim)
        hidden = erf(fields / np.sqrt(2))
        error = hidden[:K].sum() - hidden[K:].sum()
        g = error * np.sqrt(2 / np.pi) * np.exp(-(fields[:K] ** 2) / 2)
        student -= (eta / np.sqrt(dim)) * g[:, None] * x
