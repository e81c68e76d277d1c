"""A fixed point of the drift: where, how well, how stable, and what it is called."""

import dataclasses

import numpy as np

from teacher_student import Overlaps, Problem
from teacher_student.internal import PublicRecord

from ._field import Field, errors, linearised, state

ALIKE = 1e-6  # relative: two overlaps that differ by less are equal
SYMMETRIC, IDENTICAL = "symmetric", "symmetric, identical units"
MARGINAL = 1e-9  # in units of the learning rate: a real part below it counts as zero


@dataclasses.dataclass(frozen=True)
class FixedPoint(PublicRecord):
    """A state at which the drift vanishes, and the linearised drift there, d(delta)/dalpha = J delta.

    Fields:
      overlaps: the state.
      residual: the largest |d(entry)/dalpha|.
      eigenvalues: (n,) of J, in 1/alpha, by falling real part.
      direction: the (real part of the) right eigenvector of the first eigenvalue, as changes of Q, R and readout. Its
        norm is 1 over the entries Q_kl (k <= l), R_km and v_k.
      error: the generalisation error per level.
      name: "zero", "symmetric", "symmetric, identical units", "specialised" or "other".
      learning_rate: the larger of eta and eta_v, which is the scale of the drift.
    """

    overlaps: Overlaps
    residual: float
    eigenvalues: np.ndarray
    direction: Overlaps
    error: dict[str, float]
    name: str
    learning_rate: float

    @property
    def growth(self) -> float:
        """The largest real part of the eigenvalues.

        It counts also where the state lies on the boundary of the possible ones (learned perfectly, w_k = u_k). The
        drift keeps Gram matrices PSD, so that its fastest mode there is a change that overlaps can make (Krein & Rutman
        1948).
        """
        return float(self.eigenvalues[0].real)

    @property
    def stability(self) -> str:
        """The word "stable", "unstable", or "marginal" where the largest real part is zero to rounding."""
        if abs(self.growth) <= MARGINAL * self.learning_rate:
            return "marginal"
        return "stable" if self.growth < 0 else "unstable"

    def describe(self) -> str:
        """Describe the fixed point in one line: its name, errors, stability and largest eigenvalue."""
        error = ", ".join(f"{level} {max(value, 0.0):.4g}" for level, value in self.error.items())
        return (
            f"{self.name}: {self.stability}, largest eigenvalue {self.growth:.6g}, error {error}, "
            f"residual {self.residual:.1g}"
        )


def fixed_point_at(field: Field, x: np.ndarray) -> FixedPoint:
    """Return the fixed point with entries x (n,)."""
    slope, jacobian = linearised(field, x)
    eigenvalues, vectors = np.linalg.eig(jacobian)
    order = np.argsort(-eigenvalues.real, kind="stable")
    leading = vectors[:, order[0]]
    # An eigenvector is determined up to a complex phase, on which its real part depends. This phase is fixed.
    leading = leading * np.exp(-1j * np.angle(leading[np.argmax(np.abs(leading))]))  # its largest entry is real
    return FixedPoint(
        state(field, x),
        float(np.max(np.abs(slope))),
        eigenvalues[order].astype(complex),
        as_change(field, leading.real / np.linalg.norm(leading.real)),
        dict(zip(field.problem.inputs.level_names, errors(field, x).tolist(), strict=True)),
        name_of(field.problem, state(field, x)),
        field.rate,
    )


def as_change(field: Field, change: np.ndarray) -> Overlaps:
    """Return a change of the entries x (n,) as changes of Q, R and readout.

    T and what is fixed do not change.
    """
    at_rest = state(field, np.zeros(change.size))
    moved = state(field, change)
    return Overlaps(moved.Q - at_rest.Q, moved.R - at_rest.R, np.zeros_like(moved.T), moved.readout - at_rest.readout)


def name_of(problem: Problem, overlaps: Overlaps) -> str:
    """Return what the state is called, whatever the order and the signs of the hidden units.

    zero: no unit has a norm. symmetric: all units have the same norm, overlap with each other and with each unit of
    the teacher, in magnitude. symmetric, identical units: moreover that overlap is the norm, |Q_kl| = Q_kk, so that
    w_k = +-w_l. Where both exist, units that start identical stay so, and all others come apart and reach the point
    called symmetric. specialised: each unit of the narrower network has a nearest unit of its own in the wider
    one, or each unit of the wider one has a nearest one in the narrower, and none is left out. other: none of these.
    """
    Q, R, T = (np.asarray(x, float) for x in (overlaps.Q, overlaps.R, overlaps.T))
    norms, K = np.maximum(Q.diagonal(axis1=-2, axis2=-1), 0.0), problem.student.width  # rounding may leave -1e-18
    size = max(float(np.max(norms)), float(np.max(T)))
    if np.max(np.abs(Q)) <= ALIKE * size:
        return "zero"
    pairs = np.abs(Q)[:, ~np.eye(K, dtype=bool)]
    if K > 1 and max(float(np.ptp(numbers, axis=1).max()) for numbers in (norms, pairs, np.abs(R))) <= ALIKE * size:
        identical = float(np.max(np.abs(pairs - norms[:, :1]))) <= ALIKE * size
        return IDENTICAL if identical else SYMMETRIC
    lengths = np.sqrt(norms.sum(axis=0)[:, None] * T.sum(axis=0).diagonal())
    cosines = np.abs(R.sum(axis=0)) / np.where(lengths > ALIKE * size, lengths, np.inf)
    narrow = cosines if cosines.shape[0] <= cosines.shape[1] else cosines.T
    return "specialised" if _own_nearest(narrow) or _all_nearest(narrow.T) else "other"


def _own_nearest(cosines: np.ndarray) -> bool:
    """Return whether each row has a clear largest entry, in a column that no other row shares."""
    return _clear(cosines) and len(set(cosines.argmax(axis=1).tolist())) == cosines.shape[0]


def _all_nearest(cosines: np.ndarray) -> bool:
    """Return whether each row has a clear largest entry, and each column is that of at least one row."""
    return _clear(cosines) and len(set(cosines.argmax(axis=1).tolist())) == cosines.shape[1]


def _clear(cosines: np.ndarray) -> bool:
    ordered = np.sort(np.column_stack([np.zeros(cosines.shape[0]), cosines]), axis=1)
    return bool(np.all(ordered[:, -1] > ordered[:, -2] + ALIKE))
