# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._boundary import NORMAL_95 as NORMAL_95
from ._boundary import boundary as boundary
from ._boundary import check_where as check_where
from ._boundary import unclear_cells as unclear_cells
from ._scales import is_log as is_log
from ._scales import positions_of as positions_of
from ._scales import scale_axis as scale_axis
from ._select import Contrast as Contrast
from ._select import along_theory as along_theory
from ._select import coarse as coarse
from ._select import engines_of as engines_of
from ._select import label_of_value as label_of_value
from ._select import select as select
from ._select import take_engine as take_engine
