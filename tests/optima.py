"""Optima of known protocols, made without a search: for tests of what is drawn and simulated of them."""

import numpy as np

import ode
import teacher_student as ts
from ode import protocols

HALF = {"easy": 0.5, "hard": 0.5}
ALPHAS = np.linspace(0.05, 5.95, 60)
SWITCHES = (1.401170, 3.0, 1.598830)  # of the best easy, hard, easy


def order_problem(curriculum: ts.Curriculum, rate: object = 3.0) -> ts.Problem:
    """Mignacco & Mori's problem of relevant and irrelevant inputs, in overlaps of this toolkit."""
    levels = {"easy": {"rel": 1.0, "irr": 0.0}, "hard": {"rel": 1.0, "irr": 2.0}}
    task = ts.Committee(ts.Inputs({"rel": 0.5, "irr": 0.5}, levels), 1, activation="sign", support="rel")
    return ts.Problem(task, ts.Student(1, "erf"), ts.SGD(rate), curriculum)


ORDER_START = ts.Overlaps(
    Q=np.array([[[0.5]], [[0.5]]]), R=np.zeros((2, 1, 1)), T=np.array([[[1.0]], [[0.0]]]), readout=1.0
)


def best_order(*, tuned: bool = False) -> protocols.Optimum:
    """Easy, hard, easy at its best times, beside the named orders; costs are known (switch times to 1e-6)."""
    easy, hard, last = SWITCHES
    best = ts.Curriculum.phases(("easy", easy), ("hard", hard), ("easy", last))
    orders = {
        "easy, hard": (ts.Curriculum.ordered(("easy", "hard"), HALF, 6.0), 0.1558618),
        "hard, easy": (ts.Curriculum.ordered(("hard", "easy"), HALF, 6.0), 0.1628201),
        "mixed": (ts.Curriculum.mixed(HALF, 6.0), 0.1527775),
    }
    rates = {name: ts.Schedule.phases((3.0, 3.0), (2.0 - 0.1 * i, 3.0)) for i, name in enumerate(orders)}
    named = {
        name: protocols.Named(cost, cost - 0.01 if tuned else None, order_problem(order, rates[name] if tuned else 3.0))
        for name, (order, cost) in orders.items()
    }
    rate = ts.Schedule.phases((4.0, 3.0), (1.0, 3.0)) if tuned else 3.0
    cost = protocols.Final(HALF, of="accuracy")
    S = {"easy": -0.01 * np.cos(ALPHAS), "hard": np.zeros(ALPHAS.size)}
    single, mixed = {"easy": (1.0, 1.0), "hard": (0.0, 0.0)}, {"easy": (0.1, 0.2), "hard": (0.9, 0.8)}
    stretches = (
        protocols.Stretch("easy", 0.0, easy, single, single),
        protocols.Stretch("singular arc", easy, easy + hard, mixed, mixed, (-1.0,) * 3),
        protocols.Stretch("easy", easy + hard, 6.0, single, single),
    )
    given = order_problem(ts.Curriculum.mixed(HALF, 6.0))
    return optimum(order_problem(best, rate), given, ORDER_START, cost, 0.14685071, S, stretches, named)


def best_rate(rate: object = 1.0, cost: protocols.Final | None = None, better: object = None) -> protocols.Optimum:
    """A rate that falls, beside the problem as it is given; its cost is computed by a solve."""
    task = ts.Committee(ts.Inputs({"all": 1.0}), 1, noise=0.3)
    order = ts.Curriculum.single("all", 6.0)
    given = ts.Problem(task, ts.Student(1), ts.SGD(rate), order)
    falling = ts.Schedule.phases((1.5, 3.0), (0.6, 3.0)) if better is None else better
    problem = ts.Problem(task, ts.Student(1), ts.SGD(falling), order)
    start = ts.Overlaps(Q=np.array([[[0.25]]]), R=np.array([[[0.1]]]), T=np.array([[[1.0]]]), readout=1.0)
    error = ode.solve(problem, start, [6.0], rtol=1e-9, atol=1e-11).error["all"][0]
    return optimum(problem, given, start, cost or protocols.Final("all"), float(error), {}, (), {})


def optimum(
    problem: ts.Problem,
    given: ts.Problem,
    start: ts.Overlaps,
    criterion: protocols.Final,
    cost: float,
    switching: dict[str, np.ndarray],
    stretches: tuple[protocols.Stretch, ...],
    named: dict[str, protocols.Named],
) -> protocols.Optimum:
    """An optimum with a certificate of made-up numbers."""
    H = -1e-3 - 1e-5 * np.sin(ALPHAS)
    certificate = protocols.Certificate(
        kkt=1e-8,
        slopes=1e-7,
        violation=0.0 if switching else None,
        to_gain=0.0,
        stationarity={},
        hamiltonian_spread=1e-3,
        prices={},
        stretches=stretches,
        alphas=ALPHAS,
        switching=switching,
        costates=np.zeros((ALPHAS.size, 4)),
        hamiltonian=H,
        exact=True,
    )
    searches = tuple(
        protocols.Search(f"random {i}", cost + gap, cost + 0.1, 9, "converged")
        for i, gap in enumerate((0.0, 1e-4, 3e-3))
    )
    return protocols.Optimum(
        problem=problem,
        given=given,
        start=start,
        criterion=criterion,
        cost=cost,
        solved=(cost, 0.0),
        method="direct",
        status="converged",
        variables={},
        searches=searches,
        named=named,
        certificate=certificate,
        seed=0,
    )
