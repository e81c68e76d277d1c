"""Protocols of reference: named orders, switch times, arcs, rates, and both together, by code that knows no toolkit."""

from typing import Any

import numpy as np
import pytest

import ode
import teacher_student as ts
from ode import protocols

from .protocol_cases import (
    CASES,
    HALF,
    KEEP,
    NOTHING_LEARNED,
    PERCEPTRON,
    TIGHT,
    WRONG,
    committee,
    linear_student,
    mignacco_mori,
    start_of,
)

QUIET: dict[str, Any] = {"progress": False}
ORDERS = CASES["mignacco-mori: orders, switch times, shares"]["results"]
ARC = CASES["mignacco-mori: exact optimum with singular arc"]["results"]
HARD = CASES["mignacco-mori geometry judged on hard samples only"]["results"]
LEVEL = {"E": "easy", "H": "hard"}
TITLES = {"easy, hard": "easy_to_hard", "hard, easy": "hard_to_easy", "mixed": "mixed"}
RATE = "sgd.learning_rate"


def values(found: protocols.Optimum) -> np.ndarray:
    return np.array(list(found.variables.values()))


# ---- orders at a fixed rate


@pytest.mark.slow
@pytest.mark.parametrize(("cost", "expected"), [(WRONG, ORDERS), (protocols.Final("hard", of="accuracy"), HARD)])
def test_named_orders_and_the_best_switch_times(cost: protocols.Final, expected: dict[str, Any]) -> None:
    order = protocols.Switches(("easy", "hard", "easy"))
    found = ode.optimize(mignacco_mori(), PERCEPTRON, order, cost, KEEP, starts=0, **QUIET)
    for name, title in TITLES.items():
        assert found.named[name].cost == pytest.approx(expected[title]["cost"], abs=1e-9)
    assert found.cost == pytest.approx(expected["EHE"]["cost"], abs=1e-9)
    assert found.solved[0] == pytest.approx(found.cost, abs=1e-9)
    np.testing.assert_allclose(found.problem.curriculum.durations, expected["EHE"]["durations"], atol=1e-6)
    assert found.certificate.prices["easy"] == pytest.approx(expected["EHE"]["mu_easy_minus_hard"], abs=1e-7)
    assert found.certificate.first_order


@pytest.mark.long
def test_more_switches() -> None:
    sequence = "EHEHEHE"
    order = protocols.Switches([LEVEL[letter] for letter in sequence])
    found = ode.optimize(mignacco_mori(), PERCEPTRON, order, WRONG, KEEP, **QUIET)
    assert found.cost == pytest.approx(ORDERS[sequence]["cost"], abs=1e-9)
    np.testing.assert_allclose(found.problem.curriculum.durations, ORDERS[sequence]["durations"], atol=1e-6)


@pytest.mark.long("hard")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        pytest.param(WRONG, ORDERS, marks=pytest.mark.long, id="both"),
        pytest.param(protocols.Final("hard", of="accuracy"), HARD, id="hard"),
    ],
)
def test_shares_in_equal_phases(cost: protocols.Final, expected: dict[str, Any]) -> None:
    reference = expected["shares_12_equal_phases"]
    found = ode.optimize(mignacco_mori(), PERCEPTRON, protocols.Shares(12), cost, KEEP, **QUIET)
    assert found.cost == pytest.approx(reference["cost"], abs=1e-9)
    np.testing.assert_allclose(values(found), reference["share_easy"], atol=1e-3)
    assert max(search.cost for search in found.searches) == pytest.approx(found.cost, abs=1e-9)


@pytest.mark.long
@pytest.mark.slow
def test_the_exact_optimum_has_a_singular_arc() -> None:
    """Easy, hard, mixed, easy, from a cold start. On the arc shares are linear between knots."""
    found = ode.optimize(mignacco_mori(), PERCEPTRON, protocols.Order(), WRONG, KEEP, **QUIET)
    assert found.cost == pytest.approx(ARC["cost"], abs=1e-9)
    said = found.certificate
    assert said.pontryagin
    assert [stretch.name for stretch in said.stretches] == ["easy", "hard", "singular arc", "easy"]
    ends = [stretch.end for stretch in said.stretches[:-1]]
    np.testing.assert_allclose(ends, ARC["switches"], atol=5e-4)
    arc = said.stretches[2]
    np.testing.assert_allclose(arc.kelley, np.interp([0, 0.5, 1], np.linspace(0, 1, 6), ARC["kelley"]), atol=1e-5)
    np.testing.assert_allclose(arc.singular_shares[::2], np.array(ARC["arc_share_easy"])[[0, -1]], atol=5e-5)
    assert said.prices["easy"] == pytest.approx(ARC["mu_easy_minus_hard"], abs=1e-7)
    assert said.hamiltonian_spread < 1e-5
    assert np.mean(said.hamiltonian) == pytest.approx(ARC["H_minus_mu_p"], abs=1e-7)
    np.testing.assert_allclose(said.costates[0, [0, 2, 1]], ARC["costate_0"], atol=2e-4)


