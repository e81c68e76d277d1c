"""What is learned, from which inputs, by whom and in which order: problems, states and results."""

from ._activation import Activation
from ._budget import Budget
from ._committee import Committee
from ._compiler import tune_compiler
from ._coupon_law import coupon_law
from ._curriculum import Curriculum
from ._entries import entry_names, from_vector, to_vector
from ._errors import InputError
from ._files import versions
from ._fluctuations import Fluctuations
from ._inputs import Inputs
from ._means_right import means_right
from ._observables import Observables, Quantity, quantities
from ._overlaps import Overlaps, psd_violation
from ._problem import Problem
from ._random_overlaps import random_overlaps
from ._ranking import rank_units
from ._sgd import SGD
from ._status import DIVERGENCE_BOUND, Status
from ._student import Student
from ._tables import problem_from_tables, problem_to_tables
from ._task import Condition, Task
from ._trajectory import Source, Trajectory
from ._xor_mixture import XorMixture

# For the other three packages; not part of the interface.
from ._activation import polynomial_named as polynomial_named  # isort: skip
from ._arrays import check_at_least as check_at_least  # isort: skip
from ._arrays import is_known as is_known, is_number as is_number  # isort: skip
from ._compiler import jax_has_started as jax_has_started  # isort: skip
from ._dotted import with_entry as with_entry  # isort: skip
from ._errors import first_line as first_line, nearest as nearest, require_name as require_name  # isort: skip
from ._fields import with_fields as with_fields  # isort: skip
from ._files import CONVENTIONS as CONVENTIONS, LONG_NAMES as LONG_NAMES, write_whole as write_whole  # isort: skip
from ._means_right import require_clusters as require_clusters  # isort: skip
from ._overlaps import check_shapes as check_shapes  # isort: skip
from ._polynomial import Polynomial as Polynomial, polynomial as polynomial  # isort: skip
from ._precision import require_traceable as require_traceable  # isort: skip
from ._precision import to_float as to_float, to_float64 as to_float64, to_host as to_host  # isort: skip
from ._problem import check_alphas as check_alphas, check_problem as check_problem  # isort: skip
from ._problem import check_overlaps as check_overlaps, check_state as check_state  # isort: skip
from ._pruning import units_that_stay as units_that_stay  # isort: skip
from ._random_overlaps import as_key as as_key, key_numbers as key_numbers, key_words as key_words  # isort: skip
from ._ranking import level_index as level_index  # isort: skip
from ._read import read_table as read_table  # isort: skip
from ._status import check_bound as check_bound  # isort: skip
from ._unnamed import filled_length as filled_length, unnamed as unnamed, with_level_names as with_level_names  # isort: skip

__version__ = versions().get("teacher-student", "unknown")

__all__ = [
    "DIVERGENCE_BOUND",
    "SGD",
    "Activation",
    "Budget",
    "Committee",
    "Condition",
    "Curriculum",
    "Fluctuations",
    "InputError",
    "Inputs",
    "Observables",
    "Overlaps",
    "Problem",
    "Quantity",
    "Source",
    "Status",
    "Student",
    "Task",
    "Trajectory",
    "XorMixture",
    "coupon_law",
    "entry_names",
    "from_vector",
    "means_right",
    "problem_from_tables",
    "problem_to_tables",
    "psd_violation",
    "quantities",
    "random_overlaps",
    "rank_units",
    "to_vector",
    "tune_compiler",
    "versions",
]
