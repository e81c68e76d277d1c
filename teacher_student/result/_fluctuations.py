"""What the theory says of finite N: how single runs spread around the ODE, and where their mean lies."""

import dataclasses
import operator
from typing import Any, TypeVar

import jax
import numpy as np

from .._counts import as_count
from .._errors import InputError
from .._public_module import PublicModule
from ._joint_law import JointLaw, Responses
from ._observables import Observables

Part = TypeVar("Part", JointLaw, Responses)


class Fluctuations(PublicModule):
    """The first two terms beyond the ODE, for runs that start from the same overlaps, or from random ones of one law.

      quantity of one run = ODE + N^(-1/2) xi + shift / N,      Var(xi) = variance

    Errors and accuracies that are measured on n test samples have a further variance of test_variance / n.

    Fields, with the leading axis A of recorded alphas:
      covariance: (A, n, n) Sigma, N times the covariance of the entries `entry_names(problem)`.
      variance: N times the variance of every quantity.
      shift: N times the deviation of the mean of every quantity from the ODE.
      test_variance: the variance of one test sample's contribution to error and accuracy (0 for overlaps).
      variance_error, shift_error: the standard errors of variance and shift from sampled averages.
      laws, all_responses: the joint law of a run at all recorded alphas, and the derivatives of the trajectory in every
        number of the problem and its start, under each scrambling (leading axis S). `law` and `responses` are their
        means. None in files of versions before 0.8.
      scatter: (S, A, n + q) by how much each scrambling of sampled averages moves the ODE's entries, errors and
        accuracies from their mean.
      start_covariance: (n, n) N times the covariance of the entries at alpha = 0, of runs that each have a start of
        their own. None for runs that all start from the same overlaps.

    Source: van Kampen's expansion in the system size; for committees Barber, Saad & Sollich 1996.
    """

    covariance: Any
    variance: Observables
    shift: Observables
    test_variance: Observables
    variance_error: Observables
    shift_error: Observables
    laws: JointLaw | None = None
    all_responses: Responses | None = None
    scatter: Any | None = None
    start_covariance: Any | None = None

    def _words(self) -> str:
        A, n = np.shape(self.covariance)[-3:-1]
        text = f"Fluctuations(covariance of {n} entries at {A} alphas"
        if self.all_responses is not None:
            text += f", joint law, responses to {len(self.all_responses.names)} numbers"
        return text + ("" if self.start_covariance is None else ", random starts") + ")"

    @property
    def law(self) -> JointLaw | None:
        """The joint law of a run, the mean over scramblings."""
        return None if self.laws is None else _mean(self.laws)

    @property
    def responses(self) -> Responses | None:
        """The derivatives of the trajectory in every number, the means over scramblings."""
        return None if self.all_responses is None else _mean(self.all_responses)

    def joint_covariance(self) -> tuple[np.ndarray, np.ndarray]:
        """Return N times the covariance of all quantities between all alphas (A, n + q, A, n + q), and its error.

        The error is the standard error from sampled averages. It is NaN where there is one scrambling only. Test
        samples' noise is left out.
        """
        if self.laws is None:
            raise InputError("fluctuations with their joint law", "those of an older file", "call ode.fluctuations")
        each = np.stack([law.covariance() for law in one_by_one(self.laws)])
        if len(each) == 1:
            return each[0], np.full(each.shape[1:], np.nan)
        return each.mean(axis=0), each.std(axis=0, ddof=1) / np.sqrt(len(each))

    @property
    def smallest_dim(self) -> int:
        """The number of entries of a state. Smaller dimensions are refused, since the expansion is one in 1/N."""
        return int(np.shape(self.covariance)[-1])

    def at(self, index: np.ndarray) -> "Fluctuations":
        """Return the fluctuations at some of the recorded alphas. Arguments: index: their increasing positions."""
        alone = dataclasses.replace(self, laws=None, all_responses=None, scatter=None, start_covariance=None)
        chosen: Fluctuations = jax.tree.map(lambda x: np.take(x, index, 0), alone)
        if self.laws is None or self.all_responses is None:
            return dataclasses.replace(chosen, start_covariance=self.start_covariance)
        pairs = list(zip(one_by_one(self.laws), one_by_one(self.all_responses), strict=True))
        return dataclasses.replace(
            chosen,
            laws=stacked([law.at(index) for law, _ in pairs]),
            all_responses=stacked([responses.at(index, law) for law, responses in pairs]),
            scatter=None if self.scatter is None else np.take(self.scatter, index, 1),
            start_covariance=self.start_covariance,
        )

    def spread(self, dim: int, test_samples: int | None = None) -> Observables:
        """Return the standard deviation of one run at N = `dim`, with errors measured on `test_samples` (None:
        exactly).

        Raises InputError for N below the number of overlaps.
        """
        self.check_dim(dim)
        tests = np.inf if test_samples is None else as_count(test_samples, "test_samples")
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
        """Raise InputError for a dimension N = `dim` that is no integer, or below the number of overlaps."""
        if isinstance(dim, bool) or not isinstance(dim, (int, np.integer)) or dim < self.smallest_dim:
            raise InputError(
                f"an integer dimension N >= {self.smallest_dim}, the number of overlaps (this is an expansion in 1/N)",
                repr(dim),
            )


def one_by_one(parts: Part) -> list[Part]:
    """Return what stands along the leading axis, one by one."""
    count = len(jax.tree.leaves(parts)[0])
    return [jax.tree.map(operator.itemgetter(i), parts) for i in range(count)]


def stacked(parts: list[Part]) -> Part:
    """Return the parts along a new leading axis."""
    whole: Part = jax.tree.map(lambda *x: np.stack(x), *parts)
    return whole


def _mean(parts: Part) -> Part:
    mean: Part = jax.tree.map(lambda x: np.mean(x, axis=0), parts)
    return mean
