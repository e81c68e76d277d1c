"""Programs that a release of XLA compiles wrongly are right wherever our packages are imported first."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxlib.version import __version__

from teacher_student import _compiler_faults
from teacher_student._compiler_faults import FLAG, WITHOUT_SUMS, leave_out_wrong_pieces

ROOT = Path(__file__).parent.parent


def test_means_that_are_sums_are_added_to_products() -> None:
    """What fields of points are made of: jaxlib 0.10.2 adds the means of the first 8 of 36 fields to all of them."""
    draw = np.random.default_rng(0).normal
    roots, points, R, mean = draw(size=(2, 36, 36)), draw(size=(36, 512)), draw(size=(39, 36, 4)), draw(size=(2, 4))

    def fields(R: jax.Array, root: jax.Array, mean: jax.Array) -> jax.Array:
        return root @ points + (jnp.sum(R, axis=0) @ mean)[:, None]

    with jax.enable_x64(True):
        found = jax.jit(jax.vmap(fields, in_axes=(None, 0, 0)))(R, roots, mean)
    np.testing.assert_allclose(found, roots @ points + (mean @ R.sum(axis=0).T)[:, :, None], rtol=0, atol=1e-10)


def test_sums_of_products_are_those_of_all_rows() -> None:
    """jax-ml/jax#39103: beyond row 16,384 they were others'."""
    rows = np.arange(16_400.0)[:, None] * np.array([1.0, 0.0, 0.0])
    with jax.enable_x64(True):
        found = jax.jit(jax.vmap(lambda row: jnp.sum((jnp.eye(3) @ row) ** 2)))(rows)
    np.testing.assert_array_equal(found, rows[:, 0] ** 2)


@pytest.mark.parametrize("package", ["teacher_student", "ode", "simulations", "figures"])
def test_every_package_sets_the_flag_when_it_is_imported(package: str) -> None:
    code = f"import os, sys, {package}; print('jax' in sys.modules, os.environ.get('XLA_FLAGS'))"
    environment = {**os.environ, "XLA_FLAGS": "--of_the_user"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT)
    needed = f" {WITHOUT_SUMS}" if __version__ == "0.10.2" else ""
    assert done.stdout.strip() == f"False --of_the_user{needed}", done.stderr


def test_what_the_user_says_of_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_compiler_faults, "WRONG", {__version__})
    monkeypatch.setenv("XLA_FLAGS", f"--{FLAG}=")
    leave_out_wrong_pieces()
    assert os.environ["XLA_FLAGS"] == f"--{FLAG}="


@pytest.mark.parametrize("wrong", [True, False])
def test_too_late_is_a_warning_in_a_release_that_needs_it(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder, wrong: bool
) -> None:
    monkeypatch.setattr(_compiler_faults, "WRONG", {__version__} if wrong else set())
    monkeypatch.setattr(_compiler_faults, "jax_has_started", lambda: True)
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    leave_out_wrong_pieces()
    said = [str(each.message) for each in recwarn if each.category is RuntimeWarning]
    assert len(said) == wrong
    assert all(WITHOUT_SUMS in each and "import teacher_student first" in each for each in said)
    assert "XLA_FLAGS" not in os.environ
