"""The main job without a file: an experiment as data, the same numbers as its file's, bad input in one line."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import figures
import ode
import simulations
import teacher_student as ts
from figures.experiment._choices import ChoiceArguments, Choices
from figures.experiment._experiment import check_experiment
from figures.experiment._experiment_file import resolve
from figures.experiment._file_tables import read_file
from figures.experiment._starts import SharedStarts, start_of
from teacher_student import internal

from . import build

TABLES: dict[str, Any] = {
    "seed": 3,
    "task": {
        "width": 1,
        "support": "relevant",
        "fractions": {"relevant": 0.25, "irrelevant": 0.75},
        "levels": {"easy": {"relevant": 1.0, "irrelevant": 0.2}, "hard": {"relevant": 1.0, "irrelevant": 1.5}},
    },
    "student": {"width": 1},
    "sgd": {"learning_rate": 1.0},
    "curriculum": {"phases": [["easy", 1.0], ["hard", 1.0]]},
    "record": {"count": 4},
    "simulation": {"dim": 200, "smaller_dim": 100, "runs": 12, "test_samples": 32},
}
ALPHAS = np.linspace(0.5, 2.0, 4)
CHOICES: dict[str, Any] = {"dim": 200, "smaller_dim": 100, "runs": 12, "test_samples": 32}


def tables(**changes: Any) -> dict[str, Any]:
    """The tables above, with other tables in place of theirs."""
    return TABLES | changes


def problem(activation: Any = "erf") -> ts.Problem:
    """The problem of the tables, made in Python."""
    task = ts.Committee(ts.Inputs(TABLES["task"]["fractions"], TABLES["task"]["levels"]), width=1, support="relevant")
    order = ts.Curriculum.phases(("easy", 1.0), ("hard", 1.0))
    return ts.Problem(task, ts.Student(1, activation), ts.SGD(1.0), order)


def quiet(*arguments: Any, **options: Any) -> figures.Comparison:
    """`figures.compare` that says nothing."""
    return figures.compare(*arguments, progress=False, say=lambda line: None, **options)


def require_same(one: figures.Comparison, other: figures.Comparison) -> None:
    """Fail unless both comparisons have the same numbers, to the last digit."""
    for name in ("theory", "runs", "smaller", "bands"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert (mine is None) == (theirs is None), name
        if mine is not None:
            assert mine.to_xarray().equals(theirs.to_xarray()), name
    assert one.agreement.to_json() == other.agreement.to_json()


@pytest.fixture
def nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solver and simulator that must not be called."""

    def called(*_: Any, **__: Any) -> None:
        raise AssertionError("something was computed")

    for module, name in ((ode, "solve"), (ode, "fluctuations"), (simulations, "run"), (simulations, "prepare")):
        monkeypatch.setattr(module, name, called)


@pytest.mark.slow
def test_without_a_file_it_gives_the_numbers_of_the_file(tmp_path: Path) -> None:
    experiment = figures.read_experiment(TABLES)
    by_file = quiet(experiment, tmp_path / "out")
    by_hand = quiet(problem(), experiment.start, ALPHAS, **CHOICES, seed=3)
    require_same(by_hand, by_file)
    assert by_hand.paths == {}
    assert {path.name for path in by_file.paths.values()} == {path.name for path in (tmp_path / "out").iterdir()}
    by_hand.plot()[0].savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    other = quiet(problem(), experiment.start, ALPHAS, **CHOICES, seed=4)
    assert not other.runs.to_xarray().equals(by_hand.runs.to_xarray())


@pytest.mark.slow
def test_sampled_averages_follow_from_the_seed_as_in_a_file() -> None:
    sampled = tables(
        student={"width": 1, "activation": "relu"}, simulation={"dim": 200, "smaller_dim": 0, "runs": 3}, seed=7
    )
    experiment = figures.read_experiment(sampled)
    by_hand = quiet(problem("relu"), experiment.start, ALPHAS, dim=200, smaller_dim=0, runs=3, seed=7)
    require_same(by_hand, quiet(experiment))
    assert by_hand.theory.source.method.startswith("sampled")


@pytest.mark.slow
def test_a_lambda_is_compared_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = problem(lambda x: jnp.tanh(x))
    start = ts.random_overlaps(own, 200, 0)
    found = quiet(own, start, ALPHAS, dim=200, smaller_dim=0, runs=16, averages=ode.Sampled(256, 2))
    assert found.agreement.agrees
    assert found.runs.runs == 16
    assert found.smaller is None
    assert found.paths == {}
    assert not list(tmp_path.iterdir())


