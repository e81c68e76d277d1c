"""Certificates: what they reject, and that they reject no optimum."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import ode
import teacher_student as ts
from ode import protocols
from ode.protocols import _costates
from ode.protocols._certificate import Certificate, certify
from ode.protocols._order_moves import OrderMoves
from ode.protocols._orders import named_orders, variables_of
from ode.protocols._programs import costate_program
from ode.protocols._protocol import Protocol
from ode.protocols._search import into_constraints

from .protocol_cases import HALF, KEEP, PERCEPTRON, WRONG, mignacco_mori, protocol

EHE = protocols.Switches(("easy", "hard", "easy"))
QUIET: dict[str, Any] = {"progress": False, "compare": False, "starts": 0}


def certificate(found: Protocol, variables: dict[str, float]) -> Certificate:
    return certify(found, np.array([variables[name] for name in found.names]))


# ---- sabotage


def without_square(program: Any) -> Any:
    """nu . df/dx without what is quadratic in the learning rate: f(eta) - f(-eta) over 2 is what is odd in it."""
    return lambda leaves, *rest: (program(leaves, *rest) - program(negated(leaves), *rest)) / 2


def negated(leaves: list[Any]) -> list[Any]:
    """The leaves of the perceptron's problem with -eta: the only number that is 3."""
    return [-leaf if np.ndim(leaf) == 0 and float(leaf) == 3.0 else leaf for leaf in leaves]


def with_other_sign(program: Any) -> Any:
    return lambda *operands: -program(*operands)


SABOTAGE: dict[str, Callable[[Any], Any]] = {"no eta^2": without_square, "other sign": with_other_sign}


@pytest.mark.long("other sign")
@pytest.mark.slow
@pytest.mark.parametrize("how", ["no eta^2", "other sign"])
def test_protocols_of_wrong_costates_are_rejected(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = costate_program
    with monkeypatch.context() as patch:
        patch.setattr(_costates, "costate_program", lambda structure: SABOTAGE[how](usual(structure)))
        found = ode.optimize(mignacco_mori(), PERCEPTRON, EHE, WRONG, KEEP, steps=6, **QUIET)
        assert not found.certificate.first_order
        assert found.certificate.slopes > 1e-2
        assert "REJECTED" in found.certificate.describe()
    proper = certificate(protocol(mignacco_mori(), PERCEPTRON, EHE, WRONG, KEEP), found.variables)
    assert proper.slopes < 1e-5
    assert proper.kkt > 5 * proper.tolerance
    assert "REJECTED: the cost falls along the controls" in proper.describe()


@pytest.mark.parametrize("name", ["easy, hard", "hard, easy", "mixed"])
def test_named_orders_are_no_optima(name: str) -> None:
    found = protocol(mignacco_mori(), PERCEPTRON, protocols.Shares(4), WRONG, KEEP)
    order = found.order
    assert isinstance(order, OrderMoves)
    said = certify(found, variables_of(order, named_orders(HALF, 6.0)[name]))
    assert not said.first_order
    assert said.slopes < 1e-5


@pytest.mark.long
def test_switches_that_an_arc_would_improve_are_a_first_order_point_only() -> None:
    found = ode.optimize(mignacco_mori(), PERCEPTRON, EHE, WRONG, KEEP, **QUIET)
    said = found.certificate
    assert said.first_order
    assert not said.pontryagin
    assert said.describe().startswith("FIRST-ORDER POINT of these controls; with freer ones the cost falls further")


# ---- small problems at random


@dataclasses.dataclass(frozen=True)
class Small:
    """A problem, its start, and controls whose best values are inside the bounds or at them."""

    problem: ts.Problem
    start: ts.Overlaps
    controls: Any
    cost: Any
    constraints: Any


def small(seed: int) -> Small:
    rng = np.random.default_rng(seed)
    K, L = int(rng.integers(1, 3)), int(rng.integers(2, 4))
    names = ("easy", "medium", "hard")[:L]
    variances = np.sort(rng.uniform(0.1, 2.0, L))
    inputs = ts.Inputs(
        {"seen": 0.5, "unseen": 0.5},
        {n: {"seen": 1.0, "unseen": float(v)} for n, v in zip(names, variances, strict=True)},
    )
    task = ts.Committee(inputs, K, support="seen", noise=float(rng.uniform(0.0, 0.4)))
    shares = dict(zip(names, rng.dirichlet(np.full(L, 3.0)), strict=True))
    problem = ts.Problem(
        task, ts.Student(K), ts.SGD(float(rng.uniform(0.3, 2.0))), ts.Curriculum.mixed(shares, float(rng.uniform(2, 6)))
    )
    start = ts.random_overlaps(problem, dim=30, key=seed)
    rate = protocols.Values("sgd.learning_rate", (0.0, 6.0), 4, shape=("constant", "linear", "spline")[seed % 3])
    controls = ([protocols.Shares(4)], [rate], [protocols.Shares(3), rate])[seed % 3]
    cost = protocols.Final({names[-1]: 0.7, names[0]: 0.3})
    constraints = () if len(controls) == 1 and controls[0] is rate else protocols.FixedShares(shares)
    return Small(problem, start, controls, cost, constraints)


@pytest.mark.long("11", "3", "4", "5")
@pytest.mark.slow
# Each kind of controls with one student unit; the last three have two.
@pytest.mark.parametrize("seed", [1, 6, 11, 3, 4, 5])
def test_optima_are_accepted_and_their_neighbours_rejected(seed: int) -> None:
    case = small(seed)
    found = ode.optimize(case.problem, case.start, case.controls, case.cost, case.constraints, **QUIET)
    assert found.status == "converged"
    assert found.certificate.first_order, found.certificate.describe()
    around = protocol(case.problem, case.start, case.controls, case.cost, case.constraints)
    x = np.array([found.variables[name] for name in around.names])
    rng = np.random.default_rng(seed)
    for _ in range(2):
        direction = 0.05 * (around.upper - around.lower) * rng.choice([-1.0, 1.0], x.size)
        with jax.enable_x64(True):
            off = into_constraints(around, np.clip(x + direction, around.lower, around.upper))
        assert not certify(around, off).first_order
