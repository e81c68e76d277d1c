# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._axes import Axis as Axis
from ._bayes import bayes_accuracy as bayes_accuracy
from ._cell_status import FINISHED as FINISHED
from ._cell_status import RETRY as RETRY
from ._cell_status import CellStatus as CellStatus
from ._dotted import merged as merged
from ._plain_text import drawable as drawable
from ._plain_text import plain as plain
from ._run import Summary as Summary
from ._run import axes_of as axes_of
from ._run import open_sweep as open_sweep
from ._run import run_sweep as run_sweep
from ._run import sweep as sweep
from ._spec import Sweep as Sweep
from ._spec import load_sweep as load_sweep
from ._spec import read_sweep as read_sweep
