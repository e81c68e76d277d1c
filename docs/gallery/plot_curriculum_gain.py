r"""
Where easy-to-hard helps
========================

**Question.** Which easy share of a budget, and how many irrelevant dimensions, make easy-to-hard better than
mixed?

Shown is log10 of the mixed order's final error on hard samples over that of easy-to-hard, with the same samples
(erf units, K = M = 1, eta = 1.5, alpha = 12). Black: no gain. Circles: simulation, 16 runs at N = 1000, hollow
where 0 lies within two standard errors. Diamonds: its boundary, of theory plus the difference interpolated between
circles, with a 95 % interval.
"""

import sys
from pathlib import Path

import figures

STORE = Path(sys.argv[0]).resolve().parents[1] / "phase_diagrams" / "curriculum_gain.zarr"
ORDERS = ("order", "easy to hard", "mixed")
data = figures.open_sweep(STORE).load()
figure = figures.phase_diagram(
    data, "easy_share", "irrelevant_share", at={"level": "hard"}, contrast=ORDERS, boundary=0
)

# %%
# Easy-to-hard helps only with few easy samples and many irrelevant dimensions. The boundary, row by row:

gain = figures.select(data, "error", at={"level": "hard"}, contrast=ORDERS)
boundary = figures.boundary(gain, "easy_share", "irrelevant_share", 0)
print(boundary["position"].to_series().round(3).to_string())

# %%
# Do it again
# -----------
#
# .. code-block:: bash
#
#    teacher-student figure phase-diagram docs/phase_diagrams/curriculum_gain.zarr --at level=hard --x easy_share \
#        --contrast order "easy to hard" mixed --boundary 0 --save curriculum_gain.png
#    teacher-student sweep docs/phase_diagrams/curriculum_gain.toml   # computed anew: ten minutes
