"""A user's own tasks and units: written, read, pickled, named in files beside them, swept by other processes."""

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import figures
import ode
import teacher_student as ts
from figures.command._main import main
from teacher_student.problem._activation import as_activation

from . import build

ONE_LEVEL = ts.Inputs({"all": 1.0})
MODULE = '''
"""A task and a unit of one's own."""

from typing import Any

import jax.numpy as jnp
import numpy as np

import teacher_student as ts


class Band(ts.Task):
    """y = +1 where |nu| < width, else -1."""

    inputs: ts.Inputs
    width: Any
    unit: ts.Activation = ts.Activation("abs", jnp.abs, continuous=True)
    labels = "sign"

    @property
    def latents(self):
        return 1

    @property
    def seen_blocks(self):
        return tuple(name == "relevant" for name in self.inputs.block_names)

    @property
    def cluster_probabilities(self):
        return np.ones(1)

    @property
    def cluster_means(self):
        return np.zeros((len(self.inputs.level_names), 1, 1))

    def label(self, nu, cluster, noise):
        return self.clean_label(nu, cluster)

    def clean_label(self, nu, cluster):
        return jnp.sign(jnp.max(jnp.asarray(self.width)) - self.unit(nu[..., 0]))  # of several, the widest


def swish(x):
    return x / (1 + jnp.exp(-x))


SOFT = ts.Activation("soft", swish, smooth=True)
BUMP = ts.Activation("bump", lambda x: x * jnp.exp(-x * x), odd=True, smooth=True)
hill = lambda x: jnp.exp(-x * x)


class Broken(Band):
    def __post_init__(self):
        raise RuntimeError("this class wants\\nsomething else")
'''
FILE = """
[task]
kind = "{module}:Band"
width = 0.8
[task.inputs.fractions]
relevant = 0.3
irrelevant = 0.7
[task.inputs.levels]
easy = {{relevant = 1.0, irrelevant = 0.1}}
hard = {{relevant = 1.0, irrelevant = 1.5}}
[student]
width = 2
activation = "{module}:SOFT"
[sgd]
learning_rate = 0.3
[curriculum]
phases = [["easy", 1.0], ["hard", 1.0]]
[record]
count = 2
[theory]
points = 128
replicates = 2
"""
AXES = """
[axes.band]
task.width = [0.5, 0.8]
[axes.rate]
sgd.learning_rate = [0.2, 0.3]
[sweep]
tile = 2
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A folder with a module of the user's own and a problem file beside it; no process knows it yet."""
    module = f"own_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text(MODULE)
    (tmp_path / "problem.toml").write_text(FILE.format(module=module))
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop(module, None)


def tables(own: Path, **entries: Any) -> dict[str, Any]:
    """The file's tables, with other entries of [task]."""
    from figures.experiment._file_tables import load_tables

    read = load_tables(own / "problem.toml")
    return read | {"task": read["task"] | entries}


def same(a: Any, b: Any) -> bool:
    leaves = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return build.structure(a) == build.structure(b) and all(np.array_equal(x, y) for x, y in leaves)


def test_a_file_names_a_task_and_a_unit_of_a_module_beside_it(own: Path) -> None:
    problem = ts.problem_from_tables(tables(own))
    assert type(problem.task).__name__ == "Band"
    assert build.unchecked(problem.task).width == 0.8
    assert problem.inputs.level_names == ("easy", "hard")
    assert problem.student.activation.smooth
    assert problem.student.activation.name == "soft"
    assert same(ts.problem_from_tables(ts.problem_to_tables(problem)), problem)
    assert same(pickle.loads(pickle.dumps(problem)), problem)


def test_a_unit_in_a_field_of_a_task_is_read_as_one(own: Path) -> None:
    problem = ts.problem_from_tables(tables(own, unit="x**2"))
    assert build.unchecked(problem.task).unit.name == "x**2"
    assert same(ts.problem_from_tables(ts.problem_to_tables(problem)), problem)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"width": 0.8, "wdith": 0.5}, "known entries of \\[task\\] of Band; got: 'wdith'; did you mean 'width'"),
        ({"kind": "{module}:Bend"}, "an importable task module:name; got: '.*:Bend'; the module '.*' has no 'Bend'"),
        ({"kind": "no_such_module:Band"}, r"'no_such_module' \(put the folder of no_such_module.py on PYTHONPATH\)"),
        ({"kind": "{module}:swish"}, "a class of tasks"),
        ({"kind": "bend"}, "kind of task \\(or \"module:Class\", a task of your own\\); got: 'bend'"),
        ({"kind": "{module}:Broken"}, "a table \\[task\\] that Broken takes; got: this class wants"),
        ({"inputs": {"fractions": {"all": 1.0}, "leves": {}}}, "known keys in \\[task.inputs\\]; got: 'leves'"),
    ],
)
def test_a_wrong_table_of_a_users_task_is_one_line(own: Path, entries: dict[str, Any], message: str) -> None:
    module = next(own.glob("own_*.py")).stem
    if "kind" in entries:
        entries = entries | {"kind": entries["kind"].format(module=module)}
    with pytest.raises(ts.InputError, match=message) as caught:
        ts.problem_from_tables(tables(own, **entries))
    assert "\n" not in str(caught.value)