# ---- rates


@pytest.mark.long("100-0")
@pytest.mark.parametrize(("end", "starts"), [(10, 2), (100, 0)])
def test_the_best_constant_rate_of_the_linear_student(end: int, starts: int) -> None:
    expected = CASES[f"linear student, alpha {end}"]["results"]
    control = protocols.Number(RATE, (0.001, 1.0))
    cost = protocols.Final("all")
    found = ode.optimize(linear_student(float(end)), NOTHING_LEARNED, control, cost, starts=starts, **QUIET)
    assert found.variables[RATE] == pytest.approx(expected["best_constant_rate"], abs=1e-6)
    assert found.cost == pytest.approx(expected["best_constant_eps"], abs=1e-9)
    assert found.certificate.first_order


@pytest.mark.long
def test_the_optimal_schedule_of_the_linear_student() -> None:
    expected = CASES["linear student, alpha 10"]["results"]
    control = protocols.Values(RATE, (0.0, 1.0), 20, shape="spline")
    found = ode.optimize(linear_student(10.0), NOTHING_LEARNED, control, protocols.Final("all"), starts=0, **QUIET)
    assert found.cost == pytest.approx(expected["optimal_eps"], abs=1e-6)
    rate = found.problem.sgd.learning_rate
    assert isinstance(rate, ts.Schedule)
    for alpha, value in expected["eta_at"].items():
        assert float(rate(float(alpha))) == pytest.approx(value, abs=1e-3)
    assert found.certificate.pontryagin


@pytest.mark.slow
def test_the_least_time_to_an_error() -> None:
    """It is the inverse of the least error after a time."""
    expected = CASES["linear student, alpha 10"]["results"]["least_alpha_to_eps"]
    control = protocols.Values(RATE, (0.0, 1.0), 12, shape="spline")
    cost = protocols.TimeTo("all", value=expected["eps"])
    found = ode.optimize(linear_student(10.0), NOTHING_LEARNED, control, cost, starts=0, **QUIET)
    assert found.cost == pytest.approx(expected["alpha"], abs=1e-4)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("erf K = 1 optimal rate", (0.05, 3.0)),
        pytest.param("erf K = M = 2 optimal rate through the plateau", (0.2, 2.5), marks=pytest.mark.long),
    ],
)
def test_rates_of_committees(name: str, bounds: tuple[float, float]) -> None:
    """Within the bounds of the reference: below these a constant rate of the second case has another minimum."""
    case, expected = CASES[name]["parameters"], CASES[name]["results"]
    problem, start, cost = committee(case), start_of(case), protocols.Final("all")
    constant = ode.optimize(problem, start, protocols.Number(RATE, bounds), cost, **QUIET)
    assert constant.variables[RATE] == pytest.approx(expected["best_constant"]["eta"], abs=1e-6)
    assert constant.cost == pytest.approx(expected["best_constant"]["eps"], abs=1e-9)
    phases = ode.optimize(problem, start, protocols.Values(RATE, bounds), cost, starts=0, **QUIET)
    np.testing.assert_allclose(values(phases), expected["best_10_phases"]["eta"], atol=1e-4)
    assert phases.cost == pytest.approx(expected["best_10_phases"]["eps"], abs=1e-9)


@pytest.mark.long
def test_both_rates_of_a_committee() -> None:
    name = "erf K = 1, rate and readout rate free (eta_v <= 1), ten equal phases"
    case, expected = CASES[name]["parameters"], CASES[name]["results"]
    controls = [protocols.Values(RATE, (0.01, 3.0)), protocols.Values("sgd.readout_learning_rate", (0.0, 1.0))]
    problem = committee(case, readout_rate=0.5)
    found = ode.optimize(problem, start_of(case), controls, protocols.Final("all"), starts=0, **QUIET)
    assert found.cost == pytest.approx(expected["eps"], abs=1e-9)
    np.testing.assert_allclose(values(found), [*expected["eta"], *expected["eta_v"]], atol=1e-4)


@pytest.mark.long
@pytest.mark.slow
def test_two_rates_that_are_one() -> None:
    case, expected = (CASES["erf K = 1, rate and readout rate tied"][part] for part in ("parameters", "results"))
    both, problem, cost = (RATE, "sgd.readout_learning_rate"), committee(case, readout_rate=0.5), protocols.Final("all")
    start = start_of(case)
    constant = ode.optimize(problem, start, protocols.Number(both, (0.01, 2.0)), cost, starts=0, **QUIET)
    assert constant.problem.sgd.learning_rate == constant.problem.sgd.readout_learning_rate
    assert values(constant) == pytest.approx(expected["best_constant"]["eta"], abs=1e-6)
    assert constant.cost == pytest.approx(expected["best_constant"]["eps"], abs=1e-9)
    phases = ode.optimize(problem, start, protocols.Values(both, (0.01, 2.0)), cost, starts=0, **QUIET)
    np.testing.assert_allclose(values(phases), expected["best_10_phases"]["eta"], atol=1e-4)
    assert phases.cost == pytest.approx(expected["best_10_phases"]["eps"], abs=1e-9)
    assert phases.certificate.first_order


