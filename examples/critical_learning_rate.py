"""The critical learning rate from the eigenvalues of a fixed point, on the phase diagram that integrations draw.

python examples/critical_learning_rate.py [--store STORE] [--out DIR]
STORE: docs/phase_diagrams/critical_learning_rate.zarr, or what `teacher-student sweep` made of the file beside it.
Prints, for K = M = 1 and 2 and every irrelevant variance, eta_c of `ode.critical` (for K = M = 1 also of the closed
form) and the cells between which the final error leaves zero; draws both.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import figures
import ode
import teacher_student as ts

STORE = Path(__file__).parents[1] / "docs" / "phase_diagrams" / "critical_learning_rate.zarr"
SMALL = 1e-4  # of the error: below the critical rate it is smaller at the end, above it does not vanish
BRACKET = (0.1, 12.0)
UNITS = {1: "K = M = 1", 2: "K = M = 2"}  # width -> name of the sweep's choice


def problem(width: int, variance: float) -> ts.Problem:
    """The sweep's problem (its learning rate is the parameter)."""
    inputs = ts.Inputs({"relevant": 0.5, "irrelevant": 0.5}, {"all": {"relevant": 1.0, "irrelevant": variance}})
    task = ts.Committee(inputs, width, support="relevant")
    return ts.Problem(task, ts.Student(width), ts.SGD(1.0), ts.Curriculum.single("all", 1000.0))


def teacher(width: int) -> ts.Overlaps:
    """A zero student of readout 1, and the sweep's teacher, T = 1."""
    T = np.stack([np.eye(width), np.zeros((width, width))])
    return ts.Overlaps(np.zeros_like(T), np.zeros_like(T), T)


def critical_rate(width: int, variance: float) -> ode.Critical:
    """Where perfect learning loses its stability."""
    of = problem(width, variance)
    perfect = ode.known_guesses(of, teacher(width))["specialised"]
    return ode.critical(of, "sgd.learning_rate", BRACKET, guess=perfect)


def closed_form(variance: float) -> float:
    r"""eta_c = pi sqrt((1 + 4V) / (1 + 2V)) / sum_b rho_b Delta_b, V = Delta_rel T = 1, for K = M = 1.

    Near the teacher yhat - y = phi'(nu) d, d = lambda - nu, so that g = phi'(nu)^2 d. Of what the student has across
    the teacher, d^b with <d^b d^b> = Delta_b q_b and independent of nu, the ODEs leave to first order
      dq_b/dalpha = -2 eta Delta_b E[phi'^2] q_b + eta^2 rho_b Delta_b E[phi'^4] sum_c Delta_c q_c .
    An eigenvalue vanishes where 1 = eta E[phi'^4] / (2 E[phi'^2]) sum_b rho_b Delta_b, and with phi' = sqrt(2/pi)
    exp(-nu^2/2), <nu^2> = V: E[phi'^2] = (2/pi) / sqrt(1 + 2V), E[phi'^4] = (2/pi)^2 / sqrt(1 + 4V).
    One block, T = 1: pi sqrt(5/3) = 4.06. Source: the linearisation of Saad & Solla 1995 and Biehl & Schwarze 1995,
    per block; the formula is derived here, and for one block from the ODEs, with sympy, in the tests.
    """
    return float(np.pi * np.sqrt(5 / 3) / (0.5 + 0.5 * variance))


def swept_boundary(data: xr.Dataset, width: int) -> xr.Dataset:
    """Return where the final error leaves zero in the map of K = M = width, beside the critical rate.

    `critical` is the rate of `ode.critical`, and `inside` says whether it lies between the two cells, or beyond the map
    where the error does not leave zero in it.
    """
    line = figures.boundary(
        figures.select(data, "error", at={"units": UNITS[width]}), "learning_rate", "irrelevant_variance", SMALL
    )
    critical = np.array([critical_rate(width, variance).value for variance in line["irrelevant_variance"].values])
    low, high = line["cell_low"].values, line["cell_high"].values
    beyond = ~np.isfinite(low) & (critical > float(data["learning_rate"].max()))
    inside = beyond | ((low <= critical) & (critical <= high))
    dim = "irrelevant_variance"
    return line.assign(critical=(dim, critical), inside=(dim, inside))


def draw(data: xr.Dataset, swept: Mapping[int, xr.Dataset]) -> Figure:
    """Draw the maps of both widths, with the critical rates of `swept_boundary`.

    The contour of the swept map is not drawn: it goes in steps of a cell along the line, and would hide it.
    """
    lines = {
        rf"$\eta_c$ of ode.critical, {UNITS[width]}": (
            line["critical"].values,
            line["irrelevant_variance"].values,
            UNITS[width],
        )
        for width, line in swept.items()
    }
    return figures.phase_diagram(data, "learning_rate", "irrelevant_variance", panels="units", lines=lines)


def main() -> bool:
    """Print and draw; whether every boundary lies in the cell of the critical rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=STORE, type=Path)
    parser.add_argument("--out", default=".", help="directory for the picture")
    options = parser.parse_args()
    data = figures.open_sweep(options.store).load()
    swept = {width: swept_boundary(data, width) for width in UNITS}
    for width, line in swept.items():
        print(
            f"{UNITS[width]}\nvariance   error leaves zero between   eta_c{'      closed form' if width == 1 else ''}"
        )
        names = ("irrelevant_variance", "cell_low", "cell_high", "critical")
        for variance, low, high, eta in zip(*(line[name].values for name in names), strict=True):
            known = f"   {closed_form(variance):.6f}" if width == 1 else ""
            print(f"{variance:8.2f}   {low:5.2f} and {high:5.2f}{eta:21.6f}{known}")
    inside = np.concatenate([line["inside"].values for line in swept.values()])
    print(f"eta_c lies between the two cells, or beyond the map, in {inside.sum()} of {inside.size} rows")
    figure = draw(data, swept)
    for kind in ("png", "pdf"):
        figure.savefig(Path(options.out) / f"critical_learning_rate.{kind}", dpi=200)
    return bool(inside.all())


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
