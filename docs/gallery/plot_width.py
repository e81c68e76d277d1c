r"""
Width and curriculum
====================

**Question.** Do curricula help small networks, and does overparameterisation take that away?

Students of K = 4 to 64 relu units learn the XOR mixture from easy and hard samples, in three orders. Budgets are
measured in samples / N, and in learning times of each width. Readouts start as :math:`\pm 1/\sqrt{K}`, or as
:math:`0.1\,\mathcal{N}(0, 1)`. The design was written down first: :doc:`/width_and_curriculum`.
"""

import sys
from pathlib import Path

import figures

DATA = Path(sys.argv[0]).resolve().parents[1] / "atlas" / "width"
drawn = figures.atlas.named_figure("width", DATA, progress=False)
figure = drawn.figure

# %%
# What one sees
# -------------
#
# **Easy samples with little noise outside of the plane: easy to hard helps near the learning time, and wide students
# more.** At a budget of one learning time its gain is +0.0473 +- 0.0029, +0.1087, +0.1210, +0.1512 and +0.1403 +-
# 0.0042 at K = 4, 8, 16, 32 and 64, with readouts of :math:`\pm 1/\sqrt{K}`. With readouts of
# :math:`0.1\,\mathcal{N}(0, 1)` it is +0.0334 +- 0.0022, +0.0649, +0.0865, +0.1022 and +0.1215 +- 0.0071. Over all
# budgets in learning times the gain grows, by +0.0062 +- 0.0006 and +0.0086 +- 0.0007 for each doubling of the width.
# From two learning times on it is below 0.01 for K = 16 and more. K = 4 loses 0.017 to 0.030 there.
#
# **At one and the same alpha it may shrink, or turn round.** At alpha = 120, with readouts of
# :math:`0.1\,\mathcal{N}(0, 1)`, the gains are +0.0370, +0.0666, +0.0294, +0.0033 and +0.0017: narrow students are
# about to learn then, and wide ones have learnt. This is what Sarao Mannelli et al. (2024) claim:
# narrow students gain by easy to hard, and wide ones do not. At alpha = 60 the gains grow up to K = 32, and pooled
# over 60, 120 and 240 no trend is seen (+0.0018 +- 0.0006, p = 0.16). With readouts of :math:`\pm 1/\sqrt{K}` easy to
# hard harms narrow students over these budgets (-0.0178 +- 0.0029) and helps wide ones (+0.0239 +- 0.0009). The
# gain shrinks with width at half a learning time there, which was looked at but not tested: +0.0525, +0.0556,
# +0.0433, +0.0173 and +0.0159.
#
# **Easy samples with little noise in the plane, readouts of** :math:`\pm 1/\sqrt{K}`: **hard to easy helps narrow
# students, and the gain shrinks.** All three clocks say so. Over budgets in samples it is +0.0106 +- 0.0009 for K = 4
# and 8 and -0.0005 +- 0.0007 for K = 32 and 64, with a trend of -0.0042 +- 0.0004 for each doubling (p = 2e-12). Over
# budgets in learning times it is +0.0059 +- 0.0004, with a trend of -0.0019 +- 0.0002; with own rates +0.0097 +-
# 0.0015, with a trend of -0.0041 +- 0.0007. Judged on both levels wide students gain too, +0.0110 +- 0.0004 over
# budgets in learning times. With readouts of :math:`0.1\,\mathcal{N}(0, 1)` no gain is seen on hard samples, and
# narrow students lose a little over budgets in samples (-0.0019 +- 0.0004, p = 8.6e-06). On both levels hard to easy
# helps wide students alone there, +0.0112 +- 0.0007 over budgets in samples and +0.0084 +- 0.0007 over budgets in
# learning times.
#
# **With a rate of their own** (1 for K = 4 and 8, the largest of the four that were tried, and the best one for mixed
# samples) narrow students lose by both orders where easy samples have little noise outside of the plane: -0.1281 +-
# 0.0055 easy to hard, and -0.3742 +- 0.0045 hard to easy, with readouts of :math:`\pm 1/\sqrt{K}`. A rate as large as
# that is near the one at which learning is lost.
#
# **Why: the budget in learning times is a part of it.** In six families there is a spread to explain. Curves of all
# widths lie closer at equal learning times than at equal alpha in each of them, by ratios of 0.3814 [0.3304, 0.4629]
# (hard to easy, outside of the plane, :math:`0.1\,\mathcal{N}(0, 1)`) to 0.9203 [0.8575, 0.9972] (easy to hard,
# outside, :math:`\pm 1/\sqrt{K}`). The two clocks do not cover the same budgets everywhere: with
# :math:`0.1\,\mathcal{N}(0, 1)`, four learning times of K = 4 end beyond the largest alpha of the other grid, so that a
# ratio below 1 may in part be that of gains which are over. Curves meet in none of the six (p is 6.4e-08 at most). A
# seventh family, easy to hard in the plane with :math:`0.1\,\mathcal{N}(0, 1)`, is not counted, because its spread at
# equal alpha may be 0; its ratio is 1.7512 [0.8797, 3.2430].
#
# **Why: tickets are another part.** Gains from two learning times on differ between starts of K = 4 and 8 that have
# all coupons and starts that have not, with p below 0.001 in five of eight comparisons. In the plane, with readouts of
# :math:`\pm 1/\sqrt{K}`, hard to easy gains +0.0105 +- 0.0015 where a coupon lacks and +0.0026 +- 0.0005 where none
# does (p = 1.7e-06). Among starts with all coupons a trend is left, -0.0014 +- 0.0003 for each doubling (p = 8.9e-05).
# Outside of the plane, with the same readouts, hard to easy harms those with all coupons: -0.0793 +- 0.0047 against
# -0.0126 +- 0.0072. With readouts of :math:`0.1\,\mathcal{N}(0, 1)` no such difference is seen (p = 0.39).
#
# **SGD** has the signs of all these gains but one, where both are near 0: easy to hard in the plane, K = 32, alpha =
# 120, where theory has +0.0020 +- 0.0014 and SGD -0.0030 +- 0.0022 and -0.0029 +- 0.0047. Sizes differ at N = 500. At
# one learning time, readouts of
# :math:`\pm 1/\sqrt{K}` and easy samples outside of the plane, easy to hard has +0.0278 +- 0.0050 (K = 4) and +0.1261
# +- 0.0039 (K = 32) at N = 500, +0.0481 +- 0.0116 and +0.1768 +- 0.0090 at N = 2000; theory has +0.0473 +- 0.0029 and
# +0.1512 +- 0.0031: for K = 32 SGD is below theory at N = 500 and above it at N = 2000, which no term of 1/N
# alone explains.
# In the plane, at alpha = 120, hard to easy has +0.0067 +- 0.0031 and +0.0009 +- 0.0017 at N = 500,
# +0.0194 +- 0.0065 and +0.0061 +- 0.0031 at N = 2000; theory has +0.0199 +- 0.0020 and +0.0035 +- 0.0009. At alpha =
# 120 with readouts of :math:`0.1\,\mathcal{N}(0, 1)` easy to hard has +0.0271 +- 0.0036 and +0.0026 +- 0.0015 at N =
# 500; theory has +0.0370 +- 0.0019 and +0.0033 +- 0.0015. Four of the twelve gains at N = 500 differ from theory by
# more than three standard errors (5.08 at most), and one of twelve at N = 2000 (3.11).
#
# Limits. Numbers of starts were chosen so that a gain of 0.01 at one point is seen: 438, 152, 22, 14 and 8. Success and
# times of wide students have too few for small effects: a start succeeds or not. Half of each budget is easy, and
# each kind of easiness has one pair of levels.
#
# Every number:

print(drawn.caption.partition("\n\nDrawn")[0])

# %%
# Do it again
# -----------
#
# .. code-block:: bash
#
#    teacher-student figure width docs/atlas/width --save width.png   # from shipped data
#    teacher-student figure width                                     # computed anew; --quick: a coarse version
#
# In Python: :func:`figures.atlas.width_data` and :func:`figures.atlas.width_text`.
