"""What holds in every test process: programs are shared, types of arrays are checked, and JAX promotes nothing."""

import atexit
import contextlib
import functools
import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
from jaxtyping import install_import_hook

from .array_types import check_arrays
from .problem_files import SMALL

# Before anything imports our packages. Programs that tests start run without it, as a user's do.
install_import_hook(["teacher_student", "ode", "simulations"], f"{check_arrays.__module__}.{check_arrays.__qualname__}")

# Before anything imports JAX; the workers of pytest-xdist inherit it. Programs that call back to Python are not kept.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    folder = tempfile.mkdtemp(prefix="compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
os.environ.setdefault("EQX_ON_ERROR", "nan")


# Pages that read as papers write them: vectors times matrices get an axis there, and fractions times counts are floats.
PAGES = (
    ("ode.averages._tilted_step", "_step"),
    ("ode._diffusion", "increments"),
    ("ode._diffusion", "_beyond"),
    ("simulations.engine._step", "sgd_step"),
)


STRICT = {"jax_numpy_rank_promotion": "raise", "jax_numpy_dtype_promotion": "strict", "jax_debug_key_reuse": True}
USUAL = {"jax_numpy_rank_promotion": "allow", "jax_numpy_dtype_promotion": "standard", "jax_debug_key_reuse": False}


def pytest_sessionstart() -> None:
    """Let JAX refuse axes that it would add, types of numbers that it would change, and keys that are used twice."""
    _set_jax(STRICT)
    for module, name in PAGES:
        page = importlib.import_module(module)
        setattr(page, name, _promoting(getattr(page, name)))


def _set_jax(options: Mapping[str, object]) -> None:
    import jax

    for option, choice in options.items():
        jax.config.update(option, choice)  # type: ignore[no-untyped-call]  # JAX has no annotations there


def _promoting(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def as_for_users(*arguments: Any, **named: Any) -> Any:
        with _jax_as_users_have_it():
            return function(*arguments, **named)

    return as_for_users


# Modules of few tests that take minutes: begun last, they would leave one of two cores without work for as long.
LONG_ONES = (
    "test_quick_figures",
    "test_sweep_deaths",
    "test_protocols",
    "test_protocol_certificates",
    "test_optimal_study",
    "test_optimize_command",
    "test_check_protocol",
    "test_gradients",
    "test_schedules",
    "test_protocol_gradients",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --long, which runs the long tests too, and longer searches for what breaks."""
    parser.addoption("--long", action="store_true", help="run the long tests too, with more kills and more fuzzing")


def pytest_configure(config: pytest.Config) -> None:
    """Give fuzzing and kills their full numbers, before the modules that read them are imported."""
    if config.getoption("--long"):
        os.environ.setdefault("TEST_FUZZ", "1")
        os.environ.setdefault("TEST_KILLS", "4")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the modules that take longest first, and leave out long tests unless they are asked for, or named by ::."""
    order = {name: place for place, name in enumerate(LONG_ONES)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
    parts = [argument.partition("::") for argument in config.args if "::" in argument]
    if not parts:  # a test that is named with some of its cases is collected with those alone
        _require_cases(items)
    long = [item for item in items if any(_covers(mark, item) for mark in item.iter_markers("long"))]
    for item in long:
        item.add_marker(pytest.mark.slow)
    if config.getoption("--long"):
        return
    named = [f"{Path(path).name}::{test}" for path, _, test in parts]
    left_out = [item for item in long if not any(name in item.nodeid for name in named)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _covers(mark: pytest.Mark, item: pytest.Item) -> bool:
    """Whether a mark `long(*cases)` is about this case of its test; without cases it is about all of them."""
    return not mark.args or _case(item) in mark.args


def _case(item: pytest.Item) -> str | None:
    return item.callspec.id if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None


def _require_cases(items: list[pytest.Item]) -> None:
    """Refuse a mark `long(*cases)` that names a case which its test does not have (any more)."""
    cases: dict[str, set[str | None]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], set()).add(_case(item))
    for item in items:
        test = item.nodeid.partition("[")[0]
        for mark in item.iter_markers("long"):
            if stale := set(mark.args) - cases[test]:
                raise pytest.UsageError(f"{test} has no cases {sorted(stale)}, which its mark `long` names")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run slow tests as users run programs: several of them promote, and checks take part of their time."""
    if item.get_closest_marker("slow") is None:
        return (yield)
    jaxtyping.config.update("jaxtyping_disable", True)
    _set_jax(USUAL)  # for all threads: simulations compile in one and run in others, which must have the same JAX
    try:
        return (yield)
    finally:
        _set_jax(STRICT)
        jaxtyping.config.update("jaxtyping_disable", False)


@contextlib.contextmanager
def _jax_as_users_have_it() -> Iterator[None]:
    import jax

    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture
def promotion() -> Iterator[None]:
    """For what users may do in functions of their own: JAX adds axes, and changes types of numbers."""
    with _jax_as_users_have_it():
        yield


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


ROOM = 0.3  # share of the memory maps that a module of tests may find in use; programs are dropped from 0.6 on


@pytest.fixture(scope="module", autouse=True)
def _room_for_programs() -> None:
    """Drop programs of earlier modules beyond a share ROOM, so that a module's own are not dropped within it.

    Tests that call JAX themselves make no room, and XLA crashes where a process has too many programs.
    """
    import jax

    from teacher_student import _programs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_programs, "FULL", ROOM)
        # Not by make_room, which does not look where nothing was compiled since it looked last, at another share.
        if _programs._maps_run_out():
            jax.clear_caches()  # type: ignore[no-untyped-call]  # JAX has no annotations there
