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
# TO BE WRITTEN
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
