"""Counting what JAX compiles, by its public monitoring events."""

import contextlib
from collections.abc import Iterator

import jax

COMPILED = "/jax/core/compile/backend_compile_duration"  # told for each program, taken from a cache on disk or not
_seen: list[str] = []
jax.monitoring.register_event_duration_secs_listener(lambda event, _, **__: _seen.append(event))


@contextlib.contextmanager
def counted() -> Iterator[list[int]]:
    """A list that holds, after the block, the number of programs that were compiled in it."""
    before, count = _seen.count(COMPILED), []
    yield count
    count.append(_seen.count(COMPILED) - before)
