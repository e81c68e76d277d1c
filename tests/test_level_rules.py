"""Levels with rules of their own: two tasks as two levels, replay, noise as a difficulty, thresholds of one's own."""

import dataclasses
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

import figures
import ode
import simulations
import teacher_student as ts
from ode import protocols
from ode.protocols._places import places as places_in

from . import build
from .test_drift import Case, mean_steps, theories

pytestmark = pytest.mark.slow  # most of its time is compilation

LEVELS = {"A": {"relevant": 1.0, "irrelevant": 0.4}, "B": {"relevant": 1.3, "irrelevant": 0.2}}
INPUTS = ts.Inputs({"relevant": 0.4, "irrelevant": 0.6}, LEVELS)
READOUT = {"A": [1.0, 0.8, 0.0, 0.0], "B": [0.0, 0.0, 1.2, 1.0]}
NOISE = {"A": 0.1, "B": 0.3}
SHARED = 0.4  # overlap of the units of the two tasks
ONE_TASK = np.kron([[1.0, SHARED], [SHARED, 1.0]], np.eye(2))
T = np.stack([0.4 * ONE_TASK, 0.6 * ONE_TASK])
FIRST, SECOND = 3.0, 2.0  # durations of the tasks
LARGEST_Z = 5.0  # as in test_drift


def task(unit: str = "erf", levels: str = "AB", **changes: Any) -> ts.Committee:
    """Both tasks, or one of them alone: then the rule is that of all levels."""
    readout, noise = (READOUT, NOISE) if levels == "AB" else (READOUT[levels], NOISE[levels])
    return ts.Committee(INPUTS, 4, unit, **{"readout": readout, "noise": noise, **changes})


def problem(of: ts.Task, *phases: Any, unit: str = "erf", loss: str = "squared") -> ts.Problem:
    sgd = ts.SGD(0.4, readout_learning_rate=0.2, loss=loss)
    return ts.Problem(of, ts.Student(3, unit), sgd, ts.Curriculum.phases(*phases))


def start(of: ts.Problem) -> ts.Overlaps:
    return ts.random_overlaps(of, 500, 3, teacher=T)


def chained(unit: str, **solver: Any) -> tuple[ts.Trajectory, ts.Trajectory]:
    """The way it is done without levels: one problem after the other, each with its own teacher on the same latents."""
    first = problem(task(unit, "A"), ("A", FIRST), unit=unit)
    before = ode.solve(first, start(first), [1.0, FIRST], **solver)
    last = jax.tree.map(lambda x: x[-1], before.overlaps)
    second = problem(task(unit, "B"), ("B", SECOND), unit=unit)
    return before, ode.solve(second, last, [1.0, SECOND], **solver)


def apart(one: ts.Trajectory, two: tuple[ts.Trajectory, ts.Trajectory]) -> float:
    """The largest difference of overlaps, and of the errors on the task that is trained."""
    joined = jax.tree.map(lambda *x: np.concatenate(x), *(each.overlaps for each in two))
    differences = [
        np.max(np.abs(x - y)) for x, y in zip(jax.tree.leaves(one.overlaps), jax.tree.leaves(joined), strict=True)
    ]
    differences += [np.max(np.abs(one.error["A"][:2] - two[0].error["A"]))]
    differences += [np.max(np.abs(one.error["B"][2:] - two[1].error["B"]))]
    return float(max(differences))


ALPHAS = [1.0, FIRST, FIRST + 1.0, FIRST + SECOND]
SOLVERS: dict[str, dict[str, Any]] = {
    "erf": {"rtol": 1e-11, "atol": 1e-13},
    "relu": {"rtol": 1e-10, "atol": 1e-12, "averages": ode.Sampled(256, 1)},
}


@pytest.mark.long("relu")
@pytest.mark.parametrize("unit", SOLVERS)
def test_two_levels_are_two_chained_problems(unit: str) -> None:
    of = problem(task(unit), ("A", FIRST), ("B", SECOND), unit=unit)
    assert apart(ode.solve(of, start(of), ALPHAS, **SOLVERS[unit]), chained(unit, **SOLVERS[unit])) < 1e-8


@pytest.mark.parametrize("level", [0, 1])
def test_sabotage_a_rule_that_ignores_the_level_is_found(
    level: int, monkeypatch: pytest.MonkeyPatch, traced_anew: None
) -> None:
    of = problem(task(), ("A", FIRST), ("B", SECOND))
    right = ts.Problem.at_level
    monkeypatch.setattr(ts.Problem, "at_level", lambda self, _: right(self, level))
    wrong = ode.solve(of, start(of), ALPHAS, **SOLVERS["erf"])
    monkeypatch.undo()
    assert apart(wrong, chained("erf", **SOLVERS["erf"])) > 1e-2


