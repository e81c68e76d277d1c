# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._dotted import with_entry as with_entry
from ._problem_file import ACTIVATIONS as ACTIVATIONS
from ._problem_file import LABELS as LABELS
from ._problem_file import LOSSES as LOSSES
from ._problem_file import MIXTURE_NUMBERS as MIXTURE_NUMBERS
from ._problem_file import OTHERWISE as OTHERWISE
from ._problem_file import ActivationTable as ActivationTable
from ._problem_file import CommitteeTable as CommitteeTable
from ._problem_file import CurriculumTable as CurriculumTable
from ._problem_file import SGDTable as SGDTable
from ._problem_file import XorMixtureTable as XorMixtureTable
from ._problem_file import check_mixture_row as check_mixture_row
from ._problem_file import read_problem as read_problem
from ._strict_tables import read_table as read_table