# ---- rate and order together


@pytest.mark.long
def test_rate_and_order_together_have_several_first_order_points() -> None:
    expected = CASES["joint rate and share, six phases"]["results"]
    controls = [protocols.Shares(6), protocols.Values(RATE, (0.01, 10.0), 6)]
    found = ode.optimize(mignacco_mori(), PERCEPTRON, controls, WRONG, KEEP, **QUIET)
    assert found.cost == pytest.approx(expected["joint"]["cost"], abs=1e-8)
    shares, rates = np.split(values(found), 2)
    np.testing.assert_allclose(shares, expected["joint"]["share_easy"], atol=1e-6)
    np.testing.assert_allclose(rates, expected["joint"]["eta"], atol=1e-4)
    tuned = {"easy, hard": "easy_to_hard", "hard, easy": "hard_to_easy", "mixed": "mixed"}
    for name, title in tuned.items():
        assert found.named[name].tuned == pytest.approx(expected[f"rates_only_{title}"]["cost"], abs=1e-8)
    assert len({round(search.cost, 6) for search in found.searches}) >= 2
    assert found.certificate.first_order


# ---- schedules that are given

SHAPES: dict[str, Any] = {
    "linear": lambda a, b: ts.Schedule.linear(a, b, 6.0),
    "cosine": lambda a, b: ts.Schedule.cosine(a, b, 6.0),
    "power": lambda a, numbers: ts.Schedule.power(a, *numbers),
}
PLACES = {"gamma": "weight_decay", "eta_v": "readout_learning_rate", "sigma": "noise"}
GIVEN = CASES["given schedules"]


def number(row: Any) -> Any:
    return SHAPES[row[0]](*row[1:]) if isinstance(row, list) else row


@pytest.mark.parametrize("name", GIVEN["results"])
def test_given_schedules(name: str) -> None:
    row, expected = GIVEN["parameters"]["rows"][name], GIVEN["results"][name]
    order = ts.Curriculum.mixed(HALF, 6.0)
    if isinstance(row["share_easy"], list):
        order = ts.Curriculum.phases(({"easy": 1.0, "hard": 0.0}, {"easy": 0.0, "hard": 1.0}, 6.0))
    elif row["share_easy"] == 1.0:
        order = ts.Curriculum.single("easy", 6.0)
    more = {PLACES[key]: number(value) for key, value in row.items() if key in PLACES}
    rest = (number(row["rest_easy"]), number(row["rest_hard"]))
    problem = mignacco_mori(number(row["eta"]), order, rest, **more)
    overlaps = ode.solve(problem, PERCEPTRON, [6.0], with_accuracy=False, **TIGHT).overlaps
    seen = ode.observe(mignacco_mori(), overlaps)
    for level in HALF:
        assert 1 - float(seen.accuracy[level][0]) == pytest.approx(expected[level], abs=1e-9)
    Q, R, v = np.ravel(overlaps.Q), np.ravel(overlaps.R), np.ravel(overlaps.readout)
    np.testing.assert_allclose([Q[0], R[0], Q[1], R[1], v[0]], list(expected["x"].values()), atol=1e-8)


# ---- budgets and bounds


@pytest.mark.slow
def test_a_budget_that_is_tight_has_a_price() -> None:
    """Easy samples, which are worth more there, cost twice as much."""
    problem = mignacco_mori()
    control, budget = protocols.Shares(3), protocols.Budget({"easy": 2.0, "hard": 1.0}, 8.0)
    hard = protocols.Final("hard", of="accuracy")
    found = ode.optimize(problem, PERCEPTRON, control, hard, budget, starts=0, **QUIET)
    spent = 2.0 * (2 * values(found) + (1 - values(found))).sum()
    assert spent == pytest.approx(8.0, abs=1e-6)
    free = ode.optimize(problem, PERCEPTRON, control, hard, starts=0, **QUIET)
    assert free.cost < found.cost
    assert found.certificate.first_order
    more = protocols.Budget({"easy": 2.0, "hard": 1.0}, 8.05)
    richer = ode.optimize(problem, PERCEPTRON, control, hard, more, starts=0, **QUIET)
    assert richer.cost < found.cost
    price = found.certificate.prices["easy"] - found.certificate.prices["hard"]
    assert (richer.cost - found.cost) / 0.05 == pytest.approx(price, rel=0.05)


@pytest.mark.long
@pytest.mark.slow
def test_a_rate_that_must_fall_falls() -> None:
    case = CASES["erf K = M = 2 optimal rate through the plateau"]["parameters"]
    control = protocols.Values(RATE, (0.1, 3.0), 4, monotone="decreasing")
    found = ode.optimize(committee(case), start_of(case), control, protocols.Final("all"), starts=0, **QUIET)
    assert np.all(np.diff(values(found)) <= 1e-8)
    assert found.certificate.first_order
