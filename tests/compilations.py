"""Counting what JAX compiles, by its public monitoring events."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import pytest

from teacher_student import _programs

COMPILED = "/jax/core/compile/backend_compile_duration"  # told for each program, taken from a cache on disk or not
_open: list[list[str]] = []  # one for each block that is being run: listeners cannot be taken off again


def _listen(event: str, duration_secs: float, **about: Any) -> None:
    if event == COMPILED:
        for names in _open:
            names.append(str(about.get("fun_name")))


jax.monitoring.register_event_duration_secs_listener(_listen)


@contextlib.contextmanager
def compiled_programs() -> Iterator[list[str]]:
    """The names of the programs that have been compiled in the block so far.

    Within the block no programs are dropped to make room: a process that has run many tests would compile them again.
    """
    names: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_programs, "_maps_run_out", lambda: False)
        _open.append(names)
        try:
            yield names
        finally:
            del _open[next(place for place, other in enumerate(_open) if other is names)]


@contextlib.contextmanager
def counted() -> Iterator[list[int]]:
    """A list that holds, after the block, the number of programs that were compiled in it."""
    count: list[int] = []
    with compiled_programs() as names:
        yield count
    count.append(len(names))
