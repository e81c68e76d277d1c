"""Theory against SGD on images: digits of MNIST with fresh pixel noise, and the mixture that is fitted to them.

Three kinds of inputs learn from the same starts, with the same levels, clusters and pixel noise: the images, Gaussian
surrogates with the clusters' means and full covariances, and the mixture of the theory itself. What differs between
the first two is not Gaussian; between the last two it is what the fit leaves out of the covariances; between the last
one and theory it is finite N.

  python examples/images.py                       # two digits against two, K = 4, 8, 32, relu and erf
  python examples/images.py --task xor --budget 20   # pairs of digits, the label is a product: N = 800
  python examples/images.py --verdict             # of all overlaps, and by how much numbers would have to differ

It needs the digits: pip install ".[data]".
"""

import argparse
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import numpy as np

import ode
import simulations
import teacher_student as ts

NOISE = {"easy": 0.05, "hard": 0.5}  # variances of fresh pixel noise
HELD_OUT = 0.2
RATE = 0.2  # of both layers
MOVED = 0.05  # by which part a number is moved, to see how theory answers to it


def fitted(task: str) -> simulations.MixtureFit:
    """Return the mixture of a task: "two" digits against two, or "xor" of a pair of digits, side by side."""
    digits = simulations.load_mnist_5k(NOISE, crop=4)
    if task == "two":
        train, _ = digits.select(0, 1, 2, 3).centred([0, 1], [2, 3]).split(HELD_OUT, key=0)
        return simulations.fit_mixture(train, {0: 1, 1: 1, 2: -1, 3: -1})
    left, _ = digits.select(0, 1).centred([0], [1], 0.5**0.5).split(HELD_OUT, key=0)
    right, _ = digits.select(2, 3).centred([2], [3], 0.5**0.5).split(HELD_OUT, key=1)
    return simulations.fit_mixture(simulations.Dataset.pairs(left, right), ({0: 1, 1: -1}, {2: 1, 3: -1}))


def problem_of(fit: simulations.MixtureFit, unit: str, width: int, budget: float) -> ts.Problem:
    """Return the problem of a unit and a width, with easy and hard samples in equal parts."""
    order = ts.Curriculum.mixed({"easy": 0.5, "hard": 0.5}, budget)
    return ts.Problem(fit.task, ts.Student(width, unit), ts.SGD(RATE, RATE), order)


def with_moved_numbers(problem: ts.Problem) -> dict[str, tuple[ts.Problem, float]]:
    """Return the problem with each of four numbers larger by the part MOVED, and what the number is before."""

    def scaled(numbers: Any) -> Any:
        return np.asarray(numbers) * (1 + MOVED)

    places: dict[str, Any] = {
        "means of clusters": lambda problem: problem.task.means,
        "variance in clusters": lambda problem: problem.task.variances,
        "pixel noise": lambda problem: problem.task.inputs.variances,
    }
    rate = RATE * (1 + MOVED)
    faster = ts.Problem(problem.task, problem.student, ts.SGD(rate, rate), problem.curriculum)
    return {"learning rate": (faster, RATE)} | {
        name: (eqx.tree_at(place, problem, replace_fn=scaled), 1.0) for name, place in places.items()
    }


def verdicts(
    fit: simulations.MixtureFit, unit: str, width: int, budget: float, runs: int, samples: int, key: int
) -> dict[str, simulations.Agreement]:
    """Return the verdict on all overlaps, errors and accuracies of runs from one start: on images, and on the mixture.

    With it come the shifts that the runs imply of four numbers: by how much each would have to differ, the others being
    right. A factor of 1 stands for the means, variances and noise that were fitted.
    """
    problem, alphas = problem_of(fit, unit, width, budget), [budget / 4, budget / 2, budget]
    starts = fit.random_weights(width, runs, key, same=True)

    def solved(problem: ts.Problem) -> ts.Trajectory:
        return ode.solve(problem, fit.overlaps(starts), alphas, averages=ode.Sampled(2**13, 4), rtol=1e-4)

    theory = solved(problem)
    moved = {
        name: simulations.Moved(solved(other), value, MOVED * value)
        for name, (other, value) in with_moved_numbers(problem).items()
    }
    found = {}
    for name, data in {"images": fit.data, "mixture": None}.items():
        options: dict[str, Any] = {"start": starts, "data": data, "test_samples": samples, "progress": False}
        simulated = simulations.run(problem, fit.data.dim, runs, alphas, key + 2, **options)
        found[name] = simulations.agreement(theory, simulated, moved=moved)
    return found


def compare(
    fit: simulations.MixtureFit, unit: str, width: int, budget: float, runs: int, samples: int, key: int
) -> dict[str, np.ndarray]:
    """Return the accuracy on hard samples at the end of the budget, one number a run: of theory, and by inputs."""
    problem = problem_of(fit, unit, width, budget)
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


def print_verdicts(fit: simulations.MixtureFit, chosen: argparse.Namespace) -> None:
    """Print the verdict and the implied shifts of every unit, width and kind of inputs."""
    alphas = ", ".join(f"{part * chosen.budget:g}" for part in (0.25, 0.5, 1))
    print(f"{chosen.runs} runs from one start against theory, all overlaps, errors and accuracies at alpha = {alphas}")
    for unit in chosen.units:
        for width in chosen.widths:
            sizes = unit, width, chosen.budget, chosen.runs, chosen.samples, chosen.key
            for name, found in verdicts(fit, *sizes).items():
                worst = max(found.deviations, key=lambda one: abs(one.z))
                answer = f"{found.answer}, p = {found.p:.2g}"
                where = f"{worst.name} at alpha = {worst.alpha:g}"
                print(f"{unit}, K = {width}, {name}: {answer}; largest |z| {abs(worst.z):.1f}, {where}")
                for shift in found.shifts:
                    print(f"    {shift.text}, z = {shift.z:+.1f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for every unit and width: theory's accuracy, and by how much SGD is above it, paired by start.

    With --verdict: whether all overlaps agree from one start, and the implied shifts.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=("two", "xor"), default="two")
    parser.add_argument("--units", nargs="+", default=["relu", "erf"])
    parser.add_argument("--widths", nargs="+", type=int, default=[4, 8, 32])
    parser.add_argument("--budget", type=float, default=5.0, help="alpha = samples / N")
    parser.add_argument("--runs", type=int, help="8, or 24 with --verdict, which needs 12 at least")
    parser.add_argument("--samples", type=int, default=2**15, help="to measure an accuracy on")
    parser.add_argument("--verdict", action="store_true", help="of all overlaps, from one start")
    parser.add_argument("--key", type=int, default=0)
    chosen = parser.parse_args(arguments)
    chosen.runs = chosen.runs or (24 if chosen.verdict else 8)
    if chosen.verdict and chosen.runs < 12:
        parser.error(f"--verdict needs 12 runs at least, and not {chosen.runs}")
    fit = fitted(chosen.task)
    print(fit)
    if chosen.verdict:
        print_verdicts(fit, chosen)
        return
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
