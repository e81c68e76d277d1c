"""What the data on pruning and tickets say: successes with intervals, paired contrasts, agreement of the engines."""

from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from .._success import wilson
from ._plan import CANDIDATES, CONTRASTS, RANKINGS, SETTINGS, SIGNIFICANCE, WIDTH


def summaries(data: xr.Dataset) -> dict[str, Any]:
    """Return success with Wilson intervals, contrasts of candidates, and the agreement of theory and simulation."""
    result = _success(data) | _contrasts(data) | _agreement(data)
    for name in ("solved", "retrained_solved"):
        low, high = _wilson(data[name].sum("start").values, data.sizes["start"])
        dims = tuple(str(dim) for dim in data[name].dims if dim != "start")
        result |= {f"{name}_low": (dims, low), f"{name}_high": (dims, high)}
    return result


def _wilson(successes: np.ndarray, trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % Wilson interval of every number of successes."""
    low, high = np.array([wilson(int(count), trials) for count in np.ravel(successes)]).T
    return low.reshape(np.shape(successes)), high.reshape(np.shape(successes))


def _success(data: xr.Dataset) -> dict[str, Any]:
    """Return the share of candidates that solve the task, by engine; NaN where it was not simulated."""
    dims = ("engine", "setting", "short", "candidate")
    share, low, high = (np.full((2, len(SETTINGS), data.sizes["short"], len(CANDIDATES)), np.nan) for _ in range(3))
    counts = data["ticket_solved"].sum("start").values
    share[0], (low[0], high[0]) = counts / data.sizes["start"], _wilson(counts, data.sizes["start"])
    runs = data["simulated_ticket_solved"].sum("run").values
    share[1, 0, 0] = runs / data.sizes["run"]
    low[1, 0, 0], high[1, 0, 0] = _wilson(runs, data.sizes["run"])
    return {"success": (dims, share), "success_low": (dims, low), "success_high": (dims, high)}


def _contrasts(data: xr.Dataset) -> dict[str, Any]:
    """Return differences of success, rewound minus control, with the standard error over starts (or runs) and p.

    Both members of a pair share its start's readouts where the control is re-drawn. p is McNemar's, exact; for random
    starts the pairing is arbitrary, and costs nothing.
    """
    dims = ("engine", "setting", "short", "contrast")
    differences = np.full((3, 2, len(SETTINGS), data.sizes["short"], len(CONTRASTS)), np.nan)
    for c, (ticket, control) in enumerate(CONTRASTS):
        solved = data["ticket_solved"].astype(float)
        pairs = solved.sel(candidate=ticket) - solved.sel(candidate=control)
        for i in np.ndindex(pairs.shape[:-1]):
            differences[:, 0, *i, c] = _paired(pairs.values[i])
        runs = data["simulated_ticket_solved"].astype(float)
        differences[:, 1, 0, 0, c] = _paired((runs.sel(candidate=ticket) - runs.sel(candidate=control)).values)
    return {f"difference{end}": (dims, values) for end, values in zip(("", "_se", "_p"), differences, strict=True)}


def _paired(differences: np.ndarray) -> tuple[float, float, float]:
    """Return mean, standard error and McNemar's exact p of differences in {-1, 0, 1}."""
    won, lost = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    p = stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    return float(differences.mean()), float(stats.sem(differences)), float(p)


def _agreement(data: xr.Dataset) -> dict[str, Any]:
    """Return simulated minus theoretical mean accuracy in standard errors, per ranking and units kept, with Welch's p.

    Starts differ between the engines, so that their errors add. All rankings keep the same students when all units
    stay: they count once in the family of Bonferroni's correction.
    """
    theory, runs = data["accuracy"].isel(setting=0), data["simulated_accuracy"]
    difference = runs.mean("run") - theory.mean("start")
    parts = [runs.var("run", ddof=1) / runs.sizes["run"], theory.var("start", ddof=1) / theory.sizes["start"]]
    # Nothing may vary in either engine, where all students are equally right: 0 / 0 is then 0, not NaN.
    variance = np.maximum(parts[0] + parts[1], 1e-300)
    freedom = variance**2 / np.maximum(
        parts[0] ** 2 / (runs.sizes["run"] - 1) + parts[1] ** 2 / (theory.sizes["start"] - 1), 1e-300
    )
    z = difference / np.sqrt(variance)
    p = xr.apply_ufunc(lambda z, f: 2 * stats.t.sf(np.abs(z), np.maximum(f, 1.0)), z, freedom)
    whole = int(np.sum(data["kept"].values == WIDTH))
    family = z.size - whole * (len(RANKINGS) - 1)
    corrected = min(1.0, float(p.min()) * family)
    dims = ("ranking", "kept")
    return {
        "agreement_z": (dims, z.transpose(*dims).values),
        "agreement_p": (dims, p.transpose(*dims).values),
        "agreement_family": family,
        "agreement_family_p": corrected,
        "agrees": bool(corrected >= SIGNIFICANCE),
    }
