"""Results of somebody else run nothing: they import no module and call no function that the user has not allowed."""

import dataclasses
import json
import os
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import figures
import ode
import simulations
import teacher_student as ts
from figures.command._main import main
from figures.experiment import load_tables

from . import build

EVIL = """
from pathlib import Path

import jax.numpy as jnp

import teacher_student as ts

Path(__file__).with_name("RAN").touch()


def bump(x):
    Path(__file__).with_name("CALLED").touch()
    return x * jnp.exp(-x * x)


KEPT = ts.Activation("kept", lambda x: jnp.tanh(x))


class Band(ts.Task):
    inputs: ts.Inputs
    latents = 1
    seen_blocks = (True, True)
    cluster_probabilities = (1.0,)
    cluster_means = (((0.0,),), ((0.0,),))

    def label(self, nu, cluster, noise):
        return nu[..., 0]

    def clean_label(self, nu, cluster):
        return nu[..., 0]
"""
TABLES: dict[str, Any] = {
    "task": {
        "fractions": {"a": 0.3, "b": 0.7},
        "width": 1,
        "support": "a",
        "levels": {"e": {"a": 1.0, "b": 0.1}, "h": {"a": 1.0, "b": 1.5}},
    },
    "student": {"width": 1},
    "sgd": {"learning_rate": 0.5},
    "curriculum": {"phases": [["e", 1.0], ["h", 1.0]]},
}


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    """A small result as a data set."""
    start = ts.Overlaps([[[0.25]], [[0.2]]], [[[0.01]], [[0.0]]], [[[0.3]], [[0.0]]])
    return ode.solve(ts.problem_from_tables(TABLES), start, [0.5, 1.0, 2.0]).to_xarray()


@pytest.fixture
def foreign(data: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Write a result whose problem has other entries, beside a module that Python would find and that leaves traces."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "evil.py").write_text(EVIL)

    def write(table: str, **entries: Any) -> Path:
        problem = json.loads(data.attrs["problem"])
        problem[table] = {**problem[table], **entries}
        return ts.Trajectory.save(_Saved(data.assign_attrs(problem=json.dumps(problem))), tmp_path / "x.nc", force=True)  # type: ignore[arg-type]

    yield write
    sys.modules.pop("evil", None)


class _Saved:
    """What `Trajectory.save` writes of a data set that no trajectory has."""

    def __init__(self, dataset: xr.Dataset):
        self.to_xarray = lambda: dataset


def loaded(path: Path, **options: Any) -> tuple[ts.Trajectory, list[str]]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        trajectory = ts.Trajectory.load(path, **options)
    return trajectory, [str(warning.message) for warning in said]


EVIL_UNIT = {"activation": "evil:bump"}
DECLARED = {"activation": {"function": "evil:bump", "name": "soft", "odd": False, "smooth": True, "continuous": True}}
CASES = [
    ("student", EVIL_UNIT),
    ("student", DECLARED),
    ("task", EVIL_UNIT),
    ("task", {"labels": "sign", **EVIL_UNIT}),
    ("task", {"kind": "evil:Band"}),
    ("task", {"kind": "evil:Band", "inputs": {"fractions": {"a": 0.3, "b": 0.7}}}),
]


@pytest.mark.parametrize(("table", "entries"), CASES)
def test_a_result_that_names_a_module_is_read_without_importing_it(
    foreign: Callable[..., Path], table: str, entries: dict[str, Any], data: xr.Dataset, tmp_path: Path
) -> None:
    trajectory, said = loaded(foreign(table, **entries))
    assert not (tmp_path / "RAN").exists()
    assert "evil" not in sys.modules
    assert len(said) == 1
    assert "trust=('evil',)" in said[0]
    assert "\n" not in said[0]
    np.testing.assert_array_equal(trajectory.error["h"], data["error"].sel(level="h"))
    assert "last error: e 0." in repr(trajectory)
    copy = pickle.loads(pickle.dumps(trajectory))
    again = loaded(copy.save(tmp_path / "again.nc"))[0]
    written = json.loads(again.to_xarray().attrs["problem"])[table]
    assert {name: written[name] for name in entries} == entries
    assert not (tmp_path / "RAN").exists()


def test_a_misspelt_name_of_a_module_gets_the_nearest_one(foreign: Callable[..., Path]) -> None:
    said = loaded(foreign("student", **EVIL_UNIT), trust=("evill", "other"))[1]
    assert "trust has 'evill', did you mean 'evil'?" in said[0]
    assert "'other'" not in said[0]


USES: dict[str, Callable[[ts.Problem, ts.Overlaps], Any]] = {
    "solve": lambda problem, start: ode.solve(problem, start, [1.0]),
    "solve_many": lambda problem, start: ode.solve_many([problem], [start], [[1.0]]),
    "fluctuations": lambda problem, start: ode.fluctuations(problem, start, [1.0]),
    "fixed_points": lambda problem, start: ode.fixed_points(problem, [start]),
    "drift": lambda problem, start: ode.drift(problem, ode.ClosedForm(), 0.0, start),
    "run": lambda problem, start: simulations.run(problem, dim=100, runs=2, alphas=[1.0], key=0),
    "compare": lambda problem, start: figures.compare(problem, start, [1.0]),
    "sweep": lambda problem, start: figures.sweep(problem, {"rate": {"sgd.learning_rate": [0.1]}}, workers=0),
    "random_overlaps": lambda problem, start: ts.random_overlaps(problem, 100, 0),
    "tables": lambda problem, start: ts.problem_to_tables(problem),
}


@pytest.mark.parametrize("use", USES)
def test_computing_with_what_is_not_trusted_is_one_line_that_says_how_to_trust_it(
    foreign: Callable[..., Path], use: str, tmp_path: Path
) -> None:
    for table, entries in (("student", EVIL_UNIT), ("task", {"kind": "evil:Band"})):
        trajectory = loaded(foreign(table, **entries))[0]
        with pytest.raises(ts.InputError, match=r"got: 'evil:\w+' of a result, .*trust=\('evil',\)") as caught:
            USES[use](trajectory.problem, trajectory.start)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "RAN").exists()


