"""Named figures of the lottery and the curriculum: their sweeps, their numbers and their pictures."""

from lazy_loader import attach_stub

# Loading everything takes seconds: a name is imported when it is first used, from where `__init__.pyi` says.
__getattr__, __dir__, _ = attach_stub(__name__, __file__)

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
    "optimal",
    "optimal_data",
    "optimal_text",
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
