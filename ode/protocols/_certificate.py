"""What can be said of a protocol beyond its cost: Pontryagin's conditions, checked along the trajectory."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np

from teacher_student.internal import PublicRecord

from ._costates import Costates
from ._costs import Integrated
from ._forward import along as states_at
from ._forward import forward
from ._hamiltonian import Slopes
from ._judge import Diverged
from ._number_controls import NumberMoves, ValueMoves
from ._protocol import Protocol
from ._rate import slope_with
from ._search import kkt_residual
from ._seen import Seen, cost_of
from ._stretches import Stretch, stretches
from ._switching import prices_of, shares_along, switching_of

# How large a violation may be in units of the largest derivative. Gradients of closed forms are right to 1e-7 or so
# and searches stop at 1e-6 to 1e-4; those of averages over points have a sampling error of a few per cent.
TOLERANCE = {True: 1e-3, False: 5e-2}  # by: averages are exact
SIGNS = {True: 1e-3, False: 5e-2}  # of the signs of S, at any time
STATIONARY = {True: 1e-2, False: 1e-1}  # of dH/du, at any time
SLOPES = {True: 1e-4, False: 2e-1}  # of derivatives of the cost by differences
STEP = {True: 2e-4, False: 1e-2}  # of these differences, in units of `Protocol.scale`
AWAY = (0.2, 0.06, 0.02)  # of the way to a point well inside all bounds, where they are taken: the first that can be


@dataclasses.dataclass(frozen=True)
class Certificate(PublicRecord):
    r"""Pontryagin's conditions for a protocol, along its trajectory.

      H = nu . f(x, u) + L - sum_l mu_l p_l,   dnu/dalpha = -(df/dx)^T nu - dL/dx,   nu(A) = dPhi/dx,   u minimises H

    It is computed anew from the protocol, whatever search found it. A first-order point need not be the best one: the
    searches and the named orders of `Optimum` stand beside it.

    Fields:
      kkt: the largest derivative of the cost that constraints and bounds do not explain, in units of the largest one
        here or at a neighbouring protocol (Karush, Kuhn and Tucker; 0 at a first-order point of the controls).
      slopes: the largest relative error of derivatives of the cost there against differences of solves, which know
        nothing of costates.
      violation: the largest sum_l p_l S_l - min_l S_l along the trajectory, in units of the largest difference of two
        S_l: 0 where only the level of least S_l is shown, at all times. None without a control of levels.
      to_gain: the integral of the same, in units of the cost: what finer phases could gain to first order.
      stationarity: number that may change with alpha -> the largest |dH/du| at any time inside its bounds (or of the
        wrong sign at them), in units of the largest |dH/du| that half and twice its values have.
      hamiltonian_spread: (max - min) of H over the largest |nu . f|. It is 0 for the continuous optimum of a problem
        whose numbers do not depend on alpha, and may be 0 elsewhere: where moving boundaries of phases gains nothing.
      prices: level -> mu_l, from the multipliers of constraints: dJ by one unit of alpha more of the level. Under
        fixed shares it is in place of the last level, whose price is 0 and left out.
      stretches: the order of levels, as it is.
      alphas: (m,) times along the trajectory.
      switching: level -> (m,) S_l = nu . f_l - mu_l. The least is shown.
      costates: (m, n) nu, in the order Q, R, T, readout, entry by entry.
      hamiltonian: (m,) H.
      exact: whether averages are a formula, which says how small violations can be.
    """

    kkt: float
    slopes: float
    violation: float | None
    to_gain: float
    stationarity: dict[str, float]
    hamiltonian_spread: float
    prices: dict[str, float]
    stretches: tuple[Stretch, ...]
    alphas: np.ndarray
    switching: dict[str, np.ndarray]
    costates: np.ndarray
    hamiltonian: np.ndarray
    exact: bool

    @property
    def tolerance(self) -> float:
        """What counts as 0, in units of the largest derivative."""
        return TOLERANCE[self.exact]

    @property
    def first_order(self) -> bool:
        """Whether no small change of the controls makes the cost smaller."""
        return bool(self.kkt <= self.tolerance and self.slopes <= SLOPES[self.exact])

    @property
    def pontryagin(self) -> bool:
        """Whether no other protocol close by does, of any number of phases: the conditions hold at all times."""
        signs = self.violation is None or self.violation <= SIGNS[self.exact]
        arcs = all(max(stretch.kelley, default=-1.0) <= 0 for stretch in self.stretches)
        return (
            self.first_order and signs and arcs and all(x <= STATIONARY[self.exact] for x in self.stationarity.values())
        )

    def describe(self) -> str:
        """Return the verdict and the numbers behind it, a line each."""
        if not self.first_order:
            verdict = "REJECTED: the cost falls along the controls, this is no first-order point"
            if self.slopes > SLOPES[self.exact]:
                verdict = "REJECTED: derivatives by costates are not those of the cost"
                if not self.exact:
                    verdict = "REJECTED: the sampled points do not resolve derivatives, take more of them"
        elif self.pontryagin:
            verdict = "EXTREMAL: Pontryagin's conditions hold at all times"
        else:
            verdict = "FIRST-ORDER POINT of these controls; with freer ones the cost falls further"
        lines = [
            verdict,
            f"  derivatives left   {self.kkt:.1e} of the largest (KKT; allowed {self.tolerance:g})",
            f"  against solves     {self.slopes:.1e} (relative error of derivatives; allowed {SLOPES[self.exact]:g})",
        ]
        if self.violation is not None:
            wrong = f"wrong by at most {self.violation:.1e} of its range"
            lines.append(f"  sign of S          {wrong}; worth {self.to_gain:.1e} of the cost")
        lines += [f"  dH/d({name})  at most {x:.1e} of its range" for name, x in self.stationarity.items()]
        lines.append(f"  H                  constant to {self.hamiltonian_spread:.1e}")
        lines += [f"  price of {name}  {price:.6g}" for name, price in self.prices.items()]
        for stretch in self.stretches:
            ranges = stretch.shares if stretch.name == "singular arc" else stretch.ranges
            shares = ", ".join(
                f"{level} {a:.4f}" + (f" to {b:.4f}" if abs(a - b) > 5e-5 else "")
                for level, (a, b) in ranges.items()
                if max(a, b) > 0
            )
            words = f"  {stretch.begin:.6g} to {stretch.end:.6g}: {stretch.name}"
            if stretch.name in ("singular arc", "mixed"):
                words += f" ({shares})"
            if stretch.name == "singular arc" and not stretch.kelley:
                words += ", Kelley's condition not tested"
            if stretch.kelley:
                words += f", Kelley {min(stretch.kelley):.2e} to {max(stretch.kelley):.2e}"
            lines.append(words)
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.describe()


def certify(protocol: Protocol, x: np.ndarray, seed: int = 0) -> Certificate:
    """Return the certificate of the controls' values x, computed from nothing else. Raises Diverged."""
    with jax.enable_x64(True):
        solved, along = protocol.solve(x)
        gradient = protocol.gradient(x, solved, along)
        residual, multipliers = kkt_residual(protocol, x, gradient)
        scale = protocol.scale(x)
        generator = np.random.default_rng(seed)
        point, there = _away(protocol, x, generator)
        largest = max(*(float(np.max(np.abs(each * scale))) for each in (gradient, there)), 1e-300)
        slopes = _slopes_by_differences(protocol, point, there, generator)
        prices, mu = prices_of(protocol, x, multipliers)
        switching = switching_of(protocol, solved, along, mu)
        S = along.shares - mu
        names = protocol.judge.problem.inputs.level_names
        H = along.H + _running(protocol, solved, along) - shares_along(solved, along) @ mu
        size = max(float(np.max(np.abs(along.H))), 1e-300)
        return Certificate(
            residual / largest,
            slopes,
            None if switching is None else switching.violation,
            0.0 if switching is None else float(along.weights @ switching.excess) / max(abs(solved.value), 1e-300),
            _stationarity(protocol, x, solved, along),
            float(np.ptp(H)) / size,
            prices,
            stretches(protocol, x, solved, along, S),
            along.alphas,
            {name: S[:, i] for i, name in enumerate(names)} if protocol.order is not None else {},
            np.stack([solved.at(float(alpha)) for alpha in along.alphas]),
            H,
            protocol.judge.exact,
        )


