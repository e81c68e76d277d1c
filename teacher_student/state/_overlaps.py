"""The state of the theory: order parameters per block, and the readout."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._errors import InputError
from .._numbers import as_numbers, check_finite
from .._public_module import PublicModule
from .._shapes import Numbers
from ._pruning import units_that_stay

LARGEST_VIOLATION = 1e-8  # of symmetry and positivity that a start may have, relative to its largest entry


class Overlaps(PublicModule):
    """The state of the theory: the overlaps of weights per block b, and the readout.

      Q^b_kl = w_k^b . w_l^b / N,      R^b_km = w_k^b . u_m^b / N,      T^b_mn = u_m^b . u_n^b / N

    Arguments:
      Q: (..., B, K, K) overlaps of the student's units.
      R: (..., B, K, M) overlaps of the student's units with the latent directions.
      T: (..., B, M, M) overlaps of the latent directions.
      readout: (..., K) weights v_k. One number is used for every unit.
    The leading axes are runs, recorded alphas, or none. A single block may be given without its axis B.

    Raises InputError for shapes that do not fit each other, and for what is no number.
    Source: Saad & Solla 1995, section II, with one Gram matrix per block.
    """

    Q: Float[Numbers, "*batch B K K"]
    R: Float[Numbers, "*batch B K M"]
    T: Float[Numbers, "*batch B M M"]
    readout: Float[Numbers, "*#batch K"]  # one for all, or one each

    def __init__(self, Q: Any, R: Any, T: Any, readout: Any = 1.0):
        self.Q, self.R, self.T = (_with_block_axis(as_numbers(x, name)) for x, name in ((Q, "Q"), (R, "R"), (T, "T")))
        shapes = {name: np.shape(x)[-2:] for name, x in (("Q", self.Q), ("R", self.R), ("T", self.T))}
        K, M = (shapes["R"] + (0, 0))[:2]
        if shapes != {"Q": (K, K), "R": (K, M), "T": (M, M)}:
            raise InputError("Q (..., K, K), R (..., K, M) and T (..., M, M)", f"last axes {shapes}")
        readout = as_numbers(readout, "readout")
        self.readout = readout if np.ndim(readout) else readout * np.ones(np.shape(self.Q)[-1])

    @property
    def gram(self) -> Float[Numbers, "*batch B J J"]:
        """The Gram matrices of all weights, student's units first, (..., B, K + M, K + M).

          Omega^b = [[Q^b, R^b], [(R^b)^T, T^b]]

        Block fields of variance Delta_b have the covariance Delta_b Omega^b. It is symmetric and positive semidefinite
        for every state that weights can have.
        """
        parts = (self.Q, self.R, self.T)
        xp = np if all(isinstance(x, np.ndarray) for x in parts) else jnp  # NumPy stays float64 at any JAX setting
        return _gram(xp, *(xp.asarray(x) for x in parts))

    def prune(self, units: Any) -> "Overlaps":
        """Return the overlaps of the student that is left when only `units` stay, in that order.

        Q^b_kl, R^b_km and v_k keep the entries of k and l in `units`, and T is unchanged. Leading axes stay: the same
        units are kept for all of them.

        Arguments:
          units: (n,) distinct indices of hidden units.

        Raises InputError for no units, for repeated ones, and for units that the student does not have.
        """
        kept = units_that_stay(units, np.shape(self.readout)[-1])
        return Overlaps(self.Q[..., kept, :][..., kept], self.R[..., kept, :], self.T, self.readout[..., kept])


def _gram(
    xp: Any, Q: Float[Numbers, "*batch B K K"], R: Float[Numbers, "*batch B K M"], T: Float[Numbers, "*batch B M M"]
) -> Float[Numbers, "*batch B K+M K+M"]:
    top = xp.concatenate([Q, R], axis=-1)
    gram: Numbers = xp.concatenate([top, xp.concatenate([R.swapaxes(-1, -2), T], axis=-1)], axis=-2)
    return gram


def _with_block_axis(x: Any) -> Any:
    return x[None] if np.ndim(x) == 2 else x


def check_shapes(overlaps: Overlaps, shape: tuple[int, int, int], subject: str = "start overlaps") -> None:
    """Raise InputError unless known `overlaps` have shape (B, K, M) and are finite."""
    B, K, M = shape
    for name, expected in (("Q", (B, K, K)), ("R", (B, K, M)), ("T", (B, M, M)), ("readout", (K,))):
        actual = np.shape(getattr(overlaps, name))
        if actual[-len(expected) :] != expected:
            raise InputError(f"{subject} {name} of shape {expected} = per block, student, teacher", actual)
        check_finite(getattr(overlaps, name), f"{subject} {name}")


def psd_violation(overlaps: Overlaps) -> float:
    """Return how far a state's Gram matrices are from symmetric and positive semidefinite.

    The result is in units of the largest entry, and 0 where they are both. Of several states it is the largest
    violation.

    Arguments:
      overlaps: known ones, with any leading axes.
    """
    known = (np.asarray(x, np.float64) for x in (overlaps.Q, overlaps.R, overlaps.T))  # not staged, even inside jit
    gram = _gram(np, *known)
    # A state of zeros has no violation: without the floor it would be 0 / 0.
    size = np.maximum(np.max(np.abs(gram), axis=(-3, -2, -1), initial=0.0), 1e-300)
    gram = gram / size[..., None, None, None]  # first of all: entries of 1e308 would overflow in a sum
    turned = gram.swapaxes(-1, -2)
    asymmetry = np.max(np.abs(gram - turned), axis=(-3, -2, -1), initial=0.0)
    # `eigvalsh` reads one triangle only, so that an asymmetry in the other one would go unseen without the mean.
    lowest = np.min(np.linalg.eigvalsh((gram + turned) / 2), axis=(-2, -1), initial=0.0)
    return float(np.max(np.maximum(asymmetry, -lowest)))
