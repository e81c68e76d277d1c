"""Whether a report of a verdict is as it was written: it may have been edited by hand or written by something else."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import teacher_student as ts
from teacher_student import internal

NUMBERS = ("p", "threshold_z", "worst_z")
OF_A_DEVIATION: dict[str, type] = {"kind": str, "alpha": float, "z": float}
ALSO_OF_A_DEVIATION: dict[str, type] = {"name": str} | dict.fromkeys(
    (
        "theory",
        "simulation",
        "standard_error",
        "sampling_error",
        "allowance",
        "allowance_error",
        "predicted_spread",
        "detectable",
    ),
    float,
)
OF_A_QUESTION: dict[str, type] = {"name": str, "text": str, "size": int} | dict.fromkeys(
    ("statistic", "threshold", "p"), float
)
OF_THE_SPREAD: dict[str, type] = {"name": str} | dict.fromkeys(
    ("p", "alpha", "ratio", "low", "high", "z", "threshold_z"), float
)
# What no picture shows. `level` was the name of the significance until version 0.7.0.
OTHERS: dict[str, type] = {
    "method": str,
    "verdict": str,
    "no_verdict": str,
    "number_of_deviations": int,
} | dict.fromkeys(("significance", "level", "compared_to", "recorded_to"), float)
LISTS: dict[str, type] = {"dims": int, "runs": int, "notes": str, "against": str, "unseen": str}
TABLES = ("fixed", "tie_probability")
OF_A_SHIFT: dict[str, type] = dict.fromkeys(("value", "detectable", "shift", "standard_error", "z"), float) | {
    "name": str,
    "label": str,
}
LARGEST = 1e100  # of a number that is drawn: beyond, an axis overflows
REMEDY = "run `teacher-student compare` again"


def check_report(report: Any) -> Mapping[str, Any]:
    """Return `report` if every entry of it is what `Agreement.to_dict` writes. Raises InputError, naming the entry.

    What a picture shows has to be there. The others may be missing, since earlier versions had fewer, but not be wrong:
    of a report in which a number was edited nobody knows which else was. Deviations were called comparisons until
    version 0.7.0.
    """
    if not isinstance(report, Mapping):
        raise ts.InputError("a report, as Agreement.to_dict returns it", _shown(report), REMEDY)
    if "deviations" not in report and "comparisons" in report:
        report = {**report, "deviations": report["comparisons"]}
    for name in NUMBERS:
        _check(report, name, float, "the report")
    _check(report, "agrees", bool, "the report")
    _check_rows(report, "deviations", OF_A_DEVIATION, ALSO_OF_A_DEVIATION)
    for name, kinds in (("shifts", OF_A_SHIFT), ("questions", OF_A_QUESTION)):
        if report.get(name) is not None:
            _check_rows(report, name, kinds)
    _check_others(report)
    checked: Mapping[str, Any] = report
    return checked


def words_of(report: Mapping[str, Any]) -> str:
    """Say in words how a report that was checked ends: whether they agree, and up to where if there is no verdict
    beyond."""
    if not report.get("no_verdict"):
        return "agree" if report["agrees"] else "disagree"
    if not report.get("compared_to"):
        return "get no verdict"
    known = ("p", "significance", "compared_to")
    p, significance, until = (float(report.get(name, 0.0)) for name in known)
    word = "agree" if p > significance and not report.get("against") else "disagree"
    return f"{word} up to $\\alpha$ = {until:g}, no verdict beyond"


def _check_others(report: Mapping[str, Any]) -> None:
    """Raise InputError for an entry that no picture shows and that is not what a report has there."""
    for name, kind in OTHERS.items():
        if name in report:
            _check(report, name, kind, "the report")
    for name, kind in LISTS.items():
        if name in report:
            _check_list(report[name], name, kind)
    for name in TABLES:
        table = report.get(name, {})
        if not isinstance(table, Mapping):
            raise ts.InputError(f"a table of numbers as {name!r} in the report", _shown(table), REMEDY)
        for key in table:
            _check(table, key, float, f"{name} of the report")
    if report.get("spread") is not None:
        _check_rows({"spread": [report["spread"]]}, "spread", OF_THE_SPREAD)
    if "dims" in report and "runs" in report and len(report["dims"]) != len(report["runs"]):
        got = f"{len(report['dims'])} and {len(report['runs'])}"
        raise ts.InputError("as many 'dims' as 'runs' in the report", got, REMEDY)
    counted = report.get("number_of_deviations", len(report["deviations"]))
    if counted != len(report["deviations"]):
        got = f"{counted} of {len(report['deviations'])}"
        raise ts.InputError("the number of its deviations as 'number_of_deviations' in the report", got, REMEDY)


def _check_list(values: Any, name: str, kind: type) -> None:
    if not isinstance(values, (list, tuple)):
        raise ts.InputError(f"a list as {name!r} in the report", _shown(values), REMEDY)
    for value in values:
        _check({name: value}, name, kind, "the report")


def _check_rows(
    report: Mapping[str, Any], name: str, kinds: dict[str, type], also: dict[str, type] | None = None
) -> None:
    """Raise InputError unless each row under `name` has entries of these `kinds`; those of `also` may be missing."""
    rows = report.get(name)
    if not isinstance(rows, (list, tuple)):
        raise ts.InputError(f"a list of {name} in the report", _shown(rows), REMEDY)
    for row in rows:
        if not isinstance(row, Mapping):
            raise ts.InputError(f"tables as {name} in the report", _shown(row), REMEDY)
        present = {key: kind for key, kind in (also or {}).items() if row.get(key) is not None}
        for key, kind in (kinds | present).items():
            _check(row, key, kind, f"{name} of the report")


def _check(table: Mapping[str, Any], name: str, kind: type, where: str) -> None:
    """Raise InputError unless `table` has a text, a bool or a finite number under `name`."""
    value: Any = table.get(name)
    if kind is float:
        right = internal.is_number(value) and abs(value) < LARGEST
    elif kind is int:
        right = internal.is_integer(value) and value >= 0
    else:
        right = isinstance(value, (bool, np.bool_) if kind is bool else kind)
    if not right:
        words = {float: f"a number below {LARGEST:g}", int: "an integer >= 0", bool: "true or false", str: "a text"}[
            kind
        ]
        got = _shown(value) if name in table else "none"
        raise ts.InputError(f"{words} as {name!r} in {where}", got, REMEDY)


def _shown(value: Any) -> str:
    """Return `value` as text; what is nested too deeply has none."""
    try:
        return repr(value)
    except RecursionError:
        return type(value).__name__
