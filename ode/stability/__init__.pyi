# The facade's names and where they are; `__init__.py` loads each when it is first used.
from ._critical import Critical as Critical
from ._critical import critical as critical
from ._fixed_point import FixedPoint as FixedPoint
from ._guesses import known_guesses as known_guesses
from ._plateau import Plateau as Plateau
from ._plateau import plateau as plateau
from ._search import fixed_points as fixed_points
