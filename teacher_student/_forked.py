"""Processes forked after JAX had started. JAX's threads are missing there, and it would wait for them for ever.

`fork` is the usual way of `multiprocessing` on Linux up to Python 3.13. JAX itself only warns.
"""

import os
import sys
from pathlib import Path

from ._compiler import jax_has_started
from ._errors import InputError

THREADS = Path("/proc/self/task")


class _Fork:
    """Whether this process, or one of its forked ancestors, was forked from one in which JAX had started."""

    def __init__(self) -> None:
        self.too_late = _forked_before_import()
        if hasattr(os, "register_at_fork"):  # not where there is no fork
            os.register_at_fork(after_in_child=self.note)

    def note(self) -> None:
        """Note, in the child, whether JAX had started. A child in which it starts anew can compute."""
        self.too_late = self.too_late or jax_has_started()


def _forked_before_import() -> bool:
    """Return whether JAX came with the fork although we did not: it has started, and its threads are not there.

    It is False where the system does not list threads.
    """
    if not jax_has_started() or not sys.platform.startswith("linux"):
        return False
    try:
        return sum(1 for _ in THREADS.iterdir()) == 1
    except OSError:
        return False


_fork = _Fork()


def refuse_fork() -> None:
    """Raise InputError in a process that was forked after JAX had started, where it would hang."""
    if _fork.too_late:
        raise InputError(
            "a process in which JAX can compute",
            "one that was forked after JAX had started in its parent",
            'start processes by multiprocessing.get_context("spawn"), or before the parent computes anything',
        )
