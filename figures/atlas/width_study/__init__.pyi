# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._plot import width as width
from ._sgd import width_sgd_data as width_sgd_data
from ._study import folder_names as folder_names
from ._study import width_data as width_data
from ._text import width_text as width_text
