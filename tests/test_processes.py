"""Other processes: errors that come back whole, workers of every kind, and a fork that comes too late."""

import copy
import importlib
import importlib.util
import inspect
import multiprocessing
import os
import pickle
import pkgutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

import figures
import teacher_student as ts
from figures.sweeps._workers import require_guard, start_workers

from .as_users import HANGS

PACKAGES = ("teacher_student", "ode", "simulations", "figures")
ROOT = Path(__file__).parents[1]

# What the programs below share: a problem that is solved in a moment, and its sweep.
TABLES = (
    f"""
HANGS = {HANGS}
"""
    + """
TABLES = {
    "task": {"fractions": {"all": 1.0}, "width": 1},
    "student": {"width": 1},
    "sgd": {"learning_rate": 0.5},
    "curriculum": {"phases": [["all", 2.0]]},
    "start": {"Q": [[[0.25]]], "R": [[[0.01]]], "T": [[[0.3]]]},
    "record": {"alphas": [0.5, 1.0, 2.0]},
}

def swept(rate, **options):
    import figures
    options = {"workers": 0} | options
    found = figures.sweep(TABLES, {"rate": {"sgd.learning_rate": [rate]}}, ["error"], progress=False, **options)
    return float(found.error.sel(engine="theory", level="all").values[0])

def solved(_=None):
    import ode
    import teacher_student as ts
    problem = ts.problem_from_tables({name: TABLES[name] for name in ("task", "student", "sgd", "curriculum")})
    start = ts.Overlaps([[[0.25]]], [[[0.01]]], [[[0.3]]])
    return float(ode.solve(problem, start, [0.5, 1.0, 2.0]).error["all"][-1])
"""
)


def said_by(folder: Path, program: str) -> list[str]:
    """Run a script of a user's own in a process of its own; return its lines."""
    script = folder / "script.py"
    script.write_text(TABLES + textwrap.dedent(program))
    command = [sys.executable, str(script)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "JAX_PLATFORMS": "cpu", "HOME": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=HANGS)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def all_modules() -> list[Any]:
    """Return every module of the four packages; the explorer's page is one where marimo is there."""
    packages = [importlib.import_module(name) for name in PACKAGES]
    found = [
        info.name for package in packages for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    ]
    if importlib.util.find_spec("marimo") is None:
        found.remove("figures.explorer.page")
    return packages + [importlib.import_module(name) for name in found]


def own_exceptions() -> list[type[BaseException]]:
    """Return every class of exceptions and warnings that the packages define."""
    classes = {
        thing
        for module in all_modules()
        for thing in vars(module).values()
        if inspect.isclass(thing) and issubclass(thing, BaseException) and thing.__module__.split(".")[0] in PACKAGES
    }
    return sorted(classes, key=lambda kind: kind.__name__)


def test_all_exceptions_of_the_packages_are_found() -> None:
    assert {ts.InputError, figures.Interrupted} <= set(own_exceptions())


@pytest.mark.parametrize("kind", own_exceptions())
@pytest.mark.parametrize("way", [pickle, cloudpickle, copy.copy, copy.deepcopy])
def test_every_exception_comes_back_as_it_was(kind: type[BaseException], way: Any) -> None:
    parameters = inspect.signature(kind.__init__).parameters
    names = [name for name, parameter in parameters.items() if parameter.default is inspect.Parameter.empty][1:]
    plain = "args" in parameters or not names
    error = kind(*(["a text"] if plain else [f"of {name}" for name in names]))
    error.add_note("where it was")
    again = way(error) if callable(way) else way.loads(way.dumps(error))
    assert type(again) is kind
    assert (str(again), again.args, again.__notes__) == (str(error), error.args, ["where it was"])
    assert str(again)


def test_an_error_whose_text_was_added_to_keeps_it() -> None:
    error = ts.InputError("a", "b", "c")
    error.args = (f"{error}, or d",)
    assert str(pickle.loads(pickle.dumps(error))) == "required: a; got: b; c, or d"


def test_a_class_below_input_error_with_arguments_of_its_own_comes_back() -> None:
    assert str(pickle.loads(pickle.dumps(Narrower(3)))) == "required: less; got: 3"


