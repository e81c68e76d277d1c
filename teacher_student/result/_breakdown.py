"""Where the expansion in 1/N ends: from which alpha on its terms say what overlaps cannot do."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from .._public_record import PublicRecord
from ._observables import Observables, quantities

if TYPE_CHECKING:
    from ._trajectory import Trajectory

# To what covariance and shift are integrated at least (ode.fluctuations): of what an entry has been, and absolutely.
# Without it, the integration's error of an entry that decays to 0 would be taken for its fluctuation.
RELATIVE, ABSOLUTE = 1e-3, 1e-5


@dataclasses.dataclass(frozen=True)
class Breakdown(PublicRecord):
    """The first recorded alpha at which the expansion in 1/N does not hold, and the overlap that shows it.

    Fields:
      holds_to: the last recorded alpha before, up to which it holds. None: there is none.
      alpha: the first one at which it does not hold. dim: the dimension N.
      name: of the overlap, such as "R[1,1]". part: "spread" or "mean shift", which is too large.
      size: of that part. limit: what it exceeds, and limited_by: in words, "what Q and T allow" or "its spread".
    """

    holds_to: float | None
    alpha: float
    dim: int
    name: str
    part: str
    size: float
    limit: float
    limited_by: str

    @property
    def text(self) -> str:
        """What breaks the expansion, in words."""
        return (
            f"the predicted {self.part} of {self.name} at alpha {self.alpha:g} ({self.size:.3g} at N = {self.dim}) "
            f"exceeds {self.limited_by} ({self.limit:.3g}): the expansion in 1/N does not hold"
        )

    @property
    def since(self) -> str:
        """From where on it does not hold, in words, with the reason."""
        where = "at any recorded alpha" if self.holds_to is None else f"beyond alpha = {self.holds_to:g}"
        return f"{where}: {self.text}"


def breakdown(theory: "Trajectory", dim: int) -> Breakdown | None:
    """Return where the expansion of a theory ends at N = `dim`. See `Trajectory.breakdown`."""
    fluctuations = theory.fluctuations
    if fluctuations is None:
        return None
    fluctuations.check_dim(dim)
    variance, its_error = (_columns(x, theory) for x in (fluctuations.variance, fluctuations.variance_error))
    shift, error = (_columns(x, theory) for x in (fluctuations.shift, fluctuations.shift_error))
    shift, bound = np.abs(shift), _columns(_largest_possible(theory.observables), theory)
    # What is less than the errors of integration and of sampled averages shows nothing.
    variance_error, shift_error = (
        np.nan_to_num(its_error) + _resolved(variance),
        np.nan_to_num(error) + _resolved(shift),
    )
    spread = np.sqrt(variance / dim)
    excesses = (
        ("spread", spread, bound, "what Q and T allow", variance - variance_error > dim * bound**2),
        ("mean shift", shift / dim, bound, "what Q and T allow", shift - shift_error > dim * bound),
        # What does not fluctuate may well be displaced: a weight decay takes steps of 1/N.
        (
            "mean shift",
            shift / dim,
            spread,
            "its spread",
            (variance > variance_error) & (shift - shift_error > np.sqrt(dim * (variance + variance_error))),
        ),
    )
    first = min((int(np.argmax(np.any(failed, axis=0))) for *_, failed in excesses if np.any(failed)), default=None)
    if first is None:
        return None
    part, sizes, limits, limited_by, failed = next(row for row in excesses if np.any(row[-1][:, first]))
    ratio = np.where(failed[:, first], sizes[:, first] / np.maximum(limits[:, first], 1e-150), 0.0)
    worst, alphas = int(np.argmax(ratio)), np.asarray(theory.alphas)
    return Breakdown(
        holds_to=float(alphas[first - 1]) if first and alphas[first - 1] > 0 else None,
        alpha=float(alphas[first]),
        dim=int(dim),
        name=_names(theory)[worst],
        part=part,
        size=float(sizes[worst, first]),
        limit=float(limits[worst, first]),
        limited_by=limited_by,
    )


def _overlaps_only(observables: Observables) -> Observables:
    return Observables(observables.overlaps, {}, {})


def _columns(observables: Observables, theory: "Trajectory") -> np.ndarray:
    """Return Q, R and readout (n, A), each distinct entry once."""
    recorded = quantities(_overlaps_only(observables), theory.problem)
    return np.stack([np.asarray(one.values, float) for one in recorded])


def _names(theory: "Trajectory") -> list[str]:
    return [one.name for one in quantities(_overlaps_only(theory.observables), theory.problem)]


def _largest_possible(observables: Observables) -> Observables:
    """Return the bounds of Cauchy and Schwarz: sqrt(Q_kk Q_ll) of Q, sqrt(Q_kk T_mm) of R; a readout has none."""
    overlaps = observables.overlaps
    norms = [np.sqrt(np.maximum(np.diagonal(x, axis1=-2, axis2=-1), 0.0)) for x in (overlaps.Q, overlaps.T)]
    student, teacher = norms[0], np.broadcast_to(norms[1], (*norms[0].shape[:-1], norms[1].shape[-1]))
    bounds = dataclasses.replace(
        overlaps,
        Q=student[..., :, None] * student[..., None, :],
        R=student[..., :, None] * teacher[..., None, :],
        readout=np.full(np.shape(overlaps.readout), np.inf),
    )
    return Observables(bounds, {}, {})


def _resolved(values: np.ndarray) -> np.ndarray:
    """Return the error of integration of entries (n, A): it comes from what each of them has been until then."""
    return np.asarray(RELATIVE * np.maximum.accumulate(values, axis=-1) + ABSOLUTE)
