"""What a picture takes from a report of a verdict, which may have been edited by hand or written by something else."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import teacher_student as ts
from teacher_student import internal

NUMBERS = ("p", "threshold_z", "worst_z")
OF_A_DEVIATION = {"kind": str, "alpha": float, "z": float}
OF_A_SHIFT = dict.fromkeys(("value", "detectable", "shift", "standard_error", "z"), float) | {"name": str, "label": str}
LARGEST = 1e100  # of a number that is drawn: beyond, an axis overflows
REMEDY = "run `teacher-student compare` again"


def check_report(report: Any) -> Mapping[str, Any]:
    """Return `report` if it has all that a picture shows of it. Raises InputError.

    Entries that no picture shows are not looked at. Deviations were called comparisons until version 0.7.0.
    """
    if not isinstance(report, Mapping):
        raise ts.InputError("a report, as Agreement.to_dict returns it", _shown(report), REMEDY)
    if "deviations" not in report and "comparisons" in report:
        report = {**report, "deviations": report["comparisons"]}
    for name in NUMBERS:
        _check(report, name, float, "the report")
    _check(report, "agrees", bool, "the report")
    _check_rows(report, "deviations", OF_A_DEVIATION)
    if report.get("shifts") is not None:
        _check_rows(report, "shifts", OF_A_SHIFT)
    if not isinstance(report.get("questions", ()), (list, tuple)):
        raise ts.InputError("a list of questions in the report", _shown(report["questions"]), REMEDY)
    checked: Mapping[str, Any] = report
    return checked


def _check_rows(report: Mapping[str, Any], name: str, kinds: Mapping[str, type]) -> None:
    rows = report.get(name)
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise ts.InputError(f"a list of {name} in the report", _shown(rows), REMEDY)
    for row in rows:
        if not isinstance(row, Mapping):
            raise ts.InputError(f"tables as {name} in the report", _shown(row), REMEDY)
        for key, kind in kinds.items():
            _check(row, key, kind, f"{name} of the report")


def _check(table: Mapping[str, Any], name: str, kind: type, where: str) -> None:
    """Raise InputError unless `table` has a text, a bool or a finite number under `name`."""
    value: Any = table.get(name)
    if kind is float:
        right = internal.is_number(value) and abs(value) < LARGEST
    else:
        right = isinstance(value, (bool, np.bool_) if kind is bool else kind)
    if not right:
        words = {float: f"a number below {LARGEST:g}", bool: "true or false", str: "a text"}[kind]
        got = _shown(value) if name in table else "none"
        raise ts.InputError(f"{words} as {name!r} in {where}", got, REMEDY)


def _shown(value: Any) -> str:
    """Return `value` as text; what is nested too deeply has none."""
    try:
        return repr(value)
    except RecursionError:
        return type(value).__name__
