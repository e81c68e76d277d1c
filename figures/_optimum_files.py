"""An optimum as files: the problem under it as tables, and a report of what is known of it."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import teacher_student as ts

if TYPE_CHECKING:
    import ode

PARTS = ("task", "student", "sgd", "curriculum")


def tables_of(best: ode.protocols.Optimum, tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a problem file under the optimum.

    What the protocol has not changed stays as it is in the file, [start], [theory] and all the others too. [optimize]
    is left out.
    """
    given, found = ts.problem_to_tables(best.given), ts.problem_to_tables(best.problem)
    changed = {name: found[name] for name in PARTS if found[name] != given[name]}
    if "curriculum" in changed:
        changed["curriculum"] = {"phases": _phases(best.problem.curriculum, float(best.given.curriculum.end))}
    return {name: changed.get(name, table) for name, table in tables.items() if name != "optimize"}


def _phases(curriculum: ts.Curriculum, end: float) -> list[list[Any]]:
    """Return the phases as a file writes them, which end where those of the given problem did, to the last digit."""
    names = curriculum.level_names
    phases: list[list[Any]] = []
    for first, last, duration in zip(
        *(curriculum.initial_shares, curriculum.final_shares, curriculum.durations), strict=True
    ):
        sides = [_side(names, np.asarray(side, float).tolist()) for side in (first, last)]
        sides = sides if sides[0] != sides[1] else sides[:1]
        if phases and len(sides) == 1 and phases[-1][:-1] == sides:  # the same goes on
            phases[-1][-1] += float(duration)
        else:
            phases.append([*sides, float(duration)])
    for _ in range(4):  # a sum in floating point may need more than one correction
        phases[-1][-1] += end - float(np.cumsum([phase[-1] for phase in phases])[-1])
    return phases


def _side(names: tuple[str, ...], shares: list[float]) -> str | dict[str, float]:
    shown = {name: share for name, share in zip(names, shares, strict=True) if share > 0}
    return next(iter(shown)) if len(shown) == 1 else shown


def report_of(best: ode.protocols.Optimum) -> str:
    """Return what report.json holds, as JSON: cost, named orders, searches, certificate, variables and versions."""
    value, error = best.solved
    report = {
        "cost": {"name": best.criterion.name, "value": best.cost, "by_solve": value, "sampling_error": error},
        "status": best.status,
        "method": best.method,
        "gain": best.gain,
        "order": best.problem.curriculum.in_text(),
        "schedules": {name: schedule.in_text() for name, schedule in best.problem.schedules.items()},
        "variables": best.variables,
        "named": {
            name: {"cost": named.cost, "tuned": named.tuned, "order": named.problem.curriculum.in_text()}
            for name, named in best.named.items()
        },
        "searches": [dataclasses.asdict(search) for search in best.searches],
        "certificate": _certificate(best.certificate),
        "seed": best.seed,
        "versions": ts.versions(),
    }
    return json.dumps(_plain(report), indent=1, allow_nan=False)


def _certificate(certificate: ode.protocols.Certificate) -> dict[str, Any]:
    """Return the certificate's numbers. Costates, of which there are many, are computed from the problem again."""
    names = [field.name for field in dataclasses.fields(certificate) if field.name not in ("stretches", "costates")]
    stretches = [dataclasses.asdict(stretch) for stretch in certificate.stretches]
    verdicts = {name: getattr(certificate, name) for name in ("first_order", "pontryagin", "tolerance")}
    return verdicts | {name: getattr(certificate, name) for name in names} | {"stretches": stretches}


def _plain(entry: Any) -> Any:
    """Return an entry as JSON has it: arrays as lists, and no NaN or infinity, which it lacks."""
    if isinstance(entry, Mapping):
        return {str(name): _plain(each) for name, each in entry.items()}
    if isinstance(entry, (list, tuple, np.ndarray)):
        return [_plain(each) for each in entry]
    if isinstance(entry, (bool, np.bool_)):
        return bool(entry)
    if isinstance(entry, (float, np.floating)):
        return float(entry) if math.isfinite(entry) else None
    return int(entry) if isinstance(entry, np.integer) else entry
