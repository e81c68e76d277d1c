"""What `simulations.memory` says, beside the memory that simulations take: `python -m benchmarks.memory`.

Every simulation runs in a fresh process, which has imported everything and compiled nothing. What is measured is the
peak of its resident set above that of this moment. Exit code: 0, or 1 where the two differ by more than a factor 1.5.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

FACTOR = 1.5
# Arguments of `problem_of` and of `simulations.run`.
CASES: dict[str, dict[str, Any]] = {
    "full weights": {"dim": 2_000, "runs": 8, "steps": 2000},
    "full weights, N = 10^7": {"dim": 10**7, "runs": 2, "workers": 2, "test_samples": 1},
    "chain of the overlaps": {"dim": 10**6, "runs": 64, "steps": 1000, "method": "overlaps"},
    "kept weights": {"dim": 10**6, "runs": 32, "workers": 2, "keep": "weights", "test_samples": 1},
    "many runs": {"dim": 100, "runs": 20_000, "steps": 40, "records": 20, "test_samples": 1},
    "many test samples": {"dim": 1_000, "runs": 8, "steps": 20, "test_samples": 100_000},
    "wide student": {"dim": 10**4, "runs": 1, "K": 1024, "workers": 1, "records": 4, "test_samples": 1},
}


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m benchmarks.memory", description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", action="append", choices=list(CASES), metavar="NAME", help="may be repeated")
    options = parser.parse_args()
    if sys.platform != "linux":
        parser.error("only Linux tells the peak memory of a process alone")
    print(f"{'':24}{'stated':>12}{'measured':>12}{'ratio':>8}")
    wrong = False
    for name in options.only or CASES:
        stated, measured = in_fresh_process(CASES[name])
        wrong |= not 1 / FACTOR < stated / measured < FACTOR
        print(f"{name:24}{stated / 2**20:>8.0f} MiB{measured / 2**20:>8.0f} MiB{stated / measured:>8.2f}", flush=True)
    return int(wrong)


def in_fresh_process(case: dict[str, Any]) -> tuple[int, int]:
    """Return the bytes that are stated and measured of a case, from a process of its own."""
    code = f"from benchmarks.memory import measured; measured({json.dumps(case)!r})"
    root = Path(__file__).parents[1]
    # Programs that an earlier process has kept are not compiled, which is part of what is measured.
    kept = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root, env=kept)
    if done.returncode != 0:
        sys.exit(f"benchmarks.memory: failed with exit code {done.returncode}: {case}")  # the process has said why
    stated, peak = map(int, done.stdout.split())
    return stated, peak


def measured(case: str) -> None:
    """Run a case in this process, and print the bytes that are stated and measured."""
    import numpy as np

    import simulations
    import teacher_student as ts

    options = json.loads(case)
    dim, runs, steps, records = (options.pop(name, 1) for name in ("dim", "runs", "steps", "records"))
    inputs = ts.Inputs({"all": 1.0}, {"easy": {"all": 0.5}, "hard": {"all": 1.0}})
    K = options.pop("K", 2)
    problem = ts.Problem(
        ts.Committee(inputs, 2), ts.Student(K), ts.SGD(0.5 / K), ts.Curriculum.phases(("easy", 10.0), ("hard", 10.0))
    )
    alphas = np.linspace(0, max(steps, records) / dim, records + 1)[1:]
    stated_options = {name: value for name, value in options.items() if name != "test_samples"}
    stated = simulations.memory(problem, dim, runs=runs, alphas=alphas, **stated_options)
    _ = simulations.run  # importing it is none of a simulation's memory
    before = resident("VmRSS")
    result = simulations.run(problem, dim, runs, alphas, 0, progress=False, **options)
    assert result.runs == runs
    print(stated, resident("VmHWM") - before)


def resident(kind: str) -> int:
    """Return the bytes of this process in memory: now ("VmRSS") or at most ("VmHWM"). Linux alone tells.

    `getrusage` would count the process from which this one was started.
    """
    found = re.search(rf"{kind}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found.group(1))


if __name__ == "__main__":
    sys.exit(main())
