"""A package outside of the repository, installed in a fresh environment: its own things are first class."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import figures
import ode
import teacher_student as ts

ROOT = Path(__file__).parents[1]
UNIT = (ROOT / "examples" / "own_closed_forms.py").read_text()  # sin x, with closed forms
MORE = '''

import equinox as eqx
import jax
import numpy as np
from typing import Any


class Waves(ts.Task):
    """y = sin(nu_1) + ... + sin(nu_M), as a sum of units."""

    inputs: ts.Inputs
    waves: int = eqx.field(static=True, default=1)

    labels = "value"
    smooth = True

    @property
    def latents(self) -> int:
        return self.waves

    @property
    def seen_blocks(self) -> tuple[bool, ...]:
        return (True,) * len(self.inputs.block_names)

    @property
    def cluster_probabilities(self) -> Any:
        return np.ones(1)

    @property
    def cluster_means(self) -> Any:
        return np.zeros((len(self.inputs.level_names), 1, self.waves))

    @property
    def units(self) -> ts.SumOfUnits:
        return ts.SumOfUnits(SINE, np.ones(self.waves))

    def label(self, nu: jax.Array, cluster: jax.Array, noise: jax.Array) -> jax.Array:
        return self.clean_label(nu, cluster)

    def clean_label(self, nu: jax.Array, cluster: jax.Array) -> jax.Array:
        return jnp.sum(jnp.sin(nu), axis=-1)


class Doubled(ode.Averages):
    """Half of twice the closed forms: averages of the package's own."""

    def step(self, problem: Any, overlaps: Any, condition: Any) -> ode.StepAverages:
        step = ode.ClosedForm().step(problem, overlaps, condition)
        return jax.tree.map(lambda x: (x + x) / 2, step)
'''
PROBLEM = """
[task]
kind = "waves:Waves"
waves = 1
inputs = { fractions = { all = 1.0 }, levels = { easy = { all = 0.5 } } }
[student]
width = 1
activation = "waves:SINE"
[sgd]
learning_rate = 0.5
[curriculum]
phases = [["easy", 4.0]]
[start]
Q = [[[0.4]]]
R = [[[0.1]]]
T = [[[1.0]]]
[record]
count = 2
[theory]
averages = "waves:Doubled"
[simulation]
dim = 100
smaller_dim = 0
runs = 8
"""
# What builds the package, as build tools ask for it: so nothing has to be downloaded.
BACKEND = """
import pathlib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "waves-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.write("waves.py")
        wheel.writestr("waves-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: waves\\nVersion: 1.0\\n")
        wheel.writestr("waves-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("waves-1.0.dist-info/RECORD", "")
    return name
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the package, and this one's packages behind it; the folder has a problem file."""
    folder = tmp_path_factory.mktemp("outside")
    source = folder / "source"
    source.mkdir()
    (source / "waves.py").write_text(UNIT + MORE)
    (source / "backend.py").write_text(BACKEND)
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "waves"\nversion = "1.0"\n'
    )
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(source)]
    subprocess.run([*install, "--no-index"], check=True, capture_output=True)
    site = next((folder / "venv" / "lib").glob("python*/site-packages"))
    behind = [path for path in sys.path if path.endswith("site-packages")]
    (site / "behind.pth").write_text("\n".join([str(ROOT), *behind]) + "\n")
    (folder / "problem.toml").write_text(PROBLEM)
    return folder


def run(folder: Path, *arguments: str) -> str:
    """What `teacher-student` prints in the environment, in the folder, away from the checkout."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(folder / "venv" / "bin" / "python"), "-m", "figures.command._main", *arguments]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_its_problem_is_compared_saved_and_drawn(environment: Path) -> None:
    out = run(environment, "compare", "problem.toml", "--out", "out")
    assert "AGREE" in out
    assert json.loads((environment / "out" / "report.json").read_text())["agrees"]
    assert "waves:Doubled" in run_python(environment, "print(ts.Trajectory.load('out/theory.nc').source.method)")
    run(environment, "figure", "comparison", "out", "--save", "again.png")
    assert (environment / "again.png").stat().st_size > 10_000


@pytest.mark.long
@pytest.mark.slow
def test_two_workers_sweep_it(environment: Path) -> None:
    axes = "[axes.rate]\nsgd.learning_rate = [0.2, 0.4]\n[sweep]\ntile = 1\n"
    (environment / "sweep.toml").write_text(axes + PROBLEM)
    assert "2 done" in run(environment, "sweep", "sweep.toml", "--workers", "2")
    errors = figures.open_sweep(environment / "sweep.zarr")["error"].values
    assert np.all(np.isfinite(errors))


@pytest.mark.slow
def test_its_unit_is_derived(environment: Path) -> None:
    printed = run(environment, "derive", "--activation", "waves:SINE", "--student", "1", "--teacher", "1")
    assert r"\begin{align*}" in printed


def run_python(folder: Path, code: str) -> str:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(folder / "venv" / "bin" / "python"), "-c", f"import teacher_student as ts; {code}"]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("averages", "message"),
    [
        ("no_such_module:Doubled", "an importable averages"),
        ("numpy:ones", "take no arguments|ode.Averages of your own"),
        ("sampeld", "did you mean 'sampled'"),
        ("teacher_student:Student", "take no arguments"),
    ],
)
def test_averages_that_are_none_are_refused_in_one_line(averages: str, message: str) -> None:
    tables: dict[str, Any] = {
        "task": {"kind": "committee", "width": 1, "fractions": {"all": 1.0}},
        "student": {"width": 1},
        "sgd": {"learning_rate": 0.5},
        "curriculum": {"phases": [["all", 1.0]]},
        "theory": {"averages": averages},
    }
    with pytest.raises(ts.InputError, match=message) as error:
        figures.read_experiment(tables, simulated=False)
    assert "\n" not in str(error.value)


def test_averages_of_ones_own_are_named_in_a_file() -> None:
    from . import test_own_averages

    tables: dict[str, Any] = {
        "task": {"kind": "committee", "width": 1, "fractions": {"all": 1.0}},
        "student": {"width": 1},
        "sgd": {"learning_rate": 0.5},
        "curriculum": {"phases": [["all", 1.0]]},
        "theory": {"averages": f"{test_own_averages.__name__}:Quadrature"},
    }
    experiment = figures.read_experiment(tables, simulated=False)
    assert isinstance(experiment.averages, test_own_averages.Quadrature)
    assert isinstance(experiment.averages, ode.Averages)
