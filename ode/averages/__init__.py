"""Gaussian averages over the local fields: closed forms, or randomised quasi-Monte Carlo."""

from ._base import Averages, StepAverages, unit_gradients, weighted_sum
from ._closed_form import (
    ClosedForm,
    missing_closed_form,
    require_closed_form,
    second_moments,
    signed_readouts,
    teacher_unit,
)
from ._fixed_sample import FixedSample, dimensions
from ._gaussian import I2, J2, safe_arctan2, safe_sqrt, slope, tilt
from ._reweighted import Reweighted
from ._sampled import Sampled
from ._sampled_products import SampledProducts

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
    "teacher_unit",
    "tilt",
    "unit_gradients",
    "weighted_sum",
]
