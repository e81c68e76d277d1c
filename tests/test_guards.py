"""What is used of other libraries without a promise of theirs, each with a test that is red where it has changed.

These run on the newest versions too, which is where they would be red first.
"""

import inspect
import subprocess
import sys
from pathlib import Path

import distributed
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import zarr

import teacher_student as ts
from figures.sweeps._store_files import PARTIAL
from figures.sweeps._workers import require_guard
from teacher_student._precision import _is_differentiated_or_staged


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_whether_jax_has_started_is_seen() -> None:
    code = """
import jax, jax.numpy as jnp
from teacher_student.internal import jax_has_started
print(jax_has_started(), end=" ")
jnp.ones(3) + 1
print(jax_has_started())
"""
    assert run(code).split() == ["False", "True"]


def test_without_jax_nothing_has_started() -> None:
    code = """
import sys
from teacher_student.internal import jax_has_started
print(jax_has_started(), 'jax' in sys.modules)
"""
    assert run(code).split() == ["False", "False"]


def test_the_option_for_small_loops_is_one_that_xla_knows() -> None:
    """XLA ends the process where it does not know an option."""
    code = "import teacher_student as ts; ts.tune_compiler(); import jax; print(jax.jit(lambda x: x + 1)(1.0))"
    assert run(code).strip() == "2.0"


def test_a_mapped_number_is_known_from_one_that_is_differentiated_or_staged() -> None:
    seen = []

    def look(x: jax.Array) -> jax.Array:
        seen.append(_is_differentiated_or_staged(x))
        return x**2

    look(jnp.ones(()))
    jax.vmap(look)(jnp.ones(2))
    jax.vmap(jax.vmap(look))(jnp.ones((2, 2)))
    jax.jit(look)(jnp.ones(()))
    jax.grad(look)(jnp.ones(()))
    jax.vmap(jax.grad(look))(jnp.ones(2))
    assert seen == [False, False, False, True, True, True]


def test_equinox_keeps_what_it_has_read_where_we_change_it() -> None:
    assert hasattr(sys.modules["equinox._errors"], "EQX_ON_ERROR")
    assert eqx.__version__


def test_dask_takes_the_clients_loop() -> None:
    assert "loop" in inspect.signature(distributed.as_completed.__init__).parameters


def test_a_chunk_being_written_has_the_name_that_is_swept_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    replace = Path.replace

    def watched(path: Path, target: Path) -> Path:
        moved.append(path.name)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    array = zarr.create_array(store=str(tmp_path / "a.zarr"), shape=(4,), chunks=(2,), dtype="f8")
    array[:] = np.arange(4.0)
    assert moved
    assert all(PARTIAL.fullmatch(name) for name in moved)
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(
    ("script", "refused"),
    [
        (b"import figures\nfigures.sweep(...)\n", True),
        (b"import figures\nif __name__ == '__main__':\n    figures.sweep(...)\n", False),
        ("# é\nimport figures\n".encode("latin-1"), True),
        ("# é\nif __name__ == '__main__':\n    pass\n".encode("latin-1"), False),
    ],
)
def test_a_script_without_a_guard_is_refused_whatever_its_encoding(
    script: bytes, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "script.py"
    path.write_bytes(script)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(path), raising=False)
    if refused:
        with pytest.raises(ts.InputError, match="__main__"):
            require_guard(2, None)
    else:
        require_guard(2, None)
    require_guard(0, None)
