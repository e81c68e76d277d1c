"""Mixtures of any kind: exact linear cases, drift against the simulator's step, the XOR mixture as one of them."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import figures
import ode
import simulations
import teacher_student as ts
from ode.protocols._places import places as places_in
from teacher_student import internal

from . import build
from .test_drift import Case, mean_steps, theories

REFERENCE = json.loads((Path(__file__).parent / "reference" / "mixtures.json").read_text())
LARGEST_Z = 5.0  # as in test_drift
INPUTS = ts.Inputs({"a": 0.3, "b": 0.7}, {"easy": {"a": 0.2, "b": 0.1}, "hard": {"a": 0.6, "b": 0.9}})
CLUSTERS: dict[str, dict[str, Any]] = {
    "one": {"probability": 0.5, "mean": [0.8, 0.0], "teacher": [0.6, 0.2], "label": 0.5, "noise": 0.1},
    "two": {"probability": 0.3, "mean": [-0.3, 0.9], "teacher": [-0.4, 0.5], "label": -0.7, "noise": 0.3},
    "three": {
        "probability": 0.2,
        "mean": {"easy": [0.0, -1.2], "hard": [0.1, -0.6]},
        "label": 0.2,
        "variances": {"easy": {"a": 0.3}, "hard": {"a": 0.1, "b": 0.4}},
    },
}


def clusters(**changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: row | changes.get(name, {}) for name, row in CLUSTERS.items()}


def problem(task: ts.Task, unit: str = "relu", K: int = 3, loss: str = "squared") -> ts.Problem:
    level = task.inputs.level_names
    phase = dict.fromkeys(level, 1 / len(level))
    sgd = ts.SGD(0.4, readout_learning_rate=0.3, weight_decay=0.05, loss=loss)
    return ts.Problem(task, ts.Student(K, unit), sgd, ts.Curriculum.phases((phase, 10.0)))


def of_reference(case: dict[str, Any], labels: str) -> ts.Mixture:
    q = case["params"]
    inputs = ts.Inputs(dict(zip("ab", q["rho"], strict=True)), {"all": {"a": 0.0, "b": 0.0}})
    rows = {
        f"group {i}": {"probability": c["prior"], "mean": c["a"], "teacher": c["teacher"], "label": c["bias"]}
        | ({"noise": c["noise"]} if "noise" in c else {})
        | {"variances": dict(zip("ab", c["variances"], strict=True))}
        for i, c in enumerate(q["clusters"])
    }
    return ts.Mixture(inputs, rows, labels=labels)


# -------------------------------------------------------------------------------------------------------- exact numbers
@pytest.mark.slow
def test_one_linear_unit_of_two_groups_is_the_matrix_exponential() -> None:
    case = REFERENCE["linear_mixture"]
    q, task = case["params"], of_reference(REFERENCE["linear_mixture"], "value")
    of = ts.Problem(task, ts.Student(1, "linear"), ts.SGD(q["eta"]), ts.Curriculum.single("all", 10.0))
    start = ts.Overlaps(np.array(q["Q"])[:, None, None], np.array(q["R"])[:, None, :], q["T"], 1.0)
    theory = ode.solve(of, start, case["alpha"], rtol=1e-12, atol=1e-14)
    assert theory.source.method == "closed form"
    np.testing.assert_allclose(theory.overlaps.Q[..., 0, 0], case["Q"], atol=1e-10)
    np.testing.assert_allclose(theory.overlaps.R[:, :, 0, :], case["R"], atol=1e-10)
    groups = ode.observe_clusters(of, theory.overlaps)
    expected = np.array(case["groups_error_mean_Ppositive"])  # (alpha, group, 3); the error has the label's noise there
    noise = np.array([c["noise"] ** 2 / 2 for c in q["clusters"]])
    np.testing.assert_allclose(groups.error["all"] + noise, expected[..., 0], atol=1e-10)
    np.testing.assert_allclose(groups.positive["all"], expected[..., 2], atol=1e-10)
    np.testing.assert_allclose(groups.error["all"] @ groups.probabilities, theory.error["all"], rtol=1e-12)


@pytest.mark.slow
def test_the_drift_of_relu_units_with_teachers_of_each_group() -> None:
    case = REFERENCE["relu_mixture_drift"]
    q, task = case["params"], of_reference(REFERENCE["relu_mixture_drift"], "sign")
    sgd = ts.SGD(q["eta"], readout_learning_rate=q["eta_v"])
    of = ts.Problem(task, ts.Student(2, "relu"), sgd, ts.Curriculum.single("all", 5.0))
    state = ts.Overlaps(q["Q"], q["R"], q["T"], q["v"])
    with jax.enable_x64(True):
        sample = internal.to_float64(ode.Sampled(2**12, 8).draw(of))
        rates = jax.jit(jax.vmap(lambda each: ode.drift(of, each, 0.0, internal.to_float64(state))))(sample)
    for name, part in (("dQ", rates.Q), ("dR", rates.R), ("dv", rates.readout)):
        rows = np.asarray(part)
        error = np.hypot(rows.std(axis=0, ddof=1) / np.sqrt(len(rows)), case["largest_standard_error"])
        assert np.max(np.abs(rows.mean(axis=0) - case[name]) / error) < LARGEST_Z, name


# ------------------------------------------------------------------------------------------------- the simulator's step
CASES: dict[str, ts.Problem] = {
    "values, relu": problem(ts.Mixture(INPUTS, CLUSTERS)),
    "signs, relu": problem(ts.Mixture(INPUTS, CLUSTERS, labels="sign"), loss="logistic"),
    "labels by cluster, erf": problem(
        ts.Mixture(
            INPUTS,
            {name: {k: x for k, x in row.items() if k not in ("teacher", "noise")} for name, row in CLUSTERS.items()},
            support="b",
            labels="sign",
        ),
        "erf",
    ),
    "values, linear": problem(ts.Mixture(INPUTS, CLUSTERS), "linear"),
}


def states(of: ts.Problem) -> list[Case]:
    return [(of, build.overlaps(of, seed)) for seed in (0, 1)]


def z_of(measured: list[Case], of_theory: list[Case]) -> float:
    """The largest deviation of the drift from the mean step, in standard errors."""
    largest = 0.0
    for (mean, se), (theory, sampling) in zip(mean_steps(measured, seed=3), theories(of_theory), strict=True):
        error = np.sqrt(se**2 + sampling**2)
        largest = max(largest, float(np.max(np.abs(mean - theory)[error > 0] / error[error > 0])))
    return largest


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_drift_is_the_mean_step_of_the_simulator(name: str) -> None:
    cases = states(CASES[name])
    assert z_of(cases, cases) < LARGEST_Z


SABOTAGE: dict[str, dict[str, dict[str, Any]]] = {
    "another prior": {"one": {"probability": 0.3}, "two": {"probability": 0.5}},
    "another mean": {"one": {"mean": [0.4, 0.0]}},
    "the mean of another level": {"three": {"mean": [0.0, -1.2]}},
    "another teacher": {"two": {"teacher": [0.5, -0.4]}},
    "another label": {"one": {"label": -0.5}},
    "another noise": {"one": {"noise": 3.0}},
    "variances of its own": {"one": {"variances": {"a": 2.0}}},
    "variances of its own in the other block": {"one": {"variances": {"b": 1.0}}},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SABOTAGE)
def test_sabotage_each_number_of_a_cluster_matters(name: str) -> None:
    right = states(CASES["values, linear"])[:1]
    wrong = [(problem(ts.Mixture(INPUTS, clusters(**SABOTAGE[name])), "linear"), overlaps) for _, overlaps in right]
    assert z_of(right, wrong) > 2 * LARGEST_Z


@pytest.mark.long
def test_simulations_of_both_kinds_agree_and_do_not_with_a_cluster_that_is_wider() -> None:
    of = problem(ts.Mixture(INPUTS, CLUSTERS), "linear", K=2)
    start = ts.random_overlaps(of, 400, 1, scale=0.7)
    alphas = [1.0, 3.0, 6.0]
    theory = ode.fluctuations(of, start, alphas)
    for method in ("weights", "overlaps"):
        runs = simulations.run(of, 400, 24, alphas, 2, start=start, method=method)
        assert simulations.agreement(theory, runs).agrees, method
    wider = problem(ts.Mixture(INPUTS, clusters(one={"variances": {"a": 0.5, "b": 0.2}})), "linear", K=2)
    others = simulations.run(wider, 400, 24, alphas, 2, start=start)
    wrong = ode.fluctuations(of, start, alphas)
    assert not simulations.agreement(wrong, dataclasses.replace(others, problem=of)).agrees


# -------------------------------------------------------------------------------------------------------------- the XOR
def xor() -> ts.XorMixture:
    hard = {"separation": 1.2, "plane_variance": 0.1, "rest_variance": 0.5}
    return ts.XorMixture({"easy": {"separation": 1.0, "plane_variance": 0.1, "rest_variance": 0.1}, "hard": hard})


@pytest.mark.long
@pytest.mark.slow
def test_the_xor_mixture_is_one_of_them_to_the_last_digit() -> None:
    both = [problem(task, K=4) for task in (xor(), xor().as_mixture())]
    start = ts.random_overlaps(both[0], 200, 0)
    np.testing.assert_array_equal(start.readout, ts.random_overlaps(both[1], 200, 0).readout)
    theory = [ode.solve(of, start, [2.0, 5.0], averages=ode.Sampled(256, 2)) for of in both]
    runs = [simulations.run(of, 200, 4, [2.0, 5.0], 0, start=start) for of in both]
    for one, other in (theory, runs):
        jax.tree.map(np.testing.assert_array_equal, one.observables, other.observables)


@pytest.mark.slow
def test_a_linear_student_of_the_xor_mixture_has_a_closed_form() -> None:
    of = problem(xor(), "linear")
    start = ts.random_overlaps(of, 200, 0)
    exact, sampled = (ode.solve(of, start, [5.0], averages=averages) for averages in (None, ode.Sampled(2**13, 4)))
    assert exact.source.method == "closed form"
    for level in ("easy", "hard"):
        assert exact.accuracy[level][-1] == pytest.approx(0.5, abs=1e-3)
        assert exact.error[level][-1] == pytest.approx(sampled.error[level][-1], abs=1e-4)


# ----------------------------------------------------------------------------------------------- observables by cluster
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_observables_of_clusters_are_those_of_drawn_fields(name: str) -> None:
    """Against NumPy's samples of the fields of each level and cluster."""
    of, count = CASES[name], 4000
    overlaps = build.overlaps(of)
    sample = jax.tree.map(lambda x: x[0], ode.Sampled(2**14, 2).draw(of))
    groups = ode.observe_clusters(of, overlaps, sample)
    rng = np.random.default_rng(4)
    gram, K = np.asarray(overlaps.gram), of.shape[1]
    conditions = of.task.conditions()
    for i in range(np.size(conditions.level)):
        level, cluster = int(conditions.level[i]), int(conditions.cluster[i])
        covariance = np.einsum("b,bij->ij", np.asarray(conditions.variances[i]), gram)
        mean = gram.sum(axis=0)[:, K:] @ np.asarray(conditions.mean[i])
        z = rng.multivariate_normal(mean, covariance, count)
        with jax.enable_x64(True):
            y = np.asarray(of.task.clean_label(jnp.asarray(z[:, K:]), jnp.asarray(cluster)))
            output = np.asarray(of.student.activation(jnp.asarray(z[:, :K]))) @ overlaps.readout
        name_of_level = of.inputs.level_names[level]
        for values, stated in (
            ((output - y) ** 2 / 2, groups.error),
            (np.sign(output) == np.sign(y), groups.accuracy),
            (output > 0, groups.positive),
        ):
            error = np.std(values) / np.sqrt(count) + 1e-3
            assert abs(np.mean(values) - stated[name_of_level][cluster]) < LARGEST_Z * error