@pytest.mark.parametrize("trust", [("evil",), "evil", ["other", "evil"], True])
@pytest.mark.parametrize(("table", "entries"), CASES[:4])
def test_a_trusted_module_is_imported(
    foreign: Callable[..., Path], table: str, entries: dict[str, Any], trust: Any, tmp_path: Path
) -> None:
    trajectory, said = loaded(foreign(table, **entries), trust=trust)
    assert not said
    assert (tmp_path / "RAN").exists()
    assert trajectory.problem == trajectory.problem
    assert getattr(trajectory.problem, table).activation.function is sys.modules["evil"].bump


@pytest.mark.parametrize("trust", [False, (), ("evi",), ("evil.more",)])
def test_another_trust_imports_nothing(foreign: Callable[..., Path], trust: Any, tmp_path: Path) -> None:
    assert loaded(foreign("student", **EVIL_UNIT), trust=trust)[1]
    assert not (tmp_path / "RAN").exists()


@pytest.mark.parametrize("trust", [("evil py",), ("",), (3,), "a:b", ("../evil",)])
def test_a_trust_that_is_no_module_name_is_one_line(foreign: Callable[..., Path], trust: Any) -> None:
    with pytest.raises(ts.InputError, match="trust as True, or names of modules"):
        ts.Trajectory.load(foreign("student", **EVIL_UNIT), trust=trust)


FUNCTIONS = ["os:system", "subprocess:check_output", "builtins:eval", "builtins:print", "shutil:rmtree", "os:path.join"]
FUNCTIONS += ["jax.numpy:load", "jax.numpy:linalg.inv", "numpy:tanh", "jax:numpy.tanh", "teacher_student:Committee"]
FUNCTIONS += ["evil:bump", "evil:bump.__globals__", "evil:", ":", "a:b:c", "__main__:x", "evil:Band", "jax.nn:_x"]


