"""A process that has imported everything and computed nothing, and starts command lines as copies of itself.

Each line of its input is a JSON list: how many files (of a store, or such that appear whole) are opened to be written,
or renamed, before the copy kills itself (null: it does not), then the arguments of `teacher-student`. It answers with
the copy's exit status, as `os.waitpid` has it.
"""

import json
import os
import signal
import sys
from typing import Any

# What JAX and Dask import takes longer than what is tested; no backend is started before the copies are made.
import dask.array  # noqa: F401
import diffrax  # noqa: F401
import jax
import xarray  # noqa: F401
import zarr  # noqa: F401

import ode
import simulations  # noqa: F401
from figures import sweeps  # noqa: F401
from figures.command._main import main
from figures.sweeps import run_sweep  # noqa: F401


def kill_at(count: int) -> None:
    """Make this process end by SIGKILL before its `count`-th opening or renaming of a file to write in a store."""
    left = [count]

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event in ("os.rename", "os.mkdir") or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if writes and (".unfinished" in str(arguments[0]) or (".zarr" in str(arguments[0]) and event != "os.mkdir")):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


if __name__ == "__main__":
    ode.solve_many, jax.jit  # noqa: B018  # loaded when they are first looked up
    for line in sys.stdin:
        killed_at, *arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            if killed_at is not None:
                kill_at(killed_at)
            os._exit(main(arguments))
        print(os.waitpid(child, 0)[1], flush=True)
