"""Problems with protocols to be found, their reference values, and a cost by an integrator that knows no costates."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from scipy.optimize import brentq

import ode
import teacher_student as ts
from ode import protocols
from ode.protocols._judge import Judge
from ode.protocols._optimize import _method
from ode.protocols._protocol import Protocol, protocol_of

CASES: dict[str, Any] = json.loads((Path(__file__).parent / "reference" / "protocols.json").read_text())["cases"]
HALF = {"easy": 0.5, "hard": 0.5}
TIGHT: dict[str, Any] = {"rtol": 1e-11, "atol": 1e-13}

# ---- problems of the literature


def mignacco_mori(
    learning_rate: Any = 3.0, order: ts.Curriculum | None = None, rest: tuple[Any, Any] = (0.0, 2.0), **numbers: Any
) -> ts.Problem:
    """A perceptron that learns a sign: easy samples have no input in the irrelevant block, hard ones much."""
    levels = {level: {"relevant": 1.0, "irrelevant": x} for level, x in zip(("easy", "hard"), rest, strict=True)}
    inputs = ts.Inputs({"relevant": 0.5, "irrelevant": 0.5}, levels)
    task = ts.Committee(inputs, 1, "sign", support="relevant", noise=numbers.pop("noise", 0.0))
    curriculum = order or ts.Curriculum.mixed(HALF, 6.0)
    return ts.Problem(task, ts.Student(1), ts.SGD(learning_rate, **numbers), curriculum)


PERCEPTRON = ts.Overlaps([[[0.5]], [[0.5]]], np.zeros((2, 1, 1)), [[[1.0]], [[0.0]]])
WRONG = protocols.Final(HALF, of="accuracy")  # on the mixture, half easy and half hard
KEEP = protocols.FixedShares(HALF)


def linear_student(end: float, learning_rate: Any = 0.3) -> ts.Problem:
    """A linear student of a linear teacher with noise of variance 0.1, whose distance D = Q - 2 R + T is 1 at first."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), 1, "linear", noise=np.sqrt(0.1))
    return ts.Problem(task, ts.Student(1, "linear"), ts.SGD(learning_rate), ts.Curriculum.single("all", end))


NOTHING_LEARNED = ts.Overlaps([[0.0]], [[0.0]], [[1.0]])


def committee(case: dict[str, Any], learning_rate: Any = 0.5, readout_rate: Any = 0.0) -> ts.Problem:
    """An erf student of an erf teacher with noise."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), len(case["vt"]), "erf", case["vt"], noise=case["sigma"])
    sgd = ts.SGD(learning_rate, readout_rate)
    return ts.Problem(task, ts.Student(case["K"]), sgd, ts.Curriculum.single("all", case["alpha"]))


def start_of(case: dict[str, Any]) -> ts.Overlaps:
    return ts.Overlaps(case["Q"], case["R"], case["T"], case["v"])


# ---- what a search looks at, and the same by ode.solve


def protocol(
    problem: ts.Problem, start: ts.Overlaps, controls: Any, cost: Any, constraints: Any = (), averages: Any = None
) -> Protocol:
    """The variables, the cost and the gradient as `ode.optimize` has them."""
    with jax.enable_x64(True):
        judge = Judge.of(problem, start, cost, _method(problem, cost, averages, None, ts.DIVERGENCE_BOUND))
        return protocol_of(judge, controls, constraints)


def gradient(found: Protocol, x: Any) -> tuple[float, np.ndarray]:
    with jax.enable_x64(True):
        return found.value_and_gradient(np.asarray(x, float))


def by_solve(problem: ts.Problem, start: ts.Overlaps, given: ts.Problem, cost: Any, **options: Any) -> float:
    """The cost of a protocol by `ode.solve`; it is judged on the inputs of the problem as it was given."""
    options = TIGHT | options
    end = float(problem.curriculum.end)

    def seen(alphas: np.ndarray) -> np.ndarray:
        overlaps = ode.solve(problem, start, alphas, with_accuracy=False, **options).overlaps
        # Each is a batch of one: that is compiled once for all, where a single state goes operation by operation.
        rows = [
            ode.observe(given.at(float(alpha)), jax.tree.map(lambda x, i=i: x[i : i + 1], overlaps))
            for i, alpha in enumerate(alphas)
        ]
        values = [row.error if cost.of == "error" else row.accuracy for row in rows]
        mixed = np.array([sum(w * float(value[level][0]) for level, w in cost.weights.items()) for value in values])
        return mixed if cost.of == "error" else 1 - mixed

    if isinstance(cost, protocols.Final):
        return float(seen(cost.alphas(end)).mean())
    if isinstance(cost, protocols.Integrated):
        return _mean(seen, _pieces(problem, end)) / end
    if isinstance(cost, protocols.TimeTo):
        return _time_to(seen, cost.value, end)
    overlaps = ode.solve(problem, start, cost.alphas(end), with_accuracy=False, **options).overlaps
    return float(cost.function(ode.observe(given, overlaps)))


def _pieces(problem: ts.Problem, end: float) -> np.ndarray:
    """Times between which nothing jumps, close to each other."""
    from ode._host_steps import jumps_of

    times = np.concatenate([np.linspace(0.0, end, 9), np.asarray(problem.curriculum.switches), jumps_of(problem)])
    return np.unique(np.clip(times, 0.0, end))


def _mean(seen: Callable[[np.ndarray], np.ndarray], pieces: np.ndarray) -> float:
    points, weights = np.polynomial.legendre.leggauss(10)
    pieces = pieces[np.diff(pieces, prepend=-1.0) > 1e-12]
    half = np.diff(pieces)[:, None] / 2
    alphas = pieces[:-1, None] + half * (1 + points)
    return float((half * weights).ravel() @ seen(alphas.ravel()))


def _time_to(seen: Callable[[np.ndarray], np.ndarray], value: float, end: float) -> float:
    alphas = np.linspace(0.0, end, 41)[1:]
    errors = seen(alphas)
    met = np.flatnonzero(errors <= value)
    if not met.size:
        return float(end * (1 + np.log(errors[-1] / value)))
    low, high = (alphas[met[0] - 1] if met[0] else 1e-9), alphas[met[0]]
    return float(brentq(lambda alpha: float(seen(np.array([alpha]))[0]) - value, low, high, xtol=1e-13))
