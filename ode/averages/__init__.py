"""Gaussian averages over the local fields: closed forms, or randomised quasi-Monte Carlo."""

from lazy_loader import attach_stub

# Loading everything takes seconds: a name is imported when it is first used, from where `__init__.pyi` says.
__getattr__, __dir__, _ = attach_stub(__name__, __file__)

__all__ = [
    "I2",
    "J2",
    "Averages",
    "ClosedForm",
    "FixedSample",
    "Reweighted",
    "Sampled",
    "SampledProducts",
    "StepAverages",
    "dimensions",
    "missing_closed_form",
    "require_closed_form",
    "safe_arctan2",
    "safe_sqrt",
    "second_moments",
    "signed_readouts",
    "slope",
    "tilt",
    "unit_gradients",
    "weighted_sum",
]
