"""What is learned, from which inputs, by whom and in which order: problems, states and results."""

from ._activation import Activation, as_activation
from ._committee import Committee
from ._curriculum import Curriculum
from ._errors import InputError, nearest, require_name
from ._files import versions, write_whole
from ._inputs import Inputs
from ._observables import Observables, Quantity, quantities
from ._overlaps import Overlaps, check_overlaps, psd_violation
from ._precision import require_traceable, to_float, to_host
from ._problem import Problem, check_alphas
from ._random_overlaps import as_key, key_words, random_overlaps
from ._read import read_table
from ._sgd import SGD
from ._status import DIVERGENCE_BOUND, Status
from ._student import Student
from ._tables import problem_from_tables, problem_to_tables
from ._task import Condition, Task
from ._trajectory import Source, Trajectory

__all__ = [
    "DIVERGENCE_BOUND",
    "SGD",
    "Activation",
    "Committee",
    "Condition",
    "Curriculum",
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
    "as_activation",
    "as_key",
    "check_alphas",
    "check_overlaps",
    "key_words",
    "nearest",
    "problem_from_tables",
    "problem_to_tables",
    "psd_violation",
    "quantities",
    "random_overlaps",
    "read_table",
    "require_name",
    "require_traceable",
    "to_float",
    "to_host",
    "versions",
    "write_whole",
]
