"""What the theory says of finite N: how single runs spread around the ODE, and where their mean lies."""

from typing import Any

import equinox as eqx
import jax
import numpy as np

from .._errors import InputError
from ._observables import Observables


class Fluctuations(eqx.Module):
    """The first two terms beyond the ODE, for runs that all start from the same overlaps.

      quantity of one run = ODE + N^(-1/2) xi + shift / N,      Var(xi) = variance

    Errors and accuracies that are measured on n test samples have a further variance of test_variance / n.

    Fields, with the leading axis A of recorded alphas:
      covariance: (A, n, n) Sigma, N times the covariance of the entries `entry_names(problem)`.
      variance: N times the variance of every quantity.
      shift: N times the deviation of the mean of every quantity from the ODE.
      test_variance: the variance of one test sample's contribution to error and accuracy (0 for overlaps).
      variance_error, shift_error: the standard errors of variance and shift from sampled averages.
      smallest_dim: dimensions below this, the number of entries, are refused.

    Source: van Kampen's expansion in the system size; for committees Barber, Saad & Sollich 1996.
    """

    covariance: Any
    variance: Observables
    shift: Observables
    test_variance: Observables
    variance_error: Observables
    shift_error: Observables

    @property
    def smallest_dim(self) -> int:
        """The number of entries of a state: the expansion is one in 1/N, and below that it means nothing."""
        return int(np.shape(self.covariance)[-1])

    def spread(self, dim: int, test_samples: int | None = None) -> Observables:
        """Return the standard deviation of one run at N = `dim`, with errors measured on `test_samples` (None:
        exactly).

        Raises InputError for N below the number of overlaps.
        """
        self.check_dim(dim)
        tests = np.inf if test_samples is None else test_samples
        deviation: Observables = jax.tree.map(
            lambda x, one: np.sqrt(x / dim + one / tests), self.variance, self.test_variance
        )
        return deviation

    def mean_shift(self, dim: int) -> Observables:
        """Return the deviation of the mean over runs at N = `dim` from the ODE.

        Raises InputError for N below the number of overlaps.
        """
        self.check_dim(dim)
        shift: Observables = jax.tree.map(lambda x: x / dim, self.shift)
        return shift

    def check_dim(self, dim: int) -> None:
        """Raise InputError for N below the number of overlaps."""
        if isinstance(dim, bool) or not isinstance(dim, (int, np.integer)) or dim < self.smallest_dim:
            raise InputError(
                f"an integer dimension N >= {self.smallest_dim}, the number of overlaps (this is an expansion in 1/N)",
                repr(dim),
            )
