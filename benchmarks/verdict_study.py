"""What the verdict of `simulations.agreement` is worth: false alarms, and power predicted and measured.

  python -m benchmarks.verdict_study [--out FOLDER] [--repeats 400] [--problem NAME] [--dim N] [--alarms]

Every problem is simulated once by the chain of the overlaps, by as many independent runs as all repeats need. The runs
of a repeat are used in no other repeat of the same row. Theory is then judged as it is (false alarms), and with one
number off, or with the term of order eta^2 left out (power). The tables are printed as Markdown.
"""

import argparse
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from scipy import stats

import ode
import teacher_student as ts
from ode import _compiled, _drift, _expansion, _host_expansion, _responses
from simulations import run
from simulations.verdict import _comparable, _evidence, _predicted_means, _questions, _shifts, _spread

LEVEL = 0.01
RUNS, DIMS = (4, 12, 32), (200, 1000)
ALPHAS = np.linspace(0.0, 4.0, 11)[1:]


class Study(NamedTuple):
    """A problem, its start, and how its theory averages."""

    problem: ts.Problem
    start: ts.Overlaps
    averages: Any = None


def switch() -> Study:
    """Relevant and irrelevant dimensions, easy samples first."""
    task = ts.Committee(_blocks(1.5), 2, support="relevant")
    problem = ts.Problem(task, ts.Student(2), ts.SGD(0.8), ts.Curriculum.phases(("easy", 2.0), ("hard", 2.0)))
    return Study(problem, ts.random_overlaps(problem, 1000, 3))


def both_layers() -> Study:
    """Both layers trained, with output noise and decay, levels in random order."""
    task = ts.Committee(_blocks(1.5), 2, readout=(1.0, -0.7), noise=0.3)
    mixed = ts.Curriculum.mixed({"easy": 0.4, "hard": 0.6}, 4.0)
    problem = ts.Problem(task, ts.Student(2), ts.SGD(0.7, readout_learning_rate=0.5, weight_decay=0.1), mixed)
    return Study(problem, ts.random_overlaps(problem, 1000, 4))


def sign_teacher() -> Study:
    """A sign teacher with sign labels, levels in random order."""
    task = ts.Committee(_blocks(4.0), 1, "sign", support="relevant", labels="sign")
    mixed = ts.Curriculum.mixed({"easy": 0.5, "hard": 0.5}, 4.0)
    problem = ts.Problem(task, ts.Student(2), ts.SGD(1.5), mixed)
    return Study(problem, ts.random_overlaps(problem, 1000, 5, readout=1.0))


def xor_mixture() -> Study:
    """The XOR mixture: relu units, both layers trained, sampled averages."""
    levels = {
        "easy": {"separation": 1.5, "plane_variance": 0.3, "rest_variance": 0.4},
        "hard": {"separation": 1.0, "plane_variance": 0.3, "rest_variance": 1.0},
    }
    phases = ts.Curriculum.phases(("easy", 2.0), ("hard", 2.0))
    problem = ts.Problem(ts.XorMixture(levels), ts.Student(2, "relu"), ts.SGD(0.3, readout_learning_rate=0.3), phases)
    R = np.array([[[0.5, 0.3], [-0.2, 0.6]], np.zeros((2, 2))])
    start = ts.Overlaps([R[0] @ R[0].T, [[0.4, 0.1], [0.1, 0.3]]], R, [np.eye(2), np.zeros((2, 2))], [0.7, -0.7])
    return Study(problem, start, ode.Sampled(2**13, 8))


def _blocks(hard: float) -> ts.Inputs:
    levels = {"easy": {"relevant": 1.0, "irrelevant": 0.1}, "hard": {"relevant": 1.0, "irrelevant": hard}}
    return ts.Inputs({"relevant": 0.3, "irrelevant": 0.7}, levels)


PROBLEMS = {study.__name__: study for study in (switch, both_layers, sign_teacher, xor_mixture)}
# What theory has wrong: names of numbers and relative errors, at which the power is neither 0 nor 1.
OFF = {
    "sgd.learning_rate": (0.03, 0.1),
    "task.inputs.variances[hard,irrelevant]": (0.03, 0.1),
    "sgd.weight_decay": (0.03, 0.1),
    "start.scale": (0.001, 0.003),
    "task.noise": (0.03, 0.1),
}


def theory_of(study: Study, dim: int) -> ts.Trajectory:
    """Return theory with its joint law at the alphas that N = `dim` records."""
    alphas = np.rint(ALPHAS * dim) / dim
    return ode.fluctuations(study.problem, study.start, alphas, averages=study.averages)


