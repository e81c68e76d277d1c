"""What a cost sees of a trajectory: its value, and its derivative in the states at which it looks."""

import numpy as np
from scipy.optimize import brentq

from .._compiled import bare, compiled_drift, operands, places_of_schedules
from ._costs import Integrated, OfMixture, Own, TimeTo
from ._forward import Forward, along, field_in
from ._judge import Judge
from ._programs import NODES, leaf_count, mixture_program, own_program, padded


class Seen:
    """What a cost sees of states: the values of a mixture of levels one by one, or a user's function of all."""

    def __init__(self, judge: Judge):
        self.judge = judge
        problem = judge.problem
        leaves, self.structure = operands((bare(problem.at(0.0)), judge.points))
        count = leaf_count(self.structure)
        self.leaves, self.points = [np.asarray(leaf) for leaf in leaves[:count]], leaves[count:]
        self.places = places_of_schedules(bare(problem))

    def mixture(self, alphas: np.ndarray, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the error, or 1 - accuracy, (m,) of states (m, n), and its derivative (m, n)."""
        cost, levels = self.judge.cost, self.judge.problem.inputs.level_names
        assert isinstance(cost, OfMixture)
        program = mixture_program(self.structure, cost.of == "accuracy")
        weights = cost.weights_of(levels)
        values, slopes = [], []
        for first in range(0, alphas.size, NODES):
            some = alphas[first : first + NODES]
            # One state or NODES of them: two programs, whatever is asked for.
            size = 1 if some.size == 1 else NODES
            value, slope = program(
                self._leaves(padded(some, size)), self.points, padded(states[first : first + NODES], size), weights
            )
            values.append(np.asarray(value)[: some.size])
            slopes.append(np.asarray(slope)[: some.size])
        return np.concatenate(values), np.concatenate(slopes)

    def own(self, alphas: np.ndarray, states: np.ndarray) -> tuple[float, np.ndarray]:
        """Return a user's function of states (A, n), and its derivative (A, n)."""
        cost = self.judge.cost
        assert isinstance(cost, Own)
        levels = self.judge.problem.inputs.level_names
        program = own_program(self.structure, cost.function, cost.with_accuracy, levels)
        value, slope = program(self._leaves(alphas), self.points, states)
        return float(value), np.asarray(slope)

    def _leaves(self, alphas: np.ndarray) -> list[np.ndarray]:
        """Return the numbers of the problem as it was given at each alpha, with a leading axis."""
        leaves = [np.broadcast_to(leaf, (alphas.size, *leaf.shape)) for leaf in self.leaves]
        for place, schedule in zip(self.places, self.judge.problem.schedules.values(), strict=True):
            leaves[place] = np.stack([np.asarray(schedule(alpha), np.float64) for alpha in alphas])
        return leaves


def cost_of(judge: Judge, path: Forward) -> tuple[float, dict[float, np.ndarray], float]:
    """Return J, dPhi/dx by the times at which a cost looks, and the time from which on nothing counts."""
    cost, seen = judge.cost, Seen(judge)
    if isinstance(cost, TimeTo):
        return _time_to(judge, path, seen)
    if isinstance(cost, Integrated):
        alphas, weights, _ = path.nodes()
        return float(weights @ seen.mixture(alphas, along(path.pieces, alphas))[0]) / path.end, {}, path.end
    alphas = cost.alphas(path.end)
    states = np.stack([path.state(alpha) for alpha in alphas])
    if isinstance(cost, Own):
        value, slopes = seen.own(alphas, states)
    else:
        values, slopes = seen.mixture(alphas, states)
        value, slopes = float(np.mean(values)), slopes / alphas.size
    return value, dict(zip(alphas.tolist(), slopes, strict=True)), path.end


def _time_to(judge: Judge, path: Forward, seen: Seen) -> tuple[float, dict[float, np.ndarray], float]:
    """Return the time at which an error is met, where the costate begins, and its value there.

    There Phi = alpha(x), of which the derivative is -(deps/dx) / (deps/dx . f).
    """
    assert isinstance(judge.cost, TimeTo)
    target = judge.cost.value

    def excess(alpha: float) -> float:
        return float(seen.mixture(np.array([alpha]), path.state(alpha)[None])[0][0]) - target

    times = np.unique(np.concatenate([piece.steps for piece in path.pieces]))
    above = seen.mixture(times, along(path.pieces, times))[0] - target
    if above[0] <= 0:
        return 0.0, {}, path.end
    if np.any(above <= 0):
        first = int(np.argmax(above <= 0))
        met = float(brentq(excess, times[first - 1], times[first], xtol=1e-13 * path.end, rtol=1e-14))
        slope = seen.mixture(np.array([met]), path.state(met)[None])[1][0]
        velocity = _velocity_at(judge, path, met)
        return met, {met: -slope / float(slope @ velocity)}, met
    error, slope = above[-1] + target, seen.mixture(times[-1:], path.state(path.end)[None])[1][0]
    return float(path.end * (1 + np.log(error / target))), {path.end: path.end * slope / error}, path.end


def _velocity_at(judge: Judge, path: Forward, alpha: float) -> np.ndarray:
    piece = next(piece for piece in path.pieces if alpha <= piece.end)
    slope = compiled_drift(path.problem, judge.averages, 10 * judge.largest)
    return field_in(slope, path.problem, piece.phase, piece.begin, piece.end, [0], judge)(alpha, path.state(alpha))
