"""`ode.optimize`: the best protocol of a problem, from several starts, with a certificate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from teacher_student import DIVERGENCE_BOUND, InputError, Overlaps, Problem
from teacher_student.internal import (
    as_count,
    as_key,
    check_overlaps,
    check_problem,
    is_known,
    is_shown,
    key_numbers,
    refuse_fork,
    with_fields,
)

from .._method import check_tolerances, method_for
from .._solve import solve
from ..averages import Averages, Sampled
from ._certificate import certify
from ._constraints import Constraint
from ._control import Control
from ._costs import Cost, Final, Own, refuse_cost
from ._forward import forward
from ._judge import Diverged, Judge, NoDerivative
from ._optimum import Named, Optimum, Search
from ._order_controls import Order, Switches
from ._polish import polished
from ._protocol import Protocol, protocol_of
from ._search import FirstOrder, feasible, into_constraints
from ._seen import cost_of
from ._study import Study

TOLERANCES = {True: (1e-9, 1e-11), False: (1e-5, 1e-7)}  # of steps, by: averages are exact
DESCENT = {True: 1e-10, False: 1e-6}  # relative change of the cost at which a search ends
POINTS = 2**11  # of sampled averages while searching, where nobody asks for others


def optimize(
    problem: Problem,
    start: Overlaps,
    controls: Control | Sequence[Control],
    cost: Cost,
    constraints: Constraint | Sequence[Constraint] = (),
    *,
    starts: int = 2,
    key: Any = 0,
    averages: Averages | Sampled | None = None,
    rtol: float | None = None,
    steps: int = 200,
    compare: bool = True,
    bound: float = DIVERGENCE_BOUND,
    progress: bool = True,
) -> Optimum:
    r"""Return the protocol of least cost: the best order of levels, the best rate at every time, or both.

    Costates nu along a trajectory give the derivative of the cost in whatever is controlled:

      dJ/du(alpha) = dH/du,   H = nu . f(x, u),   dnu/dalpha = -(df/dx)^T nu,   nu(A) = dPhi/dx

    With them SciPy's SLSQP searches from every named order, from the problem's own protocol, and from random ones. A
    first-order point need not be the best, so that all of them are reported.

    Arguments:
      problem: what is learned. Its own curriculum says how long (the whole alpha), and which levels.
      start: the overlaps at alpha = 0.
      controls: one or several of `ode.protocols`: Order, Shares, Switches, Values, Number.
      cost: `ode.protocols.Final`, Integrated, TimeTo or Own.
      constraints: `ode.protocols.FixedShares` or Budget.
      starts: random starts beside the named ones.
      key: a seed or JAX key of these.
      averages: as in `ode.solve`. Sampled averages are searched with one scrambling of the points that are asked for
        (None: 2^11); the cost that is stated has all scramblings.
      rtol: tolerance of steps while searching. None means 1e-9 for closed forms and 1e-5 for sampled averages.
      steps: the most steps of one search.
      compare: whether named orders are compared with where they are no starts (with numbers of their own, that takes
        as many searches).
      bound: as in `ode.solve`; a trial that diverges is left by the search.
      progress: whether to show a bar, in a terminal or a notebook.

    Returns an Optimum. After Ctrl-C it is the best so far, with the status "interrupted".
    Raises InputError for controls, costs and constraints that do not fit the problem or each other, and for a cost that
    no control moves.
    Source: Pontryagin et al. 1962; Saad & Rattray 1997 (rates); Mignacco & Mori 2025 (curricula).

    Example:
      >>> import ode
      >>> import teacher_student as ts
      >>> inputs = ts.Inputs({"all": 1.0}, {"easy": {"all": 0.5}, "hard": {"all": 1.0}})
      >>> task = ts.Committee(inputs, width=1, noise=0.3)
      >>> order = ts.Curriculum.mixed({"easy": 0.5, "hard": 0.5}, 5.0)
      >>> problem = ts.Problem(task, ts.Student(1), ts.SGD(1.0), order)
      >>> start = ts.random_overlaps(problem, dim=1000, key=0)
      >>> rate = ode.protocols.Values("sgd.learning_rate", bounds=(0.0, 5.0), phases=2)
      >>> best = ode.optimize(problem, start, rate, ode.protocols.Final("hard"), starts=0)
      >>> best.status, best.certificate.first_order
      ('converged', True)
    """
    refuse_fork()
    check_problem(problem)
    check_overlaps(start, problem)
    if not is_known((problem, start)):
        raise InputError("a problem and a start of known numbers in ode.optimize", "traced ones")
    if np.ndim(start.readout) != 1:
        raise InputError("one start", f"a batch of shape {np.shape(start.readout)[:-1]}")
    if not isinstance(cost, Cost):
        raise InputError("a cost such as ode.protocols.Final({'hard': 1.0})", repr(cost))
    cost.check(problem)
    as_count(steps, "number of steps")
    as_count(starts, "number of random starts", least=0)
    seed = int(np.random.SeedSequence(key_numbers(as_key(key))).generate_state(1)[0])
    method = _method(problem, cost, averages, rtol, bound)
    with jax.enable_x64(True):
        protocol = protocol_of(Judge.of(problem, start, cost, method), controls, constraints)
        _try_out(protocol)
        study = Study(protocol, seed, starts, steps, DESCENT[method.exact], _kinds(controls), compare)
        return _result(study, *study.run(is_shown(progress)), start, averages)


def _method(problem: Problem, cost: Cost, averages: Any, rtol: float | None, bound: float) -> Any:
    if averages is None:
        from .._method import fastest_averages

        averages = fastest_averages(problem)
        if isinstance(averages, Sampled):
            averages = with_fields(averages, points=POINTS)
    if isinstance(averages, Sampled):
        averages = with_fields(averages, replicates=1, error=None)  # one integration for each trial
    exact = not isinstance(averages, Sampled)
    usual = TOLERANCES[exact]
    if rtol is not None:
        check_tolerances(rtol, rtol, 1, bound, None)
    rtol, atol = (usual[0] if rtol is None else rtol), usual[1] if rtol is None else rtol / 100
    return method_for(problem, averages, cost.with_accuracy, rtol, atol, 100_000, bound)


def _kinds(controls: Any) -> list[Control]:
    return [controls] if isinstance(controls, Control) else list(controls)


def _try_out(protocol: Protocol) -> None:
    """Raise InputError for a cost without value or derivative, or which no control moves."""
    judge, cost = protocol.judge, protocol.judge.cost
    x = into_constraints(protocol, protocol.initial)
    if not feasible(protocol, x):
        raise InputError("constraints that can be kept together", "no values of the controls that keep all of them")
    try:
        value, gradient = protocol.value_and_gradient(x)
    except NoDerivative:
        value = cost_of(judge, forward(judge, protocol.problem(x)))[0]
        if not np.isfinite(value):
            raise InputError(f"a finite cost of the problem's own protocol ({cost.name})", f"{value:g}") from None
        remedy = "start from a state with R != 0 or Q > 0" if not isinstance(cost, Own) else ""
        required = f"a cost that can be differentiated ({cost.name})"
        raise InputError(required, "a derivative that is no number", remedy) from None
    except Diverged:
        return  # other starts may not
    except InputError:
        raise
    except Exception as error:
        if isinstance(cost, Own):
            raise refuse_cost(cost, error) from error
        raise
    if not np.isfinite(value):
        raise InputError(f"a finite cost of the problem's own protocol ({cost.name})", f"{value:g}")
    if not np.any(gradient) and not _moves_inside(protocol, x):
        names = ", ".join(protocol.names[:3]) + (", ..." if len(protocol.names) > 3 else "")
        raise InputError(f"a cost that the controls move ({cost.name})", f"a derivative of 0 in {names}")


def _moves_inside(protocol: Protocol, x: np.ndarray) -> bool:
    """Return whether the cost has a derivative other than 0 a little inside the bounds."""
    inside = x + 0.1 * ((protocol.lower + protocol.upper) / 2 - x)
    try:
        return bool(np.any(protocol.value_and_gradient(inside)[1]))
    except Diverged:
        return True


def _result(
    study: Study,
    ended: list[tuple[FirstOrder, Protocol]],
    named: dict[str, Named],
    interrupted: bool,
    start: Overlaps,
    averages: Any,
) -> Optimum:
    best, protocol = _simplest(ended)
    if not np.isfinite(best.cost):
        raise InputError(
            "a protocol that does not diverge among the starts", "all of them do", "lower the learning rate"
        )
    judge = protocol.judge
    if judge.exact and not interrupted:
        best = polished(protocol, best)
    problem = protocol.problem(best.x)
    status = "interrupted" if interrupted else "converged" if best.converged else "stopped"
    return Optimum(
        problem,
        judge.problem,
        start,
        judge.cost,
        best.cost,
        _by_solve(judge, problem, start, averages),
        _method_name(study, protocol),
        status,
        dict(zip(protocol.names, best.x.tolist(), strict=True)),
        tuple(_said(end) for end, _ in ended),
        named,
        certify(protocol, best.x, study.seed),
        study.seed,
    )


def _simplest(ended: list[tuple[FirstOrder, Protocol]]) -> tuple[FirstOrder, Protocol]:
    """Return the best point; of points that are equal to 1e-9, the one with the fewest variables."""
    best = ended[0][0].cost
    alike = [end for end in ended if end[0].cost <= best + 1e-9 * abs(best)] or ended[:1]
    return min(alike, key=lambda end: (end[0].x.size, end[0].cost))


def _said(end: FirstOrder) -> Search:
    status = "converged" if end.converged else "diverged" if not np.isfinite(end.cost) else "stopped"
    status = "interrupted" if end.message == "interrupted" else status
    return Search(end.start, end.cost, end.started_at, end.evaluations, status, end.message)


def _method_name(study: Study, protocol: Protocol) -> str:
    if any(isinstance(control, Order) for control in study.controls) and protocol is not study.protocol:
        arcs = np.any(protocol.order.initial_shares.slope) if protocol.order else False
        return "direct, then switches" + (" and arcs" if arcs else "")
    if study.controls and all(isinstance(control, Switches) for control in study.controls):
        return "switching times"
    return "direct"


def _by_solve(judge: Judge, problem: Problem, start: Overlaps, averages: Any) -> tuple[float, float]:
    """Return the cost by `ode.solve`, with the averages that the user asked for, and its sampling error."""
    cost = judge.cost
    if not isinstance(cost, Final) or problem.task_schedules or judge.problem.task_schedules:
        return float("nan"), 0.0
    alphas = cost.alphas(float(problem.curriculum.end))
    options: dict[str, Any] = {} if not judge.exact else {"rtol": judge.rtol, "atol": judge.atol}
    result = solve(problem, start, alphas, averages=averages, with_accuracy=cost.with_accuracy or None, **options)
    values = result.accuracy if cost.of == "accuracy" else result.error
    mean = float(np.mean(sum(weight * np.asarray(values[level]) for level, weight in cost.weights.items())))
    error = 0.0
    if result.scatter is not None:
        rows = getattr(result.scatter, cost.of)
        scatter = np.mean(sum(weight * np.asarray(rows[level]) for level, weight in cost.weights.items()), axis=-1)
        error = float(np.std(scatter, ddof=1) / np.sqrt(scatter.size)) if scatter.size > 1 else float("nan")
    return (1 - mean if cost.of == "accuracy" else mean), error
