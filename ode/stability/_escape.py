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
PATIENCE = 10.0  # e-foldings beyond those that an amplitude needs at the final rate, after which it is given up
TRANSIENT = 100.0  # alpha, in units of 1 / learning rate, over which what does not grow dies out
ROUNDING = 1e-13  # relative: a weight, or a sum of terms that cancel, below it is zero but for rounding
FAR = 1e12  # an overlap beyond it has diverged
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
class Asymmetry:
    """The part of a start's asymmetry that the unstable directions feel.

    Fields:
      delta: (n,) entries, 0 where an entry never feeds an unstable direction.
      log_size: log |Pi delta(TRANSIENT)|, or -inf where nothing grows.
    """

    delta: np.ndarray
    log_size: float


@dataclasses.dataclass(frozen=True)
class Tangent:
    """S(alpha) and log a(alpha) from 0 to `end`, where a has got to where it should."""

    solution: Any  # of (S, delta / |delta|, log |delta|)
    unstable: np.ndarray
    end: float

    def symmetric(self, alpha: Any) -> np.ndarray:
        """Return S (n,), or (n, A)."""
        S: np.ndarray = self.solution(alpha)[: self.unstable.shape[0]]
        return S

    def growing(self, alpha: Any) -> np.ndarray:
        """Return Pi delta / |delta| (n,), or (n, A)."""
        amplitudes: np.ndarray = self.unstable @ self.solution(alpha)[self.unstable.shape[0] : -1]
        return amplitudes

    def log_amplitude(self, alpha: Any) -> np.ndarray:
        """Return log a, () or (A,)."""
        with np.errstate(divide="ignore"):
            logarithm: np.ndarray = np.log(np.linalg.norm(self.growing(alpha), axis=0)) + self.solution(alpha)[-1]
            return logarithm


def rest_from(field: Field, x: np.ndarray) -> Rest:
    """Return the fixed point to which the symmetric trajectory from x (n,) leads. Raises InputError."""
    P = projector(field)
    arguments: dict[str, Any] = {"method": "LSODA", "jac": lambda _, s: P @ linearised(field, s)[1], "rtol": 1e-6}

    def slope(_: float, s: np.ndarray) -> np.ndarray:
        change = P @ value(field, s) if np.max(np.abs(s)) < FAR else np.full(s.size, np.nan)
        if not np.all(np.isfinite(change)):  # LSODA would shorten its steps for ever
            raise InputError("a symmetric trajectory that leads to a fixed point", "one that diverges")
        return change

    with np.errstate(all="ignore"):
        path = solve_ivp(slope, (0.0, REST / field.rate), P @ x, **arguments)
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


def asymmetry(field: Field, x: np.ndarray, rest: Rest) -> Asymmetry:
    """Return the part of the asymmetry of the start x (n,) that feeds the unstable directions.

    The entries Q_kk of random starts differ much, and those differences die out; those of R are as small as 1e-12, and
    they grow. So no size is compared with |delta|. An entry counts if its weight in Pi delta(TRANSIENT) exceeds
    ROUNDING times the largest one, and the sum counts if it exceeds ROUNDING times the sum of its terms' magnitudes.
    """
    P = projector(field)
    delta = x - P @ x
    # The mean of equal numbers differs from them by rounding alone.
    delta[np.abs(delta) <= x.size * np.finfo(float).eps * (P @ np.abs(x))] = 0.0
    if not delta.any():
        return Asymmetry(delta, -np.inf)
    weights = _weights(field, P @ x, P, rest)
    columns = np.linalg.norm(weights, axis=0)
    delta[columns <= ROUNDING * columns.max()] = 0.0
    grown = weights @ delta
    if np.all(np.abs(grown) <= round_off(weights, delta)):
        return Asymmetry(np.zeros_like(delta), -np.inf)
    return Asymmetry(delta, float(np.log(np.linalg.norm(grown))))


def round_off(weights: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """Return below which magnitude each entry of weights @ delta (n,) is zero but for rounding."""
    bound: np.ndarray = ROUNDING * (np.abs(weights) @ np.abs(delta))
    return bound


def _weights(field: Field, S: np.ndarray, P: np.ndarray, rest: Rest) -> np.ndarray:
    """Return W (n, n), by which Pi delta(TRANSIENT) = W delta(0) along the symmetric trajectory from S (n,)."""
    n = S.size

    def slope(_: float, y: np.ndarray) -> np.ndarray:
        f, jacobian = linearised(field, y[:n])
        return np.concatenate([P @ f, (jacobian @ y[n:].reshape(n, n)).ravel()])

    end = TRANSIENT / field.rate
    begin = np.concatenate([S, np.eye(n).ravel()])
    propagator = solve_ivp(slope, (0.0, end), begin, t_eval=[end], **TOLERANCES).y[n:, -1].reshape(n, n)
    weights: np.ndarray = rest.unstable @ propagator
    return weights


def tangent(field: Field, x: np.ndarray, rest: Rest, grows: Asymmetry, log_amplitude: float) -> Tangent:
    """Integrate S and delta from the start x (n,) until log a is reached, or S to its rest where nothing grows.

    Raises InputError where the start is beyond log a, or where it is not reached in the time that it needs and half as
    much again.
    """
    P, n = projector(field), x.size
    nothing = not np.isfinite(grows.log_size)
    norm = 1.0 if nothing else float(np.linalg.norm(grows.delta))

    # Direction and log norm of delta apart: what grows by 1e12 carries rounding errors that exceed any tolerance of the
    # entries that stay small, and the steps become tiny.
    def slope(_: float, y: np.ndarray) -> np.ndarray:
        f, jacobian = linearised(field, y[:n])
        direction = y[n:-1]
        moved = jacobian @ direction
        growth = float(direction @ moved)
        return np.concatenate([P @ f, moved - growth * direction, [growth]])

    def distance(_: float, y: np.ndarray) -> float:
        # An event needs finite numbers: an asymmetry that has no part in the unstable directions would give log 0.
        return float(np.log(np.linalg.norm(rest.unstable @ y[n:-1]) + 1e-300) + y[-1] - log_amplitude)

    distance.terminal, distance.direction = True, 1.0  # type: ignore[attr-defined]
    wait = 1.5 * (max(log_amplitude - grows.log_size, 0.0) + PATIENCE) / rest.growth
    horizon = REST / field.rate if nothing else TRANSIENT / field.rate + wait
    begin = np.concatenate([P @ x, grows.delta / norm, [np.log(norm)]])
    excess = distance(0.0, begin)
    if excess >= 0 and not nothing:  # the event is a crossing, and this start is beyond it
        advice = "integrate it with ode.solve: it need not see the plateau"
        raise InputError(f"a start below log a = {log_amplitude:.4g}", f"{log_amplitude + excess:.4g}", advice)
    solution = solve_ivp(slope, (0.0, horizon), begin, events=distance, dense_output=True, **TOLERANCES)
    path = Tangent(solution.sol, rest.unstable, float(solution.t[-1]))
    if solution.status != 1 and not nothing:
        reached = f"log a = {path.log_amplitude(path.end):.4g} at alpha = {path.end:.4g}"
        raise InputError(f"an asymmetry that grows to log a = {log_amplitude:.4g}", reached, "integrate with ode.solve")
    return path


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
