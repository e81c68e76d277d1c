"""The next curve after the first, in the same process: what is changed, its CPU seconds, and what compiled for it.

python next_curves.py K M ETA LAST [NAME ...]: prints a JSON list of {"name", "seconds", "compilations"}, of the changes
that are named (none: all). Only what every version of the toolkit has.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import ode
import teacher_student as ts

K, M, ETA, LAST = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
EASY, HARD = ("easy", LAST / 2), ("hard", LAST / 2)
ALPHAS = np.linspace(0, LAST, 21)[1:]


def problem(*, eta: Any = ETA, phases: Any = (EASY, HARD), easy: str = "easy") -> ts.Problem:
    """An erf committee on two levels of one block."""
    task = ts.Committee(ts.Inputs({"all": 1.0}, {easy: {"all": 0.8}, "hard": {"all": 1.0}}), M)
    return ts.Problem(task, ts.Student(K), ts.SGD(eta), ts.Curriculum.phases(*phases))


START = ts.random_overlaps(problem(), dim=1000, key=0, teacher="orthonormal")


def curve(of: ts.Problem, alphas: Any = ALPHAS, start: ts.Overlaps = START, averages: Any = None) -> None:
    """Solve, and look at the last error."""
    theory = ode.solve(of, start, alphas, averages=averages, with_accuracy=False)
    assert np.isfinite(theory.error["hard"][-1])


def sampled(seed: int) -> None:
    """A curve with averages that are sampled."""
    curve(problem(), ALPHAS, START, ode.Sampled(2**8, 1, seed))


def in_lists() -> ts.Overlaps:
    """The start as nested lists."""
    return ts.Overlaps(START.Q.tolist(), START.R.tolist(), START.T.tolist(), START.readout.tolist())


THREE = (("easy", LAST / 4), ("hard", LAST / 2), ("easy", LAST / 4))
CHANGES: dict[str, Callable[[], None]] = {
    "nothing changed": lambda: curve(problem()),
    "20 -> 21 alphas": lambda: curve(problem(), np.linspace(0, LAST, 22)[1:]),
    "alphas spaced geometrically": lambda: curve(problem(), np.geomspace(LAST / 100, LAST, 20)),
    "2 -> 3 phases": lambda: curve(problem(phases=THREE)),
    "order reversed": lambda: curve(problem(phases=(HARD, EASY))),
    "a level renamed": lambda: curve(problem(phases=(("simple", LAST / 2), HARD), easy="simple")),
    "a rate of NumPy": lambda: curve(problem(eta=np.asarray(ETA))),
    "a rate of int": lambda: curve(problem(eta=1)),
    "lists for arrays": lambda: curve(problem(), ALPHAS.tolist(), in_lists()),
    "another seed of ode.Sampled": lambda: sampled(1),
}
compiled: list[float] = []


def heard(event: str, duration_secs: float, **_: Any) -> None:
    """Count what XLA compiles."""
    if event == "/jax/core/compile/backend_compile_duration":
        compiled.append(duration_secs)


def measured(name: str) -> dict[str, Any]:
    """Seconds and compilations of one change."""
    before, begin = len(compiled), time.process_time()
    CHANGES[name]()
    return {"name": name, "seconds": time.process_time() - begin, "compilations": len(compiled) - before}


if __name__ == "__main__":
    names = sys.argv[5:] or list(CHANGES)
    jax.monitoring.register_event_duration_secs_listener(heard)
    curve(problem())
    if any("Sampled" in name for name in names):
        sampled(0)
    print(json.dumps([measured(name) for name in names]))
