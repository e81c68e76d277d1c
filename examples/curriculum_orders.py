"""Easy-to-hard, hard-to-easy and mixed: the same budget, the same start, theory beside simulation.

python examples/curriculum_orders.py [--out DIR] [--dim N] [--runs R]
Prints the final error on hard samples for each order with its standard error, and draws all three.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import ode
import simulations
import teacher_student as ts

LEVELS = {"easy": {"relevant": 1.0, "irrelevant": 0.1}, "hard": {"relevant": 1.0, "irrelevant": 1.5}}
ORDERS = {
    "easy to hard": ts.Curriculum.phases(("easy", 6.0), ("hard", 6.0)),
    "hard to easy": ts.Curriculum.phases(("hard", 6.0), ("easy", 6.0)),
    "mixed": ts.Curriculum.mixed({"easy": 0.5, "hard": 0.5}, 12.0),
}


def problem(order: ts.Curriculum) -> ts.Problem:
    """One erf unit learns from one that sees 30 % of the dimensions."""
    inputs = ts.Inputs({"relevant": 0.3, "irrelevant": 0.7}, LEVELS)
    return ts.Problem(ts.Committee(inputs, 1, support="relevant"), ts.Student(1), ts.SGD(1.0), order)


def main() -> bool:
    """Solve, simulate, judge and draw all three orders; whether theory and simulation agree in each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=".", help="directory for the picture")
    parser.add_argument("--dim", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=32)
    options = parser.parse_args()
    start = ts.random_overlaps(problem(ORDERS["mixed"]), options.dim, key=0, teacher="orthonormal")
    alphas = np.linspace(0.5, 12.0, 24)
    figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
    agree = True
    for (name, order), colour, line, marker in zip(
        ORDERS.items(), ("#0072B2", "#D55E00", "#009E73"), ("-", "--", "-."), "os^", strict=True
    ):
        theory = ode.solve(problem(order), start, np.linspace(0.0, 12.0, 193))
        runs, smaller = (
            simulations.run(problem(order), dim, options.runs, alphas, key, start=start, progress=False)
            for dim, key in ((options.dim, 1), (options.dim // 4, 2))
        )
        verdict = simulations.agreement(theory, runs, smaller)
        agree = agree and verdict.agrees
        mean = runs.error["hard"].mean(axis=0)
        error = runs.error["hard"].std(axis=0, ddof=1) / np.sqrt(options.runs)
        print(
            f"{name:<13} theory {theory.error['hard'][-1]:.5f}  simulation {mean[-1]:.5f} +- {error[-1]:.5f}  "
            f"{verdict.verdict}"
        )
        axes.plot(theory.alphas, theory.error["hard"], line, color=colour)
        axes.errorbar(alphas, mean, error, fmt=marker, ms=3, mfc="none", color=colour)
        axes.plot([], [], line + marker, color=colour, mfc="none", ms=3, label=name)
    axes.set(xlabel=r"$\alpha$ = samples / $N$", ylabel=r"error on hard samples $\epsilon_g$", yscale="log")
    axes.legend(frameon=False)
    for kind in ("png", "pdf"):
        figure.savefig(Path(options.out) / f"curriculum_orders.{kind}", dpi=200)
    return agree


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
