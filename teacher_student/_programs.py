"""Room for compiled programs: each maps memory, and the system allows a process only so many maps.

Linux allows 65,530 (vm.max_map_count); a compiled solve takes a few hundred, and beyond the limit XLA crashes.
So well before it, compiled programs are dropped; what is needed again is compiled again.
"""

import threading
from pathlib import Path
from typing import Any

from ._forked import refuse_fork

COMPILED = "/jax/core/compile/backend_compile_duration"  # JAX's name for: a program has been compiled
FULL = 0.6  # share of the maps allowed, from which on programs are dropped
MAPS, LIMIT = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")


class _Compilations:
    """How many programs have been compiled since the last look at the maps."""

    def __init__(self) -> None:
        self.listening = False
        self.since = 1  # what was compiled before listening is not known
        self.lock = threading.Lock()

    def listen(self) -> None:
        """Count from now on (not from the import on: importing us leaves JAX as it is)."""
        import jax

        with self.lock:
            if not self.listening:
                jax.monitoring.register_event_duration_secs_listener(self._count)
                self.listening = True

    def _count(self, event: str, duration_secs: float, **_: Any) -> None:
        if event == COMPILED:
            self.since += 1

    def taken(self) -> int:
        """Return the number, which starts from 0 again."""
        self.since, number = 0, self.since
        return number


_compilations = _Compilations()


def make_room() -> bool:
    """Drop JAX's compiled programs if they take most of the memory maps that the process may have.

    Return whether it did. Public computations call it first. It looks only if something has been compiled since, and
    takes microseconds else. Raises InputError in a forked process, where a computation would hang.
    """
    refuse_fork()
    _compilations.listen()
    if not _compilations.taken() or not _maps_run_out():
        return False
    import jax

    jax.clear_caches()  # type: ignore[no-untyped-call]  # JAX leaves it untyped
    return True


def _maps_run_out() -> bool:
    """Return whether more than a share FULL of the maps allowed is in use.

    It is False where the system does not say.
    """
    try:
        allowed = int(LIMIT.read_text())
        with MAPS.open("rb") as lines:
            return sum(1 for _ in lines) > FULL * allowed
    except (OSError, ValueError):
        return False
