"""The state of an expansion as one vector, as an integrator takes it: what stands where, and how exact each part is."""

from typing import Any, NamedTuple

import numpy as np

from teacher_student import Overlaps

from ._compiled import pack, unpack
from ._expansion import Expansion
from ._host_steps import StepTolerances
from ._method import Tolerances


class ExpansionSizes(NamedTuple):
    """How many numbers each part of a packed expansion takes: of n entries, and C columns of responses."""

    shape: tuple[int, int, int]
    overlaps: int
    n: int
    columns: int

    @staticmethod
    def of(shape: tuple[int, int, int], columns: int) -> "ExpansionSizes":
        """Return the sizes for a problem of this shape, (B, K, M), and C columns."""
        B, K, M = shape
        return ExpansionSizes(shape, B * (K * K + K * M + M * M) + K, B * K * (K + 1) // 2 + B * K * M + K, columns)

    @property
    def each(self) -> tuple[int, ...]:
        """The sizes of overlaps, Sigma, m1, Phi, G and U."""
        n = self.n
        return self.overlaps, n * n, n, n * n, n * n, n * self.columns

    def parts(self, y: Any) -> tuple[Any, ...]:
        """Return the parts of a packed state: packed overlaps, Sigma, m1, Phi, G and U."""
        n = self.n
        edges = np.cumsum(self.each)[:-1]
        overlaps, Sigma, shift, Phi, G, U = (y[a:b] for a, b in zip((0, *edges), (*edges, None), strict=True))
        return overlaps, Sigma.reshape(n, n), shift, Phi.reshape(n, n), G.reshape(n, n), U.reshape(n, self.columns)

    def packed(self, start: Overlaps, covariance: np.ndarray) -> np.ndarray:
        """Return the packed expansion of runs whose starts have this mean and N times this covariance (n, n)."""
        parts = [pack(start), covariance.ravel()]
        return self.anew(np.concatenate([*parts, np.zeros(sum(self.each[2:]))]))

    def anew(self, y: np.ndarray) -> np.ndarray:
        """Return a packed state from which a new piece begins: Phi = 1, G = 0 and U = 0."""
        kept = sum(self.each[:3])
        rest = [np.eye(self.n).ravel(), np.zeros(sum(self.each[4:]))]
        return np.concatenate([y[:kept], *rest])


def packed_entries(packed: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Return the entries (n,) of packed overlaps."""
    state = unpack(packed, shape)
    first, second = np.triu_indices(shape[1])
    return np.concatenate([state.Q[:, first, second].ravel(), state.R.ravel(), state.readout])


def step_tolerances(tolerances: Tolerances, sizes: tuple[int, ...]) -> StepTolerances:
    """Return tolerances under which the root mean square of each part alone is kept below 1.

    SciPy takes the mean over all entries, in which the covariance's many would dilute the overlaps' error: a part with
    a share p of all entries gets sqrt(p) of the tolerance.
    """
    share = np.repeat(np.sqrt(np.array(sizes) / np.sum(sizes)), sizes)
    return StepTolerances(tolerances.rtol * share, tolerances.atol * share)


def unpacked_expansion(y: Any, sizes: ExpansionSizes) -> Expansion:
    """Return the expansion that a packed state holds."""
    overlaps, *rest = sizes.parts(y)
    return Expansion(unpack(overlaps, sizes.shape), *rest)
