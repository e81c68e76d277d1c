r"""
The lottery
===========

**Question.** When does a student of K relu units learn all four clusters of the XOR mixture?

A relu unit that starts on the side of a mean ends there. So each unit is one of four coupons, and the coupon law
predicts the chance that all four means are right. The ODEs and full-weight SGD say where that law holds.
"""

import sys
from pathlib import Path

import figures

DATA = Path(sys.argv[0]).resolve().parents[1] / "atlas" / "lottery"
drawn = figures.atlas.named_figure("lottery", DATA, progress=False)
figure = drawn.figure

# %%
# What one sees
# -------------
#
# - The ODEs (512 starts a width) follow the law up to K = 4. They lie above it wherever they differ: at K = 8,
#   0.693 [0.652, 0.732] against 0.623. A duplicate may still be moved to an uncovered mean.
# - Noise makes that easier, see (b). At noise 0.02 the law is inside every interval. With noise 0.5 outside the
#   plane, K = 4 wins 0.297 [0.225, 0.381].
# - SGD lies below the ODEs. For K = 8 it wins 0.530 [0.461, 0.598] at N = 500 and 0.540 [0.471, 0.608] at N =
#   1000.
# - We see no decay with N here. We expect none from scaling: the start's overlap with the means and the noise of
#   SGD on it are both of order 1/sqrt(N).
#
# Every number, with 95 % Wilson intervals:

print(drawn.caption.partition("\n\nDrawn")[0])

# %%
# Do it again
# -----------
#
# .. code-block:: bash
#
#    teacher-student figure lottery docs/atlas/lottery --save lottery.png   # from shipped data
#    teacher-student figure lottery                                         # computed anew; --quick: a coarse version
#
# In Python: :func:`teacher_student.means_right`, :func:`teacher_student.coupon_law` and
# :func:`figures.atlas.odds`. The tutorial on the lottery computes two of these points from nothing.
