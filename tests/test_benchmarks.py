"""The benchmarks' yardsticks are right, their fits state their error, and what disagrees makes them fail."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ode
from benchmarks import _catalogue, _drift_rows, _numpy_ode, _output, _processes, _run_case, _timing
from benchmarks.__main__ import main
from benchmarks._fit import exponent
from benchmarks._loops import drift_once
from benchmarks._problems import committee, generic_state, one_block
from benchmarks._records import Check, Curve, Ratio, Row, from_tables, to_tables


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


def test_exponents_and_their_errors() -> None:
    sizes = 2.0 ** np.arange(1, 9)
    exact = exponent(sizes, 3.0 * sizes**1.5)
    assert exact.exponent == pytest.approx(1.5, abs=1e-12)
    assert exact.error < 1e-12
    bent = np.where(sizes < 16, 1.0, sizes**2.0)
    assert exponent(sizes, bent, first=16).exponent == pytest.approx(2.0, abs=1e-12)
    assert exponent(sizes[:2], sizes[:2]) is None
    noise = np.random.default_rng(0).normal(0, 0.1, (2000, sizes.size))
    fits = [exponent(sizes, sizes**1.5 * np.exp(each)) for each in noise]
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
    assert row.right, row.note
    right = _numpy_ode.right_hand_side
    monkeypatch.setattr(_drift_rows, "right_hand_side", lambda T, K, eta: right(T, K, eta * (1 + 1e-6)))
    (row,) = _run_case.measured(case, True, 1)
    assert not row.right
    assert not row.failed
    monkeypatch.setattr(_drift_rows, "right_hand_side", None)
    (row,) = _run_case.measured(case, True, 1)
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
    assert row.memory > 1e8
    monkeypatch.setattr(_processes, "LONGEST", 0.05)
    (row,) = _processes.measure([case], True, None)
    assert row.failed
