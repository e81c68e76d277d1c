# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._fit import along_shift as along_shift
from ._fit import escape_fit as escape_fit
from ._fit import mean_exponent as mean_exponent
from ._fit import shift_amplitude as shift_amplitude
from ._fit import variance_amplitude as variance_amplitude
from ._fit import variance_exponent as variance_exponent
from ._plot import finite_size as finite_size
from ._study import deviation_data as deviation_data
from ._study import escape_data as escape_data
from ._text import finite_size_text as finite_size_text
