"""Hostile files: whatever they say, the command ends with 0 or with 2 and one line. Never a traceback, never a hang.

What is expensive is left out: a file that is fine is not solved, only read, checked and planned. Examples are derived
from a fixed seed, so that a run of the tests is the same everywhere.
"""

import contextlib
import copy
import io
import json
import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import figures
import teacher_student as ts
from figures import _compare as compare_module
from figures import _optimize as optimize_module
from figures.command._main import main
from figures.sweeps._resource_estimate import describe
from figures.sweeps._spec import check_sweep

from .problem_files import SMALL
from .sweep_files import BASE, toml

PART = float(os.environ.get("TEST_FUZZ", "0.3"))  # of the examples of a long search


def examples(most: int) -> int:
    return max(1, round(PART * most))


FUZZ = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False
)
TEXTS = (
    *("", " ", "x", "nan", "inf", "-inf", "1e999", "erf", "relu", "x**99999", "x**x", "evil:tanh", ":", "a:", ":b"),
    *("os:system", "$_{$", "$\\input{x}$", "\x1b[31m", "\x00", "\u202e", "..", "/", "~", "a" * 5000, "[" * 500),
    *("(" * 300, "x/1e300/1e300", "9**9**9", "((((9**20)**20)**20)**20)*x", "signs", "easy", "hard", "relevant"),
)
HOSTILE_TEXTS = st.one_of(st.sampled_from(TEXTS), st.text(max_size=20))
NUMBERS = st.one_of(
    st.sampled_from([0, -1, 1, 2, 3, 10**3, 10**9, 10**12, 10**30, -(10**18), 0.0, -0.0, 1e-320, 1e308, 0.5, 1.5]),
    st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    st.integers(-5, 50),
    st.floats(-10, 10),
)
SCALARS = st.one_of(st.booleans(), NUMBERS, HOSTILE_TEXTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HOSTILE_TEXTS, inner, max_size=3), max_leaves=6
)