def _running(protocol: Protocol, solved: Costates, along: Slopes) -> np.ndarray:
    """Return L (m,) of a cost that is an integral over alpha, and 0 of others."""
    if not isinstance(protocol.judge.cost, Integrated):
        return np.zeros(along.alphas.size)
    states = states_at(solved.path.pieces, along.alphas)
    return np.asarray(Seen(protocol.judge).mixture(along.alphas, states)[0] / solved.path.end)


def _away(protocol: Protocol, x: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a point inside the bounds, a little away from x, and the derivative of the cost there.

    At an optimum inside its bounds derivatives vanish: how small is small is said by those of its neighbours, and only
    there can they be compared with differences of the cost.
    """
    # Not the centre itself: equal durations may put a switch on a jump of a rate, where the cost has a kink.
    centre = np.concatenate([moves.centre for moves in protocol.moves]) * generator.uniform(0.8, 1.0, size=x.size)
    scale = protocol.scale(x)
    for share in AWAY:
        point = x + share * generator.uniform(0.5, 1.0) * np.clip(centre - x, -scale, scale)
        try:
            return point, protocol.value_and_gradient(point)[1]
        except Diverged:
            continue
    return x, protocol.value_and_gradient(x)[1]


def _slopes_by_differences(
    protocol: Protocol, point: np.ndarray, gradient: np.ndarray, generator: np.random.Generator
) -> float:
    """Return the largest relative error of two derivatives of J at a point, against differences of the cost."""
    scale = protocol.scale(point)
    errors = []
    for direction in generator.normal(size=(2, point.size)):
        step = STEP[protocol.judge.exact] * scale * direction / max(float(np.max(np.abs(direction))), 1e-300)
        try:
            high, low = (
                cost_of(protocol.judge, forward(protocol.judge, protocol.problem(point + s)))[0] for s in (step, -step)
            )
        except Diverged:
            continue
        predicted = float(gradient @ step)
        size = max(float(np.linalg.norm(gradient * step)), 1e-300)
        errors.append(abs((high - low) / 2 - predicted) / size)
    return max(errors, default=0.0)


def _stationarity(protocol: Protocol, x: np.ndarray, solved: Costates, along: Slopes) -> dict[str, float]:
    """Return, per number over time, the largest |dH/du| that its bounds do not explain, relative to its range."""
    found = {}
    for moves, part in zip(protocol.moves, protocol.split(x), strict=True):
        if not isinstance(moves, (ValueMoves, NumberMoves)) or not moves.may_change:
            continue
        slope = moves.place.slope_in(along.numbers, protocol.judge.problem)
        values = moves.values(part, along.alphas)
        low, high = moves.lower[0], moves.upper[0]
        near = 1e-6 * (high - low)
        left = np.where(
            values <= low + near, np.minimum(slope, 0), np.where(values >= high - near, np.maximum(slope, 0), slope)
        )
        found[moves.place.name] = float(np.max(np.abs(left))) / _range_of_slope(protocol, moves, solved, along)
    return found


def _range_of_slope(protocol: Protocol, moves: ValueMoves | NumberMoves, solved: Costates, along: Slopes) -> float:
    """Return the largest |dH/du| at the same states and costates, with u halved and doubled: what a wrong u costs."""
    sizes = [slope_with(protocol, moves, solved, along, factor) for factor in (0.5, 2.0)]
    return max(max(float(np.max(np.abs(size))) for size in sizes), 1e-300)
