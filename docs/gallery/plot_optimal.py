r"""
Optimal orders of easy and hard samples
=======================================

**Question.** Which order of easy and hard samples is best, and by how much over the best order that has a name?

Two tasks. A perceptron learns from relevant inputs. Irrelevant ones are silent in easy samples and loud in hard ones
(Mignacco & Mori 2025). And students of K relu units learn the XOR mixture. All orders show the same number of easy
samples. The best one is found by :func:`ode.optimize`, and compared with easy to hard (EH), hard to easy (HE) and
random order (M).
"""

import sys
from pathlib import Path

import figures

DATA = Path(sys.argv[0]).resolve().parents[1] / "atlas" / "optimal"
drawn = figures.atlas.named_figure("optimal", DATA, progress=False)
figure = drawn.figure

# %%
# What is drawn
# -------------
#
# Each column changes one number of the perceptron. Maps show time upwards: white where only easy samples are shown,
# dark where only hard ones are, grey where both are. Below them stands the gain over the best named order, in per cent
# of its cost. Its letters are at the bottom, black for the cost on both levels and grey for that on hard samples alone.
# The last row has orders with rates of their own, and gains on the XOR mixture with standard errors over starts.
#
# What one sees
# -------------
#
# - Every optimum of the perceptron begins with easy samples. Judged on both levels, nearly all end with them as well:
#   hard samples belong in the middle, at larger budgets and shares of easy samples mixed with a few easy ones.
# - Judged on both levels, the median gain over the best named order is 3.55 % of the cost. It grows with the budget, to
#   7.4 % at alpha = 18. Judged on hard samples alone it is 1.04 %, and 2.8 % at most: easy to hard is nearly as good.
# - Easy to hard is itself the optimum where easy samples are few (share 0.125 +- 0.025, judged on both), the rate is
#   small (0.6036 +- 0.1) or the budget is short (2.561 +- 0.44). The interval is that of the two neighbouring points.
# - The rate decides as well. With rates of its own at each time, easy to hard is the optimum that was found: 0.10867,
#   where hard to easy has 0.13181 and random order 0.13130. At the fixed rate random order is the best named one.
# - On the XOR mixture the named order matters for wide students: with K = 16 the optimum has an error on hard samples
#   that is lower than that of random order by 0.19992 +- 0.00889 where easy samples have little noise outside of the
#   plane, and by 0.00936 +- 0.00068 where they have little noise in it. But that optimum is easy to hard in the first
#   case, and hard to easy, or nearly, in the second.
# - Beyond the best named order no gain is seen at K = 16: -0.00013 +- 0.00009 and -0.00011 +- 0.00015. At K = 8 it is
#   -0.00001 +- 0.00001 and 0.00044 +- 0.00010. The narrow students of K = 4 gain 0.00147 +- 0.00041 and
#   0.00486 +- 0.00094, the latter with an accuracy of 0.513, which is next to nothing learnt.
#
# Limits. Certificates accept 84 of 90 optima of the perceptron; in the other 6 derivatives differ from differences of
# solves. No certificate proves that an extremal is the best one. The optima on the XOR mixture are shares in 8 phases
# over sampled points, found from named orders: one that is finer or far away may be missed. K = 16 has 3 starts.
#
# Every number:

print(drawn.caption.partition("\n\nDrawn")[0])

# %%
# Do it again
# -----------
#
# .. code-block:: bash
#
#    teacher-student figure optimal docs/atlas/optimal --save optimal.png   # from shipped data
#    teacher-student figure optimal                                         # computed anew; --quick: a coarse version
#
# In Python: :func:`figures.atlas.optimal_data` computes what is lacking, and :func:`ode.optimize` a single point.
