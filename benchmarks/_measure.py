"""One fresh process: pinned, one thread, some cases, their records to a file. Started by `_processes.py`.

python -m benchmarks._measure OUT NAME ... [--quick] [--untuned] [--cores 0,1]
"""

import argparse
import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Pin this process before anything loads NumPy or JAX, then measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--untuned", action="store_true")
    parser.add_argument("--cores", default="")
    options = parser.parse_args()
    cores = [int(core) for core in options.cores.split(",") if core]
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    assert not {"numpy", "jax"} & set(sys.modules), "they would have started their threads already"

    import teacher_student

    from . import _catalogue, _records, _run_case

    if not options.untuned:
        teacher_student.tune_compiler()  # as the command line does
    cases = [case for case in _catalogue.CASES if case.name in options.names]
    found = [record for case in cases for record in _run_case.measured(case, options.quick, max(1, len(cores)))]
    options.out.write_text(json.dumps(_records.to_tables(found)))


if __name__ == "__main__":
    main()
