"""Counting what JAX compiles, by its public monitoring events."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax

COMPILED = "/jax/core/compile/backend_compile_duration"  # told for each program, taken from a cache on disk or not
_seen: list[str] = []


def _listen(event: str, duration_secs: float, **_: Any) -> None:
    _seen.append(event)


jax.monitoring.register_event_duration_secs_listener(_listen)


@contextlib.contextmanager
def counted() -> Iterator[list[int]]:
    """A list that holds, after the block, the number of programs that were compiled in it."""
    count: list[int] = []
    before = _seen.count(COMPILED)
    yield count
    count.append(_seen.count(COMPILED) - before)
