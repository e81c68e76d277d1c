# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._comparison_plot import LINES as LINES
from ._comparison_plot import STYLE as STYLE
from ._comparison_plot import comparison as comparison
from ._curves import curves as curves
from ._equations_pdf import equations_pdf as equations_pdf
from ._phase_diagram import free_axes as free_axes
from ._phase_diagram import phase_diagram as phase_diagram
from ._read_report import check_report as check_report
from ._verdict_plot import COLOURS as COLOURS
from ._verdict_plot import MARKERS as MARKERS
