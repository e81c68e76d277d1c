"""What protocols refuse in one line, trials that diverge, Ctrl-C, and seeds."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ode
import teacher_student as ts
from ode import protocols
from ode.protocols import _search
from ode.protocols._protocol import Protocol

from .build import unchecked as wrong
from .protocol_cases import HALF, KEEP, NOTHING_LEARNED, PERCEPTRON, WRONG, linear_student, mignacco_mori

RATE = protocols.Number("sgd.learning_rate", (0.0, 1.0))
TWO = protocols.Shares(2)
FINAL = protocols.Final("all")
POWER = ts.Schedule.power(3.0, 1.0, 1.0)


def best(*arguments: Any, **options: Any) -> ode.protocols.Optimum:
    return ode.optimize(*arguments, **({"starts": 0, "compare": False, "progress": False} | options))


def perceptron(controls: Any, cost: Any = WRONG, constraints: Any = (), rate: Any = 3.0, **options: Any) -> Any:
    return lambda: best(mignacco_mori(rate), PERCEPTRON, controls, cost, constraints, **options)


def student(controls: Any, cost: Any = FINAL, **options: Any) -> Any:
    return lambda: best(linear_student(4.0), NOTHING_LEARNED, controls, cost, **options)


def own(function: Any, **options: Any) -> Any:
    return student(RATE, protocols.Own(function, **options))


def never_shown(control: Any) -> Any:
    inputs = ts.Inputs({"all": 1.0}, {"easy": {"all": 0.5}, "hard": {"all": 1.0}, "never": {"all": 2.0}})
    order = ts.Curriculum.mixed(HALF, 1.0)
    problem = ts.Problem(ts.Committee(inputs, 1), ts.Student(1), ts.SGD(1.0), order)
    return lambda: best(problem, ts.random_overlaps(problem, dim=50, key=0), control, protocols.Final("hard"))


def values(name: str, **options: Any) -> protocols.Values:
    return protocols.Values(name, (0.0, 1.0), **options)


def relu(bounds: tuple[float, float]) -> tuple[ts.Problem, ts.Overlaps, protocols.Number]:
    task = ts.Committee(ts.Inputs({"all": 1.0}), 1, "relu")
    problem = ts.Problem(task, ts.Student(1, "relu"), ts.SGD(0.3), ts.Curriculum.single("all", 3.0))
    return problem, ts.random_overlaps(problem, dim=50, key=0), protocols.Number("sgd.learning_rate", bounds)


MIXED = ({"easy": 0.5, "hard": 0.5}, "easy")
FEW = protocols.FixedShares({"easy": 0.2, "hard": 0.8})
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "shares: cannot be met": (
        perceptron(protocols.Switches(MIXED), WRONG, FEW),
        "a share of easy between 0.5 and 1, which the controls can meet; got: 0.2",
    ),
    "shares: two at once": (perceptron(TWO, WRONG, [KEEP, FEW]), "constraints that can be kept together"),
    "shares: unknown": (
        perceptron(TWO, WRONG, protocols.FixedShares({"eazy": 0.5, "hard": 0.5})),
        "got: 'eazy'; did you mean 'easy'",
    ),
    "shares: sum": (lambda: protocols.FixedShares({"easy": 0.5, "hard": 0.6}), "sum to 1; got: a sum of 1.1"),
    "shares: negative": (lambda: protocols.FixedShares({"easy": -0.5, "hard": 1.5}), "fixed shares >= 0"),
    "shares: no order": (
        perceptron(RATE, WRONG, KEEP),
        "Order, Shares or Switches among the controls, for fixed shares",
    ),
    "budget: no order": (
        perceptron(RATE, WRONG, protocols.Budget({"easy": 1.0}, 3.0)),
        "Order, Shares or Switches among the controls, for a budget",
    ),
    "budget: too small": (
        perceptron(TWO, WRONG, protocols.Budget({"easy": 1.0, "hard": 2.0}, 3.0)),
        "a budget of at least 6, what the cheapest level costs; got: 3",
    ),
    "budget: unknown": (perceptron(TWO, WRONG, protocols.Budget({"easi": 1.0}, 3.0)), "did you mean 'easy'"),
    "budget: nothing": (lambda: protocols.Budget({"easy": 1.0}, 0.0), "what a budget allows > 0"),
    "bounds: crossed": (lambda: values("sgd.learning_rate") and protocols.Values("a", (2.0, 1.0)), "got: \\(2, 1\\)"),
    "bounds: equal": (lambda: protocols.Number("a", (1.0, 1.0)), "the first below the second"),
    "bounds: NaN": (lambda: protocols.Number("a", (0.0, np.nan)), "finite numbers for bounds"),
    "bounds: text": (lambda: protocols.Number("a", wrong("ab")), "known bounds \\(least, largest\\) of a; got: 'ab'"),
    "bounds: negative": (student(protocols.Values("sgd.learning_rate", (-1.0, 1.0))), "bounds >= 0"),
    "bounds: traced": (
        lambda: jax.jit(lambda x: wrong(protocols.Number("a", (0.0, x))))(3.0),
        "known bounds \\(least, largest\\) of a",
    ),
    "name: unknown": (student(values("sgd.lerning_rate")), "got: 'sgd.lerning_rate'; did you mean 'sgd.learning_rate'"),
    "name: no text": (student(protocols.Number(wrong(3), (0.0, 1.0))), "a number of the problem as a control; got: 3"),
    "name: of a schedule": (
        perceptron(protocols.Number("sgd.learning_rate.power.scal", (0.1, 9.0)), rate=POWER),
        "did you mean 'sgd.learning_rate.power.scale'",
    ),
    "name: twice": (student([RATE, values("sgd.learning_rate")]), "each number in one control"),
    "name: schedule and its number": (
        perceptron([RATE, protocols.Number("sgd.learning_rate.power.scale", (0.1, 9.0))], rate=POWER),
        "controls of a schedule or of its numbers",
    ),
    "name: no schedule": (student(values("task.readout.0")), "protocols.Number takes any number, constant in time"),
    "phases": (lambda: protocols.Shares(0), "an integer number of phases >= 1; got: 0"),
    "shape": (lambda: values("a", shape="splin"), "did you mean 'spline'"),
    "monotone": (lambda: values("a", monotone="down"), "known: decreasing, increasing"),
    "levels: unknown": (perceptron(protocols.Shares(2, levels=("easy", "hrad"))), "did you mean 'hard'"),
    "levels: twice": (perceptron(protocols.Shares(2, levels=("easy", "easy"))), "each level once in a control"),
    "levels: one": (student(TWO), "two levels or more whose shares can be chosen; got: all"),
    "switches: one": (perceptron(protocols.Switches(("easy",))), "two phases or more"),
    "switches: text": (perceptron(protocols.Switches("easy")), "two phases or more"),
    "switches: number": (perceptron(protocols.Switches((1, "hard"))), "for each phase of an order; got: 1"),
    "switches: sum": (perceptron(protocols.Switches(({"easy": 0.5}, "hard"))), "that sum to 1 in each phase"),
    "cost: none": (perceptron(TWO, "hard"), "a cost such as ode.protocols.Final"),
    "cost: level": (perceptron(TWO, protocols.Final("haard")), "did you mean 'hard'"),
    "cost: sum": (lambda: protocols.Final({"easy": 0.5}), "weights of a cost that sum to 1"),
    "cost: quantity": (lambda: protocols.Final("easy", of="eror"), "did you mean 'error'"),
    "cost: beyond the end": (perceptron(TWO, protocols.Final("hard", at=[3.0, 7.0])), "up to the curriculum's end, 6"),
    "cost: own beyond the end": (perceptron(TWO, protocols.Own(lambda seen: 0.0, at=7.0)), "curriculum's end, 6"),
    "cost: time 0": (lambda: protocols.Final("hard", at=0.0), "times of a cost > 0"),
    "cost: order": (lambda: protocols.Own(lambda seen: 0.0, at=[3.0, 1.0]), "increasing times"),
    "cost: twice": (lambda: protocols.Own(lambda seen: 0.0, at=[1.0, 1.0]), "increasing times"),
    "cost: value": (lambda: protocols.TimeTo("hard"), "value that is to be reached > 0"),
    "cost: met at once": (perceptron(TWO, protocols.TimeTo("hard", value=10.0)), "a cost that the controls move"),
    "cost: unmoved": (
        never_shown(protocols.Number("task.levels.never.all", (0.0, 3.0))),
        "a cost that the controls move \\(final error on hard\\); got: a derivative of 0 in task.levels.never.all",
    ),
    "own: no function": (lambda: protocols.Own(wrong("f")), "a JAX function of observables"),
    "own: constant": (own(lambda seen: jnp.asarray(1.0)), "a cost that the controls move \\(own cost\\)"),
    "own: raises": (own(lambda seen: 1 / 0), "that gives one number \\(own cost\\); got: division by zero"),
    "own: no such level": (
        own(lambda seen: seen.error["hard"][-1]),
        "that gives one number \\(own cost\\); got: 'hard'",
    ),
    "own: several numbers": (own(lambda seen: seen.error["all"], at=[1.0, 2.0]), "that gives one number"),
    "own: nothing": (own(lambda seen: None), "that gives one number"),
    "own: NaN": (own(lambda seen: jnp.log(-seen.error["all"][-1])), "a finite cost of the problem's own protocol"),
    "own: NaN derivative": (
        own(lambda seen: jnp.sqrt(jnp.abs(seen.overlaps.R[-1, 0, 0, 0] * 0.0))),
        "can be differentiated \\(own cost\\); got: a derivative that is no number",
    ),
    "controls: none": (student([]), "at least one control"),
    "controls: None": (student(None), "controls as ode.protocols.Shares"),
    "controls: text": (student(["x"]), "got: 'x'"),
    "controls: two orders": (perceptron([TWO, protocols.Order()]), "one control of the order of levels"),
    "constraints: table": (perceptron(TWO, WRONG, dict(HALF)), "constraints as ode.protocols.FixedShares or Budget"),
    "starts": (student(RATE, starts=-1), "an integer number of random starts >= 0; got: -1"),
    "steps": (student(RATE, steps=0), "an integer number of steps >= 1"),
    "key": (student(RATE, key="x"), "a seed \\(an integer\\) or a JAX key"),
    "rtol": (student(RATE, rtol="x"), "rtol between 0 and 1; got: 'x'"),
    "bound: start beyond it": (perceptron(TWO, bound=0.1), "a protocol that does not diverge among the starts"),
    "averages": (student(RATE, averages="x"), "averages=ode.ClosedForm"),
    "problem": (lambda: best(3, PERCEPTRON, TWO, WRONG), "a ts.Problem; got: int"),
    "start: other": (lambda: best(mignacco_mori(), NOTHING_LEARNED, TWO, WRONG), "start overlaps Q of shape"),
    "start: batch": (
        lambda: best(linear_student(4.0), jax.tree.map(lambda x: np.stack([x, x]), NOTHING_LEARNED), RATE, WRONG),
        "one start; got: a batch of shape \\(2,\\)",
    ),
    "traced": (lambda: jax.jit(lambda rate: perceptron(TWO, rate=rate)())(3.0), "known numbers in ode.optimize"),
    "all diverge": (lambda: best(*relu((50.0, 100.0)), protocols.Final("all")), "does not diverge among the starts"),
}


@pytest.mark.usefixtures("promotion")
@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_in_one_line(case: str) -> None:
    function, said = REFUSED[case]
    with pytest.raises(ts.InputError, match=said) as refused:
        function()
    assert "\n" not in str(refused.value)


# ---- what goes wrong on the way


@pytest.mark.long
def test_trials_that_diverge_are_left() -> None:
    """Far too large rates are within the bounds, and are among the random starts."""
    problem, start, control = relu((0.0, 100.0))
    found = best(problem, start, control, protocols.Final("all"), starts=4)
    assert found.status == "converged"
    assert 0.0 < found.variables["sgd.learning_rate"] < 2.0
    assert found.certificate.first_order


def test_after_an_interrupt_the_best_so_far_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Protocol.value_and_gradient
    count, costs = [0], []

    def interrupted(self: Protocol, x: np.ndarray) -> Any:
        count[0] += 1
        if count[0] == 6:
            raise KeyboardInterrupt
        found = usual(self, x)
        costs.append(found[0])
        return found

    monkeypatch.setattr(Protocol, "value_and_gradient", interrupted)
    found = student(values("sgd.learning_rate", phases=3))()
    assert found.status == "interrupted"
    assert found.cost == pytest.approx(min(costs[1:5]), rel=1e-12)
    assert found.searches[0].status == "interrupted"


def test_an_interrupt_before_anything_is_known_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(_search, "minimize", interrupted)
    with pytest.raises(KeyboardInterrupt):
        student(RATE)()


@pytest.mark.long
def test_seeds_reproduce_and_differ() -> None:
    first, again, other = (student(RATE, starts=1, key=key)() for key in (3, 3, 4))
    assert first.searches == again.searches
    assert first.variables == again.variables
    assert {s.start: s.started_at for s in first.searches}["random 1"] != {
        s.start: s.started_at for s in other.searches
    }["random 1"]
    assert student(RATE, starts=1, key=jax.random.key(3))().searches == first.searches