def runs_of(name: str, study: Study, dim: int, count: int, out: Path) -> ts.Trajectory:
    """Return `count` runs, from a file in `out` if they have been simulated before."""
    path = out / f"{name}-{dim}-{count}.nc"
    if not path.exists():
        alphas = np.rint(ALPHAS * dim) / dim
        runs = run(study.problem, dim, count, alphas, 11, start=study.start, method="overlaps", progress=False)
        runs.save(path)
    return ts.Trajectory.load(path)


def some(runs: ts.Trajectory, chosen: slice) -> ts.Trajectory:
    """Return some of the runs."""
    parts = (runs.observables, runs.status, runs.reached, runs.stats)
    observables, status, reached, counts = jax.tree.map(lambda x: np.asarray(x)[chosen], parts)
    return dataclasses.replace(runs, observables=observables, status=status, reached=reached, stats=counts)


def verdicts(theory: ts.Trajectory, runs: ts.Trajectory, R: int, repeats: int) -> Iterator[_questions.Family]:
    """Judge theory by one group of R runs after the other, as `agreement(..., spread="predicted")` does."""
    drawn = None
    for k in range(min(repeats, (runs.runs or 0) // R)):
        means, spread = _gathered(theory, some(runs, slice(k * R, (k + 1) * R)))
        drawn = drawn or _predicted_means.drawn_statistics(means, 0)
        yield _questions.judged(_predicted_means.questions_about(means, drawn), spread, LEVEL, 0)


def _gathered(theory: ts.Trajectory, runs: ts.Trajectory) -> tuple[Any, Any]:
    runs = runs if theory.accuracy else _comparable.without_accuracy(runs)
    evidence = _evidence.gather_predicted(theory, runs, np.ones(np.size(theory.alphas), bool))
    means = _predicted_means.predicted_means(theory, runs, evidence)
    spread = _spread.spread_test(evidence, evidence.moving, LEVEL * _questions.spread_share(3))
    return means, spread


def false_alarms(name: str, study: Study, dim: int, runs: ts.Trajectory, repeats: int) -> list[str]:
    """Return the rows of one problem and N: rejections at 1 % and 5 % of each question alone, and of the verdict."""
    theory, rows = theory_of(study, dim), []
    for R in RUNS:
        families = list(verdicts(theory, runs, R, repeats))
        columns = [[q.p for q in family.questions] for family in families]
        p = np.column_stack([np.array(columns), [family.p for family in families]])
        cells = [f"{np.sum(column <= 0.01)}, {np.sum(column <= 0.05)}" for column in p.T]
        rows.append(f"| {name} | {dim} | {R} | {len(p)} | " + " | ".join(cells) + " |")
    return rows


@dataclasses.dataclass(frozen=True)
class Wrong:
    """A wrong theory: what is wrong, and its trajectory, as if it were that of the right problem."""

    words: str
    theory: ts.Trajectory


def wrong_theories(study: Study, dim: int) -> Iterator[Wrong]:
    """Solve with each number off alone, and with the term of order eta^2 dropped."""
    directions = ts.Directions.of(study.problem, study.start)
    for name, errors in OFF.items():
        if name not in directions.names:
            continue
        p = directions.names.index(name)
        for error in errors:
            by = error * directions.values[p]
            if not by:
                continue
            tangents = (directions.problem, directions.start)
            problem, start = jax.tree.map(
                lambda x, dx, by=by, p=p: np.asarray(x, float) + by * dx[p], (study.problem, study.start), tangents
            )
            if name == "start.scale":  # exactly: a start that is moved along its tangent is not one of weights
                begun = study.start
                start = ts.Overlaps(begun.Q * (1 + error) ** 2, begun.R * (1 + error), begun.T, begun.readout)
            theory = theory_of(study._replace(problem=problem, start=start), dim)
            whole = dataclasses.replace(theory, problem=study.problem, start=study.start)
            yield Wrong(f"{name} {100 * error:g} % off", whole)
    with DroppedEtaSquared():
        yield Wrong("term of order eta^2 dropped", theory_of(study, dim))


class DroppedEtaSquared:
    """Within it, the drift has no term of order eta^2."""

    def __enter__(self) -> None:
        right = _drift.drift

        def drift(problem: ts.Problem, averages: Any, alpha: Any, overlaps: ts.Overlaps) -> ts.Overlaps:
            # d/d(eta) at eta = 0 of what the right drift is quadratic in, times eta: all but the quadratic term.
            halved = eqx.tree_at(lambda p: p.sgd.learning_rate, problem, problem.sgd.learning_rate / 2)
            whole, half = (right(one, averages, alpha, overlaps) for one in (problem, halved))
            Q = 4 * half.Q - whole.Q
            return ts.Overlaps(Q, whole.R, whole.T, whole.readout)

        self._replace(drift)
        self.right = right

    def __exit__(self, *_: object) -> None:
        self._replace(self.right)

    @staticmethod
    def _replace(drift: Callable[..., ts.Overlaps]) -> None:
        for module in (_expansion, _responses, _compiled):
            setattr(module, "drift", drift)  # noqa: B010  # what other modules have imported by name
        for kept in (_compiled._drift_program, _host_expansion._field_program):
            kept.cache_clear()


def power(name: str, study: Study, dim: int, runs: ts.Trajectory, repeats: int) -> list[str]:
    """Return the rows of one problem and N: power by this verdict, as predicted and as measured, and its bound."""
    right, rows = theory_of(study, dim), []
    for wrong in wrong_theories(study, dim):
        for R in RUNS:
            found = [family.p <= LEVEL for family in verdicts(wrong.theory, runs, R, repeats)]
            predicted, alone, bound = predicted_power(wrong.theory, right, some(runs, slice(0, R)))
            n, k = len(found), int(np.sum(found))
            low, high = stats.binomtest(k, n).proportion_ci(0.99, method="exact")
            inside = "yes" if low <= predicted <= high else "NO"
            rows.append(
                f"| {name} | {dim} | {R} | {wrong.words} | {predicted:.2f} | {k / n:.2f} [{low:.2f}, {high:.2f}] | "
                f"{inside} | {alone:.2f} | {bound:.2f} |"
            )
    return rows


def predicted_power(wrong: ts.Trajectory, right: ts.Trajectory, runs: ts.Trajectory) -> tuple[float, float, float]:
    """Return the chance that the verdict finds a wrong theory, and that of the best test of this error.

    The best test knows in which direction theory is off. Its chance is given at the level that the question about
    numbers has within the family, and at the whole level.
    """
    means, spread = _gathered(wrong, runs)
    family = _questions.judged(
        _predicted_means.questions_about(means, _predicted_means.drawn_statistics(means, 0)), spread, LEVEL, 0
    )
    count = np.size(wrong.alphas)
    whitening = _predicted_means.whitening_of(wrong, runs, count)
    moved = [
        np.stack([q.values for q in ts.quantities(t.observables, t.problem)], axis=-1)
        + np.stack(
            [q.values for q in ts.quantities(t.fluctuations.mean_shift(runs.source.dim or 0), t.problem)], axis=-1
        )
        for t in (right, wrong)
        if t.fluctuations is not None
    ]
    direction = whitening.whitened(moved[0] - moved[1])
    size = float(np.linalg.norm(direction))
    chance = _shifts.Power.of(means, family, 0).chance(direction / size, size)
    # The spread is a question of its own, with a chance of its own level that means do not change.
    share = LEVEL * _questions.spread_share(3)
    normal = stats.norm
    best = [
        float(normal.sf(z - size) + normal.cdf(-z - size)) for z in (family.threshold("numbers"), normal.isf(LEVEL / 2))
    ]
    return 1 - (1 - chance) * (1 - share), best[0], best[1]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser("python -m benchmarks.verdict_study", description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=Path("verdict-study"), help="folder for the runs")
    parser.add_argument("--repeats", type=int, default=400, help="of false alarms; half as many of power")
    parser.add_argument("--problem", action="append", choices=list(PROBLEMS), help="may be repeated; all")
    parser.add_argument("--alarms", action="store_true", help="false alarms alone, without power")
    parser.add_argument("--dim", action="append", type=int, help="may be repeated; 200 and 1000")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    alarms, powers = [], []
    for name in options.problem or PROBLEMS:
        study = PROBLEMS[name]()
        for dim in options.dim or DIMS:
            runs = runs_of(name, study, dim, max(RUNS) * options.repeats, options.out)
            alarms += false_alarms(name, study, dim, runs, options.repeats)
            print("\n".join(alarms[-3:]), flush=True)
            if options.alarms:
                continue
            new = power(name, study, dim, runs, options.repeats // 2)
            powers += new
            print("\n".join(new), flush=True)
    print("\nRejections at 1 % and at 5 % where theory is right:\n")
    print(
        *_head("problem", "N", "runs", "repeats", "largest", "all", "numbers", "spread", "verdict"), *alarms, sep="\n"
    )
    print("\nShare of wrong theories that are found at 1 %:\n")
    columns = ("predicted", "measured", "within", "best test, same level", "best test, whole level")
    print(*_head("problem", "N", "runs", "what is wrong", *columns), *powers, sep="\n")


def _head(*names: str) -> tuple[str, str]:
    return f"| {' | '.join(names)} |", "|" + "---|" * len(names)


if __name__ == "__main__":
    main()
