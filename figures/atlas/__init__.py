"""Named figures of the lottery and the curriculum: their sweeps, their numbers and their pictures."""

from ._cost import cost, cost_text, frontier, multiply_adds
from ._curriculum import curriculum, curriculum_text
from ._finite_size import deviation_data, escape_data
from ._finite_size_fit import (
    along_shift,
    escape_fit,
    mean_exponent,
    shift_amplitude,
    variance_amplitude,
    variance_exponent,
)
from ._finite_size_plot import finite_size
from ._finite_size_text import finite_size_text
from ._gains import MEASURES, gain, shrinking
from ._lottery import lottery, lottery_text, odds
from ._named import Drawn, named_figure
from ._power_law import PowerLaw, power_law
from ._recipes import pack, recipes, stores
from ._success import success, wilson
from ._tickets import tickets_data
from ._tickets_plot import tickets
from ._tickets_text import tickets_text

__all__ = [
    "MEASURES",
    "Drawn",
    "PowerLaw",
    "along_shift",
    "cost",
    "cost_text",
    "curriculum",
    "curriculum_text",
    "deviation_data",
    "escape_data",
    "escape_fit",
    "finite_size",
    "finite_size_text",
    "frontier",
    "gain",
    "lottery",
    "lottery_text",
    "mean_exponent",
    "multiply_adds",
    "named_figure",
    "odds",
    "pack",
    "power_law",
    "recipes",
    "shift_amplitude",
    "shrinking",
    "stores",
    "success",
    "tickets",
    "tickets_data",
    "tickets_text",
    "variance_amplitude",
    "variance_exponent",
    "wilson",
]
