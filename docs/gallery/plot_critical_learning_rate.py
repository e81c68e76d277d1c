r"""
The critical learning rate from eigenvalues
===========================================

**Question.** At which learning rate does perfect learning lose its stability?

:func:`ode.critical` follows the fixed point of perfect learning to where its largest eigenvalue vanishes. The map
is made of integrations: the final error over learning rate and variance, for erf units, K = M = 1 and 2. Dashed and
dotted: the critical rate. Left of it the error vanishes.
"""

import sys
from pathlib import Path

import numpy as np

import figures

DOCS = Path(sys.argv[0]).resolve().parents[1]
sys.path.insert(0, str(DOCS.parent / "examples"))
from critical_learning_rate import closed_form, draw, swept_boundary  # noqa: E402  # it stands beside the docs

data = figures.open_sweep(DOCS / "phase_diagrams" / "critical_learning_rate.zarr").load()
swept = {width: swept_boundary(data, width) for width in (1, 2)}
figure = draw(data, swept)

# %%
# The critical rate lies within a cell of the swept boundary in 30 of 30 rows:

inside = np.concatenate([line["inside"].values for line in swept.values()])
print(f"inside its cell, or beyond the map, in {inside.sum()} of {inside.size} rows")

# %%
# For one erf unit the closed form is eta_c = pi sqrt((1 + 4V)/(1 + 2V)) / sum_b rho_b Delta_b with V = Delta_rel
# T. With one block it is 4.056.

print(f"one block: {np.pi * np.sqrt(5 / 3):.3f}")
difference = swept[1]["critical"] - [closed_form(each) for each in swept[1]["irrelevant_variance"].values]
print(f"largest difference from ode.critical: {float(abs(difference).max()):.1e}")

# %%
# Do it again
# -----------
#
# .. code-block:: bash
#
#    python examples/critical_learning_rate.py                             # the same picture, and every row
#    teacher-student sweep docs/phase_diagrams/critical_learning_rate.toml # computes the data anew