def places(tables: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all values of nested tables and lists."""
    pairs = tables.items() if isinstance(tables, dict) else enumerate(tables) if isinstance(tables, list) else ()
    for key, value in pairs:
        yield (*above, key)
        yield from places(value, (*above, key))


@st.composite
def mutated(draw: Any, tables: Any) -> Any:
    """Tables with one to three of their values replaced, left out, doubled or moved."""
    tables = copy.deepcopy(tables)
    for _ in range(draw(st.integers(1, 3))):
        at = list(places(tables))
        if not at:
            return tables
        *above, key = draw(st.sampled_from(at))
        holder = tables
        for each in above:
            holder = holder[each]
        kind = draw(st.sampled_from(["replace", "replace", "replace", "leave out", "add", "move"]))
        if kind == "replace":
            holder[key] = draw(VALUES)
        elif kind == "leave out":
            del holder[key]
        elif isinstance(holder, dict):
            name = draw(HOSTILE_TEXTS) if kind == "add" else draw(st.sampled_from(at))[-1]
            holder[str(name)] = draw(VALUES) if kind == "add" else holder[key]
        else:
            holder.append(draw(VALUES))
    return tables


@st.composite
def damaged(draw: Any, text: bytes) -> bytes:
    """Bytes with some of them replaced, left out or put in, or cut short."""
    data = bytearray(text)
    for _ in range(draw(st.integers(1, 4))):
        where = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["replace", "insert", "leave out", "cut"]))
        if kind == "replace" and data:
            data[where] = draw(st.integers(0, 255))
        elif kind == "insert":
            data[where:where] = draw(
                st.binary(max_size=6) | st.sampled_from([b"[", b"]", b'"', b"=", b"\n", b"9" * 5000])
            )
        elif kind == "leave out":
            del data[where : where + draw(st.integers(1, 20))]
        elif kind == "cut":
            del data[where:]
    return bytes(data)


def as_toml(tables: Any) -> bytes:
    return toml(tables).encode("utf-8", "surrogatepass") if isinstance(tables, dict) else b""


def ends_well(*arguments: str) -> int:
    """Run the command: it ends with 0, or with 2 and one line that says why."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(list(arguments))
        except SystemExit as exit:  # argparse
            code = int(str(exit.code))
    said = ("teacher-student: warning: ", "teacher-student: imports ")
    lines = [line for line in err.getvalue().splitlines() if not line.startswith(said)]
    assert code in (0, 2), (code, err.getvalue())
    if code == 2:
        assert len(lines) == 1, err.getvalue()
        assert "required: " in lines[0], lines
        assert len(lines[0]) < 1500, lines
        assert lines[0].isprintable(), lines
    return code


@pytest.fixture
def nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read, checked and planned; what would be solved and simulated is left out."""
    agreement = SimpleNamespace(verdict="AGREE", agrees=True, answer="AGREE")
    monkeypatch.setattr(
        compare_module, "_compare", lambda *_: SimpleNamespace(agreement=agreement, table="", paths={}), raising=True
    )

    found = SimpleNamespace(verdict="EXTREMAL", holds=True, paths={"problem": Path("p"), "theory": Path("t")})
    monkeypatch.setattr(optimize_module, "_found", lambda *_: found)

    def checked(spec: Any, *_: Any, **__: Any) -> figures.Summary:
        describe(spec, check_sweep(spec)[0])
        return figures.Summary(0, {}, None, 0.0, 0.0)

    monkeypatch.setattr(figures.sweeps, "run_sweep", checked)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def compared(folder: Path, data: bytes) -> int:
    file, out = folder / "problem.toml", folder / "out"
    file.write_bytes(data)
    shutil.rmtree(out, ignore_errors=True)
    return ends_well("compare", str(file), "--out", str(out), "--quiet")


@settings(FUZZ, max_examples=examples(700))
@given(data=mutated(tomllib.loads(SMALL)).map(as_toml))
def test_a_problem_file_with_hostile_values(nothing_is_computed: None, folder: Path, data: bytes) -> None:
    compared(folder, data)


@settings(FUZZ, max_examples=examples(250))
@given(data=damaged(SMALL.encode()) | st.binary(max_size=200))
def test_a_damaged_problem_file(nothing_is_computed: None, folder: Path, data: bytes) -> None:
    compared(folder, data)


SEARCH = {
    "cost": {"final": "accuracy", "on": {"easy": 0.5, "hard": 0.5}, "at": [1.0, 2.0]},
    "order": {"phases": 6, "ramps": 2, "levels": ["easy", "hard"]},
    "values": {"sgd.learning_rate": {"bounds": [0.0, 2.0], "phases": 3, "monotone": "decreasing"}},
    "numbers": {"sgd.weight_decay": {"bounds": [0.0, 0.5]}},
    "fixed_shares": {"easy": 0.5, "hard": 0.5},
    "budget": {"prices": {"easy": 1.0, "hard": 2.0}, "at_most": 4.0},
    "starts": 1,
    "check": {"dim": 100, "runs": 4},
}


def optimized(folder: Path, data: bytes) -> int:
    file, out = folder / "problem.toml", folder / "out"
    file.write_bytes(data)
    shutil.rmtree(out, ignore_errors=True)
    return ends_well("optimize", str(file), "--out", str(out), "--quiet")


@settings(FUZZ, max_examples=examples(300))
@given(data=mutated(SEARCH).map(lambda search: as_toml(tomllib.loads(SMALL) | {"optimize": search})))
def test_a_search_with_hostile_values(nothing_is_computed: None, folder: Path, data: bytes) -> None:
    optimized(folder, data)


SWEEP = BASE | {
    "axes": {
        "rate": {"sgd.learning_rate": [0.5, 1.0]},
        "variance": {"task.levels.hard.irrelevant": {"from": 0.5, "to": 2.0, "count": 4}},
        "order": {"choices": {"easy first": {"curriculum": {"order": ["easy", "hard"]}}}},
    },
    "measures": {"keep": ["error"], "time_to": {"learned": {"value": "error", "level": "hard", "threshold": 0.1}}},
    "sweep": {"engine": "theory", "tile": 8},
}


@settings(FUZZ, max_examples=examples(450))
@given(data=mutated(SWEEP).map(as_toml))
def test_a_sweep_file_with_hostile_values(nothing_is_computed: None, folder: Path, data: bytes) -> None:
    file = folder / "sweep.toml"
    file.write_bytes(data)
    ends_well("sweep", str(file), "--out", str(folder / "out.zarr"), "--quiet")


PARTS = (
    *("x", "x", "(", ")", "+", "-", "*", "**", "/", "^", "1", "2", "3", "20", "0", "0.5", "1e300", "1e-300", "9" * 400),
    *("He3", "He99999", "erf", "relu", "sqrt", ",", ".", " ", ":", "nan", "inf", "j", "e", "_", "\u0663", "%", "//"),
)


@settings(FUZZ, max_examples=examples(700))
@given(text=st.lists(st.sampled_from(PARTS), max_size=60).map("".join) | HOSTILE_TEXTS)
def test_a_text_of_an_activation(text: str) -> None:
    """It is an activation, or one line says why not."""
    try:
        ts.Student(1, text)
    except ts.InputError as error:
        message = str(error)
        assert len(message) < 1500
        assert message.isprintable(), message


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a small comparison writes, and the store of a small sweep."""
    path = tmp_path_factory.mktemp("results")
    experiment = figures.read_experiment(tomllib.loads(SMALL))
    result = figures.compare(experiment, path / "comparison", progress=False, say=lambda _: None)
    assert result.paths
    axes = {"rate": {"sgd.learning_rate": [0.5, 1.0]}, "variance": {"task.levels.hard.irrelevant": [0.5, 1.0]}}
    figures.sweep(BASE, axes, ["error"], workers=0, progress=False, out=path / "store.zarr")
    return path


def drawn(kind: str, where: Path, *options: str) -> int:
    plt.close("all")
    return ends_well("figure", kind, str(where), *options, "--save", str(where.parent / "picture.png"), "--force")


@pytest.mark.slow
@settings(FUZZ, max_examples=examples(150))
@given(data=st.data())
def test_a_hostile_report(results: Path, data: Any) -> None:
    report = results / "comparison" / "report.json"
    sound = report.read_bytes()
    hostile = mutated(json.loads(sound)).map(lambda x: json.dumps(x).encode()) | damaged(sound)
    report.write_bytes(data.draw(hostile | st.sampled_from([b"", b"[]", b"null", b"NaN", b"[" * 5000, b"1" * 9000])))
    try:
        drawn("comparison", results / "comparison")
    finally:
        report.write_bytes(sound)


@pytest.mark.slow
@settings(FUZZ, max_examples=examples(150))
@given(data=st.data())
def test_hostile_attributes_of_a_store(results: Path, data: Any) -> None:
    """Also of a store that says nothing of its own digest, as those of other programs."""
    metadata = results / "store.zarr" / "zarr.json"
    sound = metadata.read_bytes()
    tables = json.loads(sound)
    tables["attributes"] = data.draw(mutated(tables["attributes"]) | VALUES)
    if isinstance(tables["attributes"], dict):
        tables["attributes"].pop("digest", None)
    metadata.write_bytes(data.draw(st.just(json.dumps(tables).encode()) | damaged(sound)))
    try:
        drawn("phase-diagram", results / "store.zarr", "--at", "level=hard")
    finally:
        metadata.write_bytes(sound)


def test_the_sound_files_are_sound(nothing_is_computed: None, folder: Path) -> None:
    """Else every example above would be refused for the same reason."""
    assert compared(folder, SMALL.encode()) == 0
    assert optimized(folder, as_toml(tomllib.loads(SMALL) | {"optimize": SEARCH})) == 0
    file = folder / "sweep.toml"
    file.write_bytes(as_toml(SWEEP))
    assert ends_well("sweep", str(file), "--out", str(folder / "out.zarr"), "--quiet") == 0
