"""Averages of units by their former place: they stand in `ode.moments`."""

from ..moments import I2, J2, safe_arctan2, safe_sqrt, second_moments, signed_readouts, slope, tilt

__all__ = ["I2", "J2", "safe_arctan2", "safe_sqrt", "second_moments", "signed_readouts", "slope", "tilt"]
