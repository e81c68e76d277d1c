"""The symmetric trajectory, the asymmetry that grows along it, and the way out of its fixed point."""

import dataclasses
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from teacher_student import InputError

from ._field import Field, errors, linearised, value
from ._fixed_point import ALIKE, MARGINAL
from ._guesses import relaxed
from ._search import find_root
from ._symmetry import projector

REST = 2000.0  # alpha, in units of 1 / learning rate, from which Newton's method goes on to the symmetric fixed point
SMALL = 1e-4  # amplitude, relative to the fixed point's norm, at which the way out begins
LARGE = 0.1  # ... and at which the direction of the asymmetry is read
PATIENCE = 10.0  # e-foldings beyond those that an amplitude needs at the final rate, after which it never grows
TOLERANCES: dict[str, Any] = {"method": "DOP853", "rtol": 1e-8, "atol": 1e-11}


@dataclasses.dataclass(frozen=True)
class Rest:
    """The symmetric fixed point.

    Fields:
      x: (n,) entries.
      unstable: (n, n) the projector on the unstable eigenvectors.
      growth: the largest rate.
    """

    x: np.ndarray
    unstable: np.ndarray
    growth: float


@dataclasses.dataclass(frozen=True)
class Tangent:
    """S(alpha) and log a(alpha) from 0 to `end`.

    `reached` says whether a got to where it should.
    """

    solution: Any  # of (S, delta / |delta(0)|)
    unstable: np.ndarray
    log_norm: float
    end: float
    reached: bool

    def symmetric(self, alpha: Any) -> np.ndarray:
        """Return S (n,), or (n, A)."""
        S: np.ndarray = self.solution(alpha)[: self.unstable.shape[0]]
        return S

    def growing(self, alpha: Any) -> np.ndarray:
        """Return Pi delta / |delta(0)| (n,), or (n, A)."""
        amplitudes: np.ndarray = self.unstable @ self.solution(alpha)[self.unstable.shape[0] :]
        return amplitudes

    def log_amplitude(self, alpha: Any) -> np.ndarray:
        """Return log a, () or (A,)."""
        with np.errstate(divide="ignore"):
            logarithm: np.ndarray = np.log(np.linalg.norm(self.growing(alpha), axis=0)) + self.log_norm
            return logarithm


def rest_from(field: Field, x: np.ndarray) -> Rest:
    """Return the fixed point to which the symmetric trajectory from x (n,) leads. Raises InputError."""
    P = projector(field)
    arguments: dict[str, Any] = {"method": "LSODA", "jac": lambda _, s: P @ linearised(field, s)[1], "rtol": 1e-6}
    path = solve_ivp(lambda _, s: P @ value(field, s), (0.0, REST / field.rate), P @ x, **arguments)
    rest, residual, reason = find_root(field, relaxed(field, path.y[:, -1], P), 1e-10)
    moved = np.linalg.norm(rest - P @ rest)
    if reason or moved > ALIKE * (1 + np.linalg.norm(rest)):
        why = reason or "the root is not symmetric"
        raise InputError("a symmetric trajectory that leads to a fixed point", f"a residual of {residual:.3g} ({why})")
    eigenvalues, vectors = np.linalg.eig(linearised(field, rest)[1])
    growing = eigenvalues.real > MARGINAL * field.rate
    if not growing.any():
        largest = f"a largest eigenvalue of {eigenvalues.real.max():.3g}"
        raise InputError("an unstable symmetric fixed point: a plateau that ends", largest)
    unstable = (vectors[:, growing] @ np.linalg.inv(vectors)[growing]).real
    return Rest(rest, unstable, float(eigenvalues.real.max()))


def tangent(field: Field, x: np.ndarray, rest: Rest, log_amplitude: float) -> Tangent:
    """Integrate S and delta from the start x (n,) until log a is reached, or for as long as it should take and more."""
    P, n = projector(field), x.size
    delta = x - P @ x
    norm = float(np.linalg.norm(delta))
    # A symmetric start differs from its symmetric part by rounding alone, which is not an asymmetry that grows.
    lost = norm <= 1e-14 * np.linalg.norm(x)  # nothing but rounding
    log_norm = -np.inf if lost else np.log(norm)
    target = log_amplitude - log_norm

    def slope(_: float, y: np.ndarray) -> np.ndarray:
        f, jacobian = linearised(field, y[:n])
        return np.concatenate([P @ f, jacobian @ y[n:]])

    def distance(_: float, y: np.ndarray) -> float:
        # An event needs finite numbers: an asymmetry that has no part in the unstable directions would give log 0.
        return float(np.log(np.linalg.norm(rest.unstable @ y[n:]) + 1e-300) - target)

    distance.terminal, distance.direction = True, 1.0  # type: ignore[attr-defined]
    horizon = REST / field.rate if lost else 1.5 * (max(target, 0.0) + PATIENCE) / rest.growth
    begin = np.concatenate([P @ x, np.zeros(n) if lost else delta / norm])
    events = None if lost else distance
    solution = solve_ivp(slope, (0.0, horizon), begin, events=events, dense_output=True, **TOLERANCES)
    return Tangent(solution.sol, rest.unstable, log_norm, float(solution.t[-1]), solution.status == 1)


def way_out(field: Field, rest: Rest, direction: np.ndarray, share: float, level: int) -> float:
    """Return log a*, at which the error falls to `share` of that at rest, starting near rest in `direction`.

    Raises InputError where the error does not fall that far.
    """
    size = SMALL * float(np.linalg.norm(rest.x))
    goal = share * errors(field, rest.x)[level]

    def above(_: float, x: np.ndarray) -> float:
        return float(errors(field, x)[level] - goal)

    above.terminal, above.direction = True, -1.0  # type: ignore[attr-defined]
    horizon = 5 * (PATIENCE - np.log(SMALL)) / rest.growth
    begin = rest.x + size * direction
    solution = solve_ivp(lambda _, x: value(field, x), (0.0, horizon), begin, events=above, **TOLERANCES)
    if solution.status != 1:
        left = errors(field, solution.y[:, -1])[level] / errors(field, rest.x)[level]
        raise InputError(f"an error that falls to {share:g} of the plateau's", f"{left:.3g} in the end", "raise share")
    return float(np.log(size) + rest.growth * solution.t[-1])
