"""Test processes share compiled programs: most of the tests' time is compilation."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

if "JAX_COMPILATION_CACHE_DIR" not in os.environ:  # before anything imports JAX; xdist's workers inherit it
    folder = tempfile.mkdtemp(prefix="compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.5"


@pytest.fixture
def traced_anew() -> Iterator[None]:
    """For sabotage: what is changed in a function is seen only by programs that are traced after the change."""
    import jax

    jax.clear_caches()
    yield
    jax.clear_caches()


@pytest.fixture(scope="module", autouse=True)
def _free_compiled_programs() -> Iterator[None]:
    """Every compiled program maps memory, and Linux allows a process 65,530 maps: beyond, XLA's compiler crashes."""
    yield
    import jax

    jax.clear_caches()
