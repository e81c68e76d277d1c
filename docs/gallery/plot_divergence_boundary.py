r"""
Where learning diverges
=======================

**Question.** Above which learning rate does a student diverge?

Shown is the final error on hard samples of erf and linear students. Orange: diverged. Panel (a) has no boundary: the
output of an erf unit is bounded, so its student stays finite at every rate.

The critical rate of the linear student is 2 / sum_b rho_b Delta_b, over blocks b of fraction rho_b and variance
Delta_b.
"""

import sys
from pathlib import Path

import figures

DOCS = Path(sys.argv[0]).resolve().parents[1]
sys.path.insert(0, str(DOCS.parent / "examples"))
from divergence_boundary import draw, swept_boundary  # noqa: E402  # it stands beside the docs

data = figures.open_sweep(DOCS / "phase_diagrams" / "learning_rate.zarr").load()
figure = draw(data)

# %%
# The critical rate lies between the last finite and the first diverged cell in 35 of 35 rows:

inside = swept_boundary(data)["inside"].values
print(f"inside in {inside.sum()} of {inside.size} rows")

# %%
# Do it again
# -----------
#
# .. code-block:: bash
#
#    python examples/divergence_boundary.py                          # the same picture and numbers
#    teacher-student sweep docs/phase_diagrams/learning_rate.toml    # computes the data anew
