r"""
Does width shrink the gain of a curriculum?
===========================================

**Question.** When does the order of examples help, and does overparameterisation take that help away?

The map shows what an order gains in accuracy on hard samples at the end of the budget. Both layers are trained,
with eta = eta_v = 0.2, and half of the budget is easy. Errors are paired standard errors over 24 starts. Three
kinds of easiness are swept, each at two contrasts, for K = 4 to 32 and budgets 30 to 240.

**Answer.** Mostly not, in this map.
"""

import sys
from pathlib import Path

import figures

DATA = Path(sys.argv[0]).resolve().parents[1] / "atlas" / "curriculum"


def first_tables(drawn: figures.atlas.Drawn, count: int) -> str:
    """The head of the caption, and its first tables, one for each pair of orders."""
    return "\n\n".join(drawn.caption.split("\n\n")[: count + 1])


drawn = figures.atlas.named_figure("curriculum", DATA, task="xor", progress=False)
figure = drawn.figure

# %%
# Where easiness is outside the plane (finding the manifold)
# ----------------------------------------------------------
#
# - Easy-to-hard gains over mixed only on budgets of about the time that learning takes. There the gain *grows*
#   with width. Rest variance 0.1 and 2, budget 60: +0.014 +- 0.012 at K = 4, +0.223 +- 0.003 at K = 32. Two rows
#   grow.
# - On the smallest budget the gain peaks, and shrinks beyond K = 8 or 16: +0.095 +- 0.008 at K = 8, +0.029 +-
#   0.001 at K = 32. Two rows shrink.
# - On ample budgets it is gone at every width.
#
# Where easiness is in the plane (finding the rule)
# -------------------------------------------------
#
# - Easy-to-hard gains nothing over mixed in any row: -0.038 +- 0.010 at K = 4, plane variance 0.1 and 1, budget
#   240.
# - Hard-to-easy's gains on separation 2 and 0.7, budget 240, fit the claim in sign: +0.034 +- 0.012 at K = 4,
#   +0.044 +- 0.015 at K = 8, +0.006 at K = 16, +0.001 at K = 32. They are not significant over the family.
#
# Significance is family-wise, 1 %, over all 24 rows. Gains below 0.01 are not counted.

print(first_tables(drawn, 2))

# %%
# Other measures
# --------------
#
# In P(all four means right), no order gains significantly at any width. From K = 16 on nearly every start wins.
#
# With each order at its best rate, no gain of easy-to-hard over mixed shrinks. Two rows grow.

data = drawn.data["xor"]
for measure in ("solved", "best rate"):
    gains = figures.atlas.curriculum_text(data, measure).split("\n\n")[1]
    print(f"{measure}, easy to hard over mixed:{gains.splitlines()[-1]}")

# %%
# Relevant and irrelevant dimensions
# ----------------------------------
#
# The same for a committee with relevant and irrelevant dimensions (K = 1 is the perceptron, 8 starts).
# Easy-to-hard gains at most 0.017 over mixed, and shrinks in one row of 8. Hard-to-easy gains up to 0.035, growing
# with width in two.

committee = figures.atlas.named_figure("curriculum", DATA, task="committee", progress=False)
print(first_tables(committee, 2))

# %%
# Do it again
# -----------
#
# .. code-block:: bash
#
#    teacher-student figure curriculum docs/atlas/curriculum --save curriculum.png   # from shipped data
#    teacher-student figure curriculum docs/atlas/curriculum --measure solved --save solved.png
#    teacher-student figure curriculum docs/atlas/curriculum --task committee --save committee.png
#    teacher-student figure curriculum                                              # computed anew; --quick: coarse
#
# In Python: :func:`figures.atlas.gain` and :func:`figures.atlas.shrinking`.