class Narrower(ts.InputError):
    """An error of a user's own, with one argument."""

    def __init__(self, number: int):
        super().__init__("less", number)


def test_a_worker_that_still_imports_the_script_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(ts.InputError, match="workers run again"):
        require_guard(2, None)
    require_guard(0, None)  # what the message advises


def test_a_process_of_a_foreign_start_method_starts_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda allow_none=False: "loky")
    for workers in (1, None):
        with pytest.raises(ts.InputError, match="'loky'; use workers=0 there"), start_workers(None, workers, 1):
            pass
    with start_workers(None, 0, 1):  # what the message advises
        pass


@pytest.mark.long
@pytest.mark.slow
def test_workers_of_joblib_solve_simulate_and_sweep_and_send_errors_back(tmp_path: Path) -> None:
    program = """
    from joblib import Parallel, delayed

    def everything(problem, start):
        import ode
        import simulations
        theory = ode.solve(problem, start, [0.5, 1.0, 2.0])
        return theory, simulations.run(problem, 10, 2, [1.0], 0, progress=False), swept(0.5)

    if __name__ == "__main__":
        import ode
        import teacher_student as ts
        problem = ts.problem_from_tables({name: TABLES[name] for name in ("task", "student", "sgd", "curriculum")})
        start = ts.Overlaps([[[0.25]]], [[[0.01]]], [[[0.3]]])
        here, parallel = everything(problem, start), Parallel(n_jobs=2)
        for results in parallel(delayed(everything)(problem, start) for _ in range(2)):
            print(*(one == other for one, other in zip(results, here)))
        backwards = delayed(ode.solve)(problem, start, [2.0, 1.0])
        for call in (backwards, delayed(swept)("fast"), delayed(swept)(0.5, workers=1)):
            try:
                parallel([call])
            except Exception as error:
                print(type(error) is ts.InputError, len(str(error).splitlines()))
    """
    assert said_by(tmp_path, program) == ["True True True"] * 2 + ["True 1"] * 3


@pytest.mark.slow
def test_bad_input_in_a_pool_is_an_error_in_the_parent_and_not_a_wait_for_ever(tmp_path: Path) -> None:
    program = """
    import concurrent.futures
    import multiprocessing

    def bad(width):
        import teacher_student as ts
        return ts.Student(width=width).width

    if __name__ == "__main__":
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(1) as pool:
            try:
                pool.map_async(bad, [0]).get(HANGS)
            except Exception as error:
                print(type(error).__name__, error)
            pool.terminate()
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
            try:
                pool.submit(bad, 0).result(HANGS)
            except Exception as error:
                print(type(error).__name__, error)
    """
    said = said_by(tmp_path, program)
    assert said == ["InputError required: an integer width K of the student >= 1; got: 0"] * 2