@pytest.mark.slow
def test_means_over_clusters_are_what_observe_says() -> None:
    of = CASES["signs, relu"]
    overlaps = build.overlaps(of)
    sample = jax.tree.map(lambda x: x[0], ode.Sampled(2**10, 2).draw(of))
    groups, whole = ode.observe_clusters(of, overlaps, sample), ode.observe(of, overlaps, sample)
    for level in ("easy", "hard"):
        assert groups.error[level] @ groups.probabilities == pytest.approx(float(whole.error[level]), rel=1e-12)
        assert groups.accuracy[level] @ groups.probabilities == pytest.approx(float(whole.accuracy[level]), rel=1e-12)
    assert groups.clusters == ("one", "two", "three")


@pytest.mark.slow
def test_closed_observables_of_clusters_are_the_sampled_ones() -> None:
    by_cluster = {name: {"mean": row["mean"], "label": row["label"]} for name, row in CLUSTERS.items()}
    of = problem(ts.Mixture(INPUTS, by_cluster), "linear")
    overlaps = build.overlaps(of)
    sample = ode.Sampled(2**10, 8).draw(of)
    exact = ode.observe_clusters(of, overlaps)
    rows = [ode.observe_clusters(of, overlaps, jax.tree.map(lambda x, i=i: x[i], sample)) for i in range(8)]
    for name in ("error", "accuracy", "positive"):
        for level in ("easy", "hard"):
            values = np.stack([getattr(row, name)[level] for row in rows])
            error = values.std(axis=0, ddof=1) / np.sqrt(8) + 1e-6
            # Student's t with 7 degrees of freedom exceeds 8 in 1e-4.
            assert np.max(np.abs(values.mean(axis=0) - getattr(exact, name)[level]) / error) < 8


