"""The phase diagram of divergence, and its boundary against the critical rate of a linear student.

python examples/divergence_boundary.py [--store STORE] [--out DIR]
STORE: docs/phase_diagrams/learning_rate.zarr, or what `teacher-student sweep` made of the file beside it.
Prints the boundary of the linear student's map, its cell, and eta_c = 2 / sum_b rho_b Delta_b; draws both.
"""

import argparse
from pathlib import Path

import numpy as np

import figures

STORE = Path(__file__).parents[1] / "docs" / "phase_diagrams" / "learning_rate.zarr"


def main() -> bool:
    """Print and draw; whether every boundary lies in the cell of the critical rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=STORE, type=Path)
    parser.add_argument("--out", default=".", help="directory for the picture")
    options = parser.parse_args()
    data = figures.open_sweep(options.store).load()
    linear = figures.select(data, "error", at={"level": "hard", "units": "linear"})
    line = figures.boundary(linear, "learning_rate", "hard_variance", "diverged")
    critical = 2 / (0.3 + 0.7 * line["hard_variance"])
    found = line.where(np.isfinite(line["position"]), drop=True)
    print("hard variance   first diverged cell   eta_c")
    for variance in found["hard_variance"].values[::5]:
        row, eta = found.sel(hard_variance=variance), float(critical.sel(hard_variance=variance))
        print(f"{variance:13.2f}   {float(row['cell_low']):.2f} to {float(row['cell_high']):.2f}          {eta:.3f}")
    inside = (found["cell_low"] <= critical) & (critical <= found["cell_high"])
    print(
        f"eta_c lies between the last finite and the first diverged cell in {int(inside.sum())} of {inside.size} rows"
    )
    figure = figures.phase_diagram(
        data,
        "learning_rate",
        "hard_variance",
        at={"level": "hard"},
        panels="units",
        boundary="diverged",
        lines={r"$\eta_c$ of linear units": (critical.values, critical["hard_variance"].values, "linear")},
    )
    for kind in ("png", "pdf"):
        figure.savefig(Path(options.out) / f"divergence_boundary.{kind}", dpi=200)
    return bool(inside.all())


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
