r"""Deviations of the mean over runs in independent units: what theory says that they fluctuate by, along a trajectory.

With r = sqrt(N R) (mean over R runs - ODE - shift / N), the joint law of a run (`ts.JointLaw`) says that
  e_i = r_i - Phi_i r_i-1   of the entries   has covariance G_i,                 independent between alphas,
  t_i = r_i - H_i r_i[entries]   of errors   has covariance N W_i / n_test,      independent of everything else.
Each of these is divided by a root of its covariance. So no covariance between alphas is ever inverted, and directions
in which nothing fluctuates are found one alpha at a time.
"""

import dataclasses

import numpy as np

from teacher_student import JointLaw, Responses

RANK = 1e-4  # of a correlation matrix: an eigenvalue below is one of an integration's error, and its direction is fixed


@dataclasses.dataclass(frozen=True)
class Whitening:
    """The linear map from deviations (A, n + q) to independent standard normal numbers (w,), and back.

    Fields:
      law: the joint law at the compared alphas. unit: (A, n + q) what deviations are divided by first, sqrt(1 / (N R)).
      entries, tests: per alpha, the root and the inverse root of the covariance of e_i, and of that of t_i.
    """

    law: JointLaw
    unit: float
    entries: "tuple[Root, ...]"
    tests: "tuple[Root, ...]"

    @staticmethod
    def of(law: JointLaw, dim: int, runs: int, test_samples: int | None) -> "Whitening":
        """Return the whitening of means over `runs` runs at N = `dim`, with errors measured on `test_samples`."""
        tests = 0.0 if test_samples is None else dim / test_samples
        return Whitening(
            law,
            float(np.sqrt(dim * runs)),
            tuple(Root.of(G) for G in np.asarray(law.innovation)),
            tuple(Root.of(W * tests) for W in np.asarray(law.test_covariance)),
        )

    @property
    def size(self) -> int:
        """The number w of independent directions in which the means fluctuate."""
        return sum(root.rank for root in (*self.entries, *self.tests))

    def whitened(self, deviations: np.ndarray) -> np.ndarray:
        """Return deviations (A, n + q, ...) of the means in independent units, (w, ...)."""
        r, n = self.unit * deviations, self.law.innovation.shape[-1]
        parts, before = [], np.zeros(r[0, :n].shape)
        for i, (entries, tests) in enumerate(zip(self.entries, self.tests, strict=True)):
            here, observed = r[i, :n], r[i, n:]
            # The first innovation is the whole covariance of the first alpha, from whatever start.
            parts.append(entries.inverse @ (here - self.law.propagator[i] @ before if i else here))
            parts.append(tests.inverse @ (observed - self.law.slope[i] @ here))
            before = here
        return np.concatenate(parts)

    def responses(self, responses: Responses) -> np.ndarray:
        """Return the whitened derivative (w, P) of the means in every number."""
        parts = []
        for entries, tests, increment, observed in zip(
            self.entries, self.tests, responses.increment, responses.observed, strict=True
        ):
            # What a whitening takes off is what these have been left without.
            parts += [entries.inverse @ increment, tests.inverse @ observed]
        return self.unit * np.concatenate(parts)

    def deviations(self) -> np.ndarray:
        """Return the deviations (A, n + q, w) of the means that each independent direction makes, by one unit of it."""
        n, size = self.law.innovation.shape[-1], self.size
        made, before, column = [], np.zeros((n, size)), 0
        for i, (entries, tests) in enumerate(zip(self.entries, self.tests, strict=True)):
            here = self.law.propagator[i] @ before if i else np.zeros((n, size))
            here[:, column : column + entries.rank] += entries.root
            column += entries.rank
            observed = self.law.slope[i] @ here
            observed[:, column : column + tests.rank] += tests.root
            column += tests.rank
            made.append(np.concatenate([here, observed]))
            before = here
        return np.stack(made) / self.unit


@dataclasses.dataclass(frozen=True)
class Root:
    """A root (n, rank) of a covariance, root root^T, and its inverse (rank, n), inverse root = 1."""

    root: np.ndarray
    inverse: np.ndarray

    @property
    def rank(self) -> int:
        """In how many directions there is a variance."""
        return int(self.root.shape[1])

    @staticmethod
    def of(covariance: np.ndarray) -> "Root":
        """Return the root of a covariance (n, n), whose rank is found in the units of each row's own deviation."""
        deviation = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
        # Of an entry that does not fluctuate, as a readout that is not trained, only a rounding would be scaled up.
        moving = deviation > 1e-12 * max(1.0, float(np.max(deviation, initial=0.0)))
        scale = np.where(moving, deviation, 1.0)
        correlation = np.where(np.outer(moving, moving), covariance / np.outer(scale, scale), 0.0)
        values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
        kept = values > RANK * max(float(values[-1]), RANK) if values.size else np.zeros(0, bool)
        roots, axes = np.sqrt(values[kept]), vectors[:, kept]
        return Root(scale[:, None] * axes * roots, (axes / roots).T / scale)
