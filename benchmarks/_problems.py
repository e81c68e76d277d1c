"""The problem that is measured: erf committees, one block of unit variance, orthonormal teachers, all readouts 1."""

from typing import Any

import numpy as np

import teacher_student as ts

DURATION = 1e6  # of the curriculum, samples / N: more than any row integrates


def committee(K: int, M: int, eta: Any) -> ts.Problem:
    """K student and M teacher units, learning rate eta."""
    inputs = ts.Inputs({"all": 1.0})
    return ts.Problem(ts.Committee(inputs, M), ts.Student(K), ts.SGD(eta), ts.Curriculum.single("all", DURATION))


def generic_state(K: int, M: int, seed: int = 0) -> ts.Overlaps:
    """Overlaps of no symmetry, of K + M random vectors; students' norms near 0.5."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(K + M, 2 * (K + M)))
    rows[:K] *= 0.7
    gram = rows @ rows.T / rows.shape[1]
    gram[K:, K:] = np.eye(M)
    gram[:K, K:] = gram[K:, :K].T
    gram[:K, :K] += gram[:K, K:] @ gram[K:, :K]  # what the teachers' overlaps need to be possible
    return ts.Overlaps(gram[:K, :K], gram[:K, K:], gram[K:, K:])


def start(problem: ts.Problem, key: Any = 0, dim: int = 1000) -> ts.Overlaps:
    """Random weights at N = `dim` before orthonormal teachers; an array of keys gives as many starts."""
    return ts.random_overlaps(problem, dim, key, teacher="orthonormal")


def one_block(state: ts.Overlaps) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Q, R and T without the axis of blocks, as plain float64 arrays."""
    Q, R, T = (np.asarray(x, float)[..., 0, :, :] for x in (state.Q, state.R, state.T))
    return Q, R, T


def gram_of(state: ts.Overlaps) -> np.ndarray:
    """[[Q, R], [R^T, T]] (J, J)."""
    Q, R, T = one_block(state)
    return np.block([[Q, R], [R.T, T]])
