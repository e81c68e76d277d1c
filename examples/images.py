"""Theory against SGD on images: digits of MNIST with fresh pixel noise, and the mixture that is fitted to them.

Three kinds of inputs learn from the same starts, with the same levels, clusters and pixel noise: the images, Gaussian
surrogates with the clusters' means and full covariances, and the mixture of the theory itself. What differs between
the first two is not Gaussian; between the last two it is what the fit leaves out of the covariances; between the last
one and theory it is finite N.

  python examples/images.py                       # two digits against two, K = 4, 8, 32, relu and erf
  python examples/images.py --task xor --budget 20   # pairs of digits, the label is a product: N = 800

It needs the digits: pip install ".[data]".
"""

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

import ode
import simulations
import teacher_student as ts

NOISE = {"easy": 0.05, "hard": 0.5}  # variances of fresh pixel noise
HELD_OUT = 0.2
RATE = 0.2  # of both layers


def fitted(task: str) -> simulations.MixtureFit:
    """Return the mixture of a task: "two" digits against two, or "xor" of a pair of digits, side by side."""
    digits = simulations.load_mnist_5k(NOISE, crop=4)
    if task == "two":
        train, _ = digits.select(0, 1, 2, 3).centred([0, 1], [2, 3]).split(HELD_OUT, key=0)
        return simulations.fit_mixture(train, {0: 1, 1: 1, 2: -1, 3: -1})
    left, _ = digits.select(0, 1).centred([0], [1], 0.5**0.5).split(HELD_OUT, key=0)
    right, _ = digits.select(2, 3).centred([2], [3], 0.5**0.5).split(HELD_OUT, key=1)
    return simulations.fit_mixture(simulations.Dataset.pairs(left, right), ({0: 1, 1: -1}, {2: 1, 3: -1}))


def compare(
    fit: simulations.MixtureFit, unit: str, width: int, budget: float, runs: int, samples: int, key: int
) -> dict[str, np.ndarray]:
    """Return the accuracy on hard samples at the end of the budget, one number a run: of theory, and by inputs."""
    order = ts.Curriculum.mixed({"easy": 0.5, "hard": 0.5}, budget)
    problem = ts.Problem(fit.task, ts.Student(width, unit), ts.SGD(RATE, RATE), order)
    starts = fit.random_weights(width, runs, key)
    averages = ode.Sampled(2**12, 1)
    theory = [
        ode.solve(problem, fit.overlaps(starts, r), [budget], averages=averages, rtol=1e-4).accuracy["hard"][-1]
        for r in range(runs)
    ]
    inputs = {"images": fit.data, "surrogates": fit.data.gaussian(2000, key + 1), "mixture": None}
    accuracy = {"theory": np.array(theory)}
    for name, data in inputs.items():
        options: dict[str, Any] = {"start": starts, "data": data, "test_samples": samples, "progress": False}
        trajectory = simulations.run(problem, fit.data.dim, runs, [budget], key + 2, **options)
        accuracy[name] = trajectory.accuracy["hard"][:, -1]
    return accuracy


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for every unit and width: theory's accuracy, and by how much SGD is above it, paired by start."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=("two", "xor"), default="two")
    parser.add_argument("--units", nargs="+", default=["relu", "erf"])
    parser.add_argument("--widths", nargs="+", type=int, default=[4, 8, 32])
    parser.add_argument("--budget", type=float, default=5.0, help="alpha = samples / N")
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--samples", type=int, default=2**15, help="to measure an accuracy on")
    parser.add_argument("--key", type=int, default=0)
    chosen = parser.parse_args(arguments)
    fit = fitted(chosen.task)
    print(fit)
    print(f"accuracy on hard samples at alpha = {chosen.budget:g}: theory, and SGD minus theory, {chosen.runs} starts")
    print(f"{'unit':5}{'K':>4}{'theory':>9}{'images':>18}{'surrogates':>18}{'mixture':>18}")
    for unit in chosen.units:
        for width in chosen.widths:
            accuracy = compare(fit, unit, width, chosen.budget, chosen.runs, chosen.samples, chosen.key)
            row = f"{unit:5}{width:4}{accuracy['theory'].mean():9.4f}"
            for name in ("images", "surrogates", "mixture"):
                gap = accuracy[name] - accuracy["theory"]
                row += f"{gap.mean():+10.4f} +- {gap.std(ddof=1) / np.sqrt(chosen.runs):.4f}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