@pytest.mark.slow
def test_workers_of_every_kind_can_sweep_by_themselves(tmp_path: Path) -> None:
    program = """
    import concurrent.futures
    import multiprocessing

    def refused(_):
        import teacher_student as ts
        try:
            return swept(0.5, workers=2)
        except ts.InputError as error:
            return str(error)

    if __name__ == "__main__":
        for method in ("spawn", "forkserver"):
            with multiprocessing.get_context(method).Pool(1) as pool:
                print(pool.map_async(swept, [0.5]).get(HANGS))
                if method == "spawn":
                    print("workers=0" in str(pool.map_async(refused, [0]).get(HANGS)[0]))
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            print([pool.submit(swept, 0.5).result(HANGS)])
        import distributed
        with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
            with distributed.Client(cluster) as client:
                print([client.submit(swept, 0.5).result(HANGS)])
        print([solved()])
    """
    first, refused, *others = said_by(tmp_path, program)
    assert refused == "True"  # a pool's workers may start none, and the message says what to do
    assert len(others) == 4
    assert {round(float(line.strip("[]")), 9) for line in [first, *others]} == {round(float(first.strip("[]")), 9)}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_forked_after_jax_has_started_says_so_at_every_entrance(tmp_path: Path) -> None:
    program = """
    import multiprocessing
    import figures, ode, simulations
    import jax
    import numpy as np
    import teacher_student as ts

    def named(name):
        try:
            CALLS[name]()
        except ts.InputError as error:
            return "refused" if "forked" in str(error) else str(error)
        return "done"

    if __name__ == "__main__":
        solved()
        problem = ts.problem_from_tables({name: TABLES[name] for name in ("task", "student", "sgd", "curriculum")})
        start = ts.Overlaps([[[0.25]]], [[[0.01]]], [[[0.3]]])
        key = jax.random.key(0)
        weights = simulations.Weights(np.ones((1, 1, 4)), np.ones((1, 1, 4)), np.ones((1, 1)))
        CALLS = {
            "solve": lambda: ode.solve(problem, start, [1.0]),
            "solve_many": lambda: ode.solve_many([problem], start, [1.0]),
            "fluctuations": lambda: ode.fluctuations(problem, start, [1.0]),
            "observe": lambda: ode.observe(problem, start, None),
            "rank_by_loss": lambda: ode.rank_by_loss(problem, start),
            "fixed_points": lambda: ode.fixed_points(problem),
            "known_guesses": lambda: ode.known_guesses(problem),
            "critical": lambda: ode.critical(problem, "sgd.learning_rate", (0.1, 9.0)),
            "plateau": lambda: ode.plateau(problem, start),
            "random_overlaps": lambda: ts.random_overlaps(problem, dim=10, key=0),
            "run": lambda: simulations.run(problem, 10, 2, [1.0], 0, progress=False),
            "run_many": lambda: simulations.run_many([problem], 10, 2, [1.0], 0, progress=False),
            "prepare": lambda: simulations.prepare(problem, 10),
            "test": lambda: simulations.test(problem, weights, 4, 0),
            "weights_with": lambda: simulations.weights_with(start, (10,), key, "float32"),
            "measure_overlaps": lambda: simulations.measure_overlaps(weights, (4,)),
            "compare": lambda: figures.compare(problem, start, [1.0], dim=10, runs=2),
            "sweep": lambda: swept(0.5),
            "sweep by workers": lambda: swept(0.5, workers=1),
            "an odd unit": lambda: ts.Activation("mine", lambda x: x**5, odd=True),
        }
        with multiprocessing.get_context("fork").Pool(1) as pool:
            for name, said in zip(CALLS, pool.map_async(named, list(CALLS)).get(HANGS)):
                print(f"{name}: {said}")
            pool.terminate()
    """
    said = said_by(tmp_path, program)
    assert len(said) == 20
    assert [line for line in said if not line.endswith(": refused")] == []


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_forked_before_jax_has_started_computes(tmp_path: Path) -> None:
    """The parent may have made its problem: that starts nothing."""
    program = """
    import multiprocessing
    import ode
    import teacher_student as ts

    def job(_):
        return float(ode.solve(problem, start, [0.5, 1.0, 2.0]).error["all"][-1])

    if __name__ == "__main__":
        problem = ts.problem_from_tables({name: TABLES[name] for name in ("task", "student", "sgd", "curriculum")})
        start = ts.Overlaps([[[0.25]]], [[[0.01]]], [[[0.3]]])
        with multiprocessing.get_context("fork").Pool(1) as pool:
            print(pool.map_async(job, [0]).get(HANGS))
        print([solved()])
    """
    child, parent = said_by(tmp_path, program)
    assert child == parent


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are listed on Linux")
def test_a_fork_of_a_parent_that_used_jax_without_us_is_seen_too(tmp_path: Path) -> None:
    program = """
    import multiprocessing

    def job(_):
        import teacher_student as ts
        try:
            return solved()
        except ts.InputError as error:
            return "forked" in str(error)

    if __name__ == "__main__":
        import jax.numpy as jnp
        jnp.ones(3) + 1
        with multiprocessing.get_context("fork").Pool(1) as pool:
            print(pool.map_async(job, [0]).get(HANGS))
            pool.terminate()
    """
    assert said_by(tmp_path, program) == ["[True]"]
