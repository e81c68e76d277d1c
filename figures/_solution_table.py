"""The recorded alphas of a theory as a table in text."""

import numpy as np

import teacher_student as ts

WIDEST = 100  # characters: overlaps are listed where all columns fit
COLUMN = 12


def solution_table(theory: ts.Trajectory) -> str:
    """Write error and accuracy per level against alpha as a table, with sampling errors where there are any.

    Overlaps are listed too, if all of them fit.
    """
    columns = _columns(theory)
    widths = [max(len(name), *(len(cell) for cell in cells)) for name, cells in columns]
    header = "  ".join(name.rjust(width) for (name, _), width in zip(columns, widths, strict=True))
    rows = zip(*(cells for _, cells in columns), strict=True)
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([header, *lines])


def _columns(theory: ts.Trajectory) -> list[tuple[str, list[str]]]:
    """Return (name, cells) of every column."""
    quantities = ts.quantities(theory.observables, theory.problem)
    errors = {}
    if theory.sampling_error is not None:
        errors = {q.name: np.asarray(q.values) for q in ts.quantities(theory.sampling_error, theory.problem)}
    columns = [("alpha", [f"{alpha:.6g}" for alpha in np.asarray(theory.alphas)])]
    per_level = [q for q in quantities if q.kind in ("error", "accuracy")]
    columns += [(q.name, _cells(q.values, errors.get(q.name))) for q in per_level]
    overlaps = [q for q in quantities if q.kind in ("Q", "R") and np.any(np.asarray(q.values))]
    if COLUMN * (len(columns) + len(overlaps)) <= WIDEST:
        columns += [(q.name, _cells(q.values, None)) for q in overlaps]
    return columns


def _cells(values: np.ndarray, errors: np.ndarray | None) -> list[str]:
    """Return numbers to five digits, with their standard errors where these are not 0."""
    values = np.asarray(values)
    errors = np.zeros_like(values) if errors is None else errors
    return [
        f"{value:.5g}" + (f" +- {error:.1g}" if error > 0 else "") for value, error in zip(values, errors, strict=True)
    ]