def test_what_cannot_be_observed_is_refused() -> None:
    of = CASES["signs, relu"]
    with pytest.raises(ts.InputError, match="a sample for what has no closed form"):
        ode.observe_clusters(of, build.overlaps(of))
    with pytest.raises(ts.InputError, match="one scrambling"):
        ode.observe_clusters(of, build.overlaps(of), build.unchecked(ode.Sampled(16)))


# -------------------------------------------------------------------------------------------------------- its own input
def test_the_law_of_the_simulators_inputs_is_that_of_the_clusters() -> None:
    """Means and variances of inputs in each level and cluster, by blocks."""
    task = ts.Mixture(INPUTS, CLUSTERS)
    conditions = task.conditions()
    np.testing.assert_allclose(conditions.variances[2], [0.2 + 0.3, 0.1])  # easy, three
    np.testing.assert_allclose(conditions.variances[5], [0.6 + 0.1, 0.9 + 0.4])  # hard, three
    np.testing.assert_allclose(conditions.variances[3], [0.6, 0.9])
    np.testing.assert_allclose(conditions.mean[2], [0.0, -1.2])
    np.testing.assert_allclose(conditions.mean[5], [0.1, -0.6])


BAD: list[tuple[dict[str, Any], str]] = [
    ({"clusters": {}}, "clusters as cluster's name"),
    ({"clusters": clusters(one={"probability": 0.6})}, "sum to 1; got: a sum of 1.1"),
    (
        {"clusters": clusters(one={"probability": -0.5}, two={"probability": 1.3})},
        "the probability of cluster 'one' >= 0",
    ),
    ({"clusters": clusters(one={"mean": [1.0]})}, "same number M of latents"),
    ({"clusters": clusters(one={"mean": 1.0})}, r"a vector \(M,\)"),
    ({"clusters": clusters(one={"mean": {"easy": [1.0, 0.0]}})}, "mean of cluster 'one' of level 'hard'"),
    ({"clusters": clusters(one={"mean": [float("nan"), 0.0]})}, "finite"),
    ({"clusters": clusters(one={"teacher": [1.0]})}, "2 weights of the teacher of cluster 'one'"),
    ({"clusters": clusters(one={"noise": -0.1})}, "noise .* >= 0"),
    ({"clusters": clusters(one={"labl": 1.0})}, "did you mean 'label'"),
    ({"clusters": clusters(one={"variances": {"c": 1.0}})}, "known blocks in variances of cluster 'one'; got: 'c'"),
    ({"clusters": clusters(one={"variances": {"a": -1.0}})}, "variances of clusters >= 0"),
    ({"clusters": clusters(one={"variances": {"easy": {"a": 1.0}}})}, "variances of cluster 'one' of level 'hard'"),
    ({"clusters": CLUSTERS | {"four": {"mean": [0.0, 0.0]}}}, "a probability of every cluster, or of none"),
    ({"clusters": {"one": {"label": 1.0}}}, "a mean of cluster 'one'"),
    ({"support": "c"}, "block in the mixture's support"),
    ({"support": []}, "at least one block"),
    ({"support": 3}, "a block's name, or several"),
    ({"labels": "signs"}, "did you mean 'sign'"),
    ({"clusters": clusters(one={"label": "+1"})}, "the label of cluster 'one'"),
    ({"clusters": {"one": {"mean": [1.0]}}, "labels": "sign"}, "its label would be 0"),
    ({"inputs": {"a": 1.0}}, "an Inputs object"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[message for _, message in BAD])
def test_what_is_no_mixture_is_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ts.InputError, match=message) as raised:
        ts.Mixture(**{"inputs": INPUTS, "clusters": CLUSTERS, **changes})
    assert "\n" not in str(raised.value)


