"""Steps per second of CPU time of the overlap chain and of full-weight SGD, compilation left out.

python benchmarks/chain.py
K = M = 2 erf units, one block, 32 runs in one thread; the chain at N = 1e3, 1e6 and 1e9, the weights at N = 1e3.
"""

import time

import simulations
import teacher_student as ts

RUNS = 32


def rate(method: str, dim: int, steps: int) -> float:
    """Steps of all runs per second, the second time the call is made."""
    inputs = ts.Inputs({"all": 1.0})
    problem = ts.Problem(ts.Committee(inputs, 2), ts.Student(2), ts.SGD(1.0), ts.Curriculum.single("all", 1e3))
    start = ts.random_overlaps(problem, dim, 0)
    seconds = []
    for _ in range(4):
        clock = time.process_time()
        simulations.run(
            problem, dim, RUNS, [steps / dim], 1, start=start, method=method, workers=1, test_samples=1, progress=False
        )
        seconds.append(time.process_time() - clock)
    return RUNS * steps / min(seconds[1:])


def main() -> None:
    """Print them."""
    weights = rate("weights", 1000, 2000)
    print(f"weights  N = 1e3: {weights:.3g} steps/s")
    for dim in (10**3, 10**6, 10**9):
        chain = rate("overlaps", dim, 64_000)
        print(f"overlaps N = {dim:.0e}: {chain:.3g} steps/s, {chain / weights:.0f} times the weights' at N = 1e3")


if __name__ == "__main__":
    main()
