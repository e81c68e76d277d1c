# The facade's names and where they are; `__init__.py` loads each when it is first used.
from ._compiler import tune_compiler as tune_compiler
from ._coupon_law import coupon_law as coupon_law
from ._errors import InputError as InputError
from ._versions import versions as versions
from .problem import SGD as SGD
from .problem import Activation as Activation
from .problem import Committee as Committee
from .problem import Condition as Condition
from .problem import Curriculum as Curriculum
from .problem import Inputs as Inputs
from .problem import Problem as Problem
from .problem import Student as Student
from .problem import SumOfUnits as SumOfUnits
from .problem import Task as Task
from .problem import XorMixture as XorMixture
from .problem import problem_from_tables as problem_from_tables
from .problem import problem_to_tables as problem_to_tables
from .result import DIVERGENCE_BOUND as DIVERGENCE_BOUND
from .result import Budget as Budget
from .result import Fluctuations as Fluctuations
from .result import Observables as Observables
from .result import Quantity as Quantity
from .result import Source as Source
from .result import Status as Status
from .result import Trajectory as Trajectory
from .result import quantities as quantities
from .state import Overlaps as Overlaps
from .state import entry_names as entry_names
from .state import from_vector as from_vector
from .state import means_right as means_right
from .state import psd_violation as psd_violation
from .state import random_overlaps as random_overlaps
from .state import rank_units as rank_units
from .state import to_vector as to_vector

__version__: str
