# The facade's names and where they are; `__init__.py` loads each when it is first used.
from ._cost import cost as cost
from ._cost import cost_text as cost_text
from ._cost import frontier as frontier
from ._cost import multiply_adds as multiply_adds
from ._curriculum import curriculum as curriculum
from ._curriculum import curriculum_text as curriculum_text
from ._finite_size import deviation_data as deviation_data
from ._finite_size import escape_data as escape_data
from ._finite_size_fit import (
    along_shift as along_shift,
)
from ._finite_size_fit import (
    escape_fit as escape_fit,
)
from ._finite_size_fit import (
    mean_exponent as mean_exponent,
)
from ._finite_size_fit import (
    shift_amplitude as shift_amplitude,
)
from ._finite_size_fit import (
    variance_amplitude as variance_amplitude,
)
from ._finite_size_fit import (
    variance_exponent as variance_exponent,
)
from ._finite_size_plot import finite_size as finite_size
from ._finite_size_text import finite_size_text as finite_size_text
from ._gain_names import MEASURES as MEASURES
from ._gains import gain as gain
from ._gains import shrinking as shrinking
from ._lottery import lottery as lottery
from ._lottery import lottery_text as lottery_text
from ._lottery import odds as odds
from ._named import Drawn as Drawn
from ._named import named_figure as named_figure
from ._power_law import PowerLaw as PowerLaw
from ._power_law import power_law as power_law
from ._recipes import pack as pack
from ._recipes import recipes as recipes
from ._recipes import stores as stores
from ._success import success as success
from ._success import wilson as wilson
from ._tickets import tickets_data as tickets_data
from ._tickets_plot import tickets as tickets
from ._tickets_text import tickets_text as tickets_text
