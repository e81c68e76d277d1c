"""The benchmarks' yardsticks are right, their fits state their error, and what disagrees makes them fail."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import erf

import ode
from benchmarks import (
    _catalogue,
    _drift_rows,
    _first_rows,
    _numpy_ode,
    _output,
    _processes,
    _run_case,
    _table,
    _timing,
    yardstick,
)
from benchmarks.__main__ import main
from benchmarks._fit import exponent
from benchmarks._loops import drift_once
from benchmarks._problems import committee, generic_state, one_block
from benchmarks._records import Check, Curve, Ratio, Row, from_tables, to_tables

from . import build

pytestmark = pytest.mark.slow  # most of its time is compilation


@pytest.mark.parametrize("largest", [0, 10**9])
@pytest.mark.parametrize("K", [2, 3])
def test_the_yardstick_is_the_drift(K: int, largest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_numpy_ode, "LARGEST_ARRAY", largest)  # pair by pair, or one array
    state = generic_state(K, 2)
    Q, R, T = one_block(state)
    slope = drift_once(committee(K, 2, 0.7), ode.ClosedForm(), state)
    mine = np.concatenate([slope.Q.ravel(), slope.R.ravel()])
    found = _numpy_ode.right_hand_side(T, K, 0.7)(0.0, np.concatenate([Q.ravel(), R.ravel()]))
    np.testing.assert_allclose(found, mine, rtol=0, atol=1e-10)
    assert np.max(np.abs(mine)) > 0.1


@pytest.mark.parametrize(("K", "M"), [(2, 2), (3, 1)])
def test_the_script_of_a_theorist_is_right_and_short(K: int, M: int) -> None:
    Q, R, T = one_block(generic_state(K, M))
    (later_Q,), (later_R,) = _numpy_ode.solve(T, Q, R, 0.7, np.array([3.0]))
    found = yardstick.final_error(Q, R, T, 0.7, 3.0)
    assert found == pytest.approx(yardstick.final_error(later_Q, later_R, T, 0.7, 1e-12), rel=1e-6)
    fields = np.random.default_rng(1).multivariate_normal(np.zeros(K + M), np.block([[Q, R], [R.T, T]]), 10**6)
    errors = (erf(fields[:, :K] / np.sqrt(2)).sum(axis=1) - erf(fields[:, K:] / np.sqrt(2)).sum(axis=1)) ** 2 / 2
    at_start = yardstick.final_error(Q, R, T, 0.7, 1e-12)
    assert abs(at_start - errors.mean()) < 4 * errors.std() / 1000
    assert len(Path(yardstick.__file__).read_text().splitlines()) <= 60


def test_a_process_is_charged_with_what_it_starts_and_inherits_no_flags(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--of_the_measuring_process")
    busy = "import time\nwhile time.process_time() < 0.5: pass"
    code = f"import os, subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    code += "; print(os.environ.get('XLA_FLAGS'))"
    seconds, printed = _first_rows.run(["-c", code], tmp_path, tmp_path)
    assert seconds > 0.5
    assert printed == "None"
    with pytest.raises(RuntimeError, match="ValueError: in one line"):
        _first_rows.run(["-c", "raise ValueError('in one line')"], tmp_path, tmp_path)


def stand_in(wrong: float = 1.0) -> Callable[..., tuple[float, str]]:
    """Processes that take a known time; an error `wrong` times the right one."""

    def run(script: list[str], root: Path, home: Any) -> tuple[float, str]:
        old = 10.0 if root.name == "older" else 1.0
        what = Path(script[0]).name
        if what == "first_curve.py":
            K, M, eta, last = (float(x) for x in script[1:5])
            Q, R, T = one_block(generic_state(int(K), int(M)))
            np.savez(script[5], Q=Q, R=R, T=T)
            Path(*script[6:7] or [home]).mkdir(exist_ok=True)
            return old * (4.0 - len(script[6:7])), str(wrong * yardstick.final_error(Q, R, T, eta, last))
        if what == "next_curves.py":
            return 9.0, json.dumps([{"name": "order reversed", "seconds": 0.5 * old, "compilations": old - 1}])
        return (2.0, "0.1") if what == "yardstick.py" else (old, "")

    return run


def test_what_one_waits_for_is_stated_in_the_script_s_time(tmp_path: Path, monkeypatch: Any) -> None:
    older = tmp_path / "older"
    older.mkdir()
    (older / "pyproject.toml").write_text('[project.scripts]\nteacher-student = "figures.command._main:main"\n')
    monkeypatch.setenv("BENCHMARKS_CHECKOUT", str(older))
    monkeypatch.setattr(_first_rows, "run", stand_in())
    plan = _timing.Plan(rounds=2)
    rows = _first_rows.curves("first-k2", plan, 2, 2, 1.5, 5.0) + _first_rows.compare("first-compare", plan, 2)
    assert [(row.engine, row.seconds, build.given(row.yardstick).median) for row in rows] == [
        ("First curve", 4.0, 0.5),
        ("First curve", 3.0, pytest.approx(2 / 3)),
        ("Next curve, 0 compiled", 0.5, 4.0),
        ("First curve, older", 40.0, 0.05),
        ("First curve, older", 30.0, pytest.approx(1 / 15)),
        ("Next curve, 9 compiled, older", 5.0, 0.4),
        ("Command line", 1.0, 2.0),
        ("Command line", 1.0, 2.0),
        ("Command line, older", 10.0, 0.2),
        ("Command line, older", 10.0, 0.2),
    ]
    assert all(row.right for row in rows)
    assert "1/2 x NumPy + SciPy script" in _table.table(rows, {})
    monkeypatch.setattr(_first_rows, "run", stand_in(1 + 1e-4))
    assert not _first_rows.curves("first-k2", plan, 2, 2, 1.5, 5.0)[0].right


def test_every_case_is_listed_with_what_it_measures(capsys: Any) -> None:
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(_catalogue.CASES)
    assert [line.split()[0] for line in lines if line.startswith("first")] == [
        "first-k2",
        "first-k8",
        "first-help",
        "first-compare",
    ]


def test_exponents_and_their_errors() -> None:
    sizes = 2.0 ** np.arange(1, 9)
    exact = build.given(exponent(sizes, 3.0 * sizes**1.5))
    assert exact.exponent == pytest.approx(1.5, abs=1e-12)
    assert exact.error < 1e-12
    bent = np.where(sizes < 16, 1.0, sizes**2.0)
    assert build.given(exponent(sizes, bent, first=16)).exponent == pytest.approx(2.0, abs=1e-12)
    assert exponent(sizes[:2], sizes[:2]) is None
    noise = np.random.default_rng(0).normal(0, 0.1, (2000, sizes.size))
    fits = [build.given(exponent(sizes, sizes**1.5 * np.exp(each))) for each in noise]
    scatter = np.std([each.exponent for each in fits])
    stated = np.sqrt(np.mean([each.error**2 for each in fits]))
    assert stated == pytest.approx(scatter, rel=0.1)  # 2000 fits: each of them to 2 %


def test_rounds_are_interleaved_and_long_enough() -> None:
    now, order = [0.0], []

    def work(name: str, seconds: float) -> Callable[[], None]:
        def call() -> None:
            order.append(name)
            now[0] += seconds

        return call

    works = {"ours": _timing.Work(work("ours", 0.02), 10), "numpy": _timing.Work(work("numpy", 0.1))}
    found = _timing.rounds(works, _timing.Plan(rounds=5, least=0.06), lambda: now[0])
    assert order[-8:] == ["ours"] * 3 + ["numpy"] + ["ours"] * 3 + ["numpy"]
    ratio = _timing.ratio(found["numpy"], found["ours"], "NumPy")
    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((50, 50, 50))
    assert _timing.median([3.0, 1.0, 2.0, 10.0]) == 2.5


def test_a_wrong_yardstick_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in _catalogue.CASES if case.name == "drift-k2")
    (row,) = _run_case.measured(case, True, 1)
    assert isinstance(row, Row)
    assert row.right, row.note
    right = _numpy_ode.right_hand_side
    monkeypatch.setattr(_drift_rows, "right_hand_side", lambda T, K, eta: right(T, K, eta * (1 + 1e-6)))
    (row,) = _run_case.measured(case, True, 1)
    assert isinstance(row, Row)
    assert not row.right
    assert not row.failed
    monkeypatch.setattr(_drift_rows, "right_hand_side", None)
    (row,) = _run_case.measured(case, True, 1)
    assert isinstance(row, Row)
    assert row.failed
    assert "TypeError" in row.note


def a_row(deviation: float, **more: Any) -> Row:
    limit = Ratio(0.3, 0.2, 0.4, "37 arcsines")
    return Row("a", "ODE", "K=2", "call", 1e-6, None, None, limit, check=Check(deviation, 0.1, "NumPy"), **more)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (a_row(0.05), 0),
        (a_row(0.2), 1),
        (a_row(np.nan), 1),
        (Row("a", "ODE", "K=2", note="skipped: no such option"), 0),
        (_run_case.failure("a", "ValueError: x"), 1),
    ],
)
def test_what_disagrees_makes_it_fail(row: Row, code: int, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(_processes, "measure", lambda *_: [row])
    assert main(["--quick", "--only", "drift-k2"]) == code
    printed = capsys.readouterr()
    assert ("in disagreement: a" in printed.err) == (code == 1)
    assert main(["--quick", "--only", "drift-k2", "--markdown"]) == code


def test_ctrl_c_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def measure(cases: Any, *_: Any) -> list[Row]:
        if cases[0].name == "drift-k8":
            raise KeyboardInterrupt
        return [a_row(0.0)]

    monkeypatch.setattr(_processes, "measure", measure)
    assert main(["--only", "drift", "--out", str(tmp_path)]) == 130
    printed = capsys.readouterr()
    assert "K=2" in printed.out
    assert "interrupted" in printed.err
    assert not list(tmp_path.iterdir())


def test_bad_arguments_in_one_line(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "file").touch()
    file = str(tmp_path / "file")
    for arguments in (["--only", "drfit"], ["--core", "9999"], ["--out", file], ["--read", file]):
        assert main(arguments) == 2
        assert capsys.readouterr().err.startswith("benchmarks: ")
    assert main(["--quick", "--only", "grow"]) == 2


def test_files_are_whole(tmp_path: Path) -> None:
    sizes = (2.0, 4.0, 8.0, 16.0)
    panels = {"width": "drift, closed", "dimension": "weights", "cells": "batch"}
    curves = [
        Curve(name, name, "ours", panel, "size", "call", sizes, [x**2 for x in sizes], exponent(sizes, sizes))
        for panel, name in panels.items()
    ]
    curves.append(Curve("drift, arcsin", "alone", "limit", "width", "size", "call", sizes, sizes))
    written = _output.write(tmp_path, [a_row(0.0), *curves], {"processor": "x"})
    assert sorted(path.name for path in written) == sorted(path.name for path in tmp_path.iterdir())
    again, machine = _output.read(tmp_path / "benchmarks.json")
    assert machine == {"processor": "x"}
    assert again == from_tables(json.loads(json.dumps(to_tables([a_row(0.0), *curves]))))
    assert again[0] == a_row(0.0)

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    before = (tmp_path / "benchmarks.json").read_text()
    with pytest.raises(OSError, match="disk full"):
        _output.whole(tmp_path / "benchmarks.json", fail)
    assert (tmp_path / "benchmarks.json").read_text() == before
    assert len(list(tmp_path.iterdir())) == len(written)


def test_a_fresh_process_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in _catalogue.CASES if case.name == "drift-k2")
    (row,) = _processes.measure([case], True, None)
    assert isinstance(row, Row)
    assert row.right, row.note
    assert build.given(row.memory) > 1e8
    monkeypatch.setattr(_processes, "LONGEST", 0.05)
    (row,) = _processes.measure([case], True, None)
    assert isinstance(row, Row)
    assert row.failed
