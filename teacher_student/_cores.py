"""The processor's cores that this process may use."""

import os


def usable_cores() -> list[int]:
    """Return the numbers of the cores; where the system keeps no account of them (macOS), one for each that there is.

    A container or a batch system gives a process fewer cores than the machine has.
    """
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
