r"""
How runs of finite N differ from theory
=======================================

**Question.** Is the distance between runs and ODEs the one that theory predicts, at every N?

Runs of the overlap chain have N = 10\ :sup:`2` to 10\ :sup:`6`. Intervals are 95 %; +- is one standard error.
"""

import sys
from pathlib import Path

import figures

DATA = Path(sys.argv[0]).resolve().parents[1] / "atlas" / "finite-size"
drawn = figures.atlas.named_figure("finite-size", DATA, progress=False)
figure = drawn.figure

# %%
# What one sees, at alpha = 5
# ---------------------------
#
# (a) The run mean's deviation from the ODEs, in units of the predicted m1, over all 18 overlaps. A fit gives N\
# :sup:`-1.033` [-1.131, -0.943], and 1.034 +- 0.020 times the prediction, which is the line. Triangles are upper
# limits.
#
# (b) The variance. A fit gives N\ :sup:`-1.001` [-1.004, -0.997], and a limit of 1.003 +- 0.004 times the
# prediction, which are the lines. That fit's chi^2 is poor (p = 0.0088), since the 1/N\ :sup:`2` term is seen at N
# = 100.
#
# (c) The symmetric plateau (K = M = 2, eta = 1.5) lasts 6.24 [5.62, 6.86] longer per unit of ln N. Predicted: 1/(2
# lambda) = 6.55.

print(drawn.caption.partition("\n\nDrawn")[0])

# %%
# Do it again
# -----------
#
# .. code-block:: bash
#
#    teacher-student figure finite-size docs/atlas/finite-size --save finite_size.png   # from shipped data
#    teacher-student figure finite-size                                                 # computed anew
#
# In Python: :func:`ode.fluctuations` predicts spread and 1/N term, and ``simulations.run(..., method="overlaps")``
# makes the runs.