@pytest.mark.parametrize("address", FUNCTIONS)
def test_a_function_of_an_imported_module_is_not_called(
    foreign: Callable[..., Path], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import evil

    def called(*_: Any, **__: Any) -> None:
        raise AssertionError("called")

    for module, name in ((os, "system"), (evil, "bump")):
        monkeypatch.setattr(module, name, called)
    trajectory, said = loaded(foreign("student", activation=address))
    assert len(said) == 1
    with pytest.raises(ts.InputError, match="not trusted"):
        trajectory.problem.student.activation(jnp.ones(3))
    if address != "evil:Band":  # which is a class of tasks: it may be used once its module is imported
        assert loaded(foreign("task", kind=address))[0].problem.task.latents == 1
    assert not (tmp_path / "CALLED").exists()


def test_objects_made_for_files_are_used_once_their_module_is_imported(foreign: Callable[..., Path]) -> None:
    import evil

    trajectory, said = loaded(foreign("student", activation="evil:KEPT"))
    assert not said
    assert trajectory.problem.student.activation is evil.KEPT


def test_a_function_may_be_named_once_the_user_has_made_a_unit_of_it(foreign: Callable[..., Path]) -> None:
    import evil

    path = foreign("student", **EVIL_UNIT)
    assert loaded(path)[1]
    unit = ts.Student(1, evil.bump).activation
    trajectory, said = loaded(path)
    assert not said
    assert trajectory.problem.student.activation == unit


def test_a_functions_own_getattr_is_not_asked(foreign: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A module may make its attributes when they are asked for, by whatever it imports then."""
    import evil

    asked: list[str] = []
    monkeypatch.setattr(evil, "__getattr__", asked.append, raising=False)
    assert evil.something is None
    assert asked == ["something"]
    loaded(foreign("student", activation="evil:other"))
    assert asked == ["something"]


@pytest.mark.parametrize("address", ["jax.numpy:tanh", "jax.nn:silu", "jax.nn:gelu", "jax.scipy.special:erf"])
def test_functions_of_jax_that_only_compute_need_no_trust(foreign: Callable[..., Path], address: str) -> None:
    trajectory, said = loaded(foreign("student", activation=address))
    assert not said
    assert trajectory.problem.student.activation(jnp.zeros(2)).shape == (2,)


@pytest.mark.slow
def test_the_agreement_of_results_that_are_not_trusted_can_be_judged(foreign: Callable[..., Path]) -> None:
    problem = ts.problem_from_tables(TABLES)
    start = ts.Overlaps([[[0.25]], [[0.2]]], [[[0.01]], [[0.0]]], [[[0.3]], [[0.0]]])
    runs = simulations.run(problem, dim=100, runs=12, alphas=[0.5, 1.0, 2.0], key=0, start=start)
    theory, stranger = ode.solve(problem, start, [0.5, 1.0, 2.0]), loaded(foreign("student", **EVIL_UNIT))[0]
    unknown = build.unchecked(stranger).problem
    same = [dataclasses.replace(one, problem=unknown) for one in (theory, runs)]
    assert simulations.agreement(*same).p == simulations.agreement(theory, runs).p


def test_pictures_of_the_command_line_import_what_is_trusted_and_nothing_else(
    foreign: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "evil.py").rename(tmp_path / "out" / "evil.py")
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder not in ("", str(tmp_path))])
    path = foreign("student", **EVIL_UNIT)
    for name in ("theory", "simulation"):
        dataset = xr.load_dataset(path)
        if name == "simulation":
            values = {
                key: value.expand_dims(run=2) for key, value in dataset.data_vars.items() if "alpha" in value.dims
            }
            ended = {key: dataset[key].expand_dims(run=2) for key in ("status", "reached")}
            dataset = dataset.assign(values | ended).assign_attrs(source_engine="sgd", source_dim=100)
        dataset.to_netcdf(tmp_path / "out" / f"{name}.nc", engine="netcdf4")
    command = ["figure", "comparison", "out", "--save", "picture.png", "--force"]
    assert main(command) == 0
    assert capsys.readouterr().err.count("not trusted") == 1  # of two files
    assert main([*command, "--trust", "evil"]) == 2  # it lies beside the results alone
    assert "PYTHONPATH" in capsys.readouterr().err
    assert not (tmp_path / "out" / "RAN").exists()
    (tmp_path / "out" / "evil.py").rename(tmp_path / "evil.py")
    assert main([*command, "--trust", "evil"]) == 0
    assert (tmp_path / "RAN").exists()
    assert "not trusted" not in capsys.readouterr().err


def test_a_store_whose_chunks_are_pickles_is_refused(tmp_path: Path) -> None:
    """Zarr's format 2 has such chunks, and which versions of its codecs refuse to run them is not ours to rely on."""
    store = tmp_path / "old.zarr"
    (store / "status").mkdir(parents=True)
    array: dict[str, Any] = {
        "shape": [1],
        "chunks": [1],
        "dtype": "|O",
        "fill_value": "",
        "order": "C",
        "compressor": None,
    }
    array |= {"zarr_format": 2, "filters": [{"id": "vlen-utf8"}, {"id": "pickle"}]}
    files: dict[str, Any] = {".zgroup": {"zarr_format": 2}, ".zattrs": {"axes": "{}"}, "status/.zarray": array}
    files["status/.zattrs"] = {"_ARRAY_DIMENSIONS": ["x"]}
    files[".zmetadata"] = {"zarr_consolidated_format": 1, "metadata": dict(files)}
    for name, content in files.items():
        (store / name).write_text(json.dumps(content))
    (store / "status" / "0").write_bytes(pickle.dumps(_Runs(str(tmp_path / "RAN"))))
    with pytest.raises(ts.InputError, match="the store of a sweep"):
        figures.open_sweep(store).load()
    assert not (tmp_path / "RAN").exists()


class _Runs:
    """Its pickle makes a folder when it is read."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def test_a_problem_file_that_names_a_module_says_so_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_unit_of_a_file.py").write_text(
        "import jax.numpy as jnp\n\n\ndef bump(x):\n    return jnp.tanh(x)\n"
    )
    text = (Path(__file__).parents[1] / "figures" / "relevant_irrelevant.toml").read_text()
    for unit in ("own_unit_of_a_file:bump", "jax.numpy:tanh"):
        (tmp_path / "p.toml").write_text(text.replace('activation = "erf"', f'activation = "{unit}"'))
        load_tables(tmp_path / "p.toml")
        said = capsys.readouterr().err
        line = f"teacher-student: imports own_unit_of_a_file.py from {tmp_path}, as p.toml asks\n"
        assert said == (line if unit.startswith("own") else "")
