"""Averages over Gaussian fields: units, covariances, quadrature, and the package's own forms of I3 and I4."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import erf

from ode.averages import I2, J2, slope, tilt

UNITS: dict[str, Callable[[Any], Any]] = {
    "erf": lambda x: erf(x / np.sqrt(2)),
    "sign": np.sign,
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
}


def covariance(seed: int, size: int = 4, rank: int | None = None) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(size, rank or size))
    return rows @ rows.T / (rank or size)


def quadrature(f: Callable[..., Any], C: np.ndarray, nodes: int = 60) -> float:
    """E f(z_1, ..., z_n), z ~ N(0, C), by Gauss-Hermite quadrature in every dimension of a symmetric root."""
    points, weights = hermegauss(nodes)
    values, vectors = np.linalg.eigh(C)
    root = vectors * np.sqrt(np.maximum(values, 0))
    grid = np.stack(np.meshgrid(*[points] * len(C), indexing="ij"), -1) @ root.T
    weight = np.prod(np.stack(np.meshgrid(*[weights / np.sqrt(2 * np.pi)] * len(C), indexing="ij")), axis=0)
    return float(np.sum(weight * f(*np.moveaxis(grid, -1, 0))))


def our_I3(C: jax.Array, unit: str = "erf") -> jax.Array:
    tilted = tilt(C, C[:, 0], 1 + C[0, 0])
    return slope("erf", C[0, 0]) * tilted[1, 2] * slope(unit, tilted[2, 2])


def our_I4(C: jax.Array, units: tuple[str, str] = ("erf", "erf")) -> jax.Array:
    once = tilt(C, C[:, 0], 1 + C[0, 0])
    twice = tilt(once, once[:, 1], 1 + once[1, 1])
    return J2(C[0, 0], C[0, 1], C[1, 1]) * I2(units, twice[2, 2], twice[2, 3], twice[3, 3])