class OneLevelShort(build.SignOfTwo):
    """A task that says nothing of its second level."""


def test_a_task_of_fewer_levels_than_its_inputs_is_refused() -> None:
    with pytest.raises(ts.InputError, match=r"cluster_means of shape .* = \(2, 1, 2\) of a OneLevelShort; got: shape"):
        ts.Problem(OneLevelShort(build.inputs(1)), ts.Student(2), ts.SGD(0.5), ts.Curriculum.single("easy", 1.0))


def test_an_entry_that_is_missing_is_named(own: Path) -> None:
    read = tables(own)
    del read["task"]["width"]
    with pytest.raises(ts.InputError, match="the entry 'width' of \\[task\\] of Band"):
        ts.problem_from_tables(read)


@pytest.mark.parametrize(
    "unit",
    ["erf", "relu", "linear", "sign", "x**2", "(x**3 - 3*x)/6**0.5", "He3", jnp.tanh],
)
def test_a_unit_is_pickled_and_written_by_its_text(unit: Any) -> None:
    activation = as_activation(unit)
    assert pickle.loads(pickle.dumps(activation)) == activation
    assert as_activation(activation.text) == activation


def test_what_a_unit_declares_is_written_too() -> None:
    tanh = ts.Activation("tanh", jnp.tanh, odd=True, smooth=True)
    problem = build.problem(student=tanh)
    again = ts.problem_from_tables(ts.problem_to_tables(problem)).student.activation
    assert again == tanh
    assert (again.name, again.odd, again.smooth) == ("tanh", True, True)
    assert pickle.loads(pickle.dumps(tanh)) == tanh


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"function": "jax.numpy:tanh", "od": True},
            "known keys in \\[student.activation\\]; got: 'od'; did",
        ),
        ({"function": "tanh"}, "activation.function as \"module:function\"; got: 'tanh'"),
        ({"odd": True}, "the key 'function'"),
    ],
)
def test_a_wrong_table_of_a_unit_is_one_line(table: dict[str, Any], message: str) -> None:
    problem = ts.problem_to_tables(build.problem())
    with pytest.raises(ts.InputError, match=message):
        ts.problem_from_tables(problem | {"student": {"width": 3, "activation": table}})


def test_what_cannot_be_imported_again_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    class Local(build.SignOfTwo):
        pass

    local = ts.Problem(Local(ONE_LEVEL), ts.Student(2), ts.SGD(0.5), ts.Curriculum.single("all", 1.0))
    for problem, message in (
        (build.problem(student=lambda x: x**2), "an activation that can be imported again, .*got: '.*<lambda>'; move"),
        (local, "a task whose class can be imported again, .*got: Local; move its class"),
    ):
        trajectory = ode.solve(problem, build.overlaps(problem), [0.1], averages=ode.Sampled(2**6, 1))
        with pytest.raises(ts.InputError, match=message):
            trajectory.save(tmp_path / "theory.nc")
    assert not list(tmp_path.iterdir())


def test_a_subclass_is_written_as_itself() -> None:
    """As the mixture that it derives from it would be read back with other labels."""
    problem = build.mixture(slip="one cluster relabelled")
    table = ts.problem_to_tables(problem)
    assert table["task"]["kind"].endswith("build:Relabelled")
    assert type(ts.problem_from_tables(table).task) is build.Relabelled


def test_a_task_that_its_table_does_not_describe_is_refused() -> None:
    task = Forgetful(ONE_LEVEL, 0.3)
    problem = ts.Problem(task, ts.Student(2), ts.SGD(0.5), ts.Curriculum.single("all", 1.0))
    with pytest.raises(ts.InputError, match=r"a task that its table describes.*got: another Forgetful"):
        ts.problem_to_tables(problem)


class Forgetful(build.DeclaredSigns):
    """Its table says nothing of its noise."""

    def to_table(self) -> dict[str, Any]:
        return super().to_table() | {"noise": 0.0}


def test_normalised_hermite_polynomials_have_their_closed_forms() -> None:
    """E[phi(a) phi(b)] = c^3 for phi = He_3 / 6^(1/2), units of variance 1 and correlation c."""
    problem = build.problem(K=2, M=1, readout=(1.0,), blocks=1, student="He3/6**0.5", teacher="He3/6**0.5", noise=0.0)
    assert ode.missing_closed_form(problem) is None
    c, level = 0.4, problem.inputs.level_names[0]
    variance = float(np.asarray(problem.inputs.variances)[0, 0])
    Q, R, T = (np.array([[[1.0, c], [c, 1.0]]]), np.array([[[c], [c]]]), np.ones((1, 1, 1)))
    start = ts.Overlaps(Q / variance, R / variance, T / variance, np.ones(2))
    error = ode.solve(problem, start, [0.0, 0.1]).error[level][0]
    np.testing.assert_allclose(error, (2 + 2 * c**3 - 4 * c**3 + 1) / 2, rtol=1e-12)


