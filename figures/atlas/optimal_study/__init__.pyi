# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._plot import optimal as optimal
from ._study import optimal_data as optimal_data
from ._text import optimal_text as optimal_text
