# The facade's names and where they are; `__init__.py` loads each when it is first used.
from ._compiler import tune_compiler as tune_compiler
from ._coupon_law import coupon_law as coupon_law
from ._errors import InputError as InputError
from ._versions import versions as versions
from .problem._activation import Activation as Activation
from .problem._committee import Committee as Committee
from .problem._curriculum import Curriculum as Curriculum
from .problem._inputs import Inputs as Inputs
from .problem._problem import Problem as Problem
from .problem._problem_tables import problem_from_tables as problem_from_tables
from .problem._problem_tables import problem_to_tables as problem_to_tables
from .problem._sgd import SGD as SGD
from .problem._student import Student as Student
from .problem._task import Condition as Condition
from .problem._task import SumOfUnits as SumOfUnits
from .problem._task import Task as Task
from .problem._xor_mixture import XorMixture as XorMixture
from .result._budget import Budget as Budget
from .result._fluctuations import Fluctuations as Fluctuations
from .result._observables import Observables as Observables
from .result._observables import Quantity as Quantity
from .result._observables import quantities as quantities
from .result._status import DIVERGENCE_BOUND as DIVERGENCE_BOUND
from .result._status import Status as Status
from .result._trajectory import Source as Source
from .result._trajectory import Trajectory as Trajectory
from .state._clusters_learned import means_right as means_right
from .state._entries import entry_names as entry_names
from .state._entries import from_vector as from_vector
from .state._entries import to_vector as to_vector
from .state._overlaps import Overlaps as Overlaps
from .state._overlaps import psd_violation as psd_violation
from .state._random_overlaps import random_overlaps as random_overlaps
from .state._ranking import rank_units as rank_units

# For the other three packages; not part of the interface.
from .problem._activation import BUILT_IN as BUILT_IN, Kind as Kind, as_activation as as_activation  # isort: skip
from ._numbers import check_at_least as check_at_least  # isort: skip
from ._numbers import is_known as is_known, is_number as is_number  # isort: skip
from ._compiler import jax_has_started as jax_has_started  # isort: skip
from .tables._dotted import with_entry as with_entry  # isort: skip
from ._errors import first_line as first_line, nearest as nearest, require_name as require_name  # isort: skip
from ._fields import with_fields as with_fields  # isort: skip
from .result._files import CONVENTIONS as CONVENTIONS, LONG_NAMES as LONG_NAMES  # isort: skip
from .state._clusters_learned import require_clusters as require_clusters  # isort: skip
from .state._nearest_state import nearest_state as nearest_state  # isort: skip
from .state._overlaps import check_shapes as check_shapes  # isort: skip
from ._polynomial import Polynomial as Polynomial, is_polynomial as is_polynomial  # isort: skip
from ._polynomial import polynomial as polynomial  # isort: skip
from ._precision import require_traceable as require_traceable  # isort: skip
from ._precision import to_float as to_float, to_float64 as to_float64, to_host as to_host  # isort: skip
from .problem._problem import check_alphas as check_alphas, check_problem as check_problem  # isort: skip
from .problem._problem import check_overlaps as check_overlaps, check_state as check_state  # isort: skip
from .problem._problem import to_times as to_times  # isort: skip
from .state._pruning import units_that_stay as units_that_stay  # isort: skip
from .state._random_overlaps import as_key as as_key, key_numbers as key_numbers, key_words as key_words  # isort: skip
from .state._ranking import level_index as level_index  # isort: skip
from .tables._strict_tables import read_table as read_table  # isort: skip
from .result._status import check_bound as check_bound  # isort: skip
from .problem._ties import describe_ties as describe_ties  # isort: skip
from .tables._problem_file import read_problem as read_problem  # isort: skip
from ._programs import make_room as make_room  # isort: skip
from .result._unnamed import filled_length as filled_length, unnamed as unnamed  # isort: skip
from .result._unnamed import with_level_names as with_level_names  # isort: skip
from ._write_whole import write_whole as write_whole  # isort: skip

__version__: str