FILE = """
[task]
kind = "mixture"
fractions = { a = 0.3, b = 0.7 }
levels = { easy = { a = 0.2, b = 0.1 }, hard = { a = 0.6, b = 0.9 } }
labels = "sign"
[task.clusters.one]
probability = 0.5
mean = [0.8, 0.0]
teacher = [0.6, 0.2]
label = 0.5
noise = 0.1
[task.clusters.two]
probability = 0.3
mean = [-0.3, 0.9]
teacher = [-0.4, 0.5]
label = -0.7
noise = 0.3
[task.clusters.three]
probability = 0.2
mean = { easy = [0.0, -1.2], hard = [0.1, -0.6] }
label = 0.2
variances = { easy = { a = 0.3 }, hard = { a = 0.1, b = 0.4 } }
[student]
width = 3
activation = "relu"
[sgd]
learning_rate = 0.4
readout_learning_rate = 0.3
weight_decay = 0.05
[curriculum]
phases = [[{ easy = 0.5, hard = 0.5 }, 10.0]]
"""


def test_files_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "problem.toml").write_text(FILE)
    of = problem(ts.Mixture(INPUTS, CLUSTERS, labels="sign"))
    assert figures.load_experiment(tmp_path / "problem.toml").problem == of
    for task in (of.task, xor().as_mixture(), ts.Mixture(INPUTS, {"only": {"mean": [0.5]}}, support="a")):
        again = problem(task)
        assert ts.problem_from_tables(ts.problem_to_tables(again)) == again
    assert "'three'" in repr(of.task)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("label = 0.5", "labl = 0.5", "labl"),
        ("mean = [0.8, 0.0]\n", "", "mean"),
        ("mean = [0.8, 0.0]", "mean = 0.8", "mean"),
        ("probability = 0.5", "probability = 0.4", "sum to 1"),
        ('labels = "sign"', 'labels = "signs"', "did you mean 'sign'"),
        ("b = 0.7 }", "b = 0.6 }", "fractions that sum to 1"),
    ],
)
def test_a_file_of_no_mixture_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "problem.toml").write_text(FILE.replace(old, new, 1))
    with pytest.raises(ts.InputError, match=message):
        figures.load_experiment(tmp_path / "problem.toml")


