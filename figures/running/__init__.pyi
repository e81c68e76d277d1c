# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._ctrl_c import heeding_ctrl_c as heeding_ctrl_c
from ._ctrl_c import signal_asked as signal_asked
from ._ctrl_c import stop_if_asked as stop_if_asked
from ._interrupted import Interrupted as Interrupted
from ._output import COMPARISON_FILES as COMPARISON_FILES
from ._output import OPTIMUM_FILES as OPTIMUM_FILES
from ._output import SOLUTION_FILES as SOLUTION_FILES
from ._output import check_output as check_output
from ._output import refuse_results as refuse_results
from ._output import require_writable as require_writable
from ._picture_files import PictureError as PictureError
from ._picture_files import require_matplotlib as require_matplotlib
from ._picture_files import require_picture as require_picture
from ._picture_files import write_picture as write_picture
from ._picture_files import write_pictures as write_pictures