def test_the_error_on_a_task_that_is_not_trained_is_its_own() -> None:
    """While A is trained the error on B is that of the same weights as a student of B, and the other way round."""
    of = problem(task(), ("A", FIRST), ("B", SECOND))
    trajectory = ode.solve(of, start(of), ALPHAS)
    for level in LEVELS:
        alone = problem(task("erf", level), ("A", FIRST), ("B", SECOND))
        np.testing.assert_allclose(
            trajectory.error[level], ode.observe(alone, trajectory.overlaps).error[level], atol=1e-12
        )


class Thresholds(ts.Task):
    """Labels +1 and -1 on both sides of a threshold that each level has of its own."""

    inputs: ts.Inputs
    thresholds: Any = eqx.field(converter=np.asarray)

    labels = "sign"
    latents = 1
    seen_blocks = (True, True)
    cluster_probabilities = np.ones(1)
    cluster_means = np.zeros((2, 1, 1))

    def label(  # type: ignore[override]  # here with the level, which a task may take
        self, nu: Array, level: Array, cluster: Array, noise: Array
    ) -> Array:
        return jnp.sign(nu[..., 0] + 0.2 * noise - jnp.asarray(self.thresholds, nu.dtype)[level])

    def clean_label(self, nu: Array, level: Array, cluster: Array) -> Array:  # type: ignore[override]  # as above
        return self.label(nu, level, cluster, jnp.zeros(nu.shape[:-1], nu.dtype))


MIXED = ({"A": 0.3, "B": 0.7}, 4.0)
CASES: dict[str, ts.Problem] = {
    "values": problem(task(), MIXED),
    "sampled": problem(task("relu"), MIXED, unit="relu"),
    "signs": problem(task("erf", labels="sign"), MIXED, loss="logistic"),
    "own": problem(Thresholds(INPUTS, [0.7, -0.4]), MIXED),
}


def states(of: ts.Problem) -> list[Case]:
    return [(of, build.overlaps(of, seed)) for seed in (0, 1)]


@pytest.mark.long("sampled", "own")
@pytest.mark.parametrize("name", CASES)
def test_the_drift_of_a_replay_is_the_mean_step_of_the_simulator(name: str) -> None:
    cases = states(CASES[name])
    for (mean, se), (theory, sampling) in zip(mean_steps(cases, seed=5), theories(cases), strict=True):
        error = np.sqrt(se**2 + sampling**2)
        moving = error > 0
        assert np.max(np.abs(mean - theory)[moving] / error[moving]) < LARGEST_Z


def test_a_drift_with_the_rules_of_the_levels_exchanged_is_not() -> None:
    wrong = problem(task(readout={"A": READOUT["B"], "B": READOUT["A"]}), MIXED)
    right = states(CASES["values"])
    others = [(wrong, overlaps) for _, overlaps in right]
    (mean, se), *_ = mean_steps(right, seed=5)
    (theory, _), *_ = theories(others)
    assert np.max(np.abs(mean - theory)[se > 0] / se[se > 0]) > 2 * LARGEST_Z


@pytest.mark.long
def test_simulations_agree_and_do_not_with_the_noise_of_one_level_for_both() -> None:
    of = problem(task(), ("A", 2.0), MIXED)
    alphas = [1.0, 2.0, 4.0, 6.0]
    runs = simulations.run(of, 500, 24, alphas, 7, start=start(of))
    assert simulations.agreement(ode.fluctuations(of, start(of), alphas), runs).agrees
    louder = problem(task(noise={"A": 0.1, "B": 1.2}), ("A", 2.0), MIXED)
    wrong = dataclasses.replace(ode.fluctuations(louder, start(of), alphas), problem=of)
    assert not simulations.agreement(wrong, runs).agrees


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"readout": {"A": READOUT["A"]}}, "readout of level 'B'; got: only"),
        ({"readout": READOUT | {"C": READOUT["A"]}}, "known levels in the teacher's readout; got: 'C'"),
        ({"readout": READOUT | {"B": [1.0, 2.0]}}, r"4 readout weights of the teacher; got: shape \(2,\)"),
        ({"noise": {"A": 0.1, "B": -0.1}}, "noise .* >= 0"),
        ({"noise": {"A": 0.1, "B": [0.1, 0.2]}}, "one number for each level"),
        ({"noise": {"A": 0.1, "B": ts.Schedule.linear(1.0, 0.0, 5.0)}}, "one schedule may stand for all levels"),
        ({"noise": {"A": 0.1}}, "of level 'B'; got: only"),
    ],
)
def test_what_is_no_rule_of_each_level_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ts.InputError, match=message) as raised:
        task(**changes)
    assert "\n" not in str(raised.value)


