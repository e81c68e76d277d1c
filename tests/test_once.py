"""What stands once for several parts of the package: counts, cores, the bound of a norm, and where problems differ."""

import inspect
import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import simulations
import teacher_student as ts
from figures.experiment._choices import Choices
from teacher_student import internal
from teacher_student.tables import CommitteeTable, SGDTable
from teacher_student.tables._problem_file import StudentTable

from . import build


@pytest.mark.parametrize("value", [1, 7, np.int64(3), np.uint8(2)])
def test_a_count_is_an_integer_of_at_least_one(value: Any) -> None:
    assert internal.as_count(value, "width") == value
    assert type(internal.as_count(value, "width")) is int


@pytest.mark.parametrize("value", [0, -1, True, np.True_, 1.0, "1", None, np.inf, [1]])
def test_anything_else_is_no_count(value: Any) -> None:
    with pytest.raises(ts.InputError, match=r"an integer width >= 1; got: .*; take one") as caught:
        internal.as_count(value, "width", "take one")
    assert "\n" not in str(caught.value)


def test_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5, 2}, raising=False)
    assert internal.usable_cores() == [2, 5]
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert internal.usable_cores() == [0, 1, 2]
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert internal.usable_cores() == [0]


def test_the_allowed_norm_is_that_of_the_largest_of_one_student_and_teacher() -> None:
    start = build.overlaps(build.problem(), 1)
    for Q, T, largest in ((0.1, 0.2, 1.0), (3.0, 0.2, 3.0), (0.1, 7.0, 7.0)):
        sized = ts.Overlaps(_with_diagonal(start.Q, Q), start.R, _with_diagonal(start.T, T), start.readout)
        assert internal.largest_allowed_norm(sized, 10.0) == 10 * largest
        traced = jax.jit(internal.largest_allowed_norm)(sized, 10.0)
        np.testing.assert_allclose(traced, 10 * largest, rtol=1e-6)
    starts = jax.tree.map(lambda *x: np.stack(x), sized, start)
    largest_of_each = [internal.largest_allowed_norm(each, 10.0) for each in (sized, start)]
    np.testing.assert_array_equal(internal.largest_allowed_norm(starts, 10.0), largest_of_each)


def _with_diagonal(x: Any, value: float) -> np.ndarray:
    return np.broadcast_to(value * np.eye(x.shape[-1]), x.shape)


def test_differing_leaves_are_named() -> None:
    first, other = build.problem(), build.problem(learning_rate=0.9)
    assert internal.same_structure(first, other)
    assert list(internal.differing_leaves(first, other, np.array_equal)) == ["sgd.learning_rate"]
    assert not internal.differing_leaves(first, other, lambda x, y: jnp.shape(x) == jnp.shape(y))
    assert not internal.same_structure(first, build.problem(student="linear"))


def test_what_a_table_leaves_out_is_what_the_constructor_takes() -> None:
    for table, part in ((CommitteeTable, ts.Committee), (StudentTable, ts.Student), (SGDTable, ts.SGD)):
        arguments = inspect.signature(part.__init__).parameters
        shared = [name for name in arguments if name in table.__dataclass_fields__ and hasattr(table, name)]
        assert shared
        assert {name: getattr(table, name) for name in shared} == {name: arguments[name].default for name in shared}
    for function in (simulations.run, simulations.run_many):
        assert inspect.signature(function).parameters["test_samples"].default == Choices.test_samples
    assert inspect.signature(simulations.agreement).parameters["significance"].default == Choices.significance