@pytest.mark.parametrize("name", ["BUMP", "hill", "SOFT"])
def test_a_lambda_that_has_a_name_in_its_module_is_written_by_it(own: Path, name: str) -> None:
    tables(own)  # the module can be imported now
    module = f"own_{own.name}".replace("-", "_")
    unit = as_activation(f"{module}:{name}")
    assert as_activation(unit.text) == unit
    assert pickle.loads(pickle.dumps(unit)) == unit
    assert name != "BUMP" or unit.text == f"{module}:BUMP"


def test_saved_results_find_the_users_module_in_the_folder_where_one_works(own: Path, monkeypatch: Any) -> None:
    from figures.experiment._file_tables import look_for_modules

    experiment = figures.read_experiment(tables(own), simulated=False)
    theory = ode.solve(experiment.problem, experiment.start, [1.0], averages=ode.Sampled(64, 2))
    (own / "out").mkdir()
    theory.save(own / "out" / "theory.nc")
    module = type(theory.problem.task).__module__
    sys.path.remove(str(own))  # as in a process of its own that reads no problem file
    del sys.modules[module]
    with pytest.raises(ts.InputError, match="PYTHONPATH"):
        ts.Trajectory.load(own / "out" / "theory.nc", trust=(module,))
    monkeypatch.chdir(own)
    look_for_modules(Path())  # as `teacher-student figure comparison out --trust MODULE` does
    assert type(ts.Trajectory.load(own / "out" / "theory.nc", trust=(module,)).problem.task).__name__ == "Band"


@pytest.mark.slow
def test_the_command_line_solves_a_users_own_problem_and_its_file_loads(own: Path) -> None:
    assert main(["solve", str(own / "problem.toml"), "--out", str(own / "out"), "--quiet"]) == 0
    theory = ts.Trajectory.load(own / "out" / "theory.nc")
    assert type(theory.problem.task).__name__ == "Band"
    assert same(pickle.loads(pickle.dumps(theory)), theory)


@pytest.mark.long
@pytest.mark.slow
def test_two_workers_sweep_a_users_own_problem_as_one_process_does(own: Path) -> None:
    (own / "sweep.toml").write_text(AXES + (own / "problem.toml").read_text())
    stores = [own / "one.zarr", own / "two.zarr"]
    for store, workers in zip(stores, (0, 2), strict=True):
        figures.run_sweep(figures.load_sweep(own / "sweep.toml"), store, workers=workers, progress=False)
    one, two = (figures.open_sweep(store).load() for store in stores)
    assert np.all(one["status"] == figures.CellStatus.DONE)
    np.testing.assert_array_equal(one["error"], two["error"])
    assert np.ptp(one["error"].values) > 0


def test_large_coefficients_have_closed_forms_too() -> None:
    """c x with the readout 1/c is x with the readout 1: the same output, the same gradients in the weights."""
    steps = []
    for student, scale in (("x", 1.0), ("1e5*x", 1e5), ("2**30*x", 2.0**30), ("1e8*x", 1e8)):
        problem = build.problem(student=student, teacher="x**2", readout_learning_rate=0.0)
        state = build.overlaps(problem)
        with jax.enable_x64(True):
            readout = jnp.asarray(np.ones(3) / scale)
            step = ode.drift(problem, ode.ClosedForm(), 0.0, ts.Overlaps(state.Q, state.R, state.T, readout))
        steps.append(np.concatenate([np.ravel(step.Q), np.ravel(step.R)]))
    for other in steps[1:]:
        np.testing.assert_allclose(other, steps[0], rtol=1e-12)


NUMBERS = (0.8, np.float32(0.8), jnp.array(0.8), np.int64(1), jnp.array([0.5, 0.2]), np.array([1, 2]), np.array([True]))


@pytest.mark.usefixtures("promotion")
@pytest.mark.parametrize("width", NUMBERS)
def test_numbers_of_every_kind_in_a_field_are_written_and_read_back(own: Path, width: Any) -> None:
    task: Any = ts.problem_from_tables(tables(own)).task
    changed = type(task)(task.inputs, width)
    problem = ts.Problem(changed, ts.Student(2), ts.SGD(0.3), ts.Curriculum.single("easy", 1.0))
    again = build.unchecked(ts.problem_from_tables(ts.problem_to_tables(problem)).task).width
    np.testing.assert_array_equal(again, width)
    assert np.asarray(again).dtype.kind == np.asarray(width).dtype.kind
