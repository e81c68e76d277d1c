r"""
Images and width
================

**Question.** Do curricula help small networks on images, and does overparameterisation take that away?

Students of K = 4 to 32 relu units learn an XOR of two digits of MNIST from images with little and with much pixel
noise, in four orders, beside the theory of the mixture that is fitted to the images. Networks of 16 to 1024 units
learn to tell ten digits with a softmax. The design was written down first: :doc:`/images_and_width`.
"""

import sys
from pathlib import Path

import figures

DATA = Path(sys.argv[0]).resolve().parents[1] / "atlas" / "images"
drawn = figures.atlas.named_figure("images", DATA, progress=False)
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
#    teacher-student figure images docs/atlas/images --save images.png   # from shipped data, without the digits
#    teacher-student figure images                                       # computed anew; --quick: a coarse version
#
# In Python: :func:`figures.atlas.images_data`, :func:`figures.atlas.softmax_data`, :func:`figures.atlas.images_text`.
