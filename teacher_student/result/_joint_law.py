"""How runs of finite N at one alpha are tied to the same runs at the next: the joint law of a whole trajectory."""

from typing import Any

import equinox as eqx
import numpy as np

from .._public_module import PublicModule
from .._usable_memory import ALWAYS_THERE, require_memory

COPIES = 3  # of the joint covariance, while it is made


class JointLaw(PublicModule):
    r"""The linearised law of a run along its trajectory, x = sqrt(N) (entries of the run - ODE - shift / N).

      x(alpha_i) = Phi_i x(alpha_i-1) + xi_i,      Cov(xi_i) = G_i, independent between the i,
      errors and accuracies = those of the ODE + H_i x(alpha_i) / sqrt(N) + test samples' noise.

    So the covariance between alphas is Cov(x(a), x(b)) = Sigma(a) Phi(b, a)^T for a < b.

    Fields, with the leading axis A of recorded alphas, n entries and q measured errors and accuracies:
      propagator: (A, n, n) Phi_i = d x(alpha_i) / d x(alpha_i-1). The first one is from the start.
      innovation: (A, n, n) G_i. The first one is Sigma at the first alpha.
      slope: (A, q, n) H_i, of the errors of all levels and then of the accuracies.
      test_covariance: (A, q, q) of what one test sample adds to them. All levels see the same test inputs.

    Source: van Kampen's expansion in the system size; the regression theorem of linear noise.
    """

    propagator: Any
    innovation: Any
    slope: Any
    test_covariance: Any

    def covariance(self) -> np.ndarray:
        """Return N times the covariance of all quantities between all alphas, (A, n + q, A, n + q).

        The first n are the entries, as `entry_names` orders them; test samples' noise is left out.

        Raises InputError if it does not fit into memory.
        """
        A, q, n = np.shape(self.slope)
        need = COPIES * 8 * (A * (n + q)) ** 2
        if need > ALWAYS_THERE:
            require_memory(need, f"the covariance of {n + q:,} quantities at {A:,} alphas", "take fewer: `at(alphas)`")
        entries = np.zeros((A, n, A, n))
        for i in range(A):
            Phi = np.asarray(self.propagator[i])
            if i:
                entries[i, :, :i] = np.tensordot(Phi, entries[i - 1, :, :i], (1, 0))
                entries[:i, :, i] = np.moveaxis(entries[i, :, :i], 0, -1)
                entries[i, :, i] = Phi @ entries[i - 1, :, i - 1] @ Phi.T
            entries[i, :, i] += self.innovation[i]
        observed = np.concatenate([np.broadcast_to(np.eye(n), (A, n, n)), self.slope], axis=1)
        covariance: np.ndarray = np.einsum("imk,ikjl,jnl->imjn", observed, entries, observed, optimize=True)
        return covariance

    def at(self, index: np.ndarray) -> "JointLaw":
        """Return the law at some of the recorded alphas. Arguments: index: their increasing positions."""
        propagator, innovation, _ = joined(self.propagator, self.innovation, None, index)
        return JointLaw(propagator, innovation, np.take(self.slope, index, 0), np.take(self.test_covariance, index, 0))


class Responses(PublicModule):
    """The derivative of the ODE's trajectory in every number of the problem and its start.

    Fields, with the leading axis A of recorded alphas and P numbers:
      names, values: (P,) of the numbers, as in `Directions`.
      increment: (A, n, P) the derivative of the entries that has come since the last recorded alpha, so that the whole
        one is S_i = Phi_i S_i-1 + increment_i.
      observed: (A, q, P) the derivative of errors and accuracies at given overlaps.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    values: Any
    increment: Any
    observed: Any

    def entries(self, law: JointLaw) -> np.ndarray:
        """Return the derivative S (A, n, P) of the entries. Arguments: law: the joint law at the same alphas."""
        whole = [np.asarray(self.increment[0])]
        for Phi, increment in zip(law.propagator[1:], self.increment[1:], strict=True):
            whole.append(Phi @ whole[-1] + increment)
        return np.stack(whole)

    def quantities(self, law: JointLaw) -> np.ndarray:
        """Return the derivative (A, n + q, P) of entries, errors and accuracies.

        Arguments: law: the joint law at the same alphas.
        """
        S = self.entries(law)
        return np.concatenate([S, np.asarray(law.slope) @ S + self.observed], axis=1)

    def at(self, index: np.ndarray, law: JointLaw) -> "Responses":
        """Return the responses at some of the recorded alphas.

        Arguments: index: their increasing positions. law: the joint law at all of the alphas.
        """
        _, _, increment = joined(law.propagator, law.innovation, self.increment, index)
        return Responses(self.names, self.values, increment, np.take(self.observed, index, 0))


def joined(
    propagator: Any, innovation: Any, increment: Any | None, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return propagators, innovations and increments of longer stretches, each of which ends with a piece in `ends`.

    Arguments: propagator, innovation: (pieces, n, n); increment: (pieces, n, P) or None, for none of them.
    """
    n = np.shape(propagator)[-1]
    increment = np.zeros((len(propagator), n, 0)) if increment is None else increment
    stretches = []
    for first, last in zip((-1, *ends[:-1]), ends, strict=True):
        Phi, G, U = np.eye(n), np.zeros((n, n)), np.zeros(np.shape(increment)[1:])
        for i in range(first + 1, last + 1):
            step = np.asarray(propagator[i])
            Phi, G, U = step @ Phi, step @ G @ step.T + innovation[i], step @ U + increment[i]
        stretches.append((Phi, G, U))
    return tuple(np.stack(parts) for parts in zip(*stretches, strict=True))  # type: ignore[return-value]