@pytest.mark.slow
def test_each_number_of_a_mixture_is_differentiated_alone() -> None:
    """The derivative of the final error in every entry of every array of the task, by JAX and by differences."""
    of = problem(ts.Mixture(INPUTS, CLUSTERS), "linear", K=2)
    start = ts.random_overlaps(of, 400, 1, scale=0.7)

    def final(task: Any) -> Any:
        changed = internal.with_fields(of, task=task)
        error = ode.solve(changed, start, [2.0], rtol=1e-11, atol=1e-13).error
        return error["easy"][-1] + 2 * error["hard"][-1]

    with jax.enable_x64(True):
        slopes = jax.grad(lambda numbers: final(internal.with_fields(of.task, **numbers)))(
            {name: jnp.asarray(getattr(of.task, name)) for name in NUMBERS}
        )
        for name in NUMBERS:
            old = np.array(getattr(of.task, name), float)
            for index in [next(iter(np.ndindex(old.shape))), tuple(n - 1 for n in old.shape)]:
                ends = []
                for h in (1e-4, -1e-4):
                    moved = old.copy()
                    moved[index] += h
                    ends.append(float(final(internal.with_fields(of.task, **{name: moved}))))
                difference = (ends[0] - ends[1]) / 2e-4
                assert float(slopes[name][index]) == pytest.approx(difference, rel=1e-5, abs=1e-8), (name, index)


