"""10,000 solves in one sweep: seconds, compilation included, the store's share, and the memory of all processes.

python benchmarks/sweep.py [--workers N]
K = 2 erf units, M = 1, two input blocks, easy then hard up to alpha = 20, over 100 learning rates x 100 variances.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SWEEP = """
[task]
fractions = { relevant = 0.3, irrelevant = 0.7 }
width = 1
support = "relevant"
[task.levels]
easy = { relevant = 1.0, irrelevant = 0.1 }
hard = { relevant = 1.0, irrelevant = 1.5 }
[student]
width = 2
[sgd]
learning_rate = 1.0
[curriculum]
phases = [["easy", 10.0], ["hard", 10.0]]
[measures]
keep = ["error"]
[axes.learning_rate]
sgd.learning_rate = { from = 0.1, to = 4.0, count = 100 }
[axes.hard_variance]
task.levels.hard.irrelevant = { from = 0.1, to = 2.0, count = 100 }
"""


def memory(process: psutil.Process) -> int:
    """Bytes of a process and its children, shared pages counted once."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_full_info().pss
        except (psutil.Error, AttributeError):
            continue
    return total


def main() -> None:
    """Run the sweep in a process of its own and watch it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="2")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.toml"
        file.write_text(SWEEP)
        code = "import sys; from figures.command._main import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "sweep", str(file), "--out", f"{folder}/sweep.zarr"]
        clock = time.perf_counter()
        run = subprocess.Popen([*command, "--workers", options.workers])
        process, peak = psutil.Process(run.pid), 0
        while run.poll() is None:
            peak = max(peak, memory(process))
            time.sleep(0.5)
        seconds = time.perf_counter() - clock
    print(f"{seconds:.1f} s from start to end of the process; peak memory of all processes {peak / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
