r"""
What a curriculum saves
=======================

**Question.** How many samples, and how much compute, does a student of width K need?

Shown is what nine starts in ten need to reach 85 % of the Bayes classifier's advantage on hard samples: samples,
and multiply-adds of training (2 K alpha N\ :sup:`2`). Arrows: not within alpha = 640. Bars: 80 % intervals over 32
starts. They are no finer than the budgets swept, which double.
"""

import sys
from pathlib import Path

import figures

DATA = Path(sys.argv[0]).resolve().parents[1] / "atlas" / "cost"
drawn = figures.atlas.named_figure("cost", DATA, progress=False)
figure = drawn.figure

# %%
# Finding the manifold (top)
# --------------------------
#
# - A wide student needs about half the samples with easy-to-hard: between 40 and 80, against 80 and 160, at K =
#   16.
# - Narrow ones fail with it. Mixed order succeeds at K = 8. Easy-to-hard does so surely only from K = 16 (K = 12:
#   29 of 32 starts).
# - So the curriculum saves a wide student compute. But its cheapest training (K = 12 to 16) costs what the
#   cheapest mixed one does (K = 8), within the grid.
#
# Finding the rule (bottom)
# -------------------------
#
# Hard-to-easy is cheapest.

print(drawn.caption.partition("\n\nDrawn")[0])

# %%
# Do it again
# -----------
#
# .. code-block:: bash
#
#    teacher-student figure cost docs/atlas/cost --save cost.png   # from shipped data
#    teacher-student figure cost                                   # computed anew; --quick: a coarse version
#
# In Python: :func:`figures.atlas.frontier`.