FILE = """
[task]
fractions = { relevant = 0.4, irrelevant = 0.6 }
width = 4
readout = { A = [1.0, 0.8, 0.0, 0.0], B = [0.0, 0.0, 1.2, 1.0] }
noise = { A = 0.1, B = 0.3 }
levels = { A = { relevant = 1.0, irrelevant = 0.4 }, B = { relevant = 1.3, irrelevant = 0.2 } }
[student]
width = 3
[sgd]
learning_rate = 0.4
readout_learning_rate = 0.2
[curriculum]
phases = [["A", 3.0], ["B", 2.0]]
"""


def test_files_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "problem.toml").write_text(FILE)
    of = problem(task(), ("A", FIRST), ("B", SECOND))
    assert figures.load_experiment(tmp_path / "problem.toml").problem == of
    assert ts.problem_from_tables(ts.problem_to_tables(of)) == of
    trajectory = ode.solve(of, start(of), [1.0])
    trajectory.save(tmp_path / "theory.nc")
    assert ts.Trajectory.load(tmp_path / "theory.nc").problem == of
    assert "'B'" in repr(of.task) or "B:" in repr(of.task)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("noise = { A = 0.1, B = 0.3 }", "noise = { A = 0.1 }", "noise of level 'B'"),
        ("noise = { A = 0.1, B = 0.3 }", "noise = { A = 0.1, b = 0.3 }", "level in noise"),
        ("noise = { A = 0.1, B = 0.3 }", "noise = { A = 0.1, B = -0.3 }", ">= 0"),
        ("B = [0.0, 0.0, 1.2, 1.0] }", "B = [0.0, 0.0] }", "4 readout weights"),
        ("B = [0.0, 0.0, 1.2, 1.0] }", 'B = "ones" }', "task.readout"),
    ],
)
def test_a_file_without_a_rule_for_each_level_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "problem.toml").write_text(FILE.replace(old, new))
    with pytest.raises(ts.InputError, match=message):
        figures.load_experiment(tmp_path / "problem.toml")


def test_the_numbers_of_a_level_are_axes_of_sweeps() -> None:
    axes = {"noise": {"task.noise.B": [0.0, 0.6]}, "weight": {"task.readout.B.3": [0.5, 1.0]}}
    base = {"task": task().to_table(), "student": {"width": 3}, "sgd": {"learning_rate": 0.4}}
    base |= {"curriculum": {"phases": [["A", 1.0], ["B", 1.0]]}, "simulation": {"dim": 500}}
    data = figures.sweep(base, axes=axes, measures=["error"], workers=0, progress=False)
    error = data["error"].sel(engine="theory")
    assert np.all(np.diff(error.sel(level="B"), axis=0) != 0)
    for noise in (0.0, 0.6):
        one = problem(task(noise={"A": 0.1, "B": noise}), ("A", 1.0), ("B", 1.0))
        assert one.task.noise[1] == noise  # type: ignore[attr-defined]


def numbers_of(of: ts.Problem) -> dict[str, Any]:
    return {name: place for name, place in places_in(of).items() if name.startswith(("task.readout", "task.noise"))}


def test_every_number_of_a_rule_is_differentiated_alone() -> None:
    """The derivative of both final errors in each number of a level, by JAX and by differences."""
    of = problem(task(), MIXED)
    state = start(of)
    places = numbers_of(of)
    assert {"task.noise.A", "task.readout.B.2"} <= set(places)

    def final(x: Any, place: Any) -> Any:
        changed = eqx.tree_at(lambda p: jax.tree.leaves(p)[place.leaf], of, replace_fn=lambda old: put(old, place, x))
        error = ode.solve(changed, state, [4.0], rtol=1e-11, atol=1e-13).error
        return error["A"][-1] + 2 * error["B"][-1]

    def put(old: Any, place: Any, x: Any) -> Any:
        if isinstance(x, float):
            array = np.array(old, float)
            array[place.index] = x
            return array
        return jnp.asarray(old).at[place.index].set(x)

    with jax.enable_x64(True):
        for name, place in places.items():
            value = float(place.get(of))
            slope = float(jax.grad(final)(jnp.asarray(value), place))
            h = 1e-4
            difference = (final(value + h, place) - final(value - h, place)) / (2 * h)
            assert slope == pytest.approx(difference, rel=1e-5, abs=1e-8), name


