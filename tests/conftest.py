"""Test processes share compiled programs: most of the tests' time is compilation."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .problem_files import SMALL

# Before anything imports JAX; the workers of pytest-xdist inherit it. Programs that call back to Python are not kept.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    folder = tempfile.mkdtemp(prefix="compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
os.environ.setdefault("EQX_ON_ERROR", "nan")


@pytest.fixture
def traced_anew() -> Iterator[None]:
    """For sabotage: what is changed in a function is seen only by programs that are traced after the change."""
    import jax

    jax.clear_caches()  # type: ignore[no-untyped-call]  # JAX has no annotations there
    yield
    jax.clear_caches()  # type: ignore[no-untyped-call]  # JAX has no annotations there


@pytest.fixture
def x64() -> Iterator[None]:
    """Double precision, for tests that call JAX themselves."""
    import jax

    with jax.enable_x64(True):
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a small problem."""
    path = tmp_path / "problem.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module", autouse=True)
def _room_for_programs() -> Iterator[None]:
    """Tests that call JAX themselves leave programs behind, and XLA crashes where a process has too many."""
    yield
    from teacher_student.internal import make_room

    make_room()
