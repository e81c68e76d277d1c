"""`make_room`: compiled programs are dropped before they take all memory maps of the process, and results stay."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import ode
import simulations
import teacher_student as ts
from teacher_student import _programs, internal

from .compilations import compiled_programs


def a_program() -> Any:
    """A compiled function, which has a count of its programs that its annotations do not have."""
    return jax.jit(lambda x: jnp.sin(x) @ jnp.cos(x))


def test_programs_are_dropped_near_the_limit_and_compiled_again_with_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, program = jnp.arange(5.0), a_program()
    before = program(x)
    assert program._cache_size() == 1
    monkeypatch.setattr(_programs, "LIMIT", few(tmp_path))
    assert internal.make_room()
    assert program._cache_size() == 0
    assert program(x) == before


def few(folder: Path) -> Path:
    """A limit that any process is beyond."""
    path = folder / "max_map_count"
    path.write_text("10\n")
    return path


def test_programs_stay_where_there_is_room() -> None:
    program = a_program()
    program(jnp.arange(3.0))
    assert not internal.make_room()
    assert program._cache_size() == 1


def test_maps_are_counted_only_after_something_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    internal.make_room()
    monkeypatch.setattr(_programs, "LIMIT", few(tmp_path))
    assert not internal.make_room()
    a_program()(jnp.arange(4.0))
    assert internal.make_room()


def test_nothing_is_dropped_while_programs_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a count would depend on which tests ran before it in the same process."""
    x, program = jnp.arange(7.0), a_program()
    monkeypatch.setattr(_programs, "LIMIT", few(tmp_path))
    with compiled_programs() as names:
        program(x)
        assert names
        names.clear()
        assert not internal.make_room()
        program(x)
    assert not names
    program(jnp.arange(8.0))
    assert internal.make_room()


def test_systems_that_do_not_say_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_programs, "LIMIT", tmp_path / "none")
    a_program()(jnp.arange(6.0))
    assert not internal.make_room()


class Asked(Exception):
    """`make_room` was called."""


TASK, ORDER = ts.Committee(ts.Inputs({"all": 1.0}), 2), ts.Curriculum.single("all", 1.0)
PROBLEM = ts.Problem(TASK, ts.Student(2), ts.SGD(0.5), ORDER)
PAIR = [[[1.0, 0.1], [0.1, 1.0]]]
START = ts.Overlaps(PAIR, [[[0.1, 0.2], [0.2, 0.1]]], PAIR, [1.0, 1.0])
CALLS: dict[str, tuple[str, Callable[[], Any]]] = {  # where room is made, and what makes it
    "run": ("simulations.engine._plan", lambda: simulations.run(PROBLEM, 50, 2, [1.0], 0, start=START)),
    "run_many": ("simulations.engine._plan", lambda: simulations.run_many([PROBLEM], 50, 2, [1.0], 0, start=START)),
    "fixed_points": ("ode.stability._search", lambda: ode.fixed_points(PROBLEM, START)),
    "critical": (
        "ode.stability._critical",
        lambda: ode.critical(PROBLEM, "sgd.learning_rate", (0.1, 1.0), guess=START),
    ),
    "plateau": ("ode.stability._plateau", lambda: ode.plateau(PROBLEM, START)),
}


@pytest.mark.parametrize("name", CALLS)
def test_public_computations_make_room_before_they_compute(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> None:
        raise Asked

    module, call = CALLS[name]
    monkeypatch.setattr(importlib.import_module(module), "make_room", asked)
    with pytest.raises(Asked):
        call()