@pytest.mark.long
def test_one_number_of_a_level_is_a_control() -> None:
    """Which noise of B is best for the error on B is known: none."""
    of = problem(task(), ("A", 1.0), ("B", 3.0))
    best = ode.optimize(
        of, start(of), protocols.Number("task.noise.B", (0.0, 0.5)), protocols.Final("B"), progress=False
    )
    assert np.asarray(vars(best.problem.task)["noise"])[1] == pytest.approx(0.0, abs=1e-6)


class LevelLast(Thresholds):
    """The same with the level behind the cluster."""

    def label(self, nu: Array, cluster: Array, level: Array, noise: Array) -> Array:  # type: ignore[override]
        return Thresholds.label(self, nu, level, cluster, noise)

    def clean_label(self, nu: Array, cluster: Array, level: Array) -> Array:  # type: ignore[override]
        return Thresholds.label(self, nu, level, cluster, jnp.zeros(nu.shape[:-1], nu.dtype))


def test_the_level_is_passed_by_its_name() -> None:
    nu, cluster = jnp.array([[0.5], [-0.2]]), jnp.asarray(0)
    for level, right in ((0, [-1.0, -1.0]), (1, [1.0, 1.0])):
        for kind in (Thresholds, LevelLast):
            labels = kind(INPUTS, [0.7, -0.4]).at_level(level).clean_label(nu, cluster)
            assert labels.tolist() == right


def test_a_copy_of_a_committee_takes_what_the_committee_holds() -> None:
    both = task(noise=0.1)
    assert dataclasses.replace(both, labels="value") == both


def test_ties_are_those_of_the_rule_of_each_level() -> None:
    """Two sign units of one sign tie where they differ: only on the level that hears both."""
    of = ts.Committee(INPUTS, 2, "sign", readout={"A": [1.0, 0.0], "B": [1.0, 1.0]}, labels="sign")
    T = np.stack([0.4 * np.eye(2), 0.6 * np.eye(2)])
    assert of.tie_probability(T) == {"A": 0.0, "B": pytest.approx(0.5)}


def test_a_rule_that_is_one_for_all_levels_is_the_task_itself() -> None:
    one = task("erf", "A")
    assert one.at_level(0) is one
    assert build.mixture().task.at_level(1) is not None
    both = task().at_level(1)
    np.testing.assert_array_equal(both.readout, READOUT["B"])
    assert both.at_level(0) is both


def forgetting(overlap: float) -> float:
    """By how much the error on A grows while B is learned with a readout of its own (docs/howto/continual_learning)."""
    both = ts.Inputs({"all": 1.0}, {"A": {"all": 1.0}, "B": {"all": 1.0}})
    tasks = ts.Committee(both, 2, readout={"A": [1.0, 0.0], "B": [0.0, 1.0]})
    A, B = (
        ts.Problem(tasks, ts.Student(2), ts.SGD(1.0, readout_learning_rate=1.0), ts.Curriculum.single(*phase))
        for phase in (("A", 60.0), ("B", 20.0))
    )
    law: dict[str, Any] = {"scale": 0.03, "readout": "normal", "readout_scale": 0.03}
    law["teacher"] = np.array([[[1.0, overlap], [overlap, 1.0]]])
    first = ode.solve(A, ts.random_overlaps(A, 10_000, 0, **law), [60.0])
    end = jax.tree.map(lambda x: x[-1], first.overlaps)
    new_head = ts.random_overlaps(B, 10_000, 1, **law).readout
    second = ode.solve(B, dataclasses.replace(end, readout=new_head), [20.0])
    with_old_head = dataclasses.replace(second.overlaps, readout=end.readout[None])
    return float(ode.observe(A, with_old_head).error["A"][-1] - first.error["A"][-1])


def test_forgetting_is_largest_between_unrelated_and_equal_teachers() -> None:
    """Lee, Goldt & Saxe 2021, for students with a readout for each task."""
    unrelated, between, equal = (forgetting(overlap) for overlap in (0.0, 0.4, 1.0))
    assert between > 0.1
    assert max(unrelated, equal) < 0.01
