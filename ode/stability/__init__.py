"""Fixed points of the drift, their stability, where it changes, and how long a plateau lasts."""

from ._critical import Critical, critical
from ._fixed_point import FixedPoint
from ._guesses import known_guesses
from ._plateau import Plateau, plateau
from ._search import fixed_points

__all__ = ["Critical", "FixedPoint", "Plateau", "critical", "fixed_points", "known_guesses", "plateau"]
