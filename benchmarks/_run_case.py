"""Measure one case in this process; what it raises becomes a row that says so."""

import importlib

from ._catalogue import Case
from ._records import Curve, Row
from ._timing import Plan

QUICK = Plan(rounds=1, least=0.0, quick=True)


def measured(case: Case, quick: bool, cores: int) -> list[Row | Curve]:
    """A row, or the curves of a growth."""
    module, function = case.function.split(".")
    plan, sizes = QUICK if quick else Plan(), case.sizes(quick, cores)
    try:
        measure = getattr(importlib.import_module(f"{__package__}.{module}"), function)
        if module == "_curve_rows":
            return list(measure(plan, **sizes))
        found = measure(case.name, plan, **sizes)
        return [found] if isinstance(found, Row) else list(found)
    except Exception as error:  # one that fails leaves the others right
        first = (str(error).strip() or "no message").splitlines()[0]
        return [failure(case.name, f"{type(error).__name__}: {first}")]


def failure(name: str, why: str) -> Row:
    """The row of what could not be measured."""
    return Row(name, name, "", note=f"failed: {why}", failed=True)
