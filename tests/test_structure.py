"""Programs are compiled for the structure of a problem alone: whatever else changes, nothing is compiled again."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ode
import teacher_student as ts

from .compilations import counted

pytestmark = pytest.mark.slow  # most of its time is compilation

LEVELS = {"easy": {"relevant": 1.0, "irrelevant": 0.1}, "hard": {"relevant": 1.0, "irrelevant": 1.5}}


def problem(
    *,
    names: Callable[[str], str] = str,
    blocks: Callable[[str], str] = str,
    rate: Any = 0.5,
    phases: tuple[Any, ...] = (("easy", 1.0), ("hard", 1.0)),
    student: str = "erf",
    noise: Any = 0.1,
    readout: Any = (1.0, -0.7),
) -> ts.Problem:
    levels = {names(l): {blocks(b): v for b, v in row.items()} for l, row in LEVELS.items()}
    inputs = ts.Inputs({blocks("relevant"): 0.3, blocks("irrelevant"): 0.7}, levels)
    task = ts.Committee(inputs, 2, readout=readout, support=blocks("relevant"), noise=noise)
    renamed = [tuple(names(x) if isinstance(x, str) else x for x in phase) for phase in phases]
    return ts.Problem(task, ts.Student(2, student), ts.SGD(rate), ts.Curriculum.phases(*renamed))


def start(seed: int = 0) -> ts.Overlaps:
    return ts.random_overlaps(problem(), 500, seed)


TIMES = np.linspace(0.1, 2.0, 20)
CHANGES: dict[str, dict[str, Any]] = {
    "21 alphas": {"alphas": np.linspace(0.1, 2.0, 21)},
    "two alphas": {"alphas": [0.5, 1.5]},
    "one alpha, an integer": {"alphas": [2]},
    "other spacing": {"alphas": np.geomspace(0.01, 2.0, 20)},
    "alphas of JAX": {"alphas": jnp.linspace(0.1, 1.9, 20)},
    "alphas of single precision": {"alphas": TIMES.astype(np.float32)[:-1]},
    "alphas as a tuple": {"alphas": tuple(TIMES)},
    "three phases": {"phases": (("easy", 0.5), ("hard", 0.5), ("easy", 1.0))},
    "one phase": {"phases": (("hard", 2.0),)},
    "the other order": {"phases": (("hard", 1.0), ("easy", 1.0))},
    "a ramp": {"phases": (("easy", "hard", 2.0),)},
    "another rate": {"rate": 0.6},
    "an integer rate": {"rate": 1},
    "a rate of NumPy": {"rate": np.float32(0.4)},
    "a rate of JAX": {"rate": jnp.asarray(0.4)},
    "other names of levels": {"names": lambda name: name[::-1]},
    "other names of blocks": {"blocks": lambda name: name.upper()},
    "another start": {"seed": 1},
    "a readout as a list": {"readout": [1, 1]},
    "another noise": {"noise": 0},
    "other tolerances": {"rtol": 1e-6},
    "another bound": {"bound": 50.0},
}
SAMPLED = {"another seed of the averages": 1, "a key for the averages": jax.random.key(7)}


def ask(how: str, *, alphas: Any = TIMES, seed: int = 0, averages: Any = None, **changes: Any) -> Any:
    """Ask a question whose answer is one trajectory."""
    options: dict[str, Any] = {name: changes.pop(name) for name in ("rtol", "bound") if name in changes}
    of = problem(**changes)
    if how == "solve_many":
        return ode.solve_many([of] * 3, start(seed), alphas, averages=averages, **options)[0]
    if how == "fluctuations":
        options["sample"] = ode.Sampled(2**6, 2)  # what is compiled does not depend on how many there are, time does
    return getattr(ode, how)(of, start(seed), alphas, averages=averages, **options)


@pytest.mark.parametrize("how", ["solve", "solve_many", "fluctuations"])
def test_nothing_is_compiled_after_the_first_question(how: str) -> None:
    ask(how)
    compiled = {}
    for change, arguments in CHANGES.items():
        with counted() as count:
            trajectory = ask(how, **arguments)
        assert trajectory.status == ts.Status.OK
        compiled[change] = count[0]
    assert compiled == dict.fromkeys(CHANGES, 0)


@pytest.mark.parametrize("how", ["solve", "solve_many"])
def test_nothing_is_compiled_for_another_seed_of_the_averages(how: str) -> None:
    def sampled(key: Any, **changes: Any) -> None:
        ask(how, student="relu", averages=ode.Sampled(2**6, 2, key), **changes)

    sampled(0)
    with counted() as count:
        for key in SAMPLED.values():
            sampled(key)
        sampled(0, alphas=[0.3, 0.9, 1.1])
        sampled(0, phases=(("hard", 1.0), ("easy", 0.4), ("hard", 0.6)))
    assert count == [0]


def test_the_count_sees_what_is_compiled() -> None:
    ask("solve")
    with counted() as count:
        ask("solve", student="x**2")
    assert count[0] > 0


def test_nothing_is_compiled_for_another_critical_value_or_plateau() -> None:
    def one_block(level: str, order: ts.Curriculum, rate: Any = 0.2, readout_rate: Any = 0.0) -> ts.Problem:
        task = ts.Committee(ts.Inputs({level.upper(): 1.0}, {level: {level.upper(): 1.0}}), width=2)
        return ts.Problem(task, ts.Student(width=2), ts.SGD(rate, readout_rate), order)

    start = ts.Overlaps(np.diag([0.2, 0.3]), [[0.001, 0.005], [0.008, 0.002]], np.eye(2))

    def ask_all(problem: ts.Problem, bracket: tuple[float, float]) -> None:
        ode.critical(problem, "sgd.learning_rate", bracket)
        ode.plateau(problem, start)
        ode.fixed_points(problem)

    ask_all(one_block("all", ts.Curriculum.single("all", 9.0)), (1.0, 6.0))
    with counted() as count:
        ask_all(one_block("one", ts.Curriculum.phases(("one", 2), ("one", 3.0))), (2, 5))
        ask_all(one_block("two", ts.Curriculum.single("two", 1), np.float32(0.25)), (1.5, 6.0))
    assert count == [0]