def test_a_lambda_is_refused_before_anything_is_computed_or_made(tmp_path: Path, nothing_is_computed: None) -> None:
    own = problem(lambda x: jnp.tanh(x))
    start = ts.random_overlaps(own, 200, 0)
    with pytest.raises(ts.InputError, match=r"imported again.*write nothing") as caught:
        quiet(own, start, ALPHAS, dim=200, out=tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


SOME_RUNS = np.ones((2, 2, 1, 1))
WRONG = [
    ({"dim": 0}, "dim >= 1"),
    ({"dim": 200.0}, "an integer dim >= 1; got: 200.0"),
    ({"dim": 997, "smaller_dim": None, "spread": "measured"}, "divisor between N/10 and N/3"),
    ({"smaller_dim": 200}, "smaller_dim below dim"),
    ({"smaller_dim": "100"}, "smaller_dim below dim"),
    ({"runs": 2}, "runs >= 3"),
    ({"runs": True}, "runs >= 3"),
    ({"test_samples": 0}, "number of test samples >= 1"),
    ({"precision": "float16"}, "known precision"),
    ({"significance": 1.5}, "significance between 0 and 1"),
    ({"significance": "1 %"}, "significance between 0 and 1"),
    ({"rtol": 0.0}, "rtol between 0 and 1"),
    ({"atol": 2}, "atol between 0 and 1"),
    ({"seed": -1}, "seed an integer between 0"),
    ({"seed": "one"}, "seed an integer between 0"),
    ({"spread": "guessed"}, "known spread"),
    ({"spread": "predicted"}, "no smaller_dim with spread"),
    ({"spread": "predicted", "smaller_dim": None, "fluctuations": False}, 'fluctuations for spread = "predicted"'),
    ({"fluctuations": "yes"}, "fluctuations True, False or None"),
    ({"fluctuations": True, "dim": 4, "smaller_dim": 2}, "dim >= 5, the number of overlaps"),
    ({"fluctuations": True, "averages": ode.Sampled(error=1e-3)}, "averages of given points for fluctuations"),
    ({"averages": "sampled"}, "averages=ode.ClosedForm.., ode.Sampled"),
    ({"alphas": [2.0, 1.0]}, "increasing alphas"),
    ({"alphas": [1.0, 3.0]}, "curriculum's end"),
    ({"alphas": [1.0, 1.001]}, "alphas at least 1/100 apart"),
    ({"alphas": []}, "non-empty list of times"),
    ({"alphas": "all"}, "alphas"),
    ({"start": None}, "a start of ts.Overlaps; got: NoneType; take ts.random_overlaps"),
    ({"start": ts.Overlaps(np.ones((1, 1, 1)), np.ones((1, 1, 1)), np.ones((1, 1, 1)), 1.0)}, "shape"),
    ({"start": ts.Overlaps(SOME_RUNS, SOME_RUNS, SOME_RUNS, np.ones((2, 1)))}, "start|block"),
    ({"problem": "relevant_irrelevant.toml"}, "a ts.Problem; got: str"),
]


def test_a_misspelt_choice_is_refused_with_the_nearest_one(nothing_is_computed: None) -> None:
    start = ts.random_overlaps(problem(), 200, 0)
    makes: list[Callable[..., Any]] = [quiet, figures.make_experiment]
    for make in makes:
        with pytest.raises(ts.InputError, match="choice of a comparison; got: 'smaler_dim'; did you mean") as caught:
            make(problem(), start, ALPHAS, smaler_dim=100)
        assert "\n" not in str(caught.value)


def test_choices_are_typed_and_told_as_they_are_taken() -> None:
    """Names, types and defaults: of the arguments, of what is made of them, and in the help."""
    arguments = dict(ChoiceArguments.__annotations__)
    arguments.pop("averages")
    fields = dataclasses.fields(Choices)
    types = {name: kind.__forward_arg__ for name, kind in arguments.items()}
    assert types == {field.name: field.type for field in fields}
    text = str(figures.make_experiment.__doc__)
    told = dict(re.findall(r"(\w+) \(([^()]+)\)[,:]", text))
    assert told.pop("averages") == "None"
    assert told == {field.name: repr(field.default).replace("'", '"') for field in fields}


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_a_wrong_argument_is_one_line_and_nothing_is_made(
    wrong: dict[str, Any], message: str, tmp_path: Path, nothing_is_computed: None
) -> None:
    good = {"problem": problem(), "start": ts.random_overlaps(problem(), 200, 0), "alphas": ALPHAS, **CHOICES}
    with pytest.raises(ts.InputError, match=message) as caught:
        quiet(**(good | wrong), out=tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_averages_of_ones_own_are_checked_before_anything_is_computed(nothing_is_computed: None) -> None:
    own = problem("relu")
    with pytest.raises(ts.InputError, match=r"closed-form averages; got: .*relu") as caught:
        quiet(own, ts.random_overlaps(own, 200, 0), ALPHAS, **CHOICES, averages=ode.ClosedForm())
    assert "\n" not in str(caught.value)


def test_several_starts_are_refused(nothing_is_computed: None) -> None:
    one = ts.random_overlaps(problem(), 200, 0)
    two = ts.Overlaps(*(np.stack([np.asarray(each)] * 2) for each in (one.Q, one.R, one.T, one.readout)))
    with pytest.raises(ts.InputError, match=r"one start; got: leading axes \(2,\)"):
        quiet(problem(), two, ALPHAS, **CHOICES)


def test_an_experiment_leaves_nothing_to_choose(tmp_path: Path, nothing_is_computed: None) -> None:
    experiment = figures.read_experiment(TABLES)
    for arguments, options, message in (
        ((), {"dim": 100}, "only out, force, progress and say beside an Experiment; got: dim; change it with"),
        ((None, ALPHAS), {}, "got: alphas"),
        ((tmp_path / "a",), {"out": tmp_path / "b"}, "one output directory"),
        ((experiment.start,), {}, "an output directory as the second argument beside an Experiment; got: Overlaps"),
    ):
        with pytest.raises(ts.InputError, match=message):
            quiet(experiment, *arguments, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dims": (100, 200)}, "dims that decrease"),
        ({"dims": (200,)}, "as many run_keys"),
        ({"dims": (200, 63)}, "alphas at least 1/1 apart"),
        ({"alphas": np.array([0.5, 1.003])}, "alphas"),
        ({"dims": (), "run_keys": ()}, "an experiment with a simulation"),
        ({"runs": 2}, "runs >= 3"),
        ({"significance": 0.0}, "significance between 0 and 1"),
        ({"spread": "predicted"}, "no smaller_dim with spread"),
        ({"fluctuations_may_fail": False, "averages": ode.Sampled(error=1e-3)}, "averages of given points"),
        ({"start": None}, "a start of ts.Overlaps"),
    ],
)
def test_a_changed_experiment_is_checked_again(
    changes: dict[str, Any], message: str, nothing_is_computed: None
) -> None:
    with pytest.raises(ts.InputError, match=message):
        quiet(dataclasses.replace(figures.read_experiment(TABLES), **changes))


def test_an_experiment_is_data_and_the_same_from_a_file_and_from_python(tmp_path: Path) -> None:
    of_file = figures.read_experiment(TABLES)
    of_python = figures.make_experiment(problem(), of_file.start, ALPHAS, **CHOICES, seed=3)
    for field in dataclasses.fields(figures.Experiment):
        mine, theirs = getattr(of_python, field.name), getattr(of_file, field.name)
        if field.name == "run_keys":
            assert [internal.key_words(key) for key in mine] == [internal.key_words(key) for key in theirs]
        elif field.name in ("alphas", "wanted_alphas"):
            np.testing.assert_array_equal(mine, theirs)
        elif field.name != "problem":
            assert mine is theirs or mine == theirs, field.name
    assert ts.problem_to_tables(of_python.problem) == ts.problem_to_tables(of_file.problem)
    assert of_file.dims == (200, 100)
    assert of_file.fluctuations
    assert of_file.fluctuations_may_fail
    check_experiment(of_python)
    with pytest.raises(dataclasses.FrozenInstanceError):
        of_file.runs = 5  # type: ignore[misc]
    public = {name for name in vars(figures.Experiment) if not name.startswith("_")}
    assert public <= {field.name for field in dataclasses.fields(figures.Experiment)}  # no services


def test_earlier_names_are_the_new_ones(tmp_path: Path) -> None:
    assert figures.Settings is figures.Experiment
    assert figures.read_settings(TABLES, seed=5).seed == 5
    assert figures.load_settings(None).dims == figures.load_experiment().dims == (1000,)
    for name in (figures.load_settings, figures.read_settings, figures.Settings):
        assert "earlier name" in str(name.__doc__)


def test_an_experiment_without_a_simulation_asks_nothing_of_it() -> None:
    lone = figures.read_experiment(tables(simulation={"dim": 997, "runs": 1}), simulated=False)
    assert (lone.dims, lone.run_keys) == ((), ())
    np.testing.assert_array_equal(lone.alphas, ALPHAS)


def test_cells_that_share_a_start_draw_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate or an order changes nothing of a start's law; a seed or a number does."""
    drawn, starts = [], SharedStarts()

    def counted(*given: Any) -> Any:
        drawn.append(given)
        return start_of(*given)

    monkeypatch.setattr("figures.experiment._starts.start_of", counted)
    changes: dict[str, Any]
    for changes in (
        {},
        {"sgd": {"learning_rate": 0.3}},
        {"curriculum": {"phases": [["hard", 1.0]]}},
        {"seed": 4},
        {"start": {"number": 1}},
    ):
        file = read_file(tables(**changes))
        resolve(file, ts.problem_from_tables(tables(**changes)), simulated=False, starts=starts)
    assert len(drawn) == 3


def test_fluctuations_are_predicted_where_cheap_or_asked_for() -> None:
    start = ts.random_overlaps(problem(), 200, 0)

    def make(activation: Any = "erf", **choices: Any) -> figures.Experiment:
        return figures.make_experiment(problem(activation), start, ALPHAS, dim=200, **choices)

    assert make().fluctuations
    assert make(averages=ode.ClosedForm()).fluctuations
    assert not make(fluctuations=False).fluctuations
    assert not make("relu").fluctuations
    assert not make(averages=ode.Sampled(64, 2)).fluctuations
    for asked in (make("relu", fluctuations=True), make("relu", spread="predicted")):
        assert asked.fluctuations
        assert not asked.fluctuations_may_fail
    assert make(spread="predicted").dims == (200,)


def test_batched_problems_are_refused() -> None:
    one = build.problem()
    many = jax.vmap(lambda rate: ts.Problem(one.task, one.student, ts.SGD(rate), one.curriculum))(np.ones(2))
    with pytest.raises(ts.InputError, match="one problem, not a batch"):
        figures.make_experiment(many, build.overlaps(one), [1.0], dim=200)


def test_keys_of_a_seed_are_those_of_earlier_versions() -> None:
    """Stores and saved runs go on from them."""

    def folded(*numbers: int) -> str:
        key = internal.as_key(3)
        for number in numbers:
            key = jax.random.fold_in(key, number)
        return internal.key_words(key)

    one = figures.read_experiment(tables(student={"width": 1, "activation": "relu"}))
    of_ensemble = figures.read_experiment(
        tables(student={"width": 1, "activation": "relu"}, start={"number": 5}), simulated=True
    )
    assert [internal.key_words(key) for key in one.run_keys] == [folded(2), folded(3)]
    assert [internal.key_words(key) for key in of_ensemble.run_keys] == [folded(2, 5), folded(3, 5)]
    for each in (one, of_ensemble):
        assert isinstance(each.averages, ode.Sampled)
        assert internal.key_words(each.averages.key) == folded(1)
    drawn = ts.random_overlaps(
        of_ensemble.problem, 200, jax.random.fold_in(jax.random.fold_in(internal.as_key(3), 0), 5)
    )
    np.testing.assert_array_equal(of_ensemble.start.Q, drawn.Q)


def test_ctrl_c_without_files_says_that_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = figures.read_experiment(TABLES)

    def pressed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("figures._compare.solve_theory", pressed)
    monkeypatch.setattr(simulations, "prepare", lambda *_, **__: None)
    with pytest.raises(figures.Interrupted, match="written: nothing"):
        quiet(experiment)


STARTS: list[dict[str, Any]] = [
    {"readout": "normal", "readout_scale": 0.1, "scale": 0.1},
    {"readout": "signs", "readout_scale": 1.0},
    {"readout": "ones", "readout_scale": 0.5},
    {"spherical": True, "scale": 1.0},
]


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_the_starts_of_the_literature_stand_in_files(start: dict[str, Any]) -> None:
    experiment = resolve(read_file(tables(start=start)), ts.problem_from_tables(tables()), simulated=False)
    key = jax.random.fold_in(jax.random.key(TABLES["seed"]), 0)
    drawn = ts.random_overlaps(experiment.problem, 200, key, **start)
    jax.tree.map(np.testing.assert_array_equal, experiment.start, drawn)
    usual = ts.random_overlaps(experiment.problem, 200, key)
    assert not all(map(np.array_equal, jax.tree.leaves(drawn), jax.tree.leaves(usual)))


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"readout": [1.0], "readout_scale": 0.1}, "no scale beside the numbers of a readout"),
        ({"readout": "normal", "readout_scale": -1.0}, "scale of the readout >= 0"),
        ({"readout": "normals"}, "did you mean 'normal'"),
        ({"spherical": 1}, "spherical"),
        ({"Q": [[[1.0]]], "R": [[[0.0]]], "T": [[[1.0]]], "spherical": True}, "beside Q, R and T"),
        ({"Q": [[[1.0]]], "R": [[[0.0]]], "T": [[[1.0]]], "readout_scale": 2.0}, "beside Q, R and T"),
    ],
)
def test_starts_that_are_none_are_refused(start: dict[str, Any], message: str) -> None:
    with pytest.raises(ts.InputError, match=message):
        resolve(read_file(tables(start=start)), ts.problem_from_tables(tables()), simulated=False)