NUMBERS = ("priors", "means", "variances", "offsets", "teachers", "noises")


def test_ties_are_those_of_each_clusters_law() -> None:
    """A cluster whose label is 0 but for noise ties always without it, and one with a teacher never."""
    rows: dict[str, Any] = {"silent": {"mean": [0.0], "noise": 1.0}, "loud": {"mean": [1.0], "teacher": [1.0]}}
    task = ts.Mixture(ts.Inputs({"all": 1.0}), rows, labels="sign")
    assert task.tie_probability(np.ones((1, 1, 1)))["all"] == pytest.approx(0.5)


def test_means_are_right_where_the_signs_are_whatever_the_labels() -> None:
    """Of values as of signs; the label of a teacher is that of the fields at the mean, T a."""
    rows: dict[str, Any] = {"a": {"mean": [2.0, 0.0], "label": 0.5}, "b": {"mean": [-2.0, 0.0], "teacher": [0.1, 1.0]}}
    task = ts.Mixture(ts.Inputs({"all": 1.0}), rows)
    of = ts.Problem(task, ts.Student(1, "linear"), ts.SGD(0.1), ts.Curriculum.single("all", 1.0))
    for overlap, right in ((0.0, [True, True]), (-0.5, [True, False])):  # of the teacher's two directions
        state = ts.Overlaps([[[1.0]]], [[[0.5, 0.0]]], [[[1.0, overlap], [overlap, 1.0]]], [1.0])
        assert ts.means_right(of, state)["all"].tolist() == right


def test_numbers_of_clusters_have_the_names_of_files() -> None:
    """In derivatives and as controls; a probability alone is no control, because they sum to 1."""
    of = CASES["values, relu"]
    names = set(places_in(of))
    assert {"task.clusters.one.label", "task.clusters.two.teacher.1", "task.clusters.three.mean.hard.0"} <= names
    assert {"task.clusters.three.variances.easy.a", "task.clusters.two.noise"} <= names
    assert not any("prior" in name or "probability" in name for name in names)
    moved = ts.Directions.of(of, build.overlaps(of)).names
    assert {"probability[one]", "task.clusters[one.label]"} <= set(moved)


def test_one_linear_unit_says_plus_one_with_a_gaussian_probability() -> None:
    """P(yhat > 0) of one linear unit is Phi(E yhat / sd), cluster by cluster."""
    rows: dict[str, Any] = {"up": {"mean": [1.0], "label": 1.0}, "down": {"mean": [-0.5], "label": -1.0}}
    task = ts.Mixture(ts.Inputs({"all": 1.0}), rows)
    of = ts.Problem(task, ts.Student(1, "linear"), ts.SGD(0.1), ts.Curriculum.single("all", 1.0))
    state = ts.Overlaps([[[0.5]]], [[[0.3]]], [[[1.0]]], [1.0])
    groups = ode.observe_clusters(of, state)
    np.testing.assert_allclose(groups.positive["all"], stats.norm.cdf(0.3 * np.array([1.0, -0.5]) / np.sqrt(0.5)))
    np.testing.assert_allclose(groups.accuracy["all"], [groups.positive["all"][0], 1 - groups.positive["all"][1]])
