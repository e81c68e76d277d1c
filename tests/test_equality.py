"""Public objects as values: ==, hash, pickle and copies, and a repr that neither warns nor fails."""

import copy
import dataclasses
import pickle
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import cloudpickle
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import figures
import figures.atlas
import ode
import simulations
import teacher_student as ts
from teacher_student import _equality

from . import build

WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "cloudpickle": lambda thing: cloudpickle.loads(cloudpickle.dumps(thing)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def tanh_like(x: Any) -> Any:
    return jnp.tanh(2 * x)


def teacher(width: int = 1) -> ts.Committee:
    return ts.Committee(ts.Inputs({"all": 1.0}), width)


def small(rate: float = 0.5, activation: Any = "erf", width: int = 1) -> ts.Problem:
    return ts.Problem(teacher(), ts.Student(width, activation), ts.SGD(rate), ts.Curriculum.single("all", 2.0))


def start(width: int = 1) -> ts.Overlaps:
    return ts.Overlaps([0.25 * np.eye(width)], [[[0.01]] * width], [[[0.3]]])


def solved(rate: float = 0.5, activation: Any = "erf", alphas: Any = (0.5, 1.0, 2.0)) -> ts.Trajectory:
    return ode.solve(small(rate, activation), start(), list(alphas))


def simple_values() -> Iterable[Any]:
    """Give what problems are made of, made anew at each call."""
    yield from (ts.Student(2, unit).activation for unit in ("erf", "relu", "linear", "x**3", jnp.tanh, tanh_like))
    yield ts.Activation("odd one", tanh_like, odd=True, smooth=True)
    yield from (teacher(), build.mixture().task, ts.SumOfUnits(ts.Student(1).activation, np.ones(2)))
    yield from (ts.Inputs({"all": 1.0}), ts.Student(3, "relu"), ts.SGD(0.5), ts.SGD(0.5, 0.1, 0.01, loss="squared"))
    yield from (ts.Curriculum.phases(("all", 1.0), ("all", 2.0)), small(), build.problem())
    yield from (start(2), ts.Directions(("a",), np.ones(1), small(), start()), teacher().conditions(), ts.Status.OK)
    yield from (ode.ClosedForm(), ode.Sampled(key=3), figures.CellStatus.PENDING, ts.Source("ode", "a", "b"))
    yield simulations.Weights(jnp.ones((1, 1, 4)), jnp.ones((1, 1, 4)), jnp.ones((1, 1)))
    yield simulations.Sample(jnp.int32(0), jnp.int32(0), jnp.ones(4), jnp.float32(0.1))
    yield figures.Contrast("order", "a", "b")


def hash_of(thing: Any) -> int | str:
    """Return the hash, or what Python says of one that has none."""
    try:
        return hash(thing)
    except TypeError as error:
        return str(error)


def check(thing: Any) -> None:
    """A value and its copies are equal in one bool, hash alike if at all, and say what they are without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert repr(thing)
        assert str(thing)
    for way, copied in WAYS.items():
        again = copied(thing)
        assert type(again) is type(thing), way
        assert (thing == again) is True, (way, type(thing))
        assert (thing != again) is False, way
        assert hash_of(again) == hash_of(thing), (way, type(thing))
    for other in (None, 3, "erf", object(), np.ones(3), jnp.ones(2), [thing], {}):
        assert (thing == other) is not True or isinstance(thing, int)


@pytest.mark.parametrize("number", range(len(list(simple_values()))))
def test_what_problems_are_made_of_is_a_value(number: int) -> None:
    values = list(simple_values())
    check(values[number])
    assert [values[number] == other for other in values].count(True) == 1 or isinstance(values[number], int)
    assert (values[number] == list(simple_values())[number]) is True  # made again from the same numbers


def test_objects_of_other_numbers_are_not_equal() -> None:
    assert (small(0.5) == small(0.6)) is False
    assert (small() == small(activation="relu")) is False
    assert (small() == small(width=2)) is False
    assert (ts.SGD(0.5) == ts.SGD(0.5, 0.1)) is False
    assert (start(1) == start(2)) is False
    assert (ts.Student(1, tanh_like) == ts.Student(1, jnp.tanh)) is False
    assert (ode.Sampled(key=1) == ode.Sampled(key=2)) is False
    assert (ts.Inputs({"a": 0.5, "b": 0.5}) == ts.Inputs({"a": 0.5, "c": 0.5})) is False


replaced: Callable[..., Any] = dataclasses.replace
MADE_FROM_SOMETHING_ELSE = (ts.Curriculum, ts.XorMixture, ts.Inputs)


@pytest.mark.parametrize("number", range(len(list(simple_values()))))
def test_replace_gives_an_equal_copy_or_is_refused_in_one_line(number: int) -> None:
    value: Any = list(simple_values())[number]
    if not dataclasses.is_dataclass(value):
        return
    if not isinstance(value, MADE_FROM_SOMETHING_ELSE):
        assert (replaced(value) == value) is True
        for field in dataclasses.fields(value):
            assert (replaced(value, **{field.name: getattr(value, field.name)}) == value) is True
        return
    with pytest.raises(ts.InputError, match=f"what {type(value).__name__} is made from, which is not its fields"):
        replaced(value)


def test_a_wrong_argument_is_still_pythons_own_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'durations'"):
        build.unchecked(ts.Curriculum)(durations=[1.0])


def test_replace_of_results_gives_an_equal_copy() -> None:
    theory = solved()
    for value in (theory, theory.observables, theory.source, theory.budget()):
        assert (replaced(value) == value) is True


def test_equality_of_traced_problems_is_left_to_jax() -> None:
    def look(rate: Any) -> Any:
        return jnp.asarray(small(rate).sgd == small(rate).sgd)

    assert bool(jax.jit(look)(jnp.ones(())))


def test_a_trajectory_with_nan_equals_its_copy() -> None:
    diverged = solved(9.0, "linear")
    assert diverged.status != ts.Status.OK
    assert (diverged == copy.deepcopy(diverged)) is True
    assert (diverged == solved(0.5, "linear")) is False


def _emptied(trajectory: ts.Trajectory, axis: int, keep: int) -> ts.Trajectory:
    def cut(x: Any) -> Any:
        return np.take(x, np.arange(keep), axis)

    return dataclasses.replace(
        trajectory, alphas=np.asarray(trajectory.alphas)[:keep], observables=jax.tree.map(cut, trajectory.observables)
    )


@pytest.mark.parametrize("engine", ["ode", "sgd"])
def test_every_text_of_a_trajectory_is_said_without_a_warning_whatever_it_holds(engine: str) -> None:
    def of(rate: float, alphas: list[float]) -> ts.Trajectory:
        if engine == "ode":
            return solved(rate, "linear", alphas)
        return simulations.run(small(rate, "linear"), 20, 2, alphas, 0, start=start(), progress=False)

    axis = int(engine == "sgd")
    plain = of(0.5, [0.5, 1.0, 2.0])
    nan = dataclasses.replace(plain, observables=jax.tree.map(lambda x: np.full_like(x, np.nan), plain.observables))
    infinite = dataclasses.replace(
        plain, observables=jax.tree.map(lambda x: np.full_like(x, np.inf), plain.observables)
    )
    held = [plain, of(9.0, [0.5, 1.0, 2.0]), of(9.0, [2.0]), of(0.5, [2.0]), of(0.5, [0.0, 2.0]), nan, infinite]
    held += [_emptied(plain, axis, 0), _emptied(plain, axis, 1)]
    held += [dataclasses.replace(trajectory, sampling_error=nan.observables) for trajectory in (plain, nan)]
    if engine == "sgd":
        none = jax.tree.map(lambda x: np.asarray(x)[:0], plain.observables)
        held.append(dataclasses.replace(plain, observables=none, status=np.zeros(0, int), reached=np.zeros(0)))
    for trajectory in held:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for text in (repr(trajectory), str(trajectory), f"{trajectory}", trajectory.describe()):
                assert text
                assert "\n" not in text
            assert repr(trajectory.observables)
            assert repr(trajectory.error)


def test_sabotage_where_nan_differs_from_nan_a_copy_is_not_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_equality, "_same_numbers", lambda one, other: np.array_equal(one, other))
    with pytest.raises(AssertionError):
        test_a_trajectory_with_nan_equals_its_copy()
