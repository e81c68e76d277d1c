"""The phase diagram of divergence, and its boundary against the critical rate of a linear student.

python examples/divergence_boundary.py [--store STORE] [--out DIR]
STORE: docs/phase_diagrams/learning_rate.zarr, or what `teacher-student sweep` made of the file beside it.
Prints the boundary of the linear student's map, its cell, and eta_c = 2 / sum_b rho_b Delta_b; draws both.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import figures

STORE = Path(__file__).parents[1] / "docs" / "phase_diagrams" / "learning_rate.zarr"


def critical_rate(variance: Any) -> Any:
    """Return the rate above which a linear student diverges, 2 / sum_b rho_b Delta_b, with Delta_rel = 1."""
    return 2 / (0.3 + 0.7 * variance)


def swept_boundary(data: xr.Dataset) -> xr.Dataset:
    """Return where the linear student first diverges: the rows in which it does within the map.

    `critical` is the critical rate, and `inside` says whether it lies between the last finite and the first diverged
    cell.
    """
    linear = figures.select(data, "error", at={"level": "hard", "units": "linear"})
    line = figures.boundary(linear, "learning_rate", "hard_variance", "diverged")
    found = line.where(np.isfinite(line["position"]), drop=True)
    critical = critical_rate(found["hard_variance"])
    inside = (found["cell_low"] <= critical) & (critical <= found["cell_high"])
    return found.assign(critical=critical, inside=inside)


def draw(data: xr.Dataset) -> Figure:
    """Draw the map of both students, with the critical rate of the linear one."""
    variance = data["hard_variance"].values
    return figures.phase_diagram(
        data,
        "learning_rate",
        "hard_variance",
        at={"level": "hard"},
        panels="units",
        boundary="diverged",
        lines={r"$\eta_c$ of linear units": (critical_rate(variance), variance, "linear")},
    )


def main() -> bool:
    """Print and draw; whether every boundary lies in the cell of the critical rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=STORE, type=Path)
    parser.add_argument("--out", default=".", help="directory for the picture")
    options = parser.parse_args()
    data = figures.open_sweep(options.store).load()
    line = swept_boundary(data)
    print("hard variance   first diverged cell   eta_c")
    for index in range(0, line.sizes["hard_variance"], 5):
        variance, low, high, eta = (
            float(line[name][index]) for name in ("hard_variance", "cell_low", "cell_high", "critical")
        )
        print(f"{variance:13.2f}   {low:.2f} to {high:.2f}          {eta:.3f}")
    inside = line["inside"].values
    print(f"eta_c lies between the last finite and the first diverged cell in {inside.sum()} of {inside.size} rows")
    figure = draw(data)
    for kind in ("png", "pdf"):
        figure.savefig(Path(options.out) / f"divergence_boundary.{kind}", dpi=200)
    return bool(inside.all())


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
