"""Named figures of the lottery and the curriculum: their sweeps, their numbers and their pictures."""

from ._cost import cost, cost_text, frontier, multiply_adds
from ._curriculum import curriculum, curriculum_text
from ._gains import MEASURES, gain, shrinking
from ._lottery import lottery, lottery_text, odds
from ._named import Drawn, named_figure
from ._recipes import pack, recipes, stores
from ._success import success, wilson
from ._tickets import tickets_data
from ._tickets_plot import tickets
from ._tickets_text import tickets_text

__all__ = [
    "MEASURES",
    "Drawn",
    "cost",
    "cost_text",
    "curriculum",
    "curriculum_text",
    "frontier",
    "gain",
    "lottery",
    "lottery_text",
    "multiply_adds",
    "named_figure",
    "odds",
    "pack",
    "recipes",
    "shrinking",
    "stores",
    "success",
    "tickets",
    "tickets_data",
    "tickets_text",
    "wilson",
]
