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

# For the other three packages; not part of the interface.
from .problem import BUILT_IN as BUILT_IN, Kind as Kind, as_activation as as_activation  # isort: skip
from ._numbers import check_at_least as check_at_least  # isort: skip
from ._numbers import is_known as is_known, is_number as is_number  # isort: skip
from ._compiler import jax_has_started as jax_has_started  # isort: skip
from .tables import with_entry as with_entry  # isort: skip
from ._errors import first_line as first_line, nearest as nearest, require_name as require_name  # isort: skip
from ._fields import with_fields as with_fields  # isort: skip
from .result import CONVENTIONS as CONVENTIONS, LONG_NAMES as LONG_NAMES  # isort: skip
from .state import require_clusters as require_clusters  # isort: skip
from .state import nearest_state as nearest_state  # isort: skip
from .state import check_shapes as check_shapes  # isort: skip
from ._polynomial import Polynomial as Polynomial, is_polynomial as is_polynomial  # isort: skip
from ._polynomial import polynomial as polynomial  # isort: skip
from ._precision import require_traceable as require_traceable  # isort: skip
from ._precision import to_float as to_float, to_float64 as to_float64, to_host as to_host  # isort: skip
from .problem import check_alphas as check_alphas, check_problem as check_problem  # isort: skip
from .state import check_overlaps as check_overlaps, check_state as check_state  # isort: skip
from .problem import to_times as to_times  # isort: skip
from .state import units_that_stay as units_that_stay  # isort: skip
from .state import as_key as as_key, key_numbers as key_numbers, key_words as key_words  # isort: skip
from .state import level_index as level_index  # isort: skip
from .tables import read_table as read_table  # isort: skip
from .result import check_bound as check_bound  # isort: skip
from .problem import describe_ties as describe_ties  # isort: skip
from .tables import read_problem as read_problem  # isort: skip
from ._programs import make_room as make_room  # isort: skip
from .result import filled_length as filled_length, unnamed as unnamed  # isort: skip
from .result import with_level_names as with_level_names  # isort: skip
from ._write_whole import write_whole as write_whole  # isort: skip

__version__: str
